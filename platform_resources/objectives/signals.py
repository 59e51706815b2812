"""Whether something is failing: after n of m bad readings, until k good ones in a row, so that no incident flaps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.capabilities.measures import Verdict
from platform_resources.objectives.periods import in_utc


@dataclass(frozen=True, slots=True)
class Rule:
    """Failing after `bad` of the last `of` readings were missed, well again after `good` in a row were met.

    `cooldown`: a failure this soon after the last one ended reopens its incident. `settle`: how long after a root has recovered those
    below it may take to catch up before they count as failing on their own account. Raises ValueError for numbers that can never be.
    """

    bad: int = 1
    of: int = 1
    good: int = 1
    cooldown: timedelta = timedelta(days=1)
    settle: timedelta = timedelta(hours=6)

    def __post_init__(self) -> None:
        if not 1 <= self.bad <= self.of:
            raise ValueError(f"{self.bad} of {self.of} readings can never be bad; write 1 <= bad <= of")
        if self.good < 1:
            raise ValueError(f"an incident cannot end after {self.good} good readings; at least 1 is needed")


@dataclass(frozen=True, slots=True)
class Signal:
    """What is remembered of one thing's readings: the last few (true is good), since when it fails, and when it last recovered."""

    recent: tuple[bool, ...] = ()
    last_at: datetime | None = None
    last_bad_at: datetime | None = None
    failing_since: datetime | None = None
    well_since: datetime | None = None

    @property
    def failing(self) -> bool:
        return self.failing_since is not None


def heard(signal: Signal, verdict: Verdict, at: datetime, rule: Rule) -> Signal:
    """The signal after one more reading. Not later than the last one means heard already, or too late: nothing changes.

    An unknown verdict is neither good nor bad and changes nothing; once unknown counts as bad, the caller says "missed".
    """
    at = in_utc(at)
    if verdict == "unknown" or (signal.last_at is not None and at <= signal.last_at):
        return signal
    good = verdict == "met"
    recent = (*signal.recent, good)[-max(rule.of, rule.good) :]
    since = _failing_since(signal, recent, at, rule)
    if signal.failing and since is None:  # the bad readings that this failure began with do not begin the next one
        return Signal((), at, signal.last_bad_at, None, well_since=at)
    return Signal(recent, at, signal.last_bad_at if good else at, since, signal.well_since)


def _failing_since(signal: Signal, recent: tuple[bool, ...], at: datetime, rule: Rule) -> datetime | None:
    if signal.failing:
        well = len(recent) >= rule.good and all(recent[-rule.good :])
        return None if well else signal.failing_since
    return at if not recent[-1] and recent[-rule.of :].count(False) >= rule.bad else None
