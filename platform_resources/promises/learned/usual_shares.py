"""Judge shares of rows, such as the share of nulls: binomial bounds, widened by how much shares have varied beyond chance."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_resources.capabilities.support.shares import share_text
from platform_resources.promises.learned.forecasts import Forecast, forecast, places, season_words
from platform_resources.promises.learned.points import ENOUGH, Learned, NotYet, Settings, Usual, considered, judged, too_few
from platform_resources.promises.learned.robust import MEDIAN_VARIANCE, bound, median, scale
from platform_resources.promises.periods import Period
from platform_resources.spec.values.moments import in_utc

SHARES = Settings(min_change=0.01)


@dataclass(frozen=True, slots=True, order=True)
class FailingShare:
    """The number of failing rows out of all rows at a time. Raises ValueError without a zone, or for more failing rows than rows."""

    at: datetime
    part: float
    rows: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", in_utc(self.at))
        if not 0 <= self.part <= self.rows <= 1e300:  # false for NaN too
            raise ValueError(f"{self.part} of {self.rows} rows at {self.at.isoformat()} is no share; allowed: 0 <= part <= rows, finite")

    @property
    def share(self) -> float:
        """Raises ZeroDivisionError without rows."""
        return self.part / self.rows


def learned_share(
    history: Iterable[FailingShare], current: FailingShare, settings: Settings = SHARES, excluded: Iterable[Period] = ()
) -> Learned:
    """Whether the current share is usual for so many rows; unknown without rows. History without rows takes no part."""
    if not current.rows:
        return Learned("unknown", None, None, None, 0, "there are no rows, so there is no share of them")
    usual = usual_share(history, current.at, current.rows, settings, excluded)
    return judged(current.share, usual, share_text)


def usual_share(
    history: Iterable[FailingShare], at: datetime, rows: float, settings: Settings = SHARES, excluded: Iterable[Period] = ()
) -> Usual | NotYet:
    """What share is usual at a moment among so many rows, from 0 to 1. The number of rows moves only the width of the bounds.

    Bounds: binomial, with as many rows as would vary by chance alone as much as these shares do (the design effect of Kish, "Survey
    Sampling", 1965).
    """
    if not 0 < rows <= 1e300:
        raise ValueError(f"a share of {rows} rows cannot be judged; allowed: finite, above 0")
    points = considered((point for point in history if point.rows), at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    where, season = places([point.at for point in points], at, settings)
    ahead = forecast([point.share for point in points], where, season, settings)
    if isinstance(ahead, NotYet):
        return ahead
    expected = min(max(ahead.expected, 0.0), 1.0)
    low, high = binomial_bounds(expected, _rows_by_chance(ahead, points, rows, expected), bound(settings.sensitivity, ahead.degrees))
    least = max(settings.min_change, settings.min_amount / rows)
    low = 0.0 if settings.sides == "upper" else max(0.0, min(low - ahead.doubt, expected - least))
    return Usual(low, min(1.0, max(high + ahead.doubt, expected + least)), expected, len(points), season_words(season))


def binomial_bounds(share: float, rows: float, deviations: float) -> tuple[float, float]:
    """Where a share of so many rows lies by chance, so many standard deviations to each side of the expected share.

    The wider, on each side, of the score interval of E. B. Wilson, "Probable inference", JASA 22 (1927), which has a width where nulls were
    never seen and the long tail on the right side, and of the normal approximation, which is the wider one towards 0 and 1.
    """
    square = deviations * deviations
    middle, half = share + square / (2 * rows), deviations * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    score = (middle - half) / (1 + square / rows), (middle + half) / (1 + square / rows)
    normal = deviations * math.sqrt(share * (1 - share) / rows)
    return max(0.0, min(score[0], share - normal)), min(1.0, max(score[1], share + normal))


def _rows_by_chance(ahead: Forecast, points: Sequence[FailingShare], rows: float, expected: float) -> float:
    """Among how many rows chance alone varies a share as much as the next one will: from the variance of chance and that beyond chance.

    Beyond chance is what the errors vary more than chance lets them, as in the beta-binomial model (Williams, "Extra-binomial variation in
    logistic linear models", Applied Statistics 31, 1982), by moments.
    """
    seen = sum(point.rows for point in points[-ahead.level_points :])
    of_one = _variance(expected, seen)
    chance = median([_variance(min(max(error.forecast, 0.0), 1.0), seen) / points[error.index].rows for error in ahead.errors])
    beyond = max(0.0, scale([error.error for error in ahead.errors]) ** 2 - chance * (1 + MEDIAN_VARIANCE / ahead.level_points))
    next_error = of_one * (1 / rows + MEDIAN_VARIANCE / seen) + beyond
    return of_one / (next_error * ahead.widening**2)


def _variance(share: float, rows: float) -> float:
    """The variance of one row, with half a null and half a value added to those seen, so that it is never zero (Jeffreys' prior)."""
    smoothed = (share * rows + 0.5) / (rows + 1)
    return smoothed * (1 - smoothed)
