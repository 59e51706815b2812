"""Judge refresh durations in seconds: logarithmic; by default only values that are too long are unusual."""

import math
from collections.abc import Iterable
from datetime import datetime

from platform_resources.promises.learned.forecasts import forecast, places, season_words, unlogged
from platform_resources.promises.learned.points import ENOUGH, Learned, NotYet, Point, Settings, Usual, considered, judged, too_few
from platform_resources.promises.learned.robust import bound, scale
from platform_resources.promises.periods import Period
from platform_resources.spec.values.durations import length_text

DURATIONS = Settings(min_change=0.2, min_amount=10.0, sides="upper")


def learned_duration(history: Iterable[Point], current: Point, settings: Settings = DURATIONS, excluded: Iterable[Period] = ()) -> Learned:
    """Whether the current number of seconds is usual. History at or after its time, and in excluded periods, takes no part."""
    return judged(current.value, usual_duration(history, current.at, settings, excluded), length_text, "longer")


def usual_duration(
    history: Iterable[Point], at: datetime, settings: Settings = DURATIONS, excluded: Iterable[Period] = ()
) -> Usual | NotYet:
    """How many seconds are usual at a moment; from 0 on, where only the upper side counts."""
    points = considered(history, at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    where, season = places([point.at for point in points], at, settings)
    ahead = forecast([math.log1p(point.value) for point in points], where, season, settings)
    if isinstance(ahead, NotYet):
        return ahead
    expected = unlogged(max(ahead.expected, 0.0))
    half = bound(settings.sensitivity, ahead.degrees) * scale([error.error for error in ahead.errors]) * ahead.widening + ahead.doubt
    least = max(expected * settings.min_change, settings.min_amount)
    low = 0.0 if settings.sides == "upper" else max(0.0, min(unlogged(ahead.expected - half), expected - least))
    high = max(unlogged(ahead.expected + half), expected + least)
    return Usual(low, high, expected, len(points), season_words(season))
