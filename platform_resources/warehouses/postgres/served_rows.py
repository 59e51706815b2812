"""How do the rows of a published port become a table of PostgreSQL, with every value and type kept?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb
from adbc_driver_postgresql.dbapi import Error

from platform_resources.capabilities.support.shares import amount
from platform_resources.capabilities.support.sql_text import literal, quoted, quoted_list
from platform_resources.warehouses.duckdb.port_files import port_sql
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.table_servers import LONGEST_NAME, ServedTable, ServingFailed

BATCH = 100_000


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """A column's type in PostgreSQL, what DuckDB casts it to for the way, and whether it arrives as a text."""

    kind: str
    sent: str = ""
    as_text: bool = False


_KINDS: Mapping[str, ColumnKind] = {
    "boolean": ColumnKind("boolean"),
    "tinyint": ColumnKind("smallint", "smallint"),
    "smallint": ColumnKind("smallint"),
    "integer": ColumnKind("integer"),
    "bigint": ColumnKind("bigint"),
    "hugeint": ColumnKind("numeric(39)", as_text=True),
    "uhugeint": ColumnKind("numeric(39)", as_text=True),
    "utinyint": ColumnKind("smallint", "smallint"),
    "usmallint": ColumnKind("integer", "integer"),
    "uinteger": ColumnKind("bigint", "bigint"),
    "ubigint": ColumnKind("numeric(20)", as_text=True),
    "float": ColumnKind("real"),
    "double": ColumnKind("double precision"),
    "varchar": ColumnKind("text"),
    "date": ColumnKind("date"),
    "time": ColumnKind("time"),
    "timestamp": ColumnKind("timestamp"),
    "timestamp_s": ColumnKind("timestamp", "timestamp"),
    "timestamp_ms": ColumnKind("timestamp", "timestamp"),
    "timestamp_ns": ColumnKind("timestamp", "timestamp"),
    "timestamp with time zone": ColumnKind("timestamptz"),
    "timestamptz": ColumnKind("timestamptz"),
    "blob": ColumnKind("bytea"),
    "uuid": ColumnKind("uuid", as_text=True),
    "interval": ColumnKind("interval", as_text=True),
    "json": ColumnKind("jsonb", as_text=True),
}
_WITH_INFINITY = ("date", "timestamp", "timestamptz")
_FIRST_DAY = "'4713-01-01 (BC)'"
_NESTED = ("struct", "map", "union")
# The class of errors that are about values: others, such as a full disk, are none of a column's.
_DATA = "22"
_TEXTS_OF_JSON = r"""'"([^"\\]|\\.)*"'"""
_ZERO_OF_JSON = r"'(^|[^\\])(\\\\)*\\u0000'"
_ZERO = "holds the character of number zero"


def column_kind(kind: str) -> ColumnKind:
    """The type in PostgreSQL of a column of DuckDB; structures are JSON, what PostgreSQL has no type for is text."""
    plain = kind.lower()
    if plain.endswith("]") or plain.startswith(_NESTED):
        return ColumnKind("jsonb", as_text=True)
    if plain.startswith("decimal"):
        return ColumnKind(plain.replace("decimal", "numeric"), as_text=True)
    return _KINDS.get(plain, ColumnKind("text", "varchar"))


