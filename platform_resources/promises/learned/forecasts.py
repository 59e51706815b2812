"""Forecast the next value of a series from its trend, weekday and level, with the errors of earlier forecasts.

    value = trend + effect of the weekday + level, each by medians, so that fewer than half of the points move none of them

Trend: the median change from a week to the next between the same weekdays, the lag-one case of the seasonal slope of Hirsch, Slack and
Smith, "Techniques of trend analysis for monthly water quality data", Water Resources Research 18 (1982); a shift of the level touches
only one week's changes. Weekday effects: median polish of weeks by weekdays, Tukey, "Exploratory Data Analysis" (1977), chapter 11.
Level: the median of the newest points without trend and weekday.
"""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.promises.learned.points import NotYet, Settings
from platform_resources.promises.learned.robust import MEDIAN_VARIANCE, degrees_of_freedom, median

WEEK = timedelta(weeks=1)
FEWEST_CHANGES = 3  # from week to week, for a trend
LARGEST_LOG = 700.0  # a float holds nothing beyond e to the 709th
FEWEST_BEFORE = 4  # points before the first that is forecast to learn from its error
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

Key = Hashable
Cells = Mapping[tuple[int, Key], float]


@dataclass(frozen=True, slots=True)
class SeasonPlace:
    """Where a point lies before the moment of the forecast: its season, how many calendar weeks ago, and how long ago in weeks."""

    season: Key
    week: int
    age: float


