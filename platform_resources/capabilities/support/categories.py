"""How a column is compared with categories, which a specification writes as text: as values of the column's type."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from platform_resources.capabilities.measures import Subject
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.sql_text import literal, quoted

_MOMENTS, _FLOATS = ("date", "timestamp", "timestamptz"), ("float", "double")


def declared_type(column: str, subject: Subject) -> str | None:
    """The column's type as the data set promises it; None for one that it does not."""
    return {declared.name.lower(): declared.type for declared in subject.data_set.columns}.get(column.lower())


def may_be_named(column: str, subject: Subject) -> bool:
    """Whether values of the column may be told: it is declared, and as public or internal."""
    return any(declared.shown for declared in subject.data_set.columns if declared.name.lower() == column.lower())


def category_predicate(column: str, category: str, declared: str | None) -> str:
    """SQL that is true of rows with this category."""
    return f"{_compared(column, declared)} = {_value(category, declared)}"


def other_predicate(column: str, categories: tuple[str, ...], declared: str | None) -> str:
    """Rows of any other category; not those without one."""
    return f"{_compared(column, declared)} not in ({', '.join(_value(category, declared) for category in categories)})"


def no_categories(categories: Iterable[str], column: str, subject: Subject, written_as: str) -> Iterator[tuple[str, str, str]]:
    """A problem for each category that no value of the column can be, as its promised type has it."""
    declared = declared_type(column, subject)
    for category in categories:
        try:
            _value(category, declared)
        except ValueError as error:
            yield written_as, f'"{category}" is no value of {column}, which is {declared}', str(error)


def not_numeric(column: str, subject: Subject, written_as: str) -> Iterator[tuple[str, str, str]]:
    """A problem if the column is promised as something else than a number."""
    declared = declared_type(column, subject)
    if declared is not None and not is_numeric(declared):
        yield written_as, f"{column} is {declared}, which is not a number", "name a column of numbers"


def _compared(column: str, declared: str | None) -> str:
    """Columns of text, numbers, dates and yes or no are compared as what they are; others, and those that are not promised, as text."""
    plain = (declared or "").partition("(")[0]
    return (
        quoted(column) if plain in ("varchar", "boolean", *_MOMENTS) or is_numeric(declared or "") else f"cast({quoted(column)} as varchar)"
    )


def _value(category: str, declared: str | None) -> str:
    """The category in SQL. Raises ValueError, which says what to write, for what the type does not have."""
    plain = (declared or "").partition("(")[0]
    if plain == "boolean":
        if category.lower() not in ("true", "false", "yes", "no"):
            raise ValueError("write true or false")
        return "true" if category.lower() in ("true", "yes") else "false"
    if plain in _MOMENTS:
        return f"cast({literal(_moment(category, plain))} as {plain})"
    if not is_numeric(declared or ""):
        return literal(category)
    number = _number(category, plain)
    return f"cast({literal(number)} as {plain})" if plain in _FLOATS else number


def _moment(category: str, kind: str) -> str:
    try:
        return (date if kind == "date" else datetime).fromisoformat(category.strip()).isoformat()
    except ValueError:
        raise ValueError(f"write one such as {'2024-01-31' if kind == 'date' else '2024-01-31 10:00:00'}") from None


def _number(category: str, kind: str) -> str:
    try:
        number = Decimal(category.strip())
    except InvalidOperation:
        raise ValueError("write a number") from None
    if not number.is_finite() and kind not in _FLOATS:
        raise ValueError("write a number")
    return f"{number:f}" if number.is_finite() else str(float(number))
