"""Compute how much of its window a promise was kept, and how much of its error budget is left.

Budgeting methods, with the names of OpenSLO (https://github.com/OpenSLO/OpenSLO, "SLO", `budgetingMethod`):
timeslices: good slices of all slices. ratio-timeslices: the average of the slices' good shares; with a `slice_target`, the slices whose
good share reaches it (which OpenSLO writes as Timeslices with `timeSliceTarget`). occurrences: good events, or good time, of all.
The error budget is 1 - target (Google, The Site Reliability Workbook, chapter 2, https://sre.google/workbook/implementing-slos/).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal, assert_never

from platform_resources.promises.slices import Slice
from platform_resources.spec.indicators import Method

AttainmentState = Literal["met", "missed", "insufficient data", "no data", "no target"]
Weight = tuple[Fraction, Fraction]
ALERT_LEVELS = (50, 75, 100)
LEAST_KNOWN = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Budget:
    """An error budget in slices; for `occurrences` in events or, for freshness, in microseconds. `left` is below 0 once it is overspent."""

    total: float
    spent: float
    left: float

    @property
    def consumed(self) -> float:
        """Spent as a share of the total: 1.0 is all of it. Infinite if there never was a budget and something was bad."""
        if self.total:
            return self.spent / self.total
        return math.inf if self.spent else 0.0


@dataclass(frozen=True, slots=True)
class Attainment:
    """An indicator's value: `percent` is None without a single valid slice. The counts are of slices; `known` were measured, of `total`.

    `provisional` of the bad ones may still turn good, when late data comes.
    """

    state: AttainmentState
    percent: float | None
    target: float | None
    good: int
    bad: int
    unknown: int
    excluded: int
    pending: int
    known: int
    total: int
    budget: Budget | None
    next_deadline: datetime | None
    provisional: int = 0


def attainment(
    slices: Sequence[Slice],
    target: float | None,
    method: Method = "timeslices",
    slice_target: float | None = None,
    coming: int = 0,
) -> Attainment:
    """Good slices as a share of good and bad ones. `target` and `slice_target` are in percent and read as exact decimals.

    Excluded and pending slices do not count. Unknown ones are in `total` only, and with less than half of the total measured it is
    "insufficient data". Slices without a measurement that count as bad spend the budget, but make nothing known. Met is exactly
    `budget.left >= 0`, which is why the budget is of the valid slices; and of those still `coming` in a month or a quarter, which may
    all be good, and weigh what the others do on average.
    """
    counts = Counter(one.state for one in slices)
    good, total = weighed(slices, method, slice_target)
    rest = coming * (total / Fraction(counts["good"] + counts["bad"])) if total else Fraction()
    known = sum(one.state in ("good", "bad") and one.measured for one in slices)
    counted = counts["good"] + counts["bad"] + counts["unknown"]
    return Attainment(
        _state(good + rest, total + rest, target, Fraction(known, counted or 1)),
        _percent(good, total),
        target,
        counts["good"],
        counts["bad"],
        counts["unknown"],
        counts["excluded"],
        counts["pending"],
        known,
        counted,
        None if target is None or not total else _budget(good + rest, total + rest, target),
        min((one.end for one in slices if one.state == "pending"), default=None),
        sum(one.provisional and one.state == "bad" for one in slices),
    )


def weighed(slices: Iterable[Slice], method: Method, slice_target: float | None = None) -> Weight:
    """The good weight and the whole weight of the valid slices. Unmeasured slices that count as bad get the average weight."""
    valid = [one for one in slices if one.state in ("good", "bad")]
    measured = [one for one in valid if one.measured]
    good, total = _weighed(measured, method, slice_target)
    average = total / len(measured) if total else Fraction(1)
    return good, total + (len(valid) - len(measured)) * average


def _weighed(measured: Sequence[Slice], method: Method, slice_target: float | None) -> Weight:
    match method:
        case "timeslices":
            return Fraction(_good(measured)), Fraction(len(measured))
        case "ratio-timeslices":
            return _ratios(measured, None if slice_target is None else exact(slice_target)), Fraction(len(measured))
        case "occurrences":
            shares = [one.share for one in measured if one.share is not None]
            return Fraction(sum(share.good for share in shares)), Fraction(sum(share.total for share in shares))
        case _:
            assert_never(method)


def _ratios(measured: Sequence[Slice], wanted: Fraction | None) -> Fraction:
    """The sum of the good shares, or the number that reach what is wanted; a slice without a share is wholly good or bad."""
    shares = [one.share for one in measured if one.share is not None and one.share.total]
    whole = _good([one for one in measured if one.share is None or not one.share.total])
    if wanted is not None:
        reached = sum(share.good * wanted.denominator >= wanted.numerator * share.total for share in shares)
        return Fraction(whole + reached)
    by_total: Counter[int] = Counter()
    for share in shares:
        by_total[share.total] += share.good
    return sum((Fraction(good, total) for total, good in by_total.items()), Fraction(whole))


def _good(measured: Sequence[Slice]) -> int:
    return sum(one.state == "good" for one in measured)


def exact(percent: float) -> Fraction:
    """The percentage as an exact fraction of its decimals: 99.9 is 999/1000, not the nearest binary number."""
    return Fraction(str(percent)) / 100


def _state(good: Fraction, total: Fraction, target: float | None, known: Fraction) -> AttainmentState:
    if not total:
        return "no data"
    if known < LEAST_KNOWN:
        return "insufficient data"
    if target is None:
        return "no target"
    return "met" if good >= exact(target) * total else "missed"


def _percent(good: Fraction, total: Fraction) -> float | None:
    """In percent; 100.0 only if nothing at all was bad, even where a float cannot tell."""
    if not total:
        return None
    percent = float(100 * good / total)
    return percent if good == total else min(percent, math.nextafter(100, 0))


def _budget(good: Fraction, total: Fraction, target: float) -> Budget:
    whole, spent = (1 - exact(target)) * total, total - good
    return Budget(float(whole), float(spent), float(whole - spent))


def budget_alerts(budget: Budget, levels: Sequence[int] = ALERT_LEVELS) -> tuple[int, ...]:
    """The levels, in percent of the budget, that are reached: for slices too coarse for burn rates (see burn.py)."""
    return tuple(level for level in levels if budget.spent and budget.consumed * 100 >= level)
