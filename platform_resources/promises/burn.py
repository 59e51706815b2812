"""Alerts when the error budget is spent too fast: multi-window, multi-burn-rate.

Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs", https://sre.google/workbook/alerting-on-slos/.
A burn rate of 1 spends exactly the whole budget over the objective's window. An alert fires when both its long window and a short one,
a twelfth of it, burn faster than `share of the budget x window / long window`: over 30 days 14.4, 6, 3 and 1, over 28 days 13.44, 5.6,
2.8 and 0.933. The short window ends the alert soon after the trouble has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from platform_resources.promises.attainment import exact, weighed
from platform_resources.promises.slices import Slice, Window
from platform_resources.spec.indicators import Method

FEWEST_SLICES = 12


@dataclass(frozen=True, slots=True)
class BurnPolicy:
    """Alert when `budget_share` of the budget would be gone within `long`."""

    budget_share: Fraction
    long: timedelta
    urgency: Literal["page", "ticket"]

    @property
    def short(self) -> timedelta:
        """The short window: a twelfth of the long one."""
        return self.long / 12

    def factor(self, window: timedelta) -> Fraction:
        """The burn rate above which it fires, for an objective over `window`."""
        return self.budget_share * Fraction(window // _MICROSECOND, self.long // _MICROSECOND)


_MICROSECOND = timedelta(microseconds=1)
POLICIES = (
    BurnPolicy(Fraction(2, 100), timedelta(hours=1), "page"),
    BurnPolicy(Fraction(5, 100), timedelta(hours=6), "page"),
    BurnPolicy(Fraction(10, 100), timedelta(days=1), "ticket"),
    BurnPolicy(Fraction(10, 100), timedelta(days=3), "ticket"),
)


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """One policy's factor, and the burn rates of its two windows; a rate is None where no slice is valid, which fires nothing."""

    policy: BurnPolicy
    factor: float
    long_rate: float | None
    short_rate: float | None
    fires: bool


def can_fire(policy: BurnPolicy, window: Window, target: float) -> bool:
    """Whether the long window holds at least 12 slices (so the short one holds one), and nothing but bad slices would burn fast enough."""
    budget = 1 - exact(target)
    return policy.long >= FEWEST_SLICES * window.interval and (not budget or 1 / budget > policy.factor(window.length))


def burn_rate(slices: Sequence[Slice], target: float, method: Method = "timeslices", slice_target: float | None = None) -> Fraction | None:
    """How many times faster than sustainable the budget is spent; None without a valid slice, or with no budget at all."""
    good, total = weighed(slices, method, slice_target)
    budget = 1 - exact(target)
    return (total - good) / total / budget if total and budget else None


def burn_alerts(
    slices: Sequence[Slice],
    window: Window,
    target: float,
    method: Method = "timeslices",
    slice_target: float | None = None,
    policies: Sequence[BurnPolicy] = POLICIES,
) -> tuple[BurnAlert, ...]:
    """Every policy that can fire, fastest first. The windows end with the last whole slice; `slices` are in order of time."""
    whole = [one for one in slices if one.state != "pending"]
    if not whole:
        return ()
    end = whole[-1].end

    def rate(length: timedelta) -> Fraction | None:
        return burn_rate(_since(whole, end - length), target, method, slice_target)

    usable = (policy for policy in policies if can_fire(policy, window, target))
    return tuple(_alert(policy, policy.factor(window.length), rate(policy.long), rate(policy.short)) for policy in usable)


def _since(slices: Sequence[Slice], start: datetime) -> Sequence[Slice]:
    return [one for one in slices if one.start >= start]


def _alert(policy: BurnPolicy, factor: Fraction, long: Fraction | None, short: Fraction | None) -> BurnAlert:
    fires = long is not None and short is not None and long > factor and short > factor
    return BurnAlert(policy, float(factor), None if long is None else float(long), None if short is None else float(short), fires)
