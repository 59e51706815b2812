"""Which queries answer the measures that were asked, as few as possible, and what their answers mean."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from platform_resources.capabilities.column_types import has_column
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
from platform_resources.capabilities.sql_text import as_number, enclosed, literal, quoted, quoted_list
from platform_resources.planning.group_queries import category_counts_sql, columns_sql, entities_sql, is_counted
from platform_resources.planning.pair_queries import pairs_sql
from platform_resources.planning.value_groups import group_counts_sql

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
    of it, or (`alone`) a query of its own."""

    relation: Relation
    sql: str
    alone: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with a single row as its result, whose columns answer the metrics in their order."""

    relation: Relation
    sql: str
    metrics: tuple[Metric, ...]


Answers = Mapping[Metric, Reading]


def first_queries(asked: Iterable[Asked]) -> tuple[Query, ...]:
    """What answers everything that needs no other answer before it; the same in whatever order it is asked."""
    return _queries(metric for each in asked for metric in _first_metrics(_placed(each)))


def follow_ups(asked: Iterable[Asked], answers: Answers) -> tuple[Query, ...]:
    """The counts that first answers call for: of violations of those ranges whose least or greatest value shows, or cannot rule out, that
    they are broken; of rows beside a bound that was measured; of nulls in a column that is there."""
    needed = (_needed_count(_placed(each), answers) for each in asked)
    return _queries(metric for metric in needed if metric is not None and metric not in answers)


def readings(asked: Iterable[Asked], answers: Answers) -> dict[str, Reading]:
    """The reading of everything asked, by id. Raises KeyError if a query was left out."""
    return {each.id: _reading(_placed(each), answers) for each in asked}


def halves(query: Query) -> tuple[Query, ...]:
    """The same metrics in two queries, to find the one that breaks; none for a query of one metric."""
    middle = len(query.metrics) // 2
    return () if middle == 0 else (_aggregate(query.metrics[:middle]), _aggregate(query.metrics[middle:]))


def narrowed(query: Query, wanted: Collection[Metric]) -> tuple[Query, ...]:
    """The query with only these of its metrics; none if it has none of them."""
    left = tuple(metric for metric in query.metrics if metric in wanted)
    if len(left) == len(query.metrics):
        return (query,)
    return (_aggregate(left),) if left else ()


def violation_count(asked: Asked) -> Metric:
    """The count of the violations of a range, which the planner asks for only where it is needed."""
    return _metric(asked)


def relation_sql(relation: Relation) -> str:
    """The relation's name in SQL, quoted: `"internal"."customers"`."""
    return f"{quoted(relation.schema)}.{quoted(relation.name)}"


def _queries(metrics: Iterable[Metric]) -> tuple[Query, ...]:
    wanted = sorted(set(metrics))
    scans = dict.fromkeys((metric.relation, metric.source) for metric in wanted)
    fused = {scan: tuple(m for m in wanted if (m.relation, m.source) == scan and not m.alone) for scan in scans}
    isolated = [Query(metric.relation, metric.sql, (metric,)) for metric in wanted if metric.alone]
    return (*(_aggregate(metrics) for metrics in fused.values() if metrics), *isolated)


def _aggregate(metrics: Sequence[Metric]) -> Query:
    """One scan for all. The condition is always true; it makes an expression without an aggregate behave the same alone and fused."""
    relation, source = metrics[0].relation, metrics[0].source
    columns = ",\n  ".join(metric.sql for metric in metrics)
    scanned = f"({source}) as made" if source else relation_sql(relation)
    return Query(relation, f"select\n  {columns}\nfrom {scanned}\nhaving {ROWS} >= 0", tuple(metrics))


def _placed(asked: Asked) -> Asked:
    """What is asked of another relation, asked there."""
    inner = asked.measure
    return Asked(asked.id, inner.relation, inner.measure) if isinstance(inner, Elsewhere) else asked


def _first_metrics(asked: Asked) -> tuple[Metric, ...]:
    match asked.measure:
        case OutOfRange():
            return (_least_or_greatest(asked.relation, asked.measure), *_beyond(asked.relation, asked.measure))
        case Compared():
            return (_bound(asked.measure),)
        case DuplicateRows():
            return (Metric(asked.relation, ROWS), _metric(asked))
        case PresentNulls():
            return (_metric(Asked(asked.id, asked.relation, Columns())),)
        case _:
            return (_metric(asked),)


def _bound(measure: Compared) -> Metric:
    return Metric(measure.of, enclosed(measure.bound))


