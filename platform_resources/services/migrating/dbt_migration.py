"""Import a dbt project as a product: plan the files, try a build in a copy of the mesh, then write without overwriting."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from platform_resources.dbt.build import BuildFailed, NodeResult, build, parsed
from platform_resources.dbt.outside_project import OutsideProject, read_outside
from platform_resources.dbt.planning import read_plan
from platform_resources.dbt.project_slices import read_files
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.pulling import pull
from platform_resources.refresh.sources.pull_records import PullContext
from platform_resources.repository.mesh_folders import DOCUMENT
from platform_resources.repository.mesh_repository import target_of
from platform_resources.repository.needed_files import PROJECT
from platform_resources.repository.product_secrets import mask_of
from platform_resources.services.migrating.carried_files import carry_files, carry_packages
from platform_resources.services.migrating.carried_ports import CarriedPort, carried_ports, carry_ports
from platform_resources.services.migrating.carried_settings import carry_settings
from platform_resources.services.migrating.carrying import Carried, Edit, LeftOut, mapping
from platform_resources.services.migrating.written_product import data_set_models, product_text
from platform_resources.services.migrating.yaml_edits import CannotEdit, with_value
from platform_resources.spec.problems import Problem
from platform_resources.warehouses.targets import warehouse


class WouldOverwrite(Exception):
    """Raised if a file to be written exists already; nothing is written then."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The domain and name of the new product."""

    domain: str
    name: str


@dataclass(frozen=True, slots=True)
class ImportedProject:
    """The result: files written, YAML values set, what is left for a person, the outcome of the trial, and problems."""

    files: tuple[str, ...]
    edits: tuple[Edit, ...]
    left: tuple[LeftOut, ...]
    trial: tuple[str, ...]
    problems: tuple[Problem, ...]


def import_project(root: Path, folder: Path, product: Destination) -> ImportedProject:
    """Import the dbt project in `folder` into the mesh at `root`. Raises CannotRead and WouldOverwrite, both before anything is written."""
    with TemporaryDirectory(prefix="mesh-import-") as work:
        project = read_outside(folder, Path(work, "dbt"))
        carried, ports = _carried(root, project, product)
        document = f"{conventions.product_folder(product.domain, product.name)}/{DOCUMENT}"
        _refuse_overwriting(root, (*carried.copies, *carried.texts, document))
        stage = Path(work, "mesh")
        copied(read_files(root, None), root, stage)  # what all products share, so that it is tried as it will be
        edits = _write(stage, carried)
        models = data_set_models(project, carried)
        _write_text(stage / document, product_text(project, product, ports, models, {}, Carried()))
        planned, nodes, trial = tried(stage, product)
        columns = _columns(stage, planned, nodes) if planned is not None and nodes else {}
        text = product_text(project, product, ports, models, {**_catalogued(project), **columns}, carried)
        _write_text(stage / document, text)
        problems = read_plan(stage, [product.name])[1]
        written = (*carried.copies, *carried.texts, *{edit.file for edit in edits}, document)
        _bring(stage, root, written)
    files = tuple(sorted({*carried.copies, *carried.texts, document}))
    return ImportedProject(files, edits, tuple(sorted(set(carried.left))), trial, problems)


def _carried(root: Path, project: OutsideProject, product: Destination) -> tuple[Carried, tuple[CarriedPort, ...]]:
    carried = Carried()
    ports = carried_ports(project, carried)
    inputs = frozenset(port.seed.file for port in ports if port.seed is not None and not (port.seed.enabled and port.seed.read))
    carry_files(project, root, product, inputs, carried)
    carry_packages(project, root, carried)
    carry_ports(ports, project, product, carried)
    mesh = mapping(yaml.safe_load((root / PROJECT).read_text(encoding="utf-8")))
    carry_settings(project, mesh, product, carried)
    return carried, ports


def _refuse_overwriting(root: Path, paths: Sequence[str]) -> None:
    there = sorted(path for path in paths if (root / path).exists())
    if there:
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        raise WouldOverwrite(f"nothing is written, as these files are there already: {', '.join(there[:5])}{more}")


def copied(files: Iterable[Path], root: Path, stage: Path) -> None:
    """Copy files of the mesh to where they lie in a mesh that is only tried."""
    for file in files:
        target = stage / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def _write(stage: Path, carried: Carried) -> tuple[Edit, ...]:
    """Copy all files and put values in; gives those that could be put in, and notes the others as left to a person."""
    for path, source in carried.copies.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, stage / path)
    for path, text in carried.texts.items():
        _write_text(stage / path, text)
    done = []
    for edit in carried.edits:
        file = stage / edit.file
        try:
            file.write_text(with_value(file.read_text(encoding="utf-8"), edit.place, edit.value), encoding="utf-8")
            done.append(edit)
        except CannotEdit:
            where, value = ".".join(map(str, edit.place)), yaml.safe_dump(edit.value, default_flow_style=True, width=1000).strip()
            carried.leave(edit.file, f"{where} could not be put in by itself ({edit.why})", f"write there: {value}")
    return tuple(done)


def _write_text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def tried(stage: Path, product: Destination) -> tuple[ProductPlan | None, tuple[NodeResult, ...], tuple[str, ...]]:
    """Pull and build once beside the mesh: the plan, what dbt made, and what went wrong."""
    if warehouse().kind != "duckdb":
        return None, (), (f"not tried: a build in {warehouse().kind} would be no trial",)
    plan, problems = read_plan(stage, [product.name])
    planned = next((candidate for candidate in plan.products if candidate.name == product.name), None)
    if planned is None:
        return None, (), tuple(str(problem) for problem in problems)
    failures = _pulled(stage, planned)
    if failures:
        return planned, (), failures
    try:
        progress: list[str] = []
        nodes = build(parsed(stage, stage, planned, target_of(stage).name), progress.append)
    except BuildFailed as error:
        return planned, (), (str(error),)
    return planned, nodes, tuple(f"{node.kind} {node.name}: {node.message or node.status}" for node in nodes if node.failed)


def _pulled(stage: Path, product: ProductPlan) -> tuple[str, ...]:
    now = datetime.now(UTC)
    context = PullContext(stage, stage, now, now.date(), product, mask_of(stage, product))
    with warehouse().opened(stage, product.domain, product.name) as database:
        pulled = [pull(database, port, context) for port in product.inputs]
    return tuple(f"input {port.port}: {why}" for port in pulled for why in port.failures.values())


def _columns(stage: Path, product: ProductPlan, nodes: Sequence[NodeResult]) -> dict[str, Mapping[str, str]]:
    built = {node.name for node in nodes if node.kind == "model" and node.status == "success"}
    models = [product.model(data_set.model) for data_set in product.data_sets if data_set.model in built]
    with warehouse().opened(stage, product.domain, product.name) as database:
        return {model.name: database.columns(model.relation) for model in models}


def _catalogued(project: OutsideProject) -> dict[str, Mapping[str, str]]:
    """The columns of models as `dbt docs generate` has found them in the project's own warehouse; nothing where it has not run."""
    file = project.folder / str(project.settings.get("target-path") or "target") / "catalog.json"
    nodes = json.loads(file.read_bytes())["nodes"] if file.exists() else {}
    models = {uid.removeprefix(f"model.{project.name}."): node["columns"].values() for uid, node in nodes.items()}
    return {name: {column["name"]: column["type"].lower() for column in columns} for name, columns in models.items()}


def _bring(stage: Path, root: Path, paths: Sequence[Any]) -> None:
    """What was tried becomes the mesh's."""
    for path in dict.fromkeys(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stage / path, root / path)
