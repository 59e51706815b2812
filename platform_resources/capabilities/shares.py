"""How a share of rows is compared with a promise, exactly, and how it is said to a person."""

import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.measures import Reading


def counted(readings: Mapping[str, Reading], name: str) -> int:
    """The count that a reading holds. Raises ValueError if it holds none."""
    value = readings[name].value
    if isinstance(value, (int, Decimal)):
        return int(value)
    raise ValueError(f'the reading "{name}" holds {value!r}, which is not a count')


def amount(count: int, one: str = "row") -> str:
    """`1 row`, `2,469 rows`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def number_text(value: float | Decimal) -> str:
    """A number without superfluous zeros and without an exponent: `95`, `99.95`, `1,234.5`."""
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_number(value: float) -> str:
    """A number of any size with up to six digits that count: `1,234.57`, `0.00123457`."""
    if not math.isfinite(value) or (value and not 1e-4 <= abs(value) < 1e15):
        return f"{value:.6g}"
    return number_text(float(f"{value:.6g}") if abs(value) < 1e5 else round(value, 1))


def bytes_text(count: float) -> str:
    """`512 bytes`, `1.5 kB`, `12.3 MB`: powers of a thousand."""
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(count) >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} bytes"


def percent_text(part: int, whole: int, promised: float, *, up: bool = False) -> str:
    """The share as `32.4 %`, rounded so that it never looks better than it is, nor unlike its verdict beside the promise."""
    return f"{number_text(percent(part, whole, promised, up=up))} %"


def percent(part: int, whole: int, promised: float, *, up: bool = False) -> float:
    """The share in percent with one decimal, or as many as the promise has; rounded down unless `up`."""
    places = max(1, -int(Decimal(str(promised)).normalize().as_tuple().exponent))
    share = Decimal(100 * part) / Decimal(whole)
    return float(share.quantize(Decimal(1).scaleb(-places), ROUND_CEILING if up else ROUND_FLOOR))


def at_least_percent(part: int, whole: int, promised: float) -> bool:
    """Whether `part` of `whole` is at least `promised` percent, without the errors of binary fractions."""
    return Decimal(100 * part) >= Decimal(str(promised)) * whole


def judged_share(good: int, whole: int, at_least: float, *, what: str, failing: str, of: str = "row") -> Judgement:
    """Met when `good` of `whole` (more than none) reach `at_least` percent; `what` says what they are: `age_band is filled in`."""
    share = percent_text(good, whole, at_least)
    return Judgement(
        verdict="met" if at_least_percent(good, whole, at_least) else "missed",
        reason=f"{what} {share} of {amount(whole, of)}; {number_text(at_least)} % promised",
        value=percent(good, whole, at_least),
        threshold=f"at least {number_text(at_least)} %",
        failing_rows=whole - good,
        failing=failing,
    )


def nothing_to_judge(reason: str, at_least: float) -> Judgement:
    """Unknown, because there is no row that could keep or break the promise."""
    return Judgement("unknown", f"{reason}, so nothing can be said", threshold=f"at least {number_text(at_least)} %")
