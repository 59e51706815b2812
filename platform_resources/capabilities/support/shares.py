"""How a share of rows is compared with a promise, exactly, and how it is said to a person."""

import math
import sys
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.measures import Reading

_LARGEST = Decimal(sys.float_info.max)


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


def with_unit(number: str, unit: str) -> str:
    """`27.7 %`, `1,204 EUR`; the number alone where it has no unit."""
    return f"{number} {unit}".rstrip()


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


def share_text(share: float) -> str:
    """A share from 0 to 1 in percent, with as many digits as tell it from none and from all: `6 %`, `0.005 %`, `99.997 %`."""
    edge = 100 * min(share, 1 - share)
    places = 2 if not 0 < edge < 0.1 else min(12, 1 - math.floor(math.log10(edge)))
    return f"{number_text(round(100 * share, places))} %"


def percent_text(part: int, whole: int, promised: float, *, up: bool = False) -> str:
    """The share as `32.4 %`, rounded so that it never looks better than it is, nor unlike its verdict beside the promise."""
    return f"{number_text(percent(part, whole, promised, up=up))} %"


def exact_percent(part: int, whole: int) -> float:
    """The share in percent as it is: for what is learned from, and not for what a person reads."""
    return float(Decimal(100 * part) / Decimal(whole))


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
        value=exact_percent(good, whole),
        threshold=f"at least {number_text(at_least)} %",
        failing_rows=whole - good,
        failing=failing,
        rows=whole,
        shown=share,
    )


def nothing_filled(rows: int, column: str) -> str:
    """Why no row of so many has a value in the column, where none has: `there are no rows`, or that they are all empty."""
    return f"{column} is empty in every row" if rows else "there are no rows"


def finite_number(value: object) -> Decimal | None:
    """The value as it is, without the errors of binary fractions; None for what is no finite number, or too large for one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    exact = Decimal(str(value))
    return exact if exact.is_finite() and abs(exact) <= _LARGEST else None


def no_number(written: str, value: object) -> str:
    """Why what an expression gave cannot be judged."""
    return f"{written} {'has no value, as over no rows' if value is None else f'gave {str(value)!r}, which is no finite number'}"


def nothing_to_judge(reason: str, at_least: float) -> Judgement:
    """Unknown, because there is no row that could keep or break the promise."""
    return Judgement("unknown", f"{reason}, so nothing can be said", threshold=f"at least {number_text(at_least)} %")
