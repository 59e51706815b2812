"""Decide whether a check is failing: after n of m bad readings, until k good ones in a row, so that incidents do not flap."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_resources.capabilities.judgements import Verdict
from platform_resources.plan.incident_rules import Rule
from platform_resources.spec.values.moments import in_utc

# A clock that steps back by less is believed to be wrong now; by more, to have been wrong before.
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signal:
    """What is remembered of one check's readings: the last few (true is good), since when it fails, and when it last recovered.

    `reason` is what the newest bad reading said, `failures` all that have failed in a refresh since it fails. `accepted`: a person has
    said that this failure is no trouble; the next one is again.
    """

    recent: tuple[bool, ...] = ()
    last_at: datetime | None = None
    last_bad_at: datetime | None = None
    failing_since: datetime | None = None
    well_since: datetime | None = None
    reason: str = ""
    accepted: bool = False
    failures: tuple[str, ...] = ()

    @property
    def failing(self) -> bool:
        """Whether the check is failing."""
        return self.failing_since is not None

    @property
    def counts(self) -> bool:
        """Whether the check makes its product fail: it is failing, and nobody has accepted that."""
        return self.failing and not self.accepted

    def begins_after(self, before: "Signal") -> bool:
        """Whether it counts now for something that it did not count for before. Where that was not known, nothing is known to be new."""
        return self.counts and (not before.counts or (bool(before.failures) and not {*self.failures} <= {*before.failures}))


@dataclass(frozen=True, slots=True)
class Condition:
    """The checks of one product, combined into one signal."""

    failing_since: datetime | None = None
    last_bad_at: datetime | None = None
    well_since: datetime | None = None

    @property
    def failing(self) -> bool:
        """Whether any of the checks is failing."""
        return self.failing_since is not None


def condition(signals: Collection[Signal]) -> Condition:
    """Failing since the first and last bad at the last bad reading of those that count; well since the last of all recovered."""
    counting = [signal for signal in signals if signal.counts]
    return Condition(
        min((signal.failing_since for signal in counting if signal.failing_since is not None), default=None),
        max((signal.last_bad_at for signal in counting if signal.last_bad_at is not None), default=None),
        max((signal.well_since for signal in signals if signal.well_since is not None), default=None),
    )


def heard(
    signal: Signal, verdict: Verdict, at: datetime, rule: Rule, reason: str = "", stops: bool = False, failures: Collection[str] = ()
) -> Signal:
    """The signal after one more reading. Not later than the last one means heard already, or too late: nothing changes.

    An unknown verdict is neither good nor bad and changes nothing; once unknown counts as bad, the caller says "missed". What `stops` a
    refresh fails with the first bad reading, and is accepted for that refresh only: the next one that it stops is a new failure. `failures`
    names what failed in it.
    """
    at = in_utc(at)
    if verdict == "unknown" or (signal.last_at is not None and at <= signal.last_at):
        return signal
    good = verdict == "met"
    rule = replace(rule, bad=1, of=1) if stops else rule
    recent = (*signal.recent, good)[-max(rule.of, rule.good) :]
    since = _failing_since(signal, recent, at, rule)
    if signal.failing and since is None:  # the bad readings that this failure began with do not begin the next one
        return replace(signal, recent=(), last_at=at, failing_since=None, well_since=at, accepted=False, failures=())
    heard_so_far = replace(signal, recent=recent, last_at=at, failing_since=since)
    if stops and not good and signal.accepted:
        heard_so_far = replace(heard_so_far, accepted=False, failing_since=at, failures=())
    if good:
        return heard_so_far
    return replace(heard_so_far, last_bad_at=at, reason=reason, failures=tuple(sorted({*heard_so_far.failures, *failures})))


def set_right(signal: Signal, now: datetime) -> Signal:
    """The signal without times that are yet to come by more than `AHEAD`: a clock was wrong when they were heard.

    It would be deaf until then: nothing that is earlier than its last reading is heard.
    """
    now = in_utc(now)
    if signal.last_at is None or signal.last_at <= now + AHEAD:
        return signal
    return replace(
        signal,
        last_at=None,
        last_bad_at=_by(signal.last_bad_at, now),
        failing_since=_by(signal.failing_since, now),
        well_since=_by(signal.well_since, now),
    )


def _by(at: datetime | None, now: datetime) -> datetime | None:
    return min(at, now) if at is not None else None


def _failing_since(signal: Signal, recent: tuple[bool, ...], at: datetime, rule: Rule) -> datetime | None:
    if signal.failing:
        well = len(recent) >= rule.good and all(recent[-rule.good :])
        return None if well else signal.failing_since
    return at if not recent[-1] and recent[-rule.of :].count(False) >= rule.bad else None
