"""SQL (DuckDB dialect) of the measures that group rows by a column, or read the catalog. Relations are given as SQL text."""

from collections.abc import Sequence

from platform_resources.capabilities.measures import CategoryCounts, Entities, GroupCounts, Relation
from platform_resources.capabilities.support.packed import packed_sql
from platform_resources.capabilities.support.sql_text import enclosed, literal, quoted


def columns_sql(relation: Relation) -> str:
    """The columns of the relation. Warehouses store numbers of all kinds as NUMBER, so its precision and scale are added."""
    precision = "'(' || cast(numeric_precision as varchar) || ',' || cast(numeric_scale as varchar) || ')'"
    kind = f"case when data_type = 'NUMBER' then data_type || {precision} else data_type end"
    return (
        f"select {packed_sql((kind, 'column_name'), 'ordinal_position')} from information_schema.columns "
        f"where table_catalog = current_database() and lower(table_schema) = {literal(relation.schema)} "
        f"and lower(table_name) = {literal(relation.name.lower())}"
    )


def category_counts_sql(measure: CategoryCounts, relation: str, of: str) -> str:
    """The most frequent values of the other relation, with the rows there and here; equally frequent ones by name."""
    there = f"{_counted(measure.of_column, 'rows_there', of)} order by rows_there desc, category limit {int(measure.limit)}"
    here = _counted(measure.column, "rows_here", relation)
    name = "usual.category" if measure.named else "''"
    counts = ("cast(usual.rows_there as varchar)", "cast(coalesce(here.rows_here, 0) as varchar)", name)
    packed = packed_sql(counts, "usual.rows_there desc, usual.category")
    return f"select {packed} from ({there}) as usual left join ({here}) as here on here.category = usual.category"


def _counted(column: str, name: str, relation: str) -> str:
    value = f"cast({quoted(column)} as varchar)"
    return f"select {value} as category, count(*) as {name} from {relation} where {quoted(column)} is not null group by {value}"


def entities_sql(measure: Entities, relation: str) -> str:
    """Each entity with its events in the window before (`earlier`) and in the last while (`recent`)."""
    keys = [f"key_{number}" for number, _ in enumerate(measure.columns, start=1)]
    named = ", ".join(f"{quoted(column)} as {key}" for column, key in zip(measure.columns, keys, strict=True))
    filled = " and ".join(f"{quoted(column)} is not null" for column in measure.columns)
    events = f"select {named}, {quoted(measure.event_time)} as happened_at from {relation} where {filled}"
    since = f"until - interval '{measure.quiet_for} seconds'"
    from_ = f"until - interval '{measure.quiet_for + measure.active_within} seconds'"
    return (
        f"select {', '.join(keys)}, count_if(happened_at >= {from_} and happened_at < {since}) as earlier, "
        f"count_if(happened_at >= {since}) as recent from ({events}) as events cross join ({_until(measure, relation)}) as clock "
        f"where happened_at <= until group by {', '.join(keys)}"
    )


def _until(measure: Entities, relation: str) -> str:
    now = "current_timestamp" if measure.zoned else "current_timestamp at time zone 'UTC'"
    if measure.until == "now":
        return f"select {now} as until"
    time = quoted(measure.event_time)
    return f"select max({time}) as until from {relation} where {time} <= {now}"


def is_counted(measure: Entities) -> str:
    """The condition on the rows of `entities_sql` for those that the measure counts."""
    active = f"earlier >= {measure.least_events}"
    return f"{active} and recent = 0" if measure.quiet else active


def quiet_entities_sql(measure: Entities, relation: str, show: Sequence[str]) -> str | None:
    """The keys of what the measure counts, under their columns' names and only those that may be shown."""
    named = enumerate(measure.columns, start=1)
    shown = [f"key_{number} as {quoted(column)}" for number, column in named if column in show]
    entities = f"({entities_sql(measure, relation)}) as entities"
    return f"select {', '.join(shown)} from {entities} where {is_counted(measure)}" if shown else None


def group_counts_sql(measure: GroupCounts, relation: str) -> str:
    """Count rows by the values of a column, as one packed text. Without `named`, no value and no order of values shows in it."""
    flags = [f"f{index}" for index in range(len(measure.predicates))]
    flagged = [f"{enclosed(predicate)} as {flag}" for flag, predicate in zip(flags, measure.predicates, strict=True)]
    column = quoted(measure.column)
    value = column if measure.every is None else f"cast(date_trunc('{measure.every}', {column}) as date)"
    labelled = f"select {', '.join((f'{value} as v', *flagged))} from {relation} where {column} is not null and {enclosed(measure.among)}"
    name = "cast(v as varchar)" if measure.named else "''"
    counts = [f"count_if({flag}) as c{index}" for index, flag in enumerate(flags)]
    order = ", ".join((*(f"{counted} desc" for counted in ("size", *(f"c{index}" for index in range(len(flags))))), "name"))
    sizes = (
        f"select {', '.join((f'{name} as name', 'count(*) as size', *counts))} from ({labelled}) as told "
        f"group by v having count(*) >= {int(measure.at_least)} order by {order} limit {int(measure.limit)}"
    )
    fields = (*(f"cast({counted} as varchar)" for counted in ("size", *(f"c{index}" for index in range(len(flags))))), "name")
    return f"select {packed_sql(fields, order)} from ({sizes}) as sizes"
