"""What one comparison of `accuracy` says: a share of rows that agree, or two totals."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from platform_resources.capabilities.judgements import Verdict
from platform_resources.capabilities.measures import Value
from platform_resources.capabilities.support.shares import amount, at_least_percent, exact_percent, number_text, percent_text, plain_number
from platform_resources.capabilities.support.tolerances import tolerance_of


@dataclass(frozen=True, slots=True)
class Part:
    """What one comparison says; a share has `percent`, exact and as `shown`, of how many `rows`, and the measure whose rows fail."""

    verdict: Verdict
    text: str
    percent: float | None = None
    failing: str | None = None
    failing_rows: int | None = None
    rows: int | None = None
    shown: str = ""
    at_least: float | None = None


def share(good: int, whole: int, at_least: float, what: str, of: str, failing: str) -> Part:
    """One part of a verdict: whether at least `at_least` % of the rows are good."""
    met = at_least_percent(good, whole, at_least)
    shown = percent_text(good, whole, at_least)
    text = f"{what} {shown} of {amount(whole, of)}; {number_text(at_least)} % promised"
    return Part("met" if met else "missed", text, exact_percent(good, whole), failing, whole - good, whole, shown, at_least)


def totals(what: str, here: Value, there: Value, written: str, name: str) -> Part:
    """A total over nothing is null. Against something it is zero; nothing against nothing says nothing."""
    if here is None and there is None:
        return Part("unknown", f"{what} has no value, neither here nor in {name}")
    both = [Decimal(0) if value is None else _exact(value) for value in (here, there)]
    one, other = both
    if one is None or other is None:
        return Part("unknown", f"{what} is {here} here and {there} in {name}, which cannot be compared")
    met = tolerance_of(written).allows(one, other)
    shown: Callable[[Decimal], str] = _rounded if _rounded(one) != _rounded(other) or one == other else _whole
    distance = f" ({number_text(_percent_apart(one, other))} % apart)" if other and one != other else ""
    text = f"{what} is {shown(one)} here and {shown(other)} in {name}{distance}; {within(written)} promised"
    return Part("met" if met else "missed", text)


def _exact(value: Value) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
        return None
    return Decimal(str(value))


def _rounded(value: Decimal) -> str:
    return plain_number(float(value))


def _whole(value: Decimal) -> str:
    return number_text(value)


def _percent_apart(one: Decimal, other: Decimal) -> Decimal:
    """With two digits that count, so that it is not zero."""
    apart = 100 * abs(one - other) / abs(other)
    return Decimal(format(round(apart, 2) if apart >= Decimal("0.01") else Decimal(f"{apart:.1e}"), "f"))


def within(written: str) -> str:
    """The tolerance in words: `at most 1 % apart`."""
    return f"at most {written} apart" if tolerance_of(written).size else "no difference"
