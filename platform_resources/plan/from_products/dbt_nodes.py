"""What dbt says of one product's part of the project, as plain data: models, tests, exposures."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from platform_resources.plan.check_plans import NOTHING_SHOWN, Shown
from platform_resources.spec.problems import Problem


@dataclass(frozen=True, slots=True)
class DbtNode:
    """A model, seed or snapshot, `kind` says which. `digest` changes with whatever changes what it makes: SQL, settings, macros.

    `database` is one that a setting names; empty where the node is built in the product's own.
    `reads` are names of other nodes, `sources` those of sources as `source.table`. `file` is relative to the mesh's root.
    `batch` is the size of its batches where its strategy is microbatch, so that its days can be made anew; else empty.
    """

    name: str
    kind: str
    file: str
    description: str
    reads: tuple[str, ...]
    sources: tuple[str, ...]
    database: str
    schema: str
    alias: str
    materialized: str
    language: str
    sql: str
    digest: str
    version: str = ""
    shown: Shown = NOTHING_SHOWN
    batch: str = ""


@dataclass(frozen=True, slots=True)
class DbtTest:
    """A dbt test. `of` is the node, or the source's table as `source.table`, that it is about; empty if it reads none.

    `kind` is `unit` for a unit test, `singular` for one in SQL of its own, otherwise the generic test's name.
    """

    unique_id: str
    name: str
    kind: str
    file: str
    of: str
    column: str
    severity: str
    description: str
    digest: str
    shown: Shown = NOTHING_SHOWN


@dataclass(frozen=True, slots=True)
class DbtExposure:
    """Who uses what a project makes, as dbt lets teams write it."""

    name: str
    title: str
    kind: str
    file: str
    description: str
    url: str
    owner: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DbtMetric:
    """A number that a project defines for dbt's semantic layer; `kind` is dbt's own word, `reads` are the models behind it."""

    name: str
    title: str
    kind: str
    file: str
    description: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DbtSemanticModel:
    """What a project says of one model for dbt's semantic layer: names of its entities, dimensions and measures."""

    name: str
    title: str
    file: str
    description: str
    model: str
    entities: tuple[str, ...]
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DbtProject:
    """One product's project. `disabled` are names of nodes that are switched off; `digest` changes with what all its nodes share."""

    nodes: tuple[DbtNode, ...] = ()
    tests: tuple[DbtTest, ...] = ()
    exposures: tuple[DbtExposure, ...] = ()
    metrics: tuple[DbtMetric, ...] = ()
    semantic_models: tuple[DbtSemanticModel, ...] = ()
    disabled: tuple[str, ...] = ()
    digest: str = ""

    def node(self, name: str) -> DbtNode | None:
        """The node of that name; None if there is none."""
        return next((node for node in self.nodes if node.name == name), None)


@dataclass(frozen=True, slots=True)
class DbtReading:
    """What came of asking dbt about a product: its project, or the problems for which there is none.

    `missing` is the node, or the table as `source.table`, that something refers to and dbt does not find.
    """

    project: DbtProject | None
    problems: tuple[Problem, ...] = ()
    missing: str = ""


def project_from(data: Mapping[str, Any]) -> DbtProject:
    """A project from what `dataclasses.asdict` made of it, perhaps by way of JSON."""
    return DbtProject(
        nodes=tuple(_made(DbtNode, node) for node in data["nodes"]),
        tests=tuple(_made(DbtTest, test) for test in data["tests"]),
        exposures=tuple(_made(DbtExposure, exposure) for exposure in data["exposures"]),
        metrics=tuple(_made(DbtMetric, metric) for metric in data["metrics"]),
        semantic_models=tuple(_made(DbtSemanticModel, model) for model in data["semantic_models"]),
        disabled=tuple(data["disabled"]),
        digest=data["digest"],
    )


def _made(kind: type[Any], data: Mapping[str, Any]) -> Any:
    """JSON knows no tuples."""
    values = {f.name: tuple(data[f.name]) if isinstance(data[f.name], list) else data[f.name] for f in fields(kind)}
    return kind(**values | ({"shown": _made(Shown, data["shown"])} if "shown" in values else {}))
