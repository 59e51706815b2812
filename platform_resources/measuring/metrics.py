"""Map each measure to the value of a query that answers it, and to the rows that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from platform_resources.capabilities.measures import (
    CategoryCounts,
    Columns,
    Compared,
    CountIf,
    DistinctKeys,
    DuplicateRows,
    Elsewhere,
    Entities,
    GroupCounts,
    Maximum,
    Measure,
    Minimum,
    MissingKeys,
    NullCount,
    OrphanRows,
    OutOfRange,
    PairCount,
    PresentNulls,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.sql_text import enclosed, is_nan, quoted, relation_sql
from platform_resources.measuring.group_queries import category_counts_sql, columns_sql, entities_sql, group_counts_sql, is_counted
from platform_resources.measuring.key_queries import distinct_keys_sql, distinct_rows_sql, missing_sql, orphans_sql
from platform_resources.measuring.pair_queries import pairs_sql

ROWS = "count(*)"


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure asked of one relation; `id` is the asker's name for the reading and unique among those asked."""

    id: str
    relation: Relation
    measure: Measure


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One value that a query can answer: an aggregate expression over the relation, or over the `source` (a query) that is made
    of it, or (`alone`) a query of its own.

    `condition` is true of the rows that it counts, if it counts rows of the relation; `of_few` the only column that it is about, if few
    different values are expected there. They say how else the same value can be computed, and do not change it.
    """

    relation: Relation
    sql: str
    alone: bool = False
    source: str = ""
    condition: str = field(default="", compare=False)
    of_few: str = field(default="", compare=False)


Answers = Mapping[Metric, Reading]


def metric_of(asked: Asked) -> Metric:
    """The one metric whose value is the reading; for a range, the count of its violations; for duplicates, that of distinct rows."""
    measure, relation = asked.measure, asked.relation
    match measure:
        case RowCount():
            return Metric(relation, ROWS)
        case NullCount(column) | PresentNulls(column):
            return Metric(relation, f"{ROWS} - count({quoted(column)})", condition=f"{quoted(column)} is null")
        case Minimum(column):
            return Metric(relation, f"min({quoted(column)})")
        case Maximum(column):
            return Metric(relation, f"max({quoted(column)})")
        case CountIf(predicate, of_few):
            return Metric(relation, f"count_if{enclosed(predicate)}", condition=predicate, of_few=of_few)
        case OutOfRange():
            outside = outside_sql(measure)
            return Metric(relation, f"count_if({outside})", condition=outside)
        case Scalar(expression):
            return Metric(relation, enclosed(expression))
        case Columns():
            return Metric(relation, columns_sql(relation), alone=True)
        case DistinctKeys() | DuplicateRows() | OrphanRows() | MissingKeys():
            return _of_keys(measure, relation)
        case CategoryCounts() | Entities() | PairCount() | GroupCounts():
            return _of_groups(measure, relation)
        case Compared() | Elsewhere():
            raise ValueError(f"{measure!r} has no metric before another is answered, or on this relation")
        case _:
            assert_never(measure)


def _of_keys(measure: DistinctKeys | DuplicateRows | OrphanRows | MissingKeys, relation: Relation) -> Metric:
    match measure:
        case DistinctKeys(population, columns):
            return Metric(population, f"select {ROWS} from ({distinct_keys_sql(population, columns)}) as keys", alone=True)
        case DuplicateRows():
            return Metric(relation, distinct_rows_sql(measure, relation), alone=True)
        case OrphanRows():
            return Metric(relation, f"select {ROWS} from {orphans_sql(measure, relation)}", alone=True)
        case MissingKeys():
            return Metric(relation, f"select {ROWS} from {missing_sql(measure, relation)}", alone=True)
        case _:
            assert_never(measure)


def _of_groups(measure: CategoryCounts | Entities | PairCount | GroupCounts, relation: Relation) -> Metric:
    name = relation_sql(relation)
    match measure:
        case CategoryCounts():
            return Metric(relation, category_counts_sql(measure, name, relation_sql(measure.of)), alone=True)
        case Entities():
            return Metric(relation, f"count_if({is_counted(measure)})", source=entities_sql(measure, name))
        case PairCount():
            source = pairs_sql(measure.pairing, name, relation_sql(measure.pairing.reference))
            return Metric(relation, f"count_if{enclosed(measure.predicate)}", source=source)
        case GroupCounts():
            return Metric(relation, group_counts_sql(measure, name), alone=True)
        case _:
            assert_never(measure)


def outside_sql(measure: OutOfRange) -> str:
    """SQL condition for rows that lie outside the range."""
    column = quoted(measure.column)
    low = [] if measure.low is None else [f"{column} < {measure.low}"]
    high = [] if measure.high is None else [f"{column} > {measure.high}"]
    neither = [is_nan(measure.column)] if low and not high and measure.holds_nan else []
    return " or ".join([*low, *high, *neither]) or "false"
