"""How far two numbers may lie apart: by an amount, or by a share of the one that is right; and the bounds that follow."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """`size` is the greatest allowed distance; if `relative`, as a share of the reference (0.005 is half a percent)."""

    size: Decimal
    relative: bool

    def allows(self, value: Decimal, reference: Decimal) -> bool:
        """Whether the value is as near to the reference as promised."""
        return abs(value - reference) <= (self.size * abs(reference) if self.relative else self.size)


def _written(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e300:
        return format(Decimal(str(value)), "f")
    if isinstance(value, str) and (_PERCENT.fullmatch(value) or _NUMBER.fullmatch(value)):
        return " ".join(value.replace("%", " %").split())
    raise ValueError(f'"{value}" is not a tolerance; write a number that is not negative, such as 0.01, or a percentage such as 0.5 %')


# A number, or text with `%`; kept as text.
ToleranceText = Annotated[
    str,
    BeforeValidator(
        _written, json_schema_input_type=Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=r"^\s*\d+(\.\d+)?\s*%?\s*$")]
    ),
]


def tolerance_of(written: str) -> Tolerance:
    """What a ToleranceText means."""
    number = Decimal(written.removesuffix("%").strip())
    return Tolerance(number / 100, True) if written.endswith("%") else Tolerance(number, False)


def around(former: float | None, percent: float | None) -> tuple[float | None, float | None]:
    """Between which numbers what follows `former` may lie, if it may change by so many percent."""
    if former is None or percent is None:
        return None, None
    change = abs(Decimal(str(former))) * Decimal(str(percent)) / 100
    return float(Decimal(str(former)) - change), float(Decimal(str(former)) + change)


def greatest(*bounds: float | None) -> float | None:
    """The greatest of the given values; None if there are none."""
    return max((bound for bound in bounds if bound is not None), default=None)


def least(*bounds: float | None) -> float | None:
    """The least of the given values; None if there are none."""
    return min((bound for bound in bounds if bound is not None), default=None)
