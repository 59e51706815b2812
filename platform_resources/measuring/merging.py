"""Merge measures over the parts (days) of a relation, so that unchanged days need not be scanned again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from platform_resources.capabilities.measures import CountIf, Maximum, Minimum, NullCount, OutOfRange, RowCount
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked, Metric, metric_of


@dataclass(frozen=True, slots=True)
class Merging:
    """The aggregates over each part, and the aggregate over the parts that gives what one scan of all rows would have given.

    In `merged`, `{0}` and so on stand for the columns that hold the parts' aggregates.
    """

    parts: tuple[str, ...]
    merged: str


def counted(sql: str) -> Merging:
    """Merge counts by their sum."""
    return Merging((sql,), "coalesce(sum({0}), 0)")


def least(expression: str, shown: str = "{0}") -> Merging:
    """Merge minima by their minimum; `shown` is SQL around the merged value."""
    return Merging((f"min({expression})",), shown.replace("{0}", "min({0})"))


def greatest(expression: str, shown: str = "{0}") -> Merging:
    """Merge maxima by their maximum; `shown` is SQL around the merged value."""
    return Merging((f"max({expression})",), shown.replace("{0}", "max({0})"))


def mean(expression: str) -> Merging:
    """Merge means, weighted by the counts of the parts."""
    return Merging((f"count({expression})", f"avg({expression})"), "sum({0} * {1}) / nullif(sum({0}), 0)")


def mergings(asked: Iterable[Asked]) -> Mapping[Metric, Merging]:
    """How what was asked is merged; what cannot be, such as distinct values, is left out and measured in full."""
    return {metric: merging for question in asked for metric, merging in _mergings(question).items()}


def _mergings(asked: Asked) -> dict[Metric, Merging]:
    """A range is also counted part by part: what one day has outside of it need not be looked for in all others again."""
    metrics = [metric for query in first_queries([asked]) for metric in query.metrics]
    match asked.measure:
        case RowCount() | NullCount() | CountIf():
            return {metric: counted(metric.sql) for metric in metrics}
        case Minimum():
            return {metric: Merging((metric.sql,), "min({0})") for metric in metrics}
        case Maximum():
            return {metric: Merging((metric.sql,), "max({0})") for metric in metrics}
        case OutOfRange():
            violations = metric_of(asked)
            return {**_ends(asked, asked.measure, metrics), violations: counted(violations.sql)}
        case _:
            return {}


def _ends(asked: Asked, measure: OutOfRange, metrics: Iterable[Metric]) -> dict[Metric, Merging]:
    """Of a range's first metrics one is its least or greatest value; the others say whether that lies outside."""
    end = Minimum(measure.column) if measure.low is not None else Maximum(measure.column)
    ends = _mergings(Asked(asked.id, asked.relation, end))
    return {metric: ends.get(metric) or Merging((metric.sql,), "bool_or({0})") for metric in metrics}
