"""Try a capability of a package in one line of a test: in a small mesh, on real rows, as the platform itself would use it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from platform_resources.capabilities.components.service_level_asset import CAPABILITY as OBJECTIVE
from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.protocols import Capability, Dimension, InputInterface, OutputInterface
from platform_resources.capabilities.registry import Registry, installed_registry
from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import mask
from platform_resources.refresh.auditing import audit
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.refresh.pulling import pull
from platform_resources.refresh.sources.pull_records import PullContext
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.services.showing.published_files import published_files
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.targets import warehouse

_ROWS = "tried"


class MeshRefused(Exception):
    """Raised where the small mesh has errors; says them as `mesh validate` would."""


def planned(capability: Capability, kind: str, component: Mapping[str, Any] | None = None) -> ProductPlan:
    """The plan of a product that has this component (the capability's own example if none is given), a data set `tried`, and its model.

    `kind` is what its entry point begins with: `components`, `input_ports`, `output_ports`, `dimensions` or `policies`. Raises MeshRefused.
    """
    with TemporaryDirectory() as folder:
        return _product(Path(folder), _with(capability, kind), _component_text(component) or capability.example)


def judged(dimension: Dimension, rows: str, now: datetime | None = None, **properties: Any) -> Judgement:
    """The verdict of an objective with these properties on what the SQL query `rows` gives, as a refresh's audit comes to it.

    The query is in DuckDB's SQL; `now` is when the audit takes place. Raises MeshRefused where the properties are wrong.
    """
    settings = {"dimension": dimension.name, "data_set": _ROWS, **properties}
    objective = {"name": "tried objective", "type": OBJECTIVE.name, "properties": settings}
    registry = _with(cast(Capability, dimension), "dimensions")
    with TemporaryDirectory() as folder:
        product = _product(Path(folder), registry, _component_text(objective))
        with _built(Path(folder), product, rows) as database:
            (audited,) = audit(database, product, registry, now or datetime.now(UTC), None)
    return audited.judgement


def pulled(interface: InputInterface, now: datetime | None = None, **properties: Any) -> list[dict[str, Any]]:
    """The rows that an input port with these properties brings, as a refresh at the time `now` pulls it.

    Raises MeshRefused where the properties are wrong, and PullFailed where the source gives nothing.
    """
    at = now or datetime.now(UTC)
    with TemporaryDirectory() as folder:
        product = _planned_port(Path(folder), interface, "input", properties)
        context = PullContext(Path(folder), Path(folder), at, at.date() - timedelta(days=1), product, mask)
        with warehouse().opened(Path(folder), product.domain, product.name) as database:
            pull(database, product.inputs[0], context)
            return [dict(row) for row in database.rows(f"select * from inputs.{product.inputs[0].name}")]


def published(interface: OutputInterface, rows: str, **properties: Any) -> bytes:
    """The file that consumers download of an output port with these properties, once what the SQL query `rows` gives was published.

    The query is in DuckDB's SQL. Raises MeshRefused where the properties are wrong, and NotPublishable where it cannot be written.
    """
    with TemporaryDirectory() as folder:
        product = _planned_port(Path(folder), interface, "output", {"data_set": _ROWS, **properties})
        with _built(Path(folder), product, rows) as database:
            publish(database, Candidate(product, Path(folder), datetime.now(UTC), "trial", "trial"), {})
        (file,) = published_files(Path(folder), product, product.outputs[0].name)
        return file.path.read_bytes()


def _planned_port(root: Path, interface: Any, direction: str, properties: Mapping[str, Any]) -> ProductPlan:
    port = {"name": "tried port", "type": f"{direction}-port", "properties": {"interface": interface.name, **properties}}
    return _product(root, _with(interface, f"{direction}_ports"), _component_text(port))


@contextmanager
def _built(state: Path, product: ProductPlan, rows: str) -> Iterator[ProductDatabase]:
    """The product's database, with what the query gives in the relation of its data set."""
    with warehouse().opened(state, product.domain, product.name) as database:
        relation = product.data_set(_ROWS).relation
        database.execute(f"create schema if not exists {relation.schema}")
        database.execute(f"create table {relation.schema}.{relation.name} as {rows}")
        yield database


def _with(capability: Capability, kind: str) -> Registry:
    known = installed_registry().by_kind
    return Registry({**known, kind: {**known[kind], capability.name: capability}})


def _component_text(component: Mapping[str, Any] | None) -> str:
    """A component as YAML, which JSON is."""
    return f"- {json.dumps(component)}" if component else ""


def _product(root: Path, registry: Registry, component: str) -> ProductPlan:
    """A draft with a data set and its model, and the component."""
    lines = ["- {name: lab, type: domain}", "- {name: trial, type: data-product, properties: {lifecycle: draft}}"]
    lines += [f"- {{name: {_ROWS}, type: data-set}}", *component.strip().splitlines()]
    head = ["apiVersion: core.oam.dev/v1beta1", "kind: DataProduct", "spec:", "  components:"]
    files = {
        f"{conventions.PRODUCTS_FOLDER}/lab/trial/product.yaml": "\n".join((*head, *(f"    {line}" for line in lines))),
        f"{conventions.DBT_FOLDER}/models/lab/trial/{_ROWS}.sql": "select 1 as one",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text, encoding="utf-8")
    plan, problems = mesh_plan(read_mesh(root, registry))
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise MeshRefused(problems_text(errors))
    return plan.product("trial")
