"""What a promise about the data itself was over time, from the verdicts of its checks. A state holds between readings."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_resources.capabilities.measures import Verdict
from platform_resources.objectives.exclusions import Exclusion, with_exclusions
from platform_resources.objectives.periods import Period, in_utc
from platform_resources.objectives.slices import Share, Slice

_WORST_LAST: tuple[Verdict, ...] = ("unknown", "met", "missed")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check said at a moment. Raises ValueError for a time without a zone."""

    at: datetime
    verdict: Verdict

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", in_utc(self.at))


def by_readings(
    slices: Sequence[Slice],
    readings: Iterable[Judged],
    now: datetime,
    holds: timedelta,
    grace: timedelta | None = timedelta(),
    missing_inputs: Iterable[Period] = (),
    exclusions: Iterable[Exclusion] = (),
) -> tuple[Slice, ...]:
    """Each whole slice judged by the readings in it, or without any by the verdict that still held.

    Bad if any reading was missed; else good if any was met. A verdict holds for `holds` (how often the check is due): a slice without a
    reading is as the last verdict before it if that held to the slice's end. Else a reading was due and did not come, and the slice is
    unknown, or excluded if in one of the `missing_inputs` (the input had not come when the slice ended: freshness pays for that).
    `grace` after its end an unknown slice counts as bad, though not as measured; None means never. Readings dated after `now` have not
    happened; their order and repetitions make no difference. Raises ValueError for a time without a zone.
    """
    now = in_utc(now)
    past = {reading for reading in readings if reading.at <= now}
    ordered = sorted(past, key=lambda reading: (reading.at, _WORST_LAST.index(reading.verdict)))
    known = [reading for reading in ordered if reading.verdict != "unknown"]
    times, known_times, missing = [r.at for r in ordered], [r.at for r in known], tuple(missing_inputs)

    def judged(one: Slice) -> Slice:
        if one.end > now:
            return replace(one, state="pending")
        inside = ordered[bisect_left(times, one.start) : bisect_left(times, one.end)]
        if any(reading.verdict != "unknown" for reading in inside):
            return _read(one, inside)
        before = bisect_left(known_times, one.start)
        if before and not inside and known[before - 1].at + holds >= one.end:
            return replace(one, state="good" if known[before - 1].verdict == "met" else "bad", measured=True)
        return _not_measured(one, missing, grace, now)

    return with_exclusions([judged(one) for one in slices], exclusions)


def _read(one: Slice, readings: Sequence[Judged]) -> Slice:
    met, missed = (sum(reading.verdict == verdict for reading in readings) for verdict in ("met", "missed"))
    return replace(one, state="bad" if missed else "good", share=Share(met, met + missed), measured=True)


def _not_measured(one: Slice, missing: Sequence[Period], grace: timedelta | None, now: datetime) -> Slice:
    if any(period.start < one.end <= period.end for period in missing):
        return replace(one, state="excluded", measured=False)
    overdue = grace is not None and now >= one.end + grace
    return replace(one, state="bad" if overdue else "unknown", measured=False)
