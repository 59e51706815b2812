"""Try a capability of a package in one line of a test: in a small mesh, on real rows, as the platform itself would use it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from platform_resources.capabilities.components.service_level_asset import CAPABILITY as OBJECTIVE
from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.protocols import Capability, Dimension
from platform_resources.capabilities.registry import Registry, installed_registry
from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.auditing import audit
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.problems import problems_text
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
        with warehouse().opened(Path(folder), "lab", "trial") as database:
            relation = product.data_set(_ROWS).relation
            database.execute(f"create schema if not exists {relation.schema}")
            database.execute(f"create table {relation.schema}.{relation.name} as {rows}")
            (audited,) = audit(database, product, registry, now or datetime.now(UTC), None)
    return audited.judgement


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
