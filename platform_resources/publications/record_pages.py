"""Build the SELECT for one page of a port's records: filtered, sorted, and continued by a cursor within one version.

Rows are ordered by what is asked for, then by the key, then by a hash of the row: an order that all rows have, but for equal ones, of
which the cursor counts how many were given.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.spec.problems import unknown_text

COMPARISONS: Mapping[str, str] = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERATORS = (*COMPARISONS, "in", "like", "null")
MOST_FILTERS, MOST_ORDERS, LONGEST_CURSOR = 30, 10, 20_000
# Whole numbers and decimals, with the digits that they have behind the point.
_EXACT = re.compile(r"u?(?:tiny|small|big|huge)?int(?:eger)?|decimal\(\d+,(?P<digits>\d+)\)")
_UNORDERED = ("struct", "map", "union", "variant", "json")


class RecordsWrong(Exception):
    """Raised for an invalid request for records; says what is allowed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: column, operator and value."""

    column: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: its version, the last sort values, and how many rows with these values were returned."""

    version: str
    asked: str
    values: tuple[str | None, ...]
    given: int

    @property
    def text(self) -> str:
        """The cursor as text for a URL."""
        data = json.dumps([self.version, self.asked, list(self.values), self.given], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class RecordsAsked:
    """A request for records. No columns means all; `order` has a minus before descending columns."""

    columns: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    after: Cursor | None = None

    @property
    def digest(self) -> str:
        """A digest of the request, equal for all its pages."""
        return hashlib.sha256(repr((self.columns, self.filters, self.order)).encode()).hexdigest()[:12]


def filter_of(text: str) -> Filter:
    """Parse `COLUMN:OPERATOR:VALUE`, as in `degrees:ge:20`. Raises RecordsWrong."""
    column, first, rest = text.partition(":")
    operator, second, value = rest.partition(":")
    if not column or not first or not second:
        raise RecordsWrong(f'"{text}" is no condition; write COLUMN:OPERATOR:VALUE, such as degrees:ge:20')
    if operator not in OPERATORS:
        raise RecordsWrong(unknown_text("operator", operator, OPERATORS))
    if operator == "null" and value not in ("yes", "no"):
        raise RecordsWrong(f'"{text}": write {column}:null:yes or {column}:null:no')
    return Filter(column, operator, value)


def cursor_of(text: str) -> Cursor:
    """Parse what `Cursor.text` gave. Raises RecordsWrong."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        version, asked, values, given = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        complete = isinstance(version, str) and isinstance(asked, str) and isinstance(given, int) and 0 <= given < 2**62
        if not complete or not all(value is None or isinstance(value, str) for value in values):
            raise ValueError
        return Cursor(version, asked, tuple(values), given)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise RecordsWrong("this is no cursor: `after` is what `next` of the page before says, unchanged") from error


def page_sql(port: str, columns: Mapping[str, str], key: Sequence[str], asked: RecordsAsked) -> tuple[str, int]:
    """The SELECT over the port's columns, and how many columns at its end serve the cursor only.

    Without a limit there is no order and no cursor. Raises RecordsWrong.
    """
    shown = [_known(name, columns) for name in asked.columns] or list(columns)
    conditions = [_condition(filter, columns) for filter in asked.filters]
    listed = ", ".join(map(quoted, shown))
    order = list(_order(columns, key, asked))
    if asked.limit is None and not asked.order:
        return f"select {listed} from {quoted(port)}{_where(conditions)}", 0
    if asked.after is not None:
        conditions.append(_behind(order, asked.after))
    hidden = "".join(f", cast({term.sql} as varchar)" for term in order)
    by = ", ".join(f"{term.sql} {'desc' if term.descending else 'asc'} nulls last" for term in order)
    rows = "" if asked.limit is None else f" limit {asked.limit}"
    rows += f" offset {asked.after.given}" if asked.after is not None else ""
    return f"select {listed}{hidden} from {quoted(port)}{_where(conditions)} order by {by}{rows}", len(order)


def next_cursor(version: str, asked: RecordsAsked, values: Sequence[Any], equal: int, rows: int) -> Cursor:
    """The cursor after a page that ends with these values, which its last `equal` rows share."""
    before, last = asked.after, tuple(values)
    # A page of nothing but rows like the last of the page before goes on counting.
    given = equal + (before.given if before is not None and before.values == last and equal == rows else 0)
    return Cursor(version, asked.digest, last, given)


@dataclass(frozen=True, slots=True)
class _Term:
    sql: str
    kind: str
    descending: bool = False

    def after(self, value: str | None) -> str:
        """Nulls come last, whichever way."""
        if value is None:
            return "false"
        return f"({self.sql} {'<' if self.descending else '>'} {_typed(value, self.kind)} or {self.sql} is null)"

    def same(self, value: str | None) -> str:
        return f"{self.sql} is null" if value is None else f"{self.sql} = {_typed(value, self.kind)}"

    def not_before(self, value: str | None) -> str:
        if value is None:
            return f"{self.sql} is null"
        return f"({self.sql} {'<=' if self.descending else '>='} {_typed(value, self.kind)} or {self.sql} is null)"


def _order(columns: Mapping[str, str], key: Sequence[str], asked: RecordsAsked) -> Iterator[_Term]:
    terms = [(_known(name.removeprefix("-"), columns), name.startswith("-")) for name in asked.order]
    for name, descending in terms:
        if columns[name].lower().startswith(_UNORDERED) or columns[name].endswith("]"):
            raise RecordsWrong(f"{name} is a {columns[name]}, by which nothing is sorted")
        yield _Term(quoted(name), columns[name], descending)
    named = {name for name, _ in terms}
    yield from (_Term(quoted(name), columns[name]) for name in key if name in columns and name not in named)
    yield _Term(f"hash({', '.join(map(quoted, columns))})", "decimal(20,0)")


def _behind(order: Sequence[_Term], after: Cursor) -> str:
    if len(order) != len(after.values):
        raise RecordsWrong("this cursor is of another question: begin again without `after`")
    pairs = list(zip(order, after.values, strict=True))
    ways = [" and ".join(term.same(value) for term, value in pairs)]
    for place, (term, value) in enumerate(pairs):
        ways.append(" and ".join([*(term_before.same(known) for term_before, known in pairs[:place]), term.after(value)]))
    # The first condition follows from the rest: by it row groups are passed over.
    return f"{order[0].not_before(after.values[0])} and ({' or '.join(f'({way})' for way in ways)})"


def _condition(condition: Filter, columns: Mapping[str, str]) -> str:
    name = _known(condition.column, columns)
    column, kind = quoted(name), columns[name]
    match condition.operator:
        case "null":
            return f"{column} is {'' if condition.value == 'yes' else 'not '}null"
        case "in":
            return f"{column} in ({', '.join(_typed(value, kind) for value in condition.value.split(','))})"
        case "like":
            return f"cast({column} as varchar) like {literal(condition.value)}"
        case _:
            return f"{column} {COMPARISONS[condition.operator]} {_typed(condition.value, kind)}"


def _typed(value: str, kind: str) -> str:
    """The value as the column's type. Raises RecordsWrong for one that would be rounded to another one."""
    if exact := _EXACT.fullmatch(kind.lower()):
        with suppress(InvalidOperation):  # what is no number at all the database tells
            number = Decimal(value.strip()).as_tuple()
            written = "".join(map(str, number.digits))
            behind = len(written.rstrip("0")) - len(written) - number.exponent if isinstance(number.exponent, int) else 0
            if written.strip("0") and behind > int(exact["digits"] or 0):
                raise RecordsWrong(f'"{value}" is no {kind}: it has more digits behind the point')
    if kind.lower() == "date" and ":" in value:
        raise RecordsWrong(f'"{value}" is no date: it has a time')
    return f"cast({literal(value)} as {kind})"


def _known(name: str, columns: Mapping[str, str]) -> str:
    if name not in columns:
        raise RecordsWrong(unknown_text("column", name, columns))
    return name


def _where(conditions: Sequence[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""