def _metric(asked: Asked) -> Metric:
    """The one metric whose value is the reading; for a range, the count of its violations; for duplicates, that of distinct rows."""
    measure, relation = asked.measure, asked.relation
    match measure:
        case RowCount():
            return Metric(relation, ROWS)
        case NullCount(column) | PresentNulls(column):
            return Metric(relation, f"{ROWS} - count({quoted(column)})")
        case Minimum(column):
            return Metric(relation, f"min({quoted(column)})")
        case Maximum(column):
            return Metric(relation, f"max({quoted(column)})")
        case CountIf(predicate):
            return Metric(relation, f"count_if{enclosed(predicate)}")
        case OutOfRange():
            return Metric(relation, f"count_if({outside_sql(measure)})")
        case Scalar(expression):
            return Metric(relation, enclosed(expression))
        case DistinctKeys(population, columns):
            return Metric(population, f"select {ROWS} from ({_distinct_keys(population, columns)}) as keys", alone=True)
        case DuplicateRows() | OrphanRows() | MissingKeys():
            return Metric(relation, _comparison(measure, relation), alone=True)
        case Columns():
            return Metric(relation, columns_sql(relation), alone=True)
        case CategoryCounts():
            return Metric(relation, category_counts_sql(measure, relation_sql(relation), relation_sql(measure.of)), alone=True)
        case Entities():
            return Metric(relation, f"count_if({is_counted(measure)})", source=entities_sql(measure, relation_sql(relation)))
        case PairCount():
            source = pairs_sql(measure.pairing, relation_sql(relation), relation_sql(measure.pairing.reference))
            return Metric(relation, f"count_if{enclosed(measure.predicate)}", source=source)
        case GroupCounts():
            return Metric(relation, group_counts_sql(measure, relation_sql(relation)), alone=True)
        case Compared() | Elsewhere():
            raise ValueError(f"{measure!r} has no metric before another is answered, or on this relation")
        case _:
            assert_never(measure)


def _comparison(measure: DuplicateRows | OrphanRows | MissingKeys, relation: Relation) -> str:
    match measure:
        case DuplicateRows(columns):
            # Of the rows themselves, which are counted with everything else: a view with a join is dear to read once more.
            return f"select {ROWS} from (select distinct {quoted_list(columns)} from {relation_sql(relation)}) as keys"
        case OrphanRows():
            return f"select {ROWS} from {orphans_sql(measure, relation)}"
        case MissingKeys():
            return f"select {ROWS} from {missing_sql(measure, relation)}"
        case _:
            assert_never(measure)


def orphans_sql(measure: OrphanRows, relation: Relation) -> str:
    return (
        f"{relation_sql(relation)} as here where {_not_null(measure.columns, 'here.')} and not exists "
        f"(select 1 from {relation_sql(measure.referenced)} as there where {_equal(measure.referenced_columns, measure.columns)})"
    )


def missing_sql(measure: MissingKeys, relation: Relation) -> str:
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


def outside_sql(measure: OutOfRange) -> str:
    column = quoted(measure.column)
    low = [] if measure.low is None else [f"{column} < {measure.low}"]
    high = [] if measure.high is None else [f"{column} > {measure.high}"]
    return " or ".join([*low, *high]) or "false"


def _needed_count(asked: Asked, answers: Answers) -> Metric | None:
    """The count that first answers call for, if any."""
    match asked.measure:
        case OutOfRange():
            return _needed_violations(asked, answers)
        case Compared(column, operator):
            bound = answers[_bound(asked.measure)].value
            beside = f"{as_number(column)} {operator} cast({literal(str(bound))} as double)"
            return None if bound is None else Metric(asked.relation, f"count_if({beside})")
        case PresentNulls(column):
            columns = answers[_first_metrics(asked)[0]].value
            return _metric(asked) if has_column(columns, column) else None
        case _:
            return None


def _needed_violations(asked: Asked, answers: Answers) -> Metric | None:
    """Text needs its count always: collations and enumerations sort it otherwise than they compare it."""
    flags = [answers[metric] for metric in _first_metrics(asked)]
    if any(flag.error for flag in flags):
        return None
    extreme, *beyond = (flag.value for flag in flags)
    return _metric(asked) if isinstance(extreme, str) or any(beyond) else None


def _reading(asked: Asked, answers: Answers) -> Reading:
    if isinstance(asked.measure, OutOfRange | Compared | PresentNulls):
        needed = _needed_count(asked, answers)
        return _without_count(asked, answers) if needed is None else _as_count(answers[needed])
    if isinstance(asked.measure, DuplicateRows):
        return _difference(*(_as_count(answers[metric]) for metric in _first_metrics(asked)))
    reading = answers[_metric(asked)]
    counts = not isinstance(asked.measure, (Minimum, Maximum, Scalar, Columns, CategoryCounts, GroupCounts))
    return _as_count(reading) if counts else reading


def _difference(whole: Reading, part: Reading) -> Reading:
    if not isinstance(whole.value, (int, Decimal)) or not isinstance(part.value, (int, Decimal)):
        return Reading(error=part.error or whole.error)
    return Reading(whole.value - part.value)


def _as_count(reading: Reading) -> Reading:
    """Some warehouses count null, not 0, where there is no row."""
    return replace(reading, value=0) if reading.value is None and reading.error is None else reading


def _without_count(asked: Asked, answers: Answers) -> Reading:
    """What is known when no count was needed: the error in the way, no violation, or that there is nothing to compare with."""
    failed = (answers[metric] for metric in _first_metrics(asked) if answers[metric].error)
    return next(failed, Reading(0 if isinstance(asked.measure, OutOfRange) else None))
