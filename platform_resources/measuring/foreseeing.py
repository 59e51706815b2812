"""Use the database's statistics to decide counts before reading any row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from platform_resources.capabilities.measures import NullCount, OutOfRange, Relation
from platform_resources.capabilities.support.sql_text import enclosed, relation_sql
from platform_resources.measuring.measure_plan import placed
from platform_resources.measuring.metrics import ROWS, Asked, Metric, metric_of

# Whether the database knows, without reading them, that no row of the relation can meet the condition.
RuledOut = Callable[[Relation, str], bool]
_Column = tuple[Relation, str]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Counts that statistics say are zero, and ranges that they do not rule out though there are some of the column.

    The former cost nothing to make sure of; the latter are broken, and counted without a look for the column's ends before.
    """

    zero: frozenset[Metric] = frozenset()
    broken: frozenset[Metric] = frozenset()

    def zero_by_relation(self) -> Iterator[tuple[Metric, ...]]:
        """The metrics that statistics say are zero, one tuple for each relation."""
        return (tuple(own) for _, own in groupby(sorted(self.zero), key=lambda metric: metric.relation))


def foreseen(asked: Iterable[Asked], ruled_out: RuledOut) -> Foreseen:
    """Decide null counts and ranges by statistics. Where they rule out no range of a column, nothing is decided for it."""
    nulls: dict[Relation, set[Metric]] = {}
    ranges: dict[_Column, set[Metric]] = {}
    for question in map(placed, asked):
        match question.measure:
            case NullCount():
                nulls.setdefault(question.relation, set()).add(metric_of(question))
            case OutOfRange(column):
                ranges.setdefault((question.relation, column), set()).add(metric_of(question))
    zero = [metric for metrics in nulls.values() for metric in _zero(sorted(metrics), ruled_out)]
    broken = []
    for metrics in map(sorted, ranges.values()):
        kept = _zero(metrics, ruled_out) if ruled_out(metrics[0].relation, _joined(metrics, "and")) else ()
        zero += kept
        broken += [metric for metric in metrics if kept and metric not in kept]
    return Foreseen(frozenset(zero), frozenset(broken))


def none_of(metrics: Sequence[Metric]) -> str:
    """SQL that counts the rows that any of these metrics of one relation would count; zero means that each of them is zero."""
    return f"select {ROWS} from {relation_sql(metrics[0].relation)} where {_joined(metrics, 'or')}"


def _zero(metrics: Sequence[Metric], ruled_out: RuledOut) -> tuple[Metric, ...]:
    """Those of which no row can be there: all are asked about in one, and halves of them only where that is not so."""
    if ruled_out(metrics[0].relation, _joined(metrics, "or")):
        return tuple(metrics)
    middle = len(metrics) // 2
    return (*_zero(metrics[:middle], ruled_out), *_zero(metrics[middle:], ruled_out)) if middle else ()


def _joined(metrics: Sequence[Metric], word: str) -> str:
    return f" {word} ".join(enclosed(metric.condition) for metric in metrics)
