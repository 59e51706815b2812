"""Run dbt in this process: parse one product's project, build it, and return the results as plain data."""

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.build_log import listening, tidy
from platform_resources.dbt.built_databases import built_elsewhere, let_go
from platform_resources.dbt.manifest import MAKERS, incremental, left_out, relations, unfit
from platform_resources.dbt.node_messages import message_text
from platform_resources.dbt.project_slices import PARSED, replace_file, slice_of, target_folder, work_folder
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import Mask
from platform_resources.repository.product_secrets import mask_of
from platform_resources.warehouses.targets import warehouse

_RUNNER = "dbt.cli.main"


class BuildFailed(Exception):
    """Raised when dbt could not build: what dbt said, without its traceback."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The result of one dbt node: `status` is dbt's word (success, pass, fail, warn, error, skipped); `seconds` is its time.

    `materialized` is dbt's word too (table, view, incremental …); empty for what is none. `of` is the model that a test is about, where
    dbt says it: tests of two models may have one name.
    """

    kind: str
    name: str
    status: str
    message: str
    failures: int | None
    seconds: float
    sql: str
    reads: frozenset[str]
    materialized: str = ""
    of: str = ""

    @property
    def failed(self) -> bool:
        """Whether the node failed or errored."""
        return self.status in ("error", "fail", "runtime error")


@dataclass(frozen=True, slots=True)
class Project:
    """A product's dbt project, parsed; `manifest` is dbt's own, `hide` takes secrets out of what dbt says."""

    root: Path
    state: Path
    product: ProductPlan
    target: str
    manifest: Any
    hide: Mask

    @property
    def relations(self) -> Mapping[str, Relation]:
        """Where a build writes each model, seed and snapshot, by name."""
        return relations(self.manifest)

    @property
    def incremental(self) -> frozenset[str]:
        """The models that keep rows of earlier builds, and can be built from scratch."""
        return incremental(self.manifest)


def begin_import() -> None:
    """Import dbt in a thread, beside other work; the import takes as long as loading a million rows."""
    if _RUNNER not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(_RUNNER,), name="import dbt", daemon=True).start()


def parsed(root: Path, state: Path, product: ProductPlan, target: str) -> Project:
    """The product's dbt project. Raises BuildFailed when dbt cannot parse it, or when a data set would not be built."""
    hide = mask_of(root, product)
    _begin_with_macros(root, state, product, target, hide)
    result = _invoked("parse", root, state, product, target, hide)
    if result.exception is not None:
        raise BuildFailed(hide(_words(result.exception)))
    problems = tuple(unfit(product, result.result))
    if problems:
        raise BuildFailed("; ".join(problems))
    return Project(root, state, product, target, result.result, hide)


def _begin_with_macros(root: Path, state: Path, product: ProductPlan, target: str, hide: Mask) -> None:
    """Give a product that was never parsed what dbt remembers of its own macros, 500 of them, which take longer than most products.

    They are parsed once for the mesh, and again when what decides about them is newer. dbt itself compares whether it may use them. Where
    they cannot be parsed, neither can the product, which then says why.
    """
    work, shared = work_folder(state, product), target_folder(state) / f"{version('dbt-core')}.{PARSED}"
    if (work / PARSED).exists():
        return
    files = [root / conventions.DBT_FOLDER / name for name in ("dbt_project.yml", "profiles.yml")]
    if not shared.exists() or any(file.exists() and file.stat().st_mtime > shared.stat().st_mtime for file in files):
        alone = work / "macros"
        result = _invoked("parse", root, state, product, target, hide, alone=alone)
        if result.exception is not None or not (alone / PARSED).exists():
            return
        os.replace(alone / PARSED, shared)
    replace_file(work / PARSED, shared.read_bytes())


def _share_macros() -> None:
    """Let dbt begin a parse with macros that were parsed for another database. It refuses any other profile: nodes hold names out of it.

    What it remembers without nodes holds none. Where a version of dbt has no such method, every product is parsed from nothing.
    """
    from dbt.parser.manifest import ManifestLoader

    allowed = getattr(ManifestLoader, "is_partial_parsable", None)
    if allowed is None or getattr(allowed, "shares_macros", False):
        return

    def is_partial_parsable(loader: Any, remembered: Any) -> Any:
        if not remembered.nodes and not remembered.sources:
            remembered.state_check.profile_hash = loader.manifest.state_check.profile_hash
        return allowed(loader, remembered)

    is_partial_parsable.shares_macros = True  # type: ignore[attr-defined]
    ManifestLoader.is_partial_parsable = is_partial_parsable