def load_table(cursor: Any, schema: str, table: ServedTable) -> None:
    """Make the table, load its rows, and index its key. Raises ServingFailed, and what DuckDB and the driver raise.

    The server says of a value that it refuses only in which of our statements it was; which column has one is looked up then.
    """
    if long := [name for name in (table.data_set, *table.published.columns) if len(name.encode()) > LONGEST_NAME]:
        raise ServingFailed(
            f"PostgreSQL keeps {LONGEST_NAME} bytes of a name; give these of {table.data_set} a shorter one: {', '.join(long)}"
        )
    kinds = _kinds_of(table.published)
    place = f"{quoted(schema)}.{quoted(table.data_set)}"
    made = ", ".join(f"{quoted(name)} {'text' if kind.as_text else kind.kind}" for name, kind in kinds.items())
    cursor.execute(f"create table {place} ({made})")
    listed = ", ".join(_sent(name, table.published.columns[name], kind) for name, kind in kinds.items())
    texts = [f"alter {quoted(name)} type {kind.kind} using {quoted(name)}::{kind.kind}" for name, kind in kinds.items() if kind.as_text]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.sql(f"select {listed} from ({port_sql(table.published)})").to_arrow_reader(BATCH)
        try:
            cursor.adbc_ingest(table.data_set, rows, mode="append", db_schema_name=schema)
            if texts:
                cursor.execute(f"alter table {place} {', '.join(texts)}")
        except Error as error:
            rows.close()
            is_of_values = (error.sqlstate or "").startswith(_DATA)
            if not is_of_values or not (refused := "; ".join(_refused(connection, table.published, kinds))):
                raise
            raise ServingFailed(f"PostgreSQL has no such values as {table.data_set} has: {refused}") from error
    if table.key and set(table.key) <= kinds.keys():
        cursor.execute(f"create index on {place} ({quoted_list(table.key)})")
    describe(cursor.execute, place, table)
    cursor.execute(f"analyze {place}")


def describe(execute: Callable[[str], Any], place: str, table: ServedTable, what: str = "table") -> None:
    """Say at the table and its columns what they are."""
    if table.description:
        execute(f"comment on {what} {place} is {literal(table.description)}")
    for name, description in table.columns.items():
        if description and name in table.published.columns:
            execute(f"comment on column {place}.{quoted(name)} is {literal(description)}")


def _kinds_of(published: PublishedFiles) -> dict[str, ColumnKind]:
    """Times that never come, or that PostgreSQL has not, are no times on the driver's way: columns that have one arrive as a text."""
    kinds = {name: column_kind(kind) for name, kind in published.columns.items()}
    times = [name for name, kind in kinds.items() if kind.kind in _WITH_INFINITY]
    if times:
        are_endless = ", ".join(f"bool_or(isinf({quoted(name)}) or {quoted(name)} < {_FIRST_DAY})" for name in times)
        with duckdb.connect() as connection:
            endless = connection.execute(f"select {are_endless} from ({port_sql(published)})").fetchone() or ()
        kinds |= {name: replace(kinds[name], as_text=True) for name, is_endless in zip(times, endless, strict=True) if is_endless}
    return kinds


def _refused(connection: Any, published: PublishedFiles, kinds: Mapping[str, ColumnKind]) -> Iterator[str]:
    """Which columns have values that PostgreSQL has not, and what they are."""
    reasons = [(name, *reason) for name, kind in kinds.items() for reason in _not_taken(name, published.columns[name], kind).items()]
    asked = ", ".join(f"count_if({condition})" for _, _, condition in reasons)
    counts = connection.execute(f"select {asked} from ({port_sql(published)})").fetchall()[0] if reasons else ()
    yield from (f"in {amount(count)} {name} {what}" for (name, what, _), count in zip(reasons, counts, strict=True) if count)


def _not_taken(name: str, kind: str, wanted: ColumnKind) -> Mapping[str, str]:
    column = quoted(name)
    if wanted.kind == "jsonb":
        text = f"cast({column if kind.lower() == 'json' else f'to_json({column})'} as varchar)"
        return {
            "holds a number that is none, such as NaN": f"regexp_matches(regexp_replace({text}, {_TEXTS_OF_JSON}, '', 'g'), '(?i)nan|inf')",
            _ZERO: f"regexp_matches({text}, {_ZERO_OF_JSON})",
        }
    if wanted.kind == "text":
        return {_ZERO: f"contains(cast({column} as varchar), chr(0))"}
    if wanted.kind in _WITH_INFINITY:
        late = f" or {column} >= '5874898-01-01'" if wanted.kind == "date" else ""
        return {"is before 4713 BC, or after the year 5874897": f"isfinite({column}) and ({column} < {_FIRST_DAY}{late})"}
    return {}


def _sent(name: str, kind: str, wanted: ColumnKind) -> str:
    if not wanted.as_text:
        return f"cast({quoted(name)} as {wanted.sent}) as {quoted(name)}" if wanted.sent else quoted(name)
    text = f"to_json({quoted(name)})" if wanted.kind == "jsonb" and kind.lower() != "json" else quoted(name)
    return f"cast({text} as varchar) as {quoted(name)}"
