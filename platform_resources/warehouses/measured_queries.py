"""Run the planned queries of measures, and split a query that fails so that the others get their answers."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from platform_resources.capabilities.measures import NullCount, OutOfRange, Reading, Relation
from platform_resources.measuring.foreseeing import RuledOut, foreseen, none_of
from platform_resources.measuring.measure_plan import first_queries, follow_ups, placed, readings
from platform_resources.measuring.metrics import Asked, Metric, metric_of
from platform_resources.measuring.query_plan import Query, halves, narrowed
from platform_resources.warehouses.discretion import Words, first_line, in_full
from platform_resources.warehouses.engine_errors import QueryTooSlow
from platform_resources.warehouses.protocol import Execute

# The parts of a query that took too long may together take so many times the time that one query may.
PATIENCE = 3


def _nothing_ruled_out(relation: Relation, condition: str) -> bool:
    """Without statistics everything is counted."""
    return False


def measure(
    asked: Iterable[Asked],
    execute: Execute,
    extra: Iterable[Asked] = (),
    known: Mapping[Metric, Reading] | None = None,
    words: Words = in_full,
    ruled_out: RuledOut = _nothing_ruled_out,
) -> dict[str, Reading]:
    """The reading of everything asked, by id. `execute` returns the first row of a statement, and must not be inside a transaction.

    `extra` rides along, and takes nothing down that is `asked`: what is broken or slow in it is measured apart. What is `known` is not
    measured again. `words` tells the error of a metric; `ruled_out` is what the
    warehouse's statistics say, which spares scans.
    """
    run = _Run(execute, words)
    essential = tuple(asked)
    everything = (*essential, *extra)
    wanted = frozenset(metric for query in first_queries(essential) for metric in query.metrics)
    answers: dict[Metric, Reading] = dict(known or {})
    statistics = foreseen(_unknown(everything, answers), ruled_out)
    for metrics in statistics.zero_by_relation():
        answers |= run.zeros(metrics)
    for query in first_queries(everything, {*statistics.broken, *answers}):
        for rest in narrowed(query, [metric for metric in query.metrics if metric not in answers]):
            answers |= run.answers(rest, wanted)
    for query in follow_ups(everything, answers):
        answers |= run.answers(query, wanted)
    return readings(everything, answers)


def _unknown(asked: Iterable[Asked], answers: Mapping[Metric, Reading]) -> Iterator[Asked]:
    """Nulls and ranges that no days have been counted for."""
    counts = ((question, placed(question)) for question in asked)
    return (question for question, there in counts if isinstance(there.measure, NullCount | OutOfRange) and metric_of(there) not in answers)


@dataclass(frozen=True, slots=True)
class _Deadline:
    """Until when parts of a query that took too long are looked at, and the words for those that were not."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class _Run:
    """How queries are run, and how their errors are told."""

    execute: Execute
    words: Words

    def zeros(self, metrics: Sequence[Metric]) -> dict[Metric, Reading]:
        """What statistics say is made sure of, which costs nothing if they are right. What they are wrong about, and what breaks on the
        way, is counted as any other."""
        try:
            (rows,) = self.execute(none_of(metrics))
        except Exception:  # as in `answers`, where it will be told of the measure that it belongs to
            return {}
        return dict.fromkeys(metrics, Reading(0)) if rows == 0 else {}

    def answers(self, query: Query, wanted: Collection[Metric], deadline: _Deadline | None = None) -> dict[Metric, Reading]:
        """The answers of one query. One that breaks is taken apart until the metric to blame is alone: only its reading is an error."""
        if deadline is not None and time.monotonic() > deadline.at:
            return dict.fromkeys(query.metrics, Reading(error=f"not measured: another measure of the same scan was {deadline.words}"))
        try:
            row = self.execute(query.sql)
        except Exception as error:  # whatever a driver raises for one check must not take the others with it
            parts = _parts(query, wanted, error)
            if not parts:
                return {query.metrics[0]: Reading(error=self.words(query.metrics[0], error))}
            return self._answers_of(parts, wanted, deadline or _deadline(error))
        return {metric: Reading(value) for metric, value in zip(query.metrics, row, strict=True)}

    def _answers_of(self, parts: Iterable[Query], wanted: Collection[Metric], deadline: _Deadline | None) -> dict[Metric, Reading]:
        return {metric: reading for part in parts for metric, reading in self.answers(part, wanted, deadline).items()}


def _parts(query: Query, wanted: Collection[Metric], error: Exception) -> tuple[Query, ...]:
    """What is asked apart from what rides along; then halves. If the query took too long each metric alone: halves would again."""
    if len(query.metrics) == 1:
        return ()
    groups = ([m for m in query.metrics if m in wanted], [m for m in query.metrics if m not in wanted])
    if isinstance(error, QueryTooSlow):
        return tuple(part for group in groups for metric in group for part in narrowed(query, [metric]))
    if all(groups):
        return tuple(part for group in groups for part in narrowed(query, group))
    return halves(query)


def _deadline(error: Exception) -> _Deadline | None:
    if not isinstance(error, QueryTooSlow):
        return None
    return _Deadline(time.monotonic() + PATIENCE * error.limit.total_seconds(), first_line(error))
