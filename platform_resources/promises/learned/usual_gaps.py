"""Judge gaps between publications, by the gaps that began at the same time of the week."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from platform_resources.promises.learned.points import ENOUGH, Learned, NotYet, Point, Settings, Usual, considered, judged, too_few
from platform_resources.promises.learned.robust import bound, degrees_of_freedom, median, scale
from platform_resources.promises.periods import Period, cover
from platform_resources.spec.values.durations import length_text
from platform_resources.spec.values.moments import in_utc

GAPS = Settings(min_amount=1800.0, sides="upper")
NEAR = timedelta(hours=1)  # two gaps began at the same time of the week, or of the day
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class NextDue:
    """When the next publication usually comes and when it is overdue; None, with the reason in `learned`, while that is not known."""

    learned: Learned
    expected_at: datetime | None
    overdue_at: datetime | None


def gaps(publications: Iterable[datetime], settings: Settings = GAPS, excluded: Iterable[Period] = ()) -> tuple[Point, ...]:
    """Each gap, as seconds of the local clock, at the time it began; none that touches an excluded period."""
    left_out, times = cover(excluded), sorted({in_utc(time) for time in publications})
    clear = ((one, other) for one, other in pairwise(times) if not left_out.within(one, other))
    return tuple(Point(one, max(0.0, (_local(other, settings.zone) - _local(one, settings.zone)).total_seconds())) for one, other in clear)


def _local(time: datetime, zone: tzinfo) -> datetime:
    """The wall clock, so that a daily publication comes after 24 hours also when clocks change."""
    return time.astimezone(zone).replace(tzinfo=None)


def next_due(publications: Iterable[datetime], now: datetime, settings: Settings = GAPS, excluded: Iterable[Period] = ()) -> NextDue:
    """Whether the publication after the newest one is overdue now. Publications after `now` have not happened."""
    now = in_utc(now)
    times = [in_utc(time) for time in publications if in_utc(time) <= now]
    if not times:
        return NextDue(judged(0.0, too_few(0), length_text), None, None)
    last, excluded = max(times), tuple(excluded)
    local = _local(last, settings.zone)
    waited = max(0.0, (_local(now, settings.zone) - local).total_seconds())
    learned = learned_gap(gaps(times, settings, excluded), Point(last, waited), settings, excluded)
    if learned.expected is None or learned.high is None:
        return NextDue(learned, None, None)
    return NextDue(learned, _after(local, learned.expected, settings.zone), _after(local, learned.high, settings.zone))


def _after(local: datetime, seconds: float, zone: tzinfo) -> datetime:
    return in_utc((local + timedelta(seconds=min(seconds, 1e9))).replace(tzinfo=zone))


def learned_gap(history: Iterable[Point], current: Point, settings: Settings = GAPS, excluded: Iterable[Period] = ()) -> Learned:
    """Whether so many seconds after a publication is a usual gap, ended or not."""
    return judged(current.value, usual_gap(history, current.at, settings, excluded), length_text, "longer")


def usual_gap(history: Iterable[Point], at: datetime, settings: Settings = GAPS, excluded: Iterable[Period] = ()) -> Usual | NotYet:
    """How many seconds after a publication at this moment the next one usually comes.

    Expected is the median of the gaps that began nearest to this time of the week, one a week; with fewer than two, those of this time of
    the day, one a day; else all. Jitter is in minutes whatever the length of the gap, so the scale is that of all errors together, and the
    bound is that of a lognormal distribution with this deviation: nearly expected + t x scale for a regular source, and far beyond for one
    that comes by chance (Johnson and Kotz, "Continuous Univariate Distributions 1", 1970, chapter 14: sigma² = ln(1 + cv²)).
    """
    points = considered(history, at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    starts = [_local(point.at, settings.zone) for point in points]
    seconds = [point.value for point in points]
    expected = _expected(starts, seconds, _local(at, settings.zone))
    errors = [seconds[index] - _expected(starts[:index], seconds[:index], starts[index]) for index in range(ENOUGH // 2, len(points))]
    variation = scale(errors) / expected if expected else 0.0
    spread = math.sqrt(math.log1p(variation * variation))
    high = expected * math.exp(min(bound(settings.sensitivity, degrees_of_freedom(len(errors), 1)) * spread, 700.0))
    return Usual(0.0, max(high, expected * (1 + settings.min_change), expected + settings.min_amount), expected, len(points))


def _expected(starts: Sequence[datetime], seconds: Sequence[float], at: datetime) -> float:
    weekly = _nearest(starts, at, WEEK)
    same = weekly if len(weekly) >= 2 else _nearest(starts, at, DAY)
    return median([seconds[index] for index in same] if len(same) >= 2 else seconds)


def _nearest(starts: Sequence[datetime], at: datetime, period: timedelta) -> list[int]:
    """Of each earlier period the gap that began nearest to the same time, if any began near it."""
    nearest, target = [], at - period
    while starts and target >= starts[0] - NEAR:
        right = bisect_left(starts, target)
        index = min((index for index in (right - 1, right) if 0 <= index < len(starts)), key=lambda index: abs(starts[index] - target))
        if abs(starts[index] - target) <= NEAR:
            nearest.append(index)
        target -= period
    return nearest
