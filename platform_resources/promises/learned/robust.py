"""Robust scales and quantiles of Student's t: how far a value may lie from a median by chance."""

import math
from collections.abc import Sequence
from functools import cache

MAD_TO_SIGMA = 1.4826  # 1 / the upper quartile of a normal distribution
MEAN_DEVIATION_TO_SIGMA = 1.2533  # the square root of pi / 2
CUT, CUT_TO_SIGMA = 3.0, 1.0136  # the second makes up for what a normal distribution has beyond the first
EFFICIENCY = 0.7
MEDIAN_VARIANCE = math.pi / 2  # of a median of n, times n, in units of the variance of one
FEWEST_DEGREES = 3.0


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle. Raises ValueError for no values."""
    if not values:
        raise ValueError("the median of no values is not defined")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def scale(errors: Sequence[float]) -> float:
    """The standard deviation that the errors would have without outliers, unmoved by a large minority of them.

    First the median absolute deviation x 1.4826 x n / (n - 0.8): Rousseeuw and Croux, "Alternatives to the median absolute deviation", JASA
    88 (1993), and Croux and Rousseeuw in COMPSTAT (1992) for small n. Then the root mean square of the errors within three of those: the
    reweighted scale of Rousseeuw and Leroy, "Robust Regression and Outlier Detection" (1987), twice as efficient.
    If more than half of the errors are equal, the mean absolute deviation x 1.2533 comes first: Iglewicz and Hoaglin, "How to detect and
    handle outliers" (1993). Zero for errors that are all equal.
    """
    middle, number = median(errors), len(errors)
    deviations = [abs(error - middle) for error in errors]
    first = MAD_TO_SIGMA * median(deviations) * number / (number - 0.8)
    if not first:
        return MEAN_DEVIATION_TO_SIGMA * math.fsum(deviations) / number
    kept = [deviation * deviation for deviation in deviations if deviation <= CUT * first]
    return CUT_TO_SIGMA * math.sqrt(math.fsum(kept) / max(1, len(kept) - 1))


def degrees_of_freedom(errors: int, estimated: int) -> float:
    """The degrees of freedom of a scale: by simulation it knows as much as a standard deviation of 70 % as many values (MAD alone: 37 %).

    `estimated`: how many parameters the same values gave, itself included. Never fewer than 3, where the bounds are three times as wide.
    """
    return max(FEWEST_DEGREES, round(EFFICIENCY * (errors - estimated), 1))


def bound(sensitivity: float, degrees: float) -> float:
    """The number of scales at which Student's t has the same tail as a normal distribution at `sensitivity` standard deviations."""
    return t_quantile(math.erfc(sensitivity / math.sqrt(2)) / 2, degrees)


@cache
def t_quantile(tail: float, degrees: float) -> float:
    """The t that Student's distribution exceeds with probability `tail` (0 to 0.5), by bisection; any degrees of freedom above 0."""
    if not 0 < tail <= 0.5 or not degrees > 0:
        raise ValueError(f"no t has a tail of {tail} with {degrees} degrees of freedom; allowed: 0 < tail <= 0.5 and degrees > 0")
    low, high = 0.0, 1.0
    while t_tail(high, degrees) > tail:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, degrees) > tail else (low, middle)
    return (low + high) / 2


def t_tail(t: float, degrees: float) -> float:
    """The probability that Student's t is above `t` >= 0: half of I_x(v/2, 1/2) at x = v / (v + t²) (Abramowitz and Stegun, 26.7.1)."""
    return incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) in the method of Lentz; DLMF 8.17.4 to mirror."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    above, below, fraction = 1.0, 0.0, 1.0
    for step in range(1, 500):
        term = _term(step, x, a, b)
        below, above = 1 / (1 + term * below), 1 + term / above
        fraction *= above * below
        if abs(above * below - 1) < 1e-15:
            break
    return front / fraction


def _term(step: int, x: float, a: float, b: float) -> float:
    m = step // 2
    if step % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
