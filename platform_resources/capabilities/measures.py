"""What can be measured on one relation, as data: dimensions ask for it, the measure planner merges it, a warehouse runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # whoever only writes SQL about relations reads no specification
    from platform_resources.spec.components import DataSet


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """A table or view in the product's own database: schema `inputs`, `internal` or one that a team has chosen in dbt, and its
    name.

    `missing` are values that stand for null in a column, with their type: what is measured, is measured as if they were null.
    """

    schema: str
    name: str
    missing: tuple[tuple[str, str, tuple[str, ...]], ...] = field(default=(), compare=False, metadata={"planned": False})


def measured_relation(relation: Relation, data_set: "DataSet") -> Relation:
    """The relation of a data set with what its columns say to be missing."""
    said = tuple((column.name, column.type, tuple(map(str, column.missing))) for column in data_set.columns if column.missing)
    return replace(relation, missing=said)


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
    """Rows whose column is below `low` or above `high` (SQL literals, either may be left out); nulls are not counted.

    NaN is in no range: above every `high` as databases compare, and looked for where there is only a `low`, if `holds_nan` says that
    there may be any.
    """

    column: str
    low: str | None = None
    high: str | None = None
    holds_nan: bool = False


@dataclass(frozen=True, slots=True)
class CountIf:
    """Rows for which the predicate (DuckDB's SQL) is true.

    `of_few` names the only column that the predicate is about, if few different values are expected there, and if the predicate only
    compares: it is then true of all values that the database holds to be equal, or of none.
    """

    predicate: str
    of_few: str = ""


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


@dataclass(frozen=True, slots=True)
class Columns:
    """The relation's columns with their types, packed into one text in their order (`packed.py`); null for a relation without any."""


@dataclass(frozen=True, slots=True)
class PresentNulls:
    """Rows in which the column is null, if the relation has such a column; null otherwise."""

    column: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows whose column, as a number, is below, at most, or above one aggregate over `of` (DuckDB's SQL), which is measured first.

    Null when there is no such aggregate, as over no rows. NaN is above every number.
    """

    column: str
    operator: Literal["<", "<=", ">"]
    bound: str
    of: Relation


@dataclass(frozen=True, slots=True)
class Entities:
    """Entities (distinct values of the columns, without nulls) that were active; of those only the ones that are `quiet`, if so asked.

    Time is counted back from the newest event, or from now; later events are left out. An entity is quiet without an event in the last
    `quiet_for` seconds; it was active with at least `least_events` in the `active_within` seconds before those.
    """

    columns: tuple[str, ...]
    event_time: str
    quiet_for: int
    active_within: int
    least_events: int
    quiet: bool = False
    until: Literal["newest-event", "now"] = "newest-event"
    zoned: bool = False


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """Rows here and in another relation of each of its `limit` most frequent values, packed into one text; null if it has no value.

    Each with its name at the end, which is empty unless `named`.
    """

    column: str
    of: Relation
    of_column: str
    limit: int
    named: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same measure, of another relation of the product."""

    measure: "RowCount | NullCount | CountIf | Scalar | Columns | Compared"
    relation: Relation


@dataclass(frozen=True, slots=True)
class Pairing:
    """How rows find theirs in a reference: by equal keys, null keys never; and which values are laid side by side, in this order.

    `aggregates` (DuckDB's SQL) are over all rows of the reference that have the key.
    """

    columns: tuple[str, ...]
    reference: Relation
    reference_columns: tuple[str, ...]
    values: tuple[str, ...] = ()
    reference_values: tuple[str, ...] = ()
    aggregates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairCount:
    """Rows for which the predicate (DuckDB's SQL) about their pair is true.

    It may use `keyed` (whether the row has a key), `copies` (how many rows of the reference have it; null for none), and the values laid
    side by side: `h0`, `h1` … here, `v0`, `v1` … in the reference, and its aggregates `a0`, `a1` ….
    """

    pairing: Pairing
    predicate: str


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Values of a column with how many rows each has, and for how many of those each predicate is true, packed into one text.

    Only rows for which `among` is true count, and only values of at least `at_least` rows are told, the `limit` most frequent; each with
    its name at the end, which is empty unless `named`. Null is no value. With `every`, values are the days or weeks of a column of times.
    """

    column: str
    among: str
    predicates: tuple[str, ...]
    at_least: int
    limit: int
    named: bool
    every: Literal["day", "week"] | None = None


Measure = (
    RowCount
    | NullCount
    | Minimum
    | Maximum
    | OutOfRange
    | CountIf
    | DuplicateRows
    | OrphanRows
    | MissingKeys
    | DistinctKeys
    | Scalar
    | Columns
    | PresentNulls
    | Compared
    | Entities
    | CategoryCounts
    | Elsewhere
    | PairCount
    | GroupCounts
)
Value = int | float | Decimal | str | date | datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of a measure: a value, or the reason why there is none."""

    value: Value = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an objective is about: the data set, its relation, and the relations of the same product that it may compare with.

    While a specification is checked, `declared` has the columns that those relations promise, as far as that is known. `now` is when it
    is measured; None while it is only planned, where SQL that needs the time asks the database.
    """

    data_set: "DataSet"
    relation: Relation
    inputs: Mapping[str, Relation] = field(default_factory=dict)
    data_sets: Mapping[str, Relation] = field(default_factory=dict)
    declared: Mapping[Relation, tuple[str, ...]] = field(default_factory=dict, metadata={"planned": False})
    now: datetime | None = field(default=None, metadata={"planned": False})
