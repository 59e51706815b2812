"""What a sample of a relation tells of its columns: the most frequent values, quantiles, a histogram.

Exact quantiles and the most frequent values of every column cost many times the scan. Of 100,000 rows chosen at random they cost little
more than choosing those, and a quantile is off by at most half a per cent of the rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import quoted, quoted_list, relation_sql
from platform_resources.measuring.profile_queries import LONGEST_VALUE, ProfiledColumn, shown_value
from platform_resources.measuring.version_profiles import QUANTILES, Histogram, Shown
from platform_resources.warehouses.protocol import ProductDatabase

SAMPLE_ROWS, TOP, BINS = 100_000, 10, 12
PART_COLUMNS = 40
_SAMPLE, _PART = "temp.mesh_sample", "temp.mesh_sample_part"


def sampled(
    database: ProductDatabase, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The rows chosen, and the fields that they tell of each column."""
    try:
        chosen = _kept_sample(database, relation, columns)
        return chosen, dict(_of_samples(database, columns, chosen == rows))
    finally:
        database.execute(f"drop table if exists {_SAMPLE}; drop table if exists {_PART}")


def _kept_sample(database: ProductDatabase, relation: Relation, columns: Sequence[ProfiledColumn]) -> int:
    """Keep rows chosen at random, all of them if there are not more; gives their number."""
    names = quoted_list(column.name for column in columns)
    chosen = f"select {names} from {relation_sql(relation)} using sample reservoir({SAMPLE_ROWS} rows)"
    database.within_limits(f"create or replace temp table mesh_sample as {chosen}")
    return int(database.execute(f"select count(*) from {_SAMPLE}")[0])


def _of_samples(database: ProductDatabase, columns: Sequence[ProfiledColumn], whole: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Some columns at a time: each query about one column costs something for every column of the table."""
    for first in range(0, len(columns), PART_COLUMNS):
        part = columns[first : first + PART_COLUMNS]
        names = quoted_list(column.name for column in part)
        database.within_limits(f"create or replace temp table mesh_sample_part as select {names} from {_SAMPLE}")
        yield from ((column.name, _of_sample(database, column, whole)) for column in part)


def _of_sample(database: ProductDatabase, column: ProfiledColumn, whole: bool) -> dict[str, Any]:
    """The fields of the column's profile that the sample tells; of hidden columns no value."""
    found: dict[str, Any] = {}
    if whole:
        (found["distinct"],) = database.within_limits(f"select count(distinct {quoted(column.name)}) from {_PART}")
    if not column.shown:
        return found
    found["top"] = _top(database, column)
    if column.kind in ("whole", "float", "moment"):
        found["quantiles"] = _quantiles(database, column)
    if column.kind in ("whole", "float"):
        found["histogram"] = _histogram(database, column)
    return found


def _top(database: ProductDatabase, column: ProfiledColumn) -> tuple[tuple[str, int], ...]:
    """The most frequent values; none where no value comes twice."""
    name = quoted(column.name)
    value = f"left(cast(value as varchar), {LONGEST_VALUE})"
    counted = f"select {name} as value, count(*) as rows_of_it from {_PART} where {name} is not null group by {name} having count(*) > 1"
    with database.limited():
        rows = database.rows(f"select {value} as shown, rows_of_it from ({counted}) order by 2 desc, 1 limit {TOP}")
    return tuple((str(shown_value(row["shown"])), row["rows_of_it"]) for row in rows)


def _quantiles(database: ProductDatabase, column: ProfiledColumn) -> tuple[Shown, ...]:
    """Values that there are, not points between two."""
    value = f"quantile_disc({column.finite}, {list(QUANTILES)})"
    sql = f"cast({value} as varchar[])" if column.kind == "moment" else value
    (found,) = database.within_limits(f"select {sql} from {_PART}")
    return tuple(shown_value(each) for each in found or ())


def _histogram(database: ProductDatabase, column: ProfiledColumn) -> Histogram | None:
    number = f"cast({column.finite} as double)"
    low, high = database.within_limits(f"select min({number}), max({number}) from {_PART}")
    if low is None or low == high:
        return None
    bin_ = f"least({BINS - 1}, cast(floor(({number} - {low!r}) / {(high - low)!r} * {BINS}) as integer))"
    with database.limited():
        rows = database.rows(f"select {bin_} as bin, count(*) as rows_in_it from {_PART} where {number} is not null group by 1")
    counts = {row["bin"]: row["rows_in_it"] for row in rows}
    return Histogram(low, high, tuple(counts.get(number, 0) for number in range(BINS)))
