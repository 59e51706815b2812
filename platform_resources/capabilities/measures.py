"""What can be measured on one relation, as data: dimensions ask for it, the measure planner merges it, a warehouse runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from platform_resources.spec.components import DataSet


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """A table or view in the product's own database: schema `inputs`, `internal` or `outputs`, and its name."""

    schema: Literal["inputs", "internal", "outputs"]
    name: str


@dataclass(frozen=True, slots=True)
class RowCount:
    """All rows."""


@dataclass(frozen=True, slots=True)
class NullCount:
    """Rows in which the column is null."""

    column: str


@dataclass(frozen=True, slots=True)
class Minimum:
    """The least value of the column; null when there is none."""

    column: str


@dataclass(frozen=True, slots=True)
class Maximum:
    """The greatest value of the column; null when there is none."""

    column: str


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """Rows whose column is below `low` or above `high` (SQL literals, either may be left out); nulls are not counted."""

    column: str
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class CountIf:
    """Rows for which the predicate (DuckDB's SQL) is true."""

    predicate: str


@dataclass(frozen=True, slots=True)
class DuplicateRows:
    """Rows beyond the first of each combination of the columns; exact, never approximate. Nulls are equal to each other."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrphanRows:
    """Rows whose key is not in the referenced relation; rows with a null in the key are not counted."""

    columns: tuple[str, ...]
    referenced: Relation
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingKeys:
    """Distinct keys of the population relation that this relation does not hold, and nothing else; null keys are not counted."""

    columns: tuple[str, ...]
    population: Relation
    population_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DistinctKeys:
    """Exact number of distinct non-null keys in another relation (a population)."""

    relation: Relation
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of one aggregate SQL expression over the relation (DuckDB's SQL)."""

    expression: str


Measure = RowCount | NullCount | Minimum | Maximum | OutOfRange | CountIf | DuplicateRows | OrphanRows | MissingKeys | DistinctKeys | Scalar
Value = int | float | Decimal | str | date | datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of a measure: a value, or the reason why there is none."""

    value: Value = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an objective is about: the data set, its relation, and the relations of the same product that it may compare with."""

    data_set: DataSet
    relation: Relation
    inputs: Mapping[str, Relation] = field(default_factory=dict)
    data_sets: Mapping[str, Relation] = field(default_factory=dict)


Verdict = Literal["met", "missed", "unknown"]


@dataclass(frozen=True, slots=True)
class Refreshes:
    """How long refreshes of a product took, in seconds: those that ended well, oldest first, and the one that goes on, if any."""

    seconds: tuple[float, ...] = ()
    running: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When and against what readings are judged: the time, the rows of the version published before (None if there is none), and history.

    `refreshes` is told only for what is measured from history.
    """

    now: datetime
    previous_rows: int | None = None
    refreshes: Refreshes = Refreshes()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what a person needs to understand it.

    `value` and `threshold` are texts or numbers as shown; `failing` names the measure whose rows are the failing ones.
    """

    verdict: Verdict
    reason: str
    value: float | int | str | None = None
    threshold: str = ""
    failing_rows: int | None = None
    failing: str | None = None
