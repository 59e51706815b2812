"""Whether so many seconds are usual for a refresh: on a logarithmic scale; only too long is outside, by default."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from platform_resources.promises.learned.forecasts import forecast, places, season_words, unlogged
from platform_resources.promises.learned.points import ENOUGH, Learned, NotYet, Point, Settings, Usual, considered, judged, too_few
from platform_resources.promises.learned.robust import bound, scale
from platform_resources.promises.periods import Period

DURATIONS = Settings(min_change=0.2, min_amount=10.0, sides="upper")
# A unit, the one below it, and from how many seconds on both are used: under two days, hours tell more than days.
_UNITS = ((86_400, "d", 3600, "h", 172_800), (3600, "h", 60, "min", 3600), (60, "min", 1, "s", 60))


def learned_duration(history: Iterable[Point], current: Point, settings: Settings = DURATIONS, excluded: Iterable[Period] = ()) -> Learned:
    """Whether the current number of seconds is usual. History at or after its time, and in excluded periods, takes no part."""
    return judged(current.value, usual_duration(history, current.at, settings, excluded), shown_seconds, "longer")


def usual_duration(
    history: Iterable[Point], at: datetime, settings: Settings = DURATIONS, excluded: Iterable[Period] = ()
) -> Usual | NotYet:
    """How many seconds are usual at a moment; from 0 on, where only the upper side counts."""
    points = considered(history, at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    where, season = places([point.at for point in points], at, settings)
    found = forecast([math.log1p(point.value) for point in points], where, season, settings)
    if isinstance(found, NotYet):
        return found
    expected = unlogged(max(found.expected, 0.0))
    half = bound(settings.sensitivity, found.degrees) * scale([error.error for error in found.errors]) * found.widening + found.doubt
    least = max(expected * settings.min_change, settings.min_amount)
    low = 0.0 if settings.sides == "upper" else max(0.0, min(unlogged(found.expected - half), expected - least))
    high = max(unlogged(found.expected + half), expected + least)
    return Usual(low, high, expected, len(points), season_words(season))


def shown_seconds(seconds: float) -> str:
    """Seconds as people read them, in two units and rounded up: `12.3 s`, `5 min`, `26 h 3 min`, `7 d 9 h`."""
    if seconds >= timedelta.max.total_seconds():
        return f"{seconds:.2g} s"
    for large, name, small, rest_name, least in _UNITS:
        if seconds >= least or seconds == large:
            whole, rest = divmod(math.ceil(seconds / small), large // small)
            return f"{whole} {name} {rest} {rest_name}" if rest else f"{whole} {name}"
    return f"{math.ceil(seconds * 10) / 10:g} s"
