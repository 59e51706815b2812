"""What a sample of a relation tells of its columns: the most frequent values, quantiles, standard deviation, a histogram.

Exact quantiles and the most frequent values of every column cost many times the scan. Of about 100,000 rows chosen at random they cost
little more than choosing those, and a quantile is off by at most half a per cent of the rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import quoted, quoted_list, relation_sql
from platform_resources.measuring.profile_queries import LONGEST_VALUE, ProfiledColumn, shown_value
from platform_resources.measuring.version_profiles import QUANTILES, Histogram
from platform_resources.warehouses.protocol import ProductDatabase

SAMPLE_ROWS, TOP, BINS = 100_000, 10, 12
PART_COLUMNS = 40
_SAMPLE, _PART = "temp.mesh_sample", "temp.mesh_sample_part"


def sampled(
    database: ProductDatabase, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The rows chosen, and the fields that they tell of each column."""
    try:
        chosen = _kept_sample(database, relation, columns, rows)
        return chosen, dict(_of_samples(database, columns, chosen == rows))
    finally:
        database.execute(f"drop table if exists {_SAMPLE}; drop table if exists {_PART}")


def _kept_sample(database: ProductDatabase, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None) -> int:
    """Keep rows chosen at random, all of them if there are not more; gives their number."""
    names = quoted_list(column.name for column in columns)
    chosen = f"select {names} from {relation_sql(relation)}{_chosen(rows)}"
    database.within_limits(f"create or replace temp table mesh_sample as {chosen}")
    return int(database.execute(f"select count(*) from {_SAMPLE}")[0])


def _chosen(rows: int | None) -> str:
    """Each row by chance, which costs a third of a reservoir; that is only needed where nobody knows how many rows there are."""
    if rows is None:
        return f" using sample reservoir({SAMPLE_ROWS} rows)"
    return f" using sample {100 * SAMPLE_ROWS / rows}% (bernoulli)" if rows > SAMPLE_ROWS else ""


def _of_samples(database: ProductDatabase, columns: Sequence[ProfiledColumn], whole: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Some columns at a time: each query about one column costs something for every column of the table."""
    for first in range(0, len(columns), PART_COLUMNS):
        part, table = columns[first : first + PART_COLUMNS], _SAMPLE
        if len(columns) > PART_COLUMNS:
            table, names = _PART, quoted_list(column.name for column in part)
            database.within_limits(f"create or replace temp table mesh_sample_part as select {names} from {_SAMPLE}")
        aggregates = _aggregates(database, table, part, whole)
        yield from ((column.name, _of_sample(database, table, column, aggregates[column.name])) for column in part)


def _aggregates(database: ProductDatabase, table: str, columns: Sequence[ProfiledColumn], whole: bool) -> dict[str, dict[str, Any]]:
    """What one query tells of all columns, by column and field; of hidden columns no value."""
    asked = [(column.name, field, sql) for column in columns for field, sql in _asked(column, whole).items()]
    answers = database.within_limits(f"select {', '.join(sql for *_, sql in asked)} from {table}") if asked else ()
    answers_of: dict[str, dict[str, Any]] = {column.name: {} for column in columns}
    for (name, field, _), answer in zip(asked, answers, strict=True):
        answers_of[name][field] = answer
    return answers_of


def _asked(column: ProfiledColumn, whole: bool) -> dict[str, str]:
    """Quantiles are values that there are, not points between two."""
    asked = {"distinct": f"count(distinct {quoted(column.name)})"} if whole else {}
    if not column.shown:
        return asked
    quantiles = f"quantile_disc({column.finite}, {list(QUANTILES)})"
    number = f"cast({column.finite} as double)"
    match column.kind:
        case "moment":
            return asked | {"quantiles": f"cast({quantiles} as varchar[])"}
        case "whole" | "float":
            ends = {"low": f"min({number})", "high": f"max({number})"}
            return asked | {"quantiles": quantiles, "deviation": f"stddev_samp({column.finite})", **ends}
        case _:
            return asked


def _of_sample(database: ProductDatabase, table: str, column: ProfiledColumn, aggregates: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the column's profile that the sample tells."""
    fields = {field: aggregates[field] for field in ("distinct", "deviation") if field in aggregates}
    if not column.shown:
        return fields
    fields["top"] = _top(database, table, column)
    if "quantiles" in aggregates:
        fields["quantiles"] = tuple(shown_value(value) for value in aggregates["quantiles"] or ())
    if "low" in aggregates:
        fields["histogram"] = _histogram(database, table, column, aggregates["low"], aggregates["high"])
    return fields


def _top(database: ProductDatabase, table: str, column: ProfiledColumn) -> tuple[tuple[str, int], ...]:
    """The most frequent values; none where no value comes twice."""
    name = quoted(column.name)
    value = f"left(cast(value as varchar), {LONGEST_VALUE})"
    counted = f"select {name} as value, count(*) as rows_of_it from {table} where {name} is not null group by {name} having count(*) > 1"
    with database.limited():
        rows = database.rows(f"select {value} as shown, rows_of_it from ({counted}) order by 2 desc, 1 limit {TOP}")
    return tuple((str(shown_value(row["shown"])), row["rows_of_it"]) for row in rows)


def _histogram(database: ProductDatabase, table: str, column: ProfiledColumn, low: float | None, high: float | None) -> Histogram | None:
    number = f"cast({column.finite} as double)"
    if low is None or high is None or low == high:
        return None
    bin_ = f"least({BINS - 1}, cast(floor(({number} - {low!r}) / {(high - low)!r} * {BINS}) as integer))"
    with database.limited():
        rows = database.rows(f"select {bin_} as bin, count(*) as rows_in_it from {table} where {number} is not null group by 1")
    counts = {row["bin"]: row["rows_in_it"] for row in rows}
    return Histogram(low, high, tuple(counts.get(number, 0) for number in range(BINS)))