def build(project: Project, report: Callable[[str], None], full_refresh: bool = False) -> tuple[NodeResult, ...]:
    """Build and test all models of the product; `full_refresh` builds incremental ones from scratch.

    Failed nodes are in the results; raises BuildFailed when dbt could not run at all, left a model out, or wrote elsewhere.
    """
    product = project.product
    result = _invoked("build", project.root, project.state, product, project.target, project.hide, project.manifest, report, full_refresh)
    if result.exception is not None:
        raise BuildFailed(project.hide(_words(result.exception)))
    found = tuple(getattr(result.result, "results", ()))
    lost = tuple(left_out(project.manifest, (each.node.unique_id for each in found)))
    if lost:
        raise BuildFailed("; ".join(lost))
    nodes = tuple(_node(each, project.hide) for each in found)
    _compare_lineage(product, nodes)
    return nodes


def _invoked(
    command: str,
    root: Path,
    state: Path,
    product: ProductPlan,
    target: str,
    hide: Mask,
    manifest: Any = None,
    report: Callable[[str], object] = str,
    full_refresh: bool = False,
    alone: Path | None = None,
) -> Any:
    """dbt prints nothing: standard output belongs to the caller. Its whole log is in the target folder, by us: its own would hold secrets.

    `alone`: a target folder for a project with nothing of any product in it.

    dbt's runner is not thread-safe: one at a time in a process.
    """
    from dbt.cli.main import dbtRunner

    _share_macros()
    work = alone or work_folder(state, product)
    sliced = slice_of(root, work, (product.domain, product.name) if alone is None else None)
    arguments = [
        command, "--project-dir", str(sliced), "--profiles-dir", str(sliced),
        "--target", target, "--target-path", str(work), "--log-path", str(work / "logs"),
        "--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors",
        "--no-send-anonymous-usage-stats", "--no-version-check", "--no-write-json",
        *(("--full-refresh",) if full_refresh else ()),
    ]  # fmt: skip
    with _environment(warehouse().dbt_variables(state, product.domain, product.name)), listening(work / "logs", report, hide) as callback:
        try:
            result = dbtRunner(manifest, callbacks=[callback]).invoke(arguments)
            if result.exception is None and command == "build":
                strays = tuple(built_elsewhere(state, product, manifest))
                if strays:
                    raise BuildFailed("; ".join(strays))
            return result
        finally:
            let_go()
            tidy(work, hide)


def _compare_lineage(product: ProductPlan, nodes: tuple[NodeResult, ...]) -> None:
    """The lineage shown was read from the models' text; what dbt found must be the same. Raises BuildFailed."""
    planned = {model.name: {key[-1] for key in model.dependencies} for model in product.models}
    for node in nodes:
        read = planned.get(node.name, set()) if node.kind == "model" else set(node.reads)
        if set(node.reads) != read:
            hidden = ", ".join(sorted(set(node.reads) ^ read))
            raise BuildFailed(f"model {node.name} reads {hidden} through a macro; write its ref() or source() in the model itself")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _node(found: Any, hide: Mask) -> NodeResult:
    node = found.node
    return NodeResult(
        kind=str(node.resource_type),
        name=node.name,
        status=str(found.status),
        message=hide(message_text(str(found.message or ""))),
        failures=found.failures,
        seconds=found.execution_time,
        sql=hide(getattr(node, "compiled_code", None) or ""),
        reads=frozenset(unique_id.rsplit(".", 1)[-1] for unique_id in node.depends_on_nodes),
        materialized=str(node.config.materialized) if node.resource_type in MAKERS else "",
        of=str(getattr(node, "attached_node", None) or "").rsplit(".", 1)[-1],
    )


def _words(error: BaseException) -> str:
    """In one line, with dbt's heading: here nothing else names the file."""
    return " ".join(str(error).split()) or type(error).__name__
