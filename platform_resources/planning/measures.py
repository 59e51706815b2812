"""Which queries answer the measures that were asked, as few as possible, and what their answers mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from platform_resources.capabilities.measures import (
    CountIf,
    DistinctKeys,
    DuplicateRows,
    Maximum,
    Measure,
    Minimum,
    MissingKeys,
    NullCount,
    OrphanRows,
    OutOfRange,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.sql_text import enclosed, quoted, quoted_list

ROWS = "count(*)"


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure asked of one relation; `id` is the asker's name for the reading and unique among those asked."""

    id: str
    relation: Relation
    measure: Measure


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One number that a query can answer: an aggregate expression over the relation, or (`alone`) a query of its own."""

    relation: Relation
    sql: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with a single row as its result, whose columns answer the metrics in their order."""

    relation: Relation
    sql: str
    metrics: tuple[Metric, ...]


Answers = Mapping[Metric, Reading]


def first_queries(asked: Iterable[Asked]) -> tuple[Query, ...]:
    """What answers everything but the number of violations of broken ranges; the same in whatever order it is asked."""
    return _queries(metric for each in asked for metric in _first_metrics(each))


def follow_ups(asked: Iterable[Asked], answers: Answers) -> tuple[Query, ...]:
    """The counts of violations for those ranges whose least or greatest value shows, or cannot rule out, that they are broken."""
    return _queries(metric for each in asked if (metric := _needed_count(each, answers)) is not None)


def readings(asked: Iterable[Asked], answers: Answers) -> dict[str, Reading]:
    """The reading of everything asked, by id. Raises KeyError if a query was left out."""
    return {each.id: _reading(each, answers) for each in asked}


def halves(query: Query) -> tuple[Query, ...]:
    """The same metrics in two queries, to find the one that breaks; none for a query of one metric."""
    middle = len(query.metrics) // 2
    return () if middle == 0 else (_aggregate(query.metrics[:middle]), _aggregate(query.metrics[middle:]))


def relation_sql(relation: Relation) -> str:
    """The relation's name in SQL, quoted: `"internal"."customers"`."""
    return f"{quoted(relation.schema)}.{quoted(relation.name)}"


def _queries(metrics: Iterable[Metric]) -> tuple[Query, ...]:
    wanted = sorted(set(metrics))
    relations = dict.fromkeys(metric.relation for metric in wanted)
    fused = {relation: tuple(m for m in wanted if m.relation == relation and not m.alone) for relation in relations}
    isolated = [Query(metric.relation, metric.sql, (metric,)) for metric in wanted if metric.alone]
    return (*(_aggregate(metrics) for metrics in fused.values() if metrics), *isolated)


def _aggregate(metrics: Sequence[Metric]) -> Query:
    """One scan for all. The condition is always true; it makes an expression without an aggregate behave the same alone and fused."""
    relation = metrics[0].relation
    columns = ",\n  ".join(metric.sql for metric in metrics)
    return Query(relation, f"select\n  {columns}\nfrom {relation_sql(relation)}\nhaving {ROWS} >= 0", tuple(metrics))


def _first_metrics(asked: Asked) -> tuple[Metric, ...]:
    if isinstance(asked.measure, OutOfRange):
        return (_least_or_greatest(asked.relation, asked.measure), *_beyond(asked.relation, asked.measure))
    return (_metric(asked),)


def _metric(asked: Asked) -> Metric:
    """The one metric whose value is the reading; for a range, the count of its violations."""
    measure, relation = asked.measure, asked.relation
    match measure:
        case RowCount():
            return Metric(relation, ROWS)
        case NullCount(column):
            return Metric(relation, f"{ROWS} - count({quoted(column)})")
        case Minimum(column):
            return Metric(relation, f"min({quoted(column)})")
        case Maximum(column):
            return Metric(relation, f"max({quoted(column)})")
        case CountIf(predicate):
            return Metric(relation, f"count_if{enclosed(predicate)}")
        case OutOfRange():
            return Metric(relation, f"count_if({_outside(measure)})")
        case Scalar(expression):
            return Metric(relation, enclosed(expression))
        case DistinctKeys(population, columns):
            return Metric(population, f"select {ROWS} from ({_distinct_keys(population, columns)}) as keys", alone=True)
        case DuplicateRows() | OrphanRows() | MissingKeys():
            return Metric(relation, _comparison(measure, relation), alone=True)
        case _:
            assert_never(measure)