@dataclass(frozen=True, slots=True)
class Error:
    """How wrong the forecast of the point at `index` was, and what was forecast."""

    index: int
    error: float
    forecast: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected value and how wrong earlier forecasts were.

    `widening`: how much wider the next error will be, as effects are only estimated; `doubt`: what to add to each side of the bounds.
    `level_points`: how many points the level is of.
    """

    expected: float
    errors: tuple[Error, ...]
    degrees: float
    widening: float
    doubt: float
    level_points: int


def places(times: Sequence[datetime], at: datetime, settings: Settings) -> tuple[list[SeasonPlace], Key]:
    """The place of each time, and the season of the moment itself. Weeks are whole local days: minutes and clock changes do not count.

    Seasons are used only where the points fall into at least two of them in a usual week, and some came again: a monthly or weekly series
    has none.
    """
    local = at.astimezone(settings.zone)
    seasonal = [_place(time, time.astimezone(settings.zone), at, local, settings) for time in times]
    if not _has_seasons(seasonal):
        return [SeasonPlace(None, place.week, place.age) for place in seasonal], None
    return seasonal, _season(local, settings)


def _place(time: datetime, local_time: datetime, at: datetime, local: datetime, settings: Settings) -> SeasonPlace:
    days = (local.date() - local_time.date()).days
    return SeasonPlace(_season(local_time, settings), max(0, (days - 1) // 7), (at - time) / WEEK)


def _season(local: datetime, settings: Settings) -> Key:
    match settings.season:
        case "none":
            return None
        case "weekday":
            return local.weekday()
        case "hour-of-week":
            return local.weekday(), local.hour


def _has_seasons(seasonal: Sequence[SeasonPlace]) -> bool:
    cells = {(place.week, place.season) for place in seasonal}
    weeks, seasons = Counter(week for week, _ in cells), Counter(season for _, season in cells)
    return median(list(weeks.values())) >= 2 and max(seasons.values()) >= 2


def season_words(season: Key) -> str:
    """The season as it stands after "usual": " on Mondays", " on Mondays at 6:00 to 6:59"; nothing for none."""
    match season:
        case int():
            return f" on {DAYS[season]}"
        case (int() as day, int() as hour):
            return f" on {DAYS[day]} at {hour}:00 to {hour}:59"
        case _:
            return ""


def forecast(values: Sequence[float], where: Sequence[SeasonPlace], season: Key, settings: Settings) -> Forecast | NotYet:
    """What to expect in this season now, the values being in the order of time; not yet if the season was seen less than twice."""
    slope = weekly_change(_cells(values, where))
    trendless = [value + slope * place.age for value, place in zip(values, where, strict=True)]
    cells = _cells(trendless, where)
    weeks = Counter(seen for _, seen in cells)
    if season is not None and weeks[season] < 2:
        return NotYet(len(values), f"learning: {weeks[season]} of 2 points{season_words(season)}, so nothing can be judged there yet")
    known = [index for index, place in enumerate(where) if place.season is None or weeks[place.season] >= 2]
    if len(known) <= FEWEST_BEFORE:
        return NotYet(len(values), f"learning: {len(known)} of {FEWEST_BEFORE + 1} points in a season that came again")
    effects = {seen: 0.0 for _, seen in cells} if season is None else _effects(cells)
    levels = [trendless[index] - effects[where[index].season] for index in known]
    trend = [effects[where[index].season] - slope * where[index].age for index in known]
    errors = _errors(levels, trend, known, settings.level_points)
    degrees = degrees_of_freedom(len(errors), len({where[index].season for index in known}) + 3)  # seasons, trend, level, scale
    newest = levels[-settings.level_points :]
    widening, doubt = (1.0, 0.0) if season is None else (_widening(weeks[season]), _doubt(cells, effects, season))
    return Forecast(median(newest) + effects[season], errors, degrees, widening, doubt, len(newest))


def _errors(levels: Sequence[float], rest: Sequence[float], known: Sequence[int], level_points: int) -> tuple[Error, ...]:
    """Each point against the level of those before it. `rest`: what is not level in each of the points, whose indices are `known`."""
    before = [median(levels[max(0, end - level_points) : end]) for end in range(FEWEST_BEFORE, len(levels))]
    known_points = zip(known[FEWEST_BEFORE:], levels[FEWEST_BEFORE:], before, rest[FEWEST_BEFORE:], strict=True)
    return tuple(Error(index, level - usual, usual + other) for index, level, usual, other in known_points)


def _cells(values: Sequence[float], where: Sequence[SeasonPlace]) -> Cells:
    """One value per week and season: the median, where a day has several."""
    several: dict[tuple[int, Key], list[float]] = {}
    for value, place in zip(values, where, strict=True):
        several.setdefault((place.week, place.season), []).append(value)
    return {cell: median(of_cell) for cell, of_cell in several.items()}


def weekly_change(cells: Cells) -> float:
    """How much values change from week to week, by the median over all seasons and pairs of neighbouring weeks."""
    changes = [value - cells[week + 1, season] for (week, season), value in cells.items() if (week + 1, season) in cells]
    return median(changes) if len(changes) >= FEWEST_CHANGES else 0.0


def _effects(cells: Cells) -> dict[Key, float]:
    """What each season adds, by median polish: weeks and seasons in turn give up their median, three times."""
    rest, effects = dict(cells), {season: 0.0 for _, season in cells}
    for _ in range(3):
        by_week = _medians(rest, 0)
        rest = {cell: value - by_week[cell[0]] for cell, value in rest.items()}
        by_season = _medians(rest, 1)
        rest = {cell: value - by_season[cell[1]] for cell, value in rest.items()}
        effects = {season: effect + by_season[season] for season, effect in effects.items()}
    return effects


def _medians(cells: Cells, by: int) -> dict[Key, float]:
    grouped: dict[Key, list[float]] = {}
    for cell, value in cells.items():
        grouped.setdefault(cell[by], []).append(value)
    return {key: median(values) for key, values in grouped.items()}


def _widening(weeks: int) -> float:
    """How much wider the next error is than those seen, since these took part in the effects of their season.

    The variance of a median of n is pi / 2n times that of one value (Kenney and Keeping, "Mathematics of Statistics", 1962, 14.12), which
    the next error has on top, and those seen lack 1.2 / n of theirs, by simulation (1 / n, were it a mean).
    """
    return math.sqrt((1 + MEDIAN_VARIANCE / weeks) / (1 - 1.2 / weeks))


def _doubt(cells: Cells, effects: Mapping[Key, float], season: Key) -> float:
    """With two weeks only, how far each lies from their middle: one of them may have been a holiday, and nobody can tell which."""
    by_week = _medians({cell: value - effects[cell[1]] for cell, value in cells.items()}, 0)
    seen = [value - effects[season] - by_week[cell[0]] for cell, value in cells.items() if cell[1] == season]
    return max(map(abs, seen)) if len(seen) == 2 else 0.0


def unlogged(value: float) -> float:
    """The inverse of `log1p`; a very large number where a float overflows."""
    return math.expm1(min(value, LARGEST_LOG))
