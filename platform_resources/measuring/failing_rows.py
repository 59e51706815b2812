"""SQL that selects example rows which fail a measure."""

from collections.abc import Sequence
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
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.sql_text import as_number, enclosed, quoted, quoted_list, relation_sql
from platform_resources.measuring.group_queries import quiet_entities_sql
from platform_resources.measuring.key_queries import missing_sql, orphans_sql
from platform_resources.measuring.metrics import ROWS, outside_sql
from platform_resources.measuring.pair_queries import failing_pairs_sql


def failing_rows_sql(measure: Measure, relation: Relation, show: Sequence[str], limit: int) -> str | None:
    """At most `limit` rows that fail the measure, with the columns `show` and no other; None if it counts no rows or none may be shown.

    Duplicates are shown with the row that they repeat. A missing key is a row elsewhere: it is shown under its columns' names here.
    """
    rows = _failing_rows(measure, relation, show)
    return None if rows is None or not show else f"{rows}\nlimit {int(limit)}"


def _failing_rows(measure: Measure, relation: Relation, show: Sequence[str]) -> str | None:
    select = f"select {quoted_list(show)} from {relation_sql(relation)}"
    match measure:
        case CountIf(predicate):
            return f"{select} where {enclosed(predicate)}"
        case OutOfRange():
            return f"{select} where {outside_sql(measure)}"
        case NullCount(column):
            return f"{select} where {quoted(column)} is null"
        case DuplicateRows(columns):
            return f"{select} qualify {ROWS} over (partition by {quoted_list(columns)}) > 1"
        case OrphanRows():
            return f"select {quoted_list(show, 'here.')} from {orphans_sql(measure, relation)}"
        case MissingKeys():
            return _missing_keys(measure, relation, show)
        case PresentNulls(column):
            return f"{select} where {quoted(column)} is null"
        case Compared(column, operator, bound, of):
            return f"{select} where {as_number(column)} {operator} (select {enclosed(bound)} from {relation_sql(of)})"
        case Entities():
            return quiet_entities_sql(measure, relation_sql(relation), show)
        case PairCount():
            return failing_pairs_sql(measure, relation_sql(relation), relation_sql(measure.pairing.reference), show)
        case RowCount() | Minimum() | Maximum() | DistinctKeys() | Scalar() | Columns() | CategoryCounts() | Elsewhere():
            return None
        case GroupCounts():
            return None
        case _:
            assert_never(measure)


def _missing_keys(measure: MissingKeys, relation: Relation, show: Sequence[str]) -> str | None:
    pairs = zip(measure.columns, measure.population_columns, strict=True)
    shown = [f"here.{quoted(there)} as {quoted(here)}" for here, there in pairs if here in show]
    return f"select {', '.join(shown)} from {missing_sql(measure, relation)}" if shown else None