def _comparison(measure: DuplicateRows | OrphanRows | MissingKeys, relation: Relation) -> str:
    match measure:
        case DuplicateRows(columns):
            distinct = f"select distinct {quoted_list(columns)} from {relation_sql(relation)}"
            return f"select {ROWS} - (select {ROWS} from ({distinct}) as keys) from {relation_sql(relation)}"
        case OrphanRows():
            return f"select {ROWS} from {_orphans(measure, relation)}"
        case MissingKeys():
            return f"select {ROWS} from {_missing(measure, relation)}"
        case _:
            assert_never(measure)


def _orphans(measure: OrphanRows, relation: Relation) -> str:
    return (
        f"{relation_sql(relation)} as here where {_not_null(measure.columns, 'here.')} and not exists "
        f"(select 1 from {relation_sql(measure.referenced)} as there where {_equal(measure.referenced_columns, measure.columns)})"
    )


def _missing(measure: MissingKeys, relation: Relation) -> str:
    keys = _distinct_keys(measure.population, measure.population_columns)
    return f"({keys}) as here where not exists (select 1 from {relation_sql(relation)} as there where {_matches(measure)})"


def _matches(measure: MissingKeys) -> str:
    return _equal(measure.columns, measure.population_columns)


def _equal(there: Sequence[str], here: Sequence[str]) -> str:
    return " and ".join(f"there.{quoted(a)} = here.{quoted(b)}" for a, b in zip(there, here, strict=True))


def _distinct_keys(relation: Relation, columns: Sequence[str]) -> str:
    unique = tuple(dict.fromkeys(columns))
    return f"select distinct {quoted_list(unique)} from {relation_sql(relation)} where {_not_null(unique)}"


def _not_null(columns: Sequence[str], prefix: str = "") -> str:
    return " and ".join(f"{prefix}{quoted(column)} is not null" for column in columns)


def _least_or_greatest(relation: Relation, measure: OutOfRange) -> Metric:
    end = "min" if measure.low is not None else "max"
    return Metric(relation, f"{end}({quoted(measure.column)})")


def _beyond(relation: Relation, measure: OutOfRange) -> Iterator[Metric]:
    """Whether the least or greatest value lies outside; the database compares, so the types behave as they do row by row."""
    if measure.low is not None:
        yield Metric(relation, f"min({quoted(measure.column)}) < {measure.low}")
    if measure.high is not None:
        yield Metric(relation, f"max({quoted(measure.column)}) > {measure.high}")


def _outside(measure: OutOfRange) -> str:
    column = quoted(measure.column)
    low = [] if measure.low is None else [f"{column} < {measure.low}"]
    high = [] if measure.high is None else [f"{column} > {measure.high}"]
    return " or ".join([*low, *high]) or "false"


def _needed_count(asked: Asked, answers: Answers) -> Metric | None:
    """The count that a range still needs. Text needs it always: collations and enumerations sort it otherwise than they compare it."""
    if not isinstance(asked.measure, OutOfRange):
        return None
    flags = [answers[metric] for metric in _first_metrics(asked)]
    if any(flag.error for flag in flags):
        return None
    extreme, *beyond = (flag.value for flag in flags)
    return _metric(asked) if isinstance(extreme, str) or any(beyond) else None


def _reading(asked: Asked, answers: Answers) -> Reading:
    if isinstance(asked.measure, OutOfRange) and _needed_count(asked, answers) is None:
        failed = (answers[metric] for metric in _first_metrics(asked) if answers[metric].error)
        return next(failed, Reading(0))
    reading = answers[_metric(asked)]
    counts = not isinstance(asked.measure, (Minimum, Maximum, Scalar))
    return replace(reading, value=0) if counts and reading.value is None and reading.error is None else reading


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
            return f"{select} where {_outside(measure)}"
        case NullCount(column):
            return f"{select} where {quoted(column)} is null"
        case DuplicateRows(columns):
            return f"{select} qualify {ROWS} over (partition by {quoted_list(columns)}) > 1"
        case OrphanRows():
            return f"select {quoted_list(show, 'here.')} from {_orphans(measure, relation)}"
        case MissingKeys():
            return _missing_keys(measure, relation, show)
        case RowCount() | Minimum() | Maximum() | DistinctKeys() | Scalar():
            return None
        case _:
            assert_never(measure)


def _missing_keys(measure: MissingKeys, relation: Relation, show: Sequence[str]) -> str | None:
    pairs = zip(measure.columns, measure.population_columns, strict=True)
    shown = [f"here.{quoted(there)} as {quoted(here)}" for here, there in pairs if here in show]
    return f"select {', '.join(shown)} from {_missing(measure, relation)}" if shown else None
