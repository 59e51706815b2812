"""Judge the slices of a promise about data from the verdicts of its checks. A verdict holds until the next reading."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_resources.capabilities.judgements import Verdict
from platform_resources.promises.exclusions import ExcludedPeriod, with_exclusions
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import Share, Slice, SliceState
from platform_resources.spec.values.moments import in_utc

_WORST_LAST: tuple[Verdict, ...] = ("unknown", "met", "missed")
_STATES: Mapping[Verdict, SliceState] = {"met": "good", "missed": "bad"}


@dataclass(frozen=True, slots=True)
class DatedVerdict:
    """What a check said at a moment. Raises ValueError for a time without a zone."""

    at: datetime
    verdict: Verdict

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", in_utc(self.at))


def by_readings(
    slices: Sequence[Slice],
    readings: Iterable[DatedVerdict],
    now: datetime,
    holds: timedelta,
    grace: timedelta | None = timedelta(),
    missing_inputs: Iterable[Period] = (),
    exclusions: Iterable[ExcludedPeriod] = (),
    final_after: timedelta | None = None,
) -> tuple[Slice, ...]:
    """Each whole slice judged by the readings in it, or without any by the verdict that still held.

    Bad if any reading was missed; else good if any was met. A verdict holds for `holds` (how often the check is due): a slice without a
    reading is as the last verdict before it if that held to the slice's end. Else a reading was due and did not come, and the slice is
    unknown, or excluded if in one of the `missing_inputs` (the input had not come when the slice ended: freshness pays for that).
    `grace` after its end an unknown slice counts as bad, though not as measured; None means never. Readings dated after `now` have not
    happened; their order and repetitions make no difference. Raises ValueError for a time without a zone.

    With `final_after` a breach may be mended for so long after the slice's end: the newest reading in the slice decides, and if that does
    not make it good, the first met one before it is final does. Until then a slice that is not good is provisional, and one without a
    reading unknown, whatever the `grace`; then nothing changes it. A later breach is charged to its own slice only.
    """
    now, missing, changes_for = in_utc(now), tuple(missing_inputs), final_after or timedelta()
    known = _Readings(readings, now)
    due_within = None if grace is None else max(grace, changes_for)

    def in_time(one: Slice) -> Slice:
        inside = known.between(one.start, one.end)
        if any(reading.verdict != "unknown" for reading in inside):
            return _read(one, inside if final_after is None else _newest(inside))
        held = None if inside else known.held(one, holds)
        return _not_measured(one, missing, due_within, now) if held is None else replace(one, state=_STATES[held], measured=True)

    def judged(one: Slice) -> Slice:
        if one.end > now:
            return replace(one, state="pending")
        timed = in_time(one)
        if timed.state in ("good", "excluded") or not changes_for:
            return timed
        final_at = one.end + changes_for
        mended = _mended(timed, known.between(one.end, final_at))
        return replace(mended, provisional=mended.state != "good" and now < final_at)

    return with_exclusions([judged(one) for one in slices], exclusions)


class _Readings:
    """Those that have happened, in order; of two at one time the worse is last."""

    def __init__(self, readings: Iterable[DatedVerdict], now: datetime) -> None:
        past = {reading for reading in readings if reading.at <= now}
        self.ordered = sorted(past, key=lambda reading: (reading.at, _WORST_LAST.index(reading.verdict)))
        self.known = [reading for reading in self.ordered if reading.verdict != "unknown"]
        self.times, self.known_times = [r.at for r in self.ordered], [r.at for r in self.known]

    def between(self, start: datetime, end: datetime) -> Sequence[DatedVerdict]:
        return self.ordered[bisect_left(self.times, start) : bisect_left(self.times, end)]

    def held(self, one: Slice, holds: timedelta) -> Verdict | None:
        """The last verdict before the slice, if it still held at its end."""
        before = bisect_left(self.known_times, one.start)
        return self.known[before - 1].verdict if before and self.known[before - 1].at + holds >= one.end else None


def _read(one: Slice, readings: Sequence[DatedVerdict]) -> Slice:
    met, missed = (sum(reading.verdict == verdict for reading in readings) for verdict in ("met", "missed"))
    return replace(one, state="bad" if missed else "good", share=Share(met, met + missed), measured=True)


def _newest(readings: Sequence[DatedVerdict]) -> Sequence[DatedVerdict]:
    """The newest that is known: it replaces those before it, which spoke of data that was not all there."""
    return [next(reading for reading in reversed(readings) if reading.verdict != "unknown")]


def _mended(one: Slice, late: Sequence[DatedVerdict]) -> Slice:
    """What is not good by a slice's end is as a late reading says; one that was met is enough, whatever breaks again later."""
    said = {reading.verdict for reading in late}
    if "met" in said:
        return replace(one, state="good", share=Share(1, 1), measured=True)
    if "missed" in said and not one.measured:
        return replace(one, state="bad", share=Share(0, 1), measured=True)
    return one


def _not_measured(one: Slice, missing: Sequence[Period], grace: timedelta | None, now: datetime) -> Slice:
    if any(period.start < one.end <= period.end for period in missing):
        return replace(one, state="excluded", measured=False)
    overdue = grace is not None and now >= one.end + grace
    return replace(one, state="bad" if overdue else "unknown", measured=False)
