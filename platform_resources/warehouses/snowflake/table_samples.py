"""What a sample of a table in Snowflake tells of its columns: the most frequent values, quantiles, standard deviation, a histogram."""

from collections.abc import Sequence
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.measuring.dialects import translated
from platform_resources.measuring.profile_queries import LONGEST_VALUE, ProfiledColumn, shown_value
from platform_resources.measuring.version_profiles import QUANTILES, Histogram, Shown
from platform_resources.warehouses.snowflake.sessions import Session, name_sql, relation_name

SAMPLE_ROWS, TOP, BINS = 100_000, 10, 12
_SAMPLE = "INTERNAL.MESH_SAMPLE"


def sampled(
    session: Session, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The rows chosen, and the fields that they tell of each column."""
    names = ", ".join(name_sql(column.name) for column in columns)
    chosen = (
        relation_name(relation) if rows is not None and rows <= SAMPLE_ROWS else f"{relation_name(relation)} sample ({SAMPLE_ROWS} rows)"
    )
    session.rows(f"create or replace table {_SAMPLE} as select {names} from {chosen}")
    try:
        (count,) = session.first(f"select count(*) from {_SAMPLE}")
        return count, {column.name: _sampled_fields(session, column, count == rows) for column in columns}
    finally:
        session.rows(f"drop table if exists {_SAMPLE}")


def _sampled_fields(session: Session, column: ProfiledColumn, whole: bool) -> dict[str, Any]:
    """The fields of the column's profile that the sample tells; of hidden columns no value."""
    values: dict[str, Any] = {}
    if whole:
        (values["distinct"],) = session.first(f"select count(distinct {name_sql(column.name)}) from {_SAMPLE}")
    if not column.shown:
        return values
    values["top"] = _top(session, column)
    if column.kind in ("whole", "float", "moment"):
        values["quantiles"] = _quantiles(session, column)
    if column.kind in ("whole", "float"):
        (values["deviation"],) = session.first(f"select stddev_samp(({_finite(column)})::float) from {_SAMPLE}")
        values["histogram"] = _histogram(session, column)
    return values


def _top(session: Session, column: ProfiledColumn) -> tuple[tuple[str, int], ...]:
    """The most frequent values; none where no value comes twice."""
    name = name_sql(column.name)
    rows = session.rows(
        f"select left({name}::varchar, {LONGEST_VALUE}) as shown, count(*) as n from {_SAMPLE} where {name} is not null "
        f"group by {name} having count(*) > 1 order by n desc, shown limit {TOP}"
    )
    return tuple((str(shown_value(shown)), count) for shown, count in rows)


def _finite(column: ProfiledColumn) -> str:
    return translated(column.finite, "snowflake")


def _quantiles(session: Session, column: ProfiledColumn) -> tuple[Shown, ...]:
    """Values that there are, not points between two."""
    text = "::varchar" if column.kind == "moment" else ""
    wanted = ", ".join(f"(percentile_disc({q}) within group (order by {_finite(column)})){text}" for q in QUANTILES)
    quantiles = session.first(f"select {wanted} from {_SAMPLE}")
    return () if None in quantiles else tuple(shown_value(quantile) for quantile in quantiles)


def _histogram(session: Session, column: ProfiledColumn) -> Histogram | None:
    number = f"({_finite(column)})::float"
    low, high = session.first(f"select min({number}), max({number}) from {_SAMPLE}")
    if low is None or low == high:
        return None
    bin_ = f"least({BINS - 1}, floor(({number} - {low!r}) / {high - low!r} * {BINS}))"
    rows = session.rows(f"select {bin_} as bin, count(*) from {_SAMPLE} where {number} is not null group by 1")
    counts = {int(number): count for number, count in rows}
    return Histogram(low, high, tuple(counts.get(number, 0) for number in range(BINS)))
