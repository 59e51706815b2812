"""Run a consumer's SQL with access to the files of published versions and to nothing else."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
from duckdb.sqltypes import DuckDBPyType

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.redaction.redaction import mask
from platform_resources.warehouses.duckdb.consuming.allowed_statements import check_names
from platform_resources.warehouses.duckdb.port_files import file_pattern, of_files, port_sql
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.published_places import Readable
from platform_resources.warehouses.written_results import BATCH, WantedResult, WrittenResult, write_result

# A process that runs other people's SQL may take 2 GiB (`foreign_queries`); DuckDB itself says more of it when its own limit is met first.
MEMORY = "1500MiB"
# So much of the disk may one result take, while it is sent.
LARGEST_RESULT = 2**30
_THREADS = 4
_BATCH = 10_000
_NESTED = ("struct(", "map(", "union(", "variant")
_TOO_LARGE = "a value within a list or structure, such as an interval of a million years, is too large; cast it to text"
# Arrow and Parquet have no type for these, and would have another value or bytes.
_TEXT_FOR_ARROW = ("INTERVAL", "TIME WITH TIME ZONE", "HUGEINT", "UHUGEINT", "BIGNUM", "BIT", "UUID")
# Nor has Python: of these it has no infinity, no hour 24, and it counts a month as 30 days. Its numbers are as wide as they need to be.
_TEXT_FOR_PYTHON = (
    "INTERVAL",
    "TIME WITH TIME ZONE",
    "BIT",
    "UUID",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_S",
    "TIMESTAMP_MS",
    "TIMESTAMP_NS",
)
# Whole numbers up to this one are exact in every reader of JSON.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Selects:
    """What SQL may read: selects by schema (`main` needs no name before the point) and view, over these files."""

    schemas: Mapping[str, Mapping[str, str]]
    files: Sequence[str]


def selects(readable: Readable) -> Selects:
    """The views over published files. Raises OSError where a file cannot be read."""
    schemas = {schema: {name: port_sql(port) for name, port in ports.items()} for schema, ports in readable.items()}
    files = {str(file) for ports in readable.values() for port in ports.values() for file in of_files(port).files}
    return Selects(schemas, sorted(files))


def opened_query(sql: str, readable: Selects, *, as_text: bool = False) -> tuple[list[str], Iterator[list[tuple[Any, ...]]]]:
    """Column names of one SELECT, and its rows in batches, so that a large result never has to be held at once.

    `as_text` gives every value as the database writes it, else only times are texts. Raises QueryFailed, also while batches are read.
    """
    connection = duckdb.connect(":memory:")
    try:
        _lock(connection, readable)
        cursor = connection.execute(_checked(connection, sql, readable, _text if as_text else _for_python))
    except duckdb.Error as error:
        connection.close()
        raise QueryFailed(mask(str(error))) from error
    except BaseException:
        connection.close()
        raise
    return [column[0] for column in cursor.description or ()], _batches(connection, cursor)


def written_query(sql: str, readable: Selects, wanted: WantedResult, file: BinaryIO) -> WrittenResult:
    """Write the rows of one SELECT to the file. Raises QueryFailed."""
    from pyarrow.lib import ArrowException  # type: ignore[import-untyped]

    connection = duckdb.connect(":memory:")
    try:
        _lock(connection, readable)
        shown = {"csv": _text, "ndjson": _for_json, "arrow": _for_arrow, "parquet": _for_arrow}[wanted.form]
        reader = connection.sql(_checked(connection, sql, readable, shown)).to_arrow_reader(BATCH)
        return write_result(reader.schema, reader, wanted, file)
    except (duckdb.Error, ArrowException) as error:
        said = str(error).partition("\n\nLINE ")[0] if wanted.is_ours else str(error)  # of our own statement nobody has written a line
        raise QueryFailed(mask(said)) from error
    except OverflowError as error:
        raise QueryFailed(_TOO_LARGE) from error
    except OSError as error:
        raise QueryFailed(f"the result cannot be written, or is larger than {LARGEST_RESULT // 2**20:,} MiB: {error.strerror}") from error
    finally:
        connection.close()


def _batches(connection: duckdb.DuckDBPyConnection, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    try:
        while batch := cursor.fetchmany(_BATCH):
            yield batch
    except duckdb.Error as error:
        raise QueryFailed(mask(str(error))) from error
    except OverflowError as error:
        raise QueryFailed(_TOO_LARGE) from error
    finally:
        connection.close()


def _lock(connection: duckdb.DuckDBPyConnection, readable: Selects) -> None:
    """In this order: whatever comes later can no longer be set."""
    allowed = sorted({path for file in readable.files for path in (file, file_pattern(Path(file)))})
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"set allowed_paths = [{', '.join(map(literal, allowed))}]")
    connection.execute("set temp_directory = ''")  # which could be read too, with what other queries have spilled there
    connection.execute("set enable_external_access = false")
    connection.execute("set python_enable_replacements = false")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute(f"set memory_limit = '{MEMORY}'")
    connection.execute(f"set threads = {min(_THREADS, os.cpu_count() or 1)}")
    connection.execute("set max_temp_directory_size = '0MB'")
    for schema, views in sorted(readable.schemas.items()):
        connection.execute(f"create schema if not exists {quoted(schema)}")
        for name, select in sorted(views.items()):
            connection.execute(f"create view {quoted(schema)}.{quoted(name)} as {select}")
    connection.execute("set lock_configuration = true")


def _checked(connection: duckdb.DuckDBPyConnection, sql: str, readable: Selects, shown: Callable[[str, DuckDBPyType], str]) -> str:
    """Only SELECT: DuckDB lets `explain analyze copy … to` write to every path that may be read."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryFailed("write one SELECT; published versions are read-only")
    check_names(connection, sql, readable.schemas)
    return _shown(connection, _without_end(statements[0].query), shown)


