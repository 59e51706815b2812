"""Values of a column that mean "not known" in addition to null: `missing: [NaN, ""]`."""

import math
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_FLOATS = ("double", "float")
_NUMBERS = re.compile(r"(tiny|small|big|huge|u|ubig)?int(eger)?|decimal\(.*\)|uinteger|double|float")
_MOMENTS = ("date", "timestamp", "timestamptz")
_NO_NUMBERS = {"nan": "NaN", "infinity": "inf", "inf": "inf", "-infinity": "-inf", "-inf": "-inf"}


def missing_value(value: Any, kind: str) -> str:
    """The value as text that a database reads as a value of the column's type. Raises ValueError if the type has no such value."""
    if kind == "varchar":
        return _text(value)
    if is_number(kind):
        return _number(value, kind)
    if kind in _MOMENTS:
        return _moment(value, kind)
    raise ValueError(f"missing is for columns of text, numbers, dates and times; of {kind} only null is missing")


def is_number(kind: str) -> bool:
    """Whether the type is a number type."""
    return _NUMBERS.fullmatch(kind) is not None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise ValueError(f'{shown} is no text to YAML; write a missing value of text in quotes, as it stands in the data: "{shown}"')
    return value


def _number(value: Any, kind: str) -> str:
    text = str(value).strip()
    special = _NO_NUMBERS.get(text.lower().removeprefix("."))
    if special is not None and kind in _FLOATS:
        return special
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if isinstance(value, bool) or not math.isfinite(number):
        also = ", NaN, Infinity" if kind in _FLOATS else ""
        raise ValueError(f'"{value}" is no {kind}; a missing value here is a number{also}')
    return f"{number:f}"


def _moment(value: Any, kind: str) -> str:
    text = str(value).strip()
    if text.lower() in ("infinity", "-infinity"):
        return text.lower()
    try:
        return datetime.fromisoformat(text).date().isoformat() if kind == "date" else datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f'"{value}" is no {kind}; a missing value here is one such as 9999-12-31, or infinity') from None
