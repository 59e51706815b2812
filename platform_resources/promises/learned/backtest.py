"""Backtest learned thresholds: judge each past point by the earlier ones alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.promises.learned.points import AnyPoint, Learned, Settings
from platform_resources.promises.periods import Period

MONTH = timedelta(days=30)


# One of `learned_count`, `learned_duration`, `learned_share` and `learned_gap`.
Learns = Callable[[Iterable[AnyPoint], AnyPoint, Settings, Iterable[Period]], Learned]


@dataclass(frozen=True, slots=True)
class BacktestedPoint:
    """One past point and what the threshold learned before it would have said."""

    at: datetime
    learned: Learned


@dataclass(frozen=True, slots=True)
class Backtest:
    """All points with their judgements, oldest first."""

    judged: tuple[BacktestedPoint, ...]

    @property
    def alerts(self) -> tuple[BacktestedPoint, ...]:
        """The points that would have raised an alert."""
        return tuple(one for one in self.judged if one.learned.state == "outside")

    @property
    def learning(self) -> timedelta:
        """From the first point to the first that was judged; to the last if none was."""
        if not self.judged:
            return timedelta()
        known = [one.at for one in self.judged if one.learned.state in ("within", "outside")]
        return (known[0] if known else self.judged[-1].at) - self.judged[0].at

    @property
    def alerts_per_30_days(self) -> float | None:
        """Alerts in 30 days after learning, over at least one day; None if nothing was judged."""
        known = [one.at for one in self.judged if one.learned.state in ("within", "outside")]
        if not known:
            return None
        return len(self.alerts) * (MONTH / max(self.judged[-1].at - known[0], timedelta(days=1)))


def backtested(points: Iterable[AnyPoint], learns: Learns[AnyPoint], settings: Settings, excluded: Sequence[Period] = ()) -> Backtest:
    """Walks over the points. Excluded periods teach nothing, but their points are judged: an incident should have been an alert."""
    ordered = sorted(points)
    judged = (BacktestedPoint(one.at, learns(ordered[:index], one, settings, excluded)) for index, one in enumerate(ordered))
    return Backtest(tuple(judged))
