"""What the measures asked come to: the planned queries run, and a query that breaks taken apart."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from platform_resources.capabilities.measures import Reading
from platform_resources.planning.measures import Asked, Metric, Query, first_queries, follow_ups, halves, readings

Execute = Callable[[str], Sequence[Any]]


def measure(asked: Iterable[Asked], execute: Execute) -> dict[str, Reading]:
    """The reading of everything asked, by id. `execute` returns the single row of a query, and must not be inside a transaction."""
    everything = tuple(asked)
    answers: dict[Metric, Reading] = {}
    for query in first_queries(everything):
        answers |= _answers(query, execute)
    for query in follow_ups(everything, answers):
        answers |= _answers(query, execute)
    return readings(everything, answers)


def _answers(query: Query, execute: Execute) -> dict[Metric, Reading]:
    """The answers of one query. One that breaks is halved until the metric to blame is alone, so that only its reading is an error."""
    try:
        row = execute(query.sql)
    except Exception as error:  # whatever a driver raises for one check must not take the others with it
        parts = halves(query)
        if not parts:
            return {query.metrics[0]: Reading(error=_first_line(error))}
        return {metric: reading for part in parts for metric, reading in _answers(part, execute).items()}
    return {metric: Reading(value) for metric, value in zip(query.metrics, row, strict=True)}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
