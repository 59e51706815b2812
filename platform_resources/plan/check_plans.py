"""Planned checks: dbt tests, inputs, objectives and indicators, each with the file and line where it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.protocols import MeasuredBy
from platform_resources.plan.conventions import Key
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.product import Origin
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.deadlines import MaxAge


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Where something is written: a file relative to the mesh's root, and a line."""

    file: str
    line: int

    @classmethod
    def of(cls, origin: Origin) -> "SourceLine":
        """The file and line of a component."""
        return cls(origin.file, origin.line)


@dataclass(frozen=True, slots=True)
class Shown:
    """What dagster-dbt's translator says of a node or a test for Dagster's pages; `metadata` is text, or as Dagster writes it down."""

    description: str = ""
    group: str = ""
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


NOTHING_SHOWN = Shown()


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """One asset check: an objective, a dbt test, or what the platform itself checks of an input.

    `digest` stands for what a dbt test of the team's own asks; it is empty where the plan itself tells what is checked. `columns` are
    those that it is about, as `data_set.column`, or the whole data set. A `target` is one of the business, and no promise about the data.
    `former_names` are those that the check once had. `dbt_id` is dbt's name of a dbt test, unique among all.
    """

    name: str
    key: Key
    kind: Literal["objective", "dbt_test", "input", "indicator"]
    title: str
    description: str
    blocking: bool
    severity: Literal["error", "warning"]
    place: SourceLine
    digest: str = ""
    columns: tuple[str, ...] = ()
    target: bool = False
    former_names: tuple[str, ...] = field(default=(), metadata={"planned": False})
    dbt_id: str = field(default="", metadata={"planned": False})
    shown: Shown = field(default=NOTHING_SHOWN, hash=False, metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class OwnedKey:
    """The key of another product that a global identifier comes from; `data_set` is empty where the product has one."""

    identifier: str
    product: str
    data_set: str
    column: str
    type: str

    @property
    def relation(self) -> Relation:
        """The relation that holds the key's values during an audit; no input port can have its name."""
        return Relation("inputs", f"key of {self.identifier}")


@dataclass(frozen=True, slots=True)
class ObjectivePlan:
    """One objective: its check, the dimension that judges it, what it is about, when it is measured, and which ports a probe of it reads.

    `data_set` is empty for an objective about the product as a whole. One with two thresholds has those of an error in `error_settings`.
    One that nobody wrote, about a global identifier of another product, has its `key`. One about inputs alone is judged `before_build`.
    """

    check: CheckPlan
    dimension: str
    settings: Strict
    data_set: str
    subject: Subject
    measured_by: MeasuredBy = "audit"
    ports: tuple[str, ...] = ()
    error_settings: Strict | None = field(default=None, metadata={"planned": "where there is one"})
    key: OwnedKey | None = field(default=None, metadata={"planned": "where there is one"})
    before_build: bool = field(default=False, metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class IndicatorPlan:
    """One indicator: its check on the scorecard, the check of the objective that it watches, and the ports whose versions tell freshness.

    `max_age` is given if its objective promises one.
    """

    check: CheckPlan
    spec: ServiceLevelIndicator
    objective: CheckPlan
    dimension: str
    data_set: str
    max_age: MaxAge | None
    ports: tuple[str, ...]


def undescribed(dimension: str) -> str:
    """What is said of an objective where its owner has said nothing."""
    return f"Objective of the dimension {dimension}."