def _without_end(sql: str) -> str:
    """The statement without its last semicolon, and the comments behind it."""
    data = sql.encode()
    for offset, kind in reversed(duckdb.tokenize(sql)):
        if data[offset : offset + 1] == b";":
            data = data[:offset]
        elif kind != duckdb.token_type.comment:
            break
    return data.decode()


def _shown(connection: duckdb.DuckDBPyConnection, sql: str, shown: Callable[[str, DuckDBPyType], str]) -> str:
    """The same rows, each column by an expression of its name and type. Names may come twice."""
    answer = connection.sql(sql)
    inner = [f"c{number}" for number in range(len(answer.columns))]
    columns = zip(inner, answer.columns, answer.types, strict=True)
    listed = (f"{shown(name, kind)} as {quoted(column)}" for name, column, kind in columns)
    return f"select {', '.join(listed)} from ({sql}\n) as answer({', '.join(inner)})"


def _for_python(name: str, kind: DuckDBPyType) -> str:
    return _each(name, kind, _leaf_for_python)


def _for_json(name: str, kind: DuckDBPyType) -> str:
    return _each(name, kind, _leaf_for_json)


def _for_arrow(name: str, kind: DuckDBPyType) -> str:
    return _each(name, kind, _leaf_for_arrow)


def _leaf_for_python(value: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast({value} as varchar) || if(isfinite({value}), ':00', '')"  # +00:00, as in the rest of JSON
    return f"cast({value} as varchar)" if kind in _TEXT_FOR_PYTHON else value


def _leaf_for_json(value: str, kind: str) -> str:
    if kind in ("HUGEINT", "UHUGEINT"):  # sums are of this type: what every reader of JSON keeps exactly is a number
        whole, text = (f"cast(cast({value} as {type_}) as union(whole bigint, digits varchar))" for type_ in ("bigint", "varchar"))
        return f"case when {value} between {0 if kind == 'UHUGEINT' else -_EXACT} and {_EXACT} then {whole} else {text} end"
    return f"cast({value} as varchar)" if kind == "BIGNUM" else _leaf_for_python(value, kind)


def _leaf_for_arrow(value: str, kind: str) -> str:
    return f"cast({value} as varchar)" if kind in _TEXT_FOR_ARROW else value


def _each(value: str, kind: DuckDBPyType, leaf: Callable[[str, str], str], depth: int = 0) -> str:
    """The value with each within it as `leaf` gives it, also within lists and structures; of unions the members that are none of these."""
    item, within = f"x{depth}", _within(kind)
    places = {
        "list": [item],
        "array": [item],
        "map": [f"{item}.key", f"{item}.value"],
        "struct": [f"struct_extract({value}, {literal(name)})" for name, _ in within],
        "tuple": [f"struct_extract_at({value}, {number})" for number in range(1, len(within) + 1)],
    }.get(kind.id)
    if kind.id == "union":
        members = [(name, str(type_), "VARCHAR" if leaf("", str(type_)) else str(type_)) for name, type_ in within]
        wanted = ", ".join(f"{quoted(name)} {shown}" for name, _, shown in members)
        return f"cast({value} as union({wanted}))" if any(shown != before for _, before, shown in members) else value
    if places is None:
        return leaf(value, str(kind))
    inner = [_each(place, type_, leaf, depth + 1) for place, (_, type_) in zip(places, within, strict=True)]
    if inner == places:
        return value
    match kind.id:
        case "list" | "array":
            return f"list_transform({value}, lambda {item}: {inner[0]})"
        case "map":
            return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: row({', '.join(inner)})))"
        case "struct":
            packed = ", ".join(f"{quoted(name)} := {shown}" for (name, _), shown in zip(within, inner, strict=True))
            return f"case when {value} is not null then struct_pack({packed}) end"
        case _:
            return f"case when {value} is not null then row({', '.join(inner)}) end"


def _within(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The types that a type is made of, by name; a union has its tag before them."""
    if kind.id not in ("list", "array", "map", "struct", "tuple", "union"):
        return []
    within = [(name, type_) for name, type_ in kind.children if isinstance(type_, DuckDBPyType)]
    return within[1:] if kind.id == "union" else within


def _text(name: str, kind: DuckDBPyType) -> str:
    """Lists and structures as JSON."""
    nested = str(kind).endswith("]") or str(kind).lower().startswith(_NESTED)
    return f"cast(to_json({name}) as varchar)" if nested else f"cast({name} as varchar)"
