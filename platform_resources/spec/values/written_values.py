"""Values that YAML 1.1 reads differently from how they are written: `1.10` becomes 1.1, `10:00` becomes 600, `007` becomes 7."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidatorFunctionWrapHandler, WrapValidator


class WrittenInt(int):
    """A whole number that remembers how it was written."""

    written: str = ""


class WrittenFloat(float):
    """A number that remembers how it was written."""

    written: str = ""


class WrittenMoment(str):
    """A date or time in ISO form that remembers how it was written."""

    __slots__ = ("written",)
    written: str


_REMEMBERING = {int: WrittenInt, float: WrittenFloat, str: WrittenMoment}


def remembering(value: Any, text: str) -> Any:
    """The value; a number, or a date in ISO form, that does not look as it was written remembers that."""
    kind = _REMEMBERING.get(type(value))
    if kind is None or str(value) == text:
        return value
    remembered = kind(value)
    remembered.written = text
    return remembered


def _as_written(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    checked = handler(value)
    return value if getattr(value, "written", "") else checked


# A field whose values go on remembering how they were written: whether that matters depends on the column.
AS_WRITTEN = WrapValidator(_as_written)


def plain_values(value: Any) -> Any:
    """The same data, with plain values that no longer remember their spelling."""
    match value:
        case WrittenInt():
            return int(value)
        case WrittenFloat():
            return float(value)
        case WrittenMoment():
            return str(value)
        case dict():
            return {key: plain_values(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(plain_values, value))
        case _:
            return value


def misread(values: Iterable[Any], kind: str | None, numeric: bool) -> Iterator[tuple[str, str]]:
    """Values that YAML read as something else, in a column of that type: for each, a message and a remedy."""
    for value in values:
        written = getattr(value, "written", "")
        if isinstance(value, bool) and kind not in (None, "boolean"):
            hint = 'YAML reads yes, no, on and off as true and false; write them in quotes, as "no"'
            yield f"{str(value).lower()} is not a value of a column of type {kind}", hint
        elif isinstance(value, WrittenMoment):
            if kind == "varchar":
                yield f"{written} is the time {value} to YAML; the column is of type varchar", f'write it in quotes: "{written}"'
        elif written and (has_another_base(value) or (kind is not None and not numeric)):
            meant = f"; the column is of type {kind}" if kind is not None else ""
            hint = "write it without a leading zero, and without a colon" if numeric else f'write it in quotes: "{written}"'
            yield f"{written} is the number {value} to YAML{meant}", hint


def of_another_base(data: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """All numbers in the data that YAML read as octal or base 60, with their place: `010` is 8, `10:30` is 630."""
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from of_another_base(item, (*place, key))
    elif has_another_base(data):
        yield place, data


def has_another_base(value: Any) -> bool:
    """Whether YAML read the number as octal (leading zero) or base 60 (colon), which nobody intends."""
    digits = value.written.lstrip("+-").replace("_", "") if isinstance(value, WrittenInt | WrittenFloat) else ""
    return ":" in digits or (digits.isdigit() and len(digits) > 1 and digits.startswith("0"))
