"""Which rows a role sees: one condition over the data set's columns and the reader's attributes, read and written anew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.spec.problems import did_you_mean, known_text

READER = "reader"
_HINT = "write comparisons of columns with values or reader.<attribute>, joined by and, or, not: region = reader.region and amount < 100"

# What reads a value of an attribute as one of the column's type.
_READ: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "hugeint", "int"), int),
    **dict.fromkeys(("decimal", "double", "float", "real", "numeric"), Decimal),
    **dict.fromkeys(("timestamp", "timestamptz", "timestamp with time zone"), datetime.fromisoformat),
    "date": date.fromisoformat,
    "boolean": {"true": True, "false": False}.get,
}
# What `in` may stand before in SQL, beside a list of values.
_OTHER_LISTS = ("query", "unnest", "field")


class NotAFilter(Exception):
    """Raised when a text is not one condition over these columns and attributes; says what is wrong, and what to do."""

    def __init__(self, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A condition that was read. What is written into SQL is made from its parts, never from its text."""

    tree: Any

    def sql(self, attributes: Mapping[str, str]) -> str:
        """The condition in DuckDB's SQL for a reader with these attributes. Raises KeyError where one is missing."""

        def replaced(node: Any) -> Any:
            if isinstance(node, _expressions().Column):
                name = node.name
                return _expressions().Var(this=literal(attributes[name]) if node.table else quoted(name))
            return node

        return str(self.tree.transform(replaced).sql(dialect="duckdb", comments=False))

    def compared(self) -> Iterator[tuple[str, str]]:
        """The columns that are compared with attributes of the reader, and with which."""
        exp = _expressions()
        for node in self.tree.find_all(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between):
            names = list(node.find_all(exp.Column))
            attributes = [name.name for name in names if name.table]
            yield from ((name.name, attribute) for name in names if not name.table for attribute in attributes)


def fits(value: str, kind: str) -> bool:
    """Whether a value of an attribute can be compared with a column of this type; of types that are not listed nobody knows before."""
    read = _READ.get(kind.partition("(")[0].strip().lower())
    try:
        return read is None or read(value) is not None
    except (ValueError, ArithmeticError):
        return False


def row_filter(text: str, columns: Sequence[str], attributes: Sequence[str]) -> RowFilter:
    """Read a filter. Raises NotAFilter: only comparisons, lists and patterns are let through, no function, query or cast."""
    tree = _parsed(text)
    exp = _expressions()
    compared = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Is, exp.Like)
    parts = (*compared, exp.And, exp.Or, exp.Not, exp.Paren, exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Identifier)
    known = {column.lower(): column for column in columns}
    for node in tree.walk():
        if isinstance(node, exp.Column):
            _check_name(node, known, attributes)
        elif not isinstance(node, parts) or any(node.args.get(other) for other in _OTHER_LISTS):
            raise NotAFilter(f"{node.sql('duckdb')} is not allowed in a row filter")
    if not isinstance(tree.unnest(), (*compared, exp.And, exp.Or, exp.Not)):
        raise NotAFilter(f"{tree.sql('duckdb')} is not a condition")
    return RowFilter(tree)


def _check_name(node: Any, known: Mapping[str, str], attributes: Sequence[str]) -> None:
    parts = [part.name for part in node.parts]
    if len(parts) == 2 and parts[0] == READER:
        if parts[1] not in attributes:
            hint = did_you_mean(parts[1], attributes) or f"write attributes: {{{parts[1]}: [a value, another]}} beside rows"
            raise NotAFilter(f"the role has no attribute {parts[1]}; it has: {known_text(attributes) or 'none'}", hint)
    elif len(parts) != 1:
        raise NotAFilter(f"{node.sql('duckdb')} is no column of the data set and no {READER}.<attribute>")
    elif parts[0].lower() not in known:
        raise NotAFilter(
            f'unknown column "{parts[0]}"; known: {known_text(known.values())}', did_you_mean(parts[0], known.values()) or _HINT
        )


def _parsed(text: str) -> Any:
    from sqlglot import parse
    from sqlglot.errors import SqlglotError

    try:
        trees = parse(text, dialect="duckdb")
    except SqlglotError as error:
        raise NotAFilter(f"not a valid condition: {str(error).splitlines()[0]}") from error
    if len(trees) != 1 or trees[0] is None:
        raise NotAFilter("a row filter is one condition, without ;")
    return trees[0]


def _expressions() -> Any:
    """Imported when a filter is read, because reading definitions must stay fast."""
    from sqlglot import exp

    return exp
