"""The SQL (DuckDB's) that counts rows by the values of a column."""

from platform_resources.capabilities.measures import GroupCounts
from platform_resources.capabilities.support.packed import packed_sql
from platform_resources.capabilities.support.sql_text import enclosed, quoted


def group_counts_sql(measure: GroupCounts, relation: str) -> str:
    """A query with one text, which `unpacked` reads. Unless told, names are nowhere in it, not even by their order."""
    flags = [f"f{index}" for index in range(len(measure.predicates))]
    flagged = [f"{enclosed(predicate)} as {flag}" for flag, predicate in zip(flags, measure.predicates, strict=True)]
    column = quoted(measure.column)
    told = f"select {', '.join((f'{column} as v', *flagged))} from {relation} where {column} is not null and {enclosed(measure.among)}"
    name = "cast(v as varchar)" if measure.named else "''"
    counts = [f"count_if({flag}) as c{index}" for index, flag in enumerate(flags)]
    order = ", ".join((*(f"{each} desc" for each in ("size", *(f"c{index}" for index in range(len(flags))))), "name"))
    sizes = (
        f"select {', '.join((f'{name} as name', 'count(*) as size', *counts))} from ({told}) as told "
        f"group by v having count(*) >= {int(measure.at_least)} order by {order} limit {int(measure.limit)}"
    )
    fields = (*(f"cast({each} as varchar)" for each in ("size", *(f"c{index}" for index in range(len(flags))))), "name")
    return f"select {packed_sql(fields, order)} from ({sizes}) as sizes"
