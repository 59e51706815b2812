"""Numbers that YAML 1.1 reads otherwise than they are written: `1.10` is 1.1 to it, `10:00` is 600, `007` is 7, `1_000` is 1000."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidatorFunctionWrapHandler, WrapValidator


class WrittenInt(int):
    """A whole number that remembers how it was written."""

    written: str = ""


class WrittenFloat(float):
    """A number that remembers how it was written."""

    written: str = ""


def written_number(value: Any, text: str) -> Any:
    """The value; a number that does not look as it was written remembers that."""
    if isinstance(value, bool) or not isinstance(value, int | float) or str(value) == text:
        return value
    number = WrittenInt(value) if isinstance(value, int) else WrittenFloat(value)
    number.written = text
    return number


def _as_written(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    checked = handler(value)
    return value if getattr(value, "written", "") else checked


# A field whose numbers go on remembering how they were written: whether that matters depends on the column.
AS_WRITTEN = WrapValidator(_as_written)


def plain_numbers(value: Any) -> Any:
    """The same data with numbers that remember nothing."""
    match value:
        case WrittenInt():
            return int(value)
        case WrittenFloat():
            return float(value)
        case dict():
            return {key: plain_numbers(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(plain_numbers, value))
        case _:
            return value


def misread(values: Iterable[Any], kind: str | None, numeric: bool) -> Iterator[tuple[str, str]]:
    """What YAML took for another value than the one that is meant, in a column of that type: what to say, and what to do."""
    for value in values:
        written = getattr(value, "written", "")
        if isinstance(value, bool) and kind not in (None, "boolean"):
            hint = 'YAML reads yes, no, on and off as true and false; write them in quotes, as "no"'
            yield f"{str(value).lower()} is not a value of a column of type {kind}", hint
        elif written and (_has_another_base(written) or (kind is not None and not numeric)):
            meant = f"; the column is of type {kind}" if kind is not None else ""
            hint = "write it without a leading zero, and without a colon" if numeric else f'write it in quotes: "{written}"'
            yield f"{written} is the number {value} to YAML{meant}", hint


def _has_another_base(written: str) -> bool:
    """A leading zero makes it octal, a colon a number to the base of 60; nobody means that."""
    digits = written.lstrip("+-")
    return ":" in digits or (digits.isdigit() and len(digits) > 1 and digits.startswith("0"))
