"""Combine metrics into the fewest and cheapest queries, and split a query that fails."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import enclosed, quoted, relation_sql
from platform_resources.measuring.metrics import ROWS, Metric

# From so many counts on, grouping the rows by the columns that they are about is cheaper than holding each row against each of them.
MANY = 5


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with a single row as its result, whose columns answer the metrics in their order."""

    relation: Relation
    sql: str
    metrics: tuple[Metric, ...]


def queries_of(metrics: Iterable[Metric]) -> tuple[Query, ...]:
    """One scan for each relation, one more where counts are made from few values, and a query for each metric that needs its own."""
    wanted = _distinct(metrics)
    of_values = [group for group in _of_few_values(wanted) if len(group) >= MANY]
    scanned = [metric for metric in wanted if not metric.alone and not any(metric in group for group in of_values)]
    isolated = [Query(metric.relation, metric.sql, (metric,)) for metric in wanted if metric.alone]
    scans = dict.fromkeys((metric.relation, metric.source) for metric in scanned)
    fused = [tuple(m for m in scanned if (m.relation, m.source) == scan) for scan in scans]
    return (*map(_aggregate, fused), *map(_from_values, of_values), *isolated)


def _distinct(metrics: Iterable[Metric]) -> list[Metric]:
    """Sorted; of those with the same value the one that says more about it, so that the order asked makes no difference."""
    telling = sorted(metrics, key=lambda metric: (metric.of_few, metric.condition))
    return sorted({metric: metric for metric in telling}.values())


def halves(query: Query) -> tuple[Query, ...]:
    """The same metrics in two queries, to find the one that breaks; none for a query of one metric."""
    middle = len(query.metrics) // 2
    return () if middle == 0 else (_aggregate(query.metrics[:middle]), _aggregate(query.metrics[middle:]))


def narrowed(query: Query, wanted: Collection[Metric]) -> tuple[Query, ...]:
    """The query with only these of its metrics; none if it has none of them."""
    kept = frozenset(wanted)
    left = tuple(metric for metric in query.metrics if metric in kept)
    if len(left) == len(query.metrics):
        return (query,)
    return queries_of(left)


def _aggregate(metrics: Sequence[Metric]) -> Query:
    """One scan for all. The condition is always true; it makes an expression without an aggregate behave the same alone and fused."""
    relation, source = metrics[0].relation, metrics[0].source
    columns = ",\n  ".join(metric.sql for metric in metrics)
    scanned = f"({source}) as made" if source else relation_sql(relation)
    return Query(relation, f"select\n  {columns}\nfrom {scanned}\nhaving {ROWS} >= 0", tuple(metrics))


def _of_few_values(metrics: Sequence[Metric]) -> list[tuple[Metric, ...]]:
    """By relation, the metrics that a column of few values decides."""
    few = [metric for metric in metrics if metric.of_few]
    return [tuple(m for m in few if m.relation == relation) for relation in dict.fromkeys(metric.relation for metric in few)]


def _from_values(metrics: Sequence[Metric]) -> Query:
    """Groups the rows once by each column; the conditions are then held against its values instead of its rows."""
    columns = tuple(dict.fromkeys(metric.of_few for metric in metrics))
    rows, not_by = next(_unlike(columns, "rows")), dict(zip(columns, _unlike(columns, "not by"), strict=False))
    names = ", ".join(map(quoted, columns))
    grouped = ", ".join(f"grouping({quoted(column)}) as {name}" for column, name in not_by.items())
    sets = ", ".join(f"({quoted(column)})" for column in columns)
    source = relation_sql(metrics[0].relation)
    values = f"select {names}, {grouped}, {ROWS} as {rows}\n  from {source}\n  group by grouping sets ({sets})"
    counts = ",\n  ".join(_sum_of_rows(metric, rows, not_by) for metric in metrics)
    return Query(metrics[0].relation, f"select\n  {counts}\nfrom (\n  {values}\n) as made", tuple(metrics))


def _sum_of_rows(metric: Metric, rows: str, not_by: Mapping[str, str]) -> str:
    return f"coalesce(sum(case when {not_by[metric.of_few]} = 0 and {enclosed(metric.condition)} then {rows} end), 0)"


def _unlike(columns: Iterable[str], word: str) -> Iterator[str]:
    """Quoted names beside the columns, numbered: `not by 1`, `not by 2` … without those that a column has, in capitals or not."""
    taken = frozenset(column.casefold() for column in columns)
    return (quoted(name) for number in count(1) if (name := f"{word} {number}") not in taken)
