"""Plan which queries run first, which follow depending on their answers, and turn answers into readings."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from platform_resources.capabilities.measures import (
    CategoryCounts,
    Columns,
    Compared,
    DuplicateRows,
    Elsewhere,
    GroupCounts,
    Maximum,
    Minimum,
    OutOfRange,
    PresentNulls,
    Reading,
    Relation,
    Scalar,
)
from platform_resources.capabilities.support.column_types import has_column
from platform_resources.capabilities.support.sql_text import as_number, enclosed, literal, quoted
from platform_resources.measuring.metrics import ROWS, Answers, Asked, Metric, metric_of
from platform_resources.measuring.query_plan import Query, queries_of


def first_queries(asked: Iterable[Asked], at_once: Collection[Metric] = ()) -> tuple[Query, ...]:
    """The queries that depend on no other answer; the result does not depend on the order of `asked`.

    A range whose count of violations is among `at_once` is counted without looking for its least and greatest value before.
    """
    return queries_of(metric for question in asked for metric in _first_metrics(placed(question), at_once))


def follow_ups(asked: Iterable[Asked], answers: Answers) -> tuple[Query, ...]:
    """The counts that first answers call for: of violations of those ranges whose least or greatest value shows, or cannot rule out, that
    they are broken; of rows beside a bound that was measured; of nulls in a column that is there."""
    needed = (_needed_count(placed(question), answers) for question in asked)
    return queries_of(metric for metric in needed if metric is not None and metric not in answers)


def readings(asked: Iterable[Asked], answers: Answers) -> dict[str, Reading]:
    """The reading of everything asked, by id. Raises KeyError if a query was left out."""
    return {question.id: _reading(placed(question), answers) for question in asked}


def placed(asked: Asked) -> Asked:
    """Move a measure that refers to another relation onto that relation."""
    inner = asked.measure
    return Asked(asked.id, inner.relation, inner.measure) if isinstance(inner, Elsewhere) else asked


def _first_metrics(asked: Asked, at_once: Collection[Metric] = ()) -> tuple[Metric, ...]:
    match asked.measure:
        case OutOfRange() if metric_of(asked) in at_once:
            return (metric_of(asked),)
        case OutOfRange():
            return (_least_or_greatest(asked.relation, asked.measure), *_beyond(asked.relation, asked.measure))
        case Compared():
            return (_bound(asked.measure),)
        case DuplicateRows():
            return (Metric(asked.relation, ROWS), metric_of(asked))
        case PresentNulls():
            return (metric_of(Asked(asked.id, asked.relation, Columns())),)
        case _:
            return (metric_of(asked),)


def _bound(measure: Compared) -> Metric:
    return Metric(measure.of, enclosed(measure.bound))


def _least_or_greatest(relation: Relation, measure: OutOfRange) -> Metric:
    end = "min" if measure.low is not None else "max"
    return Metric(relation, f"{end}({quoted(measure.column)})")


def _beyond(relation: Relation, measure: OutOfRange) -> Iterator[Metric]:
    """Whether the least or greatest value lies outside; the database compares, so the types behave as they do row by row."""
    if measure.low is not None:
        yield Metric(relation, f"min({quoted(measure.column)}) < {measure.low}")
    if measure.high is not None:
        yield Metric(relation, f"max({quoted(measure.column)}) > {measure.high}")
    elif measure.holds_nan:  # the greatest value, if there is any
        yield Metric(relation, f"max({quoted(measure.column)}) = cast('nan' as double)")


def _needed_count(asked: Asked, answers: Answers) -> Metric | None:
    """The count that decides, if first answers call for one."""
    match asked.measure:
        case OutOfRange():
            count = metric_of(asked)
            return count if count in answers or _may_be_broken(asked, answers) else None
        case Compared(column, operator):
            bound = answers[_bound(asked.measure)].value
            beside = f"{as_number(column)} {operator} cast({literal(str(bound))} as double)"
            return None if bound is None else Metric(asked.relation, f"count_if({beside})")
        case PresentNulls(column):
            columns = answers[_first_metrics(asked)[0]].value
            return metric_of(asked) if has_column(columns, column) else None
        case _:
            return None


def _may_be_broken(asked: Asked, answers: Answers) -> bool:
    """Text needs its count always: collations and enumerations sort it otherwise than they compare it."""
    flags = [answers[metric] for metric in _first_metrics(asked)]
    if any(flag.error for flag in flags):
        return False
    extreme, *beyond = (flag.value for flag in flags)
    return isinstance(extreme, str) or any(beyond)


def _reading(asked: Asked, answers: Answers) -> Reading:
    if isinstance(asked.measure, OutOfRange | Compared | PresentNulls):
        needed = _needed_count(asked, answers)
        return _without_count(asked, answers) if needed is None else _as_count(answers[needed])
    if isinstance(asked.measure, DuplicateRows):
        return _difference(*(_as_count(answers[metric]) for metric in _first_metrics(asked)))
    reading = answers[metric_of(asked)]
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
