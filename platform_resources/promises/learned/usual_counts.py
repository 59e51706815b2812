"""Judge row counts: logarithmic, by weekday, at the level of the last points."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from platform_resources.promises.learned.forecasts import Forecast, Key, SeasonPlace, forecast, places, season_words, unlogged
from platform_resources.promises.learned.points import ENOUGH, Learned, NotYet, Point, Settings, Usual, considered, judged, too_few
from platform_resources.promises.learned.robust import bound, median, scale
from platform_resources.promises.periods import Period

COUNTS = Settings()


def learned_count(history: Iterable[Point], current: Point, settings: Settings = COUNTS, excluded: Iterable[Period] = ()) -> Learned:
    """Whether the current number of rows is usual. History at or after its time, and in excluded periods, takes no part."""
    return judged(current.value, usual_count(history, current.at, settings, excluded), _rows)


def _rows(rows: float) -> str:
    return f"{rows:,.0f}"


def usual_count(history: Iterable[Point], at: datetime, settings: Settings = COUNTS, excluded: Iterable[Period] = ()) -> Usual | NotYet:
    """How many rows are usual at a moment. No rows are never usual once there were some, except in a season that mostly has none.

    A level shift is taken over after `level_points // 2 + 1` points (8), a new weekday pattern after half of the weeks in memory (4), an
    end of all rows after half of the points in memory (4 weeks).
    """
    points = considered(history, at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    where, season = places([point.at for point in points], at, settings)
    empty = _empty_seasons(points, where)
    if season in empty:
        seen = [point.value for point, place in zip(points, where, strict=True) if place.season == season]
        return Usual(0.0, max(*seen, settings.min_amount), 0.0, len(points), season_words(season))
    kept = [(point, place) for point, place in zip(points, where, strict=True) if place.season not in empty]
    ahead = forecast([math.log1p(point.value) for point, _ in kept], [place for _, place in kept], season, settings)
    return ahead if isinstance(ahead, NotYet) else _usual(ahead, len(points), season, settings)


def _empty_seasons(points: Sequence[Point], where: Sequence[SeasonPlace]) -> set[Key]:
    """The seasons that were without rows at least half of the time, and at least twice."""
    by_season: dict[Key, list[bool]] = {}
    for point, place in zip(points, where, strict=True):
        by_season.setdefault(place.season, []).append(point.value == 0)
    return {season for season, empty in by_season.items() if sum(empty) >= max(2, len(empty) / 2)}


def _usual(ahead: Forecast, points: int, season: Key, settings: Settings) -> Usual:
    expected = unlogged(max(ahead.expected, 0.0))
    half = bound(settings.sensitivity, ahead.degrees) * _spread(ahead, expected) + ahead.doubt
    least = max(expected * settings.min_change, settings.min_amount)
    low = 1.0 if settings.sides == "upper" else max(1.0, min(unlogged(ahead.expected - half), expected - least))
    high = max(unlogged(ahead.expected + half), expected + least)
    return Usual(low, high, expected, points, season_words(season))


def _spread(ahead: Forecast, expected: float) -> float:
    """The standard deviation of the next error of the logarithm.

    Small counts vary more: the variance of log(1 + n) is about 1 / (1 + n) for n as chance has it (Poisson, by the delta method), and on
    top comes what large numbers vary too. Errors are compared after division by that shape, so only the ratio between small and large
    counts is assumed, and a series that never varies has a spread of zero.
    """
    chance = [1 / (1 + unlogged(max(error.forecast, 0.0))) for error in ahead.errors]
    beyond = max(0.0, scale([error.error for error in ahead.errors]) ** 2 - median(chance))
    shaped = [error.error / math.sqrt(beyond + own) for error, own in zip(ahead.errors, chance, strict=True)]
    return scale(shaped) * math.sqrt(beyond + 1 / (1 + expected)) * ahead.widening
