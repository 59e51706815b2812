"""How a column is compared with categories, which a specification writes as text, and whether it holds numbers."""

from collections.abc import Iterator

from platform_resources.capabilities.column_types import is_numeric
from platform_resources.capabilities.measures import Subject
from platform_resources.capabilities.sql_text import literal, quoted
from platform_resources.spec.field_types import SHOWN_CLASSES


def declared_type(column: str, subject: Subject) -> str | None:
    """The column's type as the data set promises it; None for one that it does not."""
    return {each.name.lower(): each.type for each in subject.data_set.columns}.get(column.lower())


def may_be_named(column: str, subject: Subject) -> bool:
    """Whether values of the column may be told: it is declared, and as public or internal."""
    classified = {each.name.lower(): each.classification for each in subject.data_set.columns}
    return classified.get(column.lower()) in SHOWN_CLASSES


def category_predicate(column: str, category: str, declared: str | None) -> str:
    return f"{_as_text(column, declared)} = {literal(category)}"


def other_predicate(column: str, categories: tuple[str, ...], declared: str | None) -> str:
    """Rows of any other category; not those without one."""
    return f"{_as_text(column, declared)} not in ({', '.join(literal(category) for category in categories)})"


def not_numeric(column: str, subject: Subject, written_as: str) -> Iterator[tuple[str, str, str]]:
    """A problem if the column is promised as something else than a number."""
    declared = declared_type(column, subject)
    if declared is not None and not is_numeric(declared):
        yield written_as, f"{column} is {declared}, which is not a number", "name a column of numbers"


def _as_text(column: str, declared: str | None) -> str:
    return quoted(column) if declared is not None and declared.partition("(")[0] == "varchar" else f"cast({quoted(column)} as varchar)"
