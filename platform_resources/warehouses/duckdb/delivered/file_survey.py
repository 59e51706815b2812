"""Look at one delivered file: which columns it has, and the narrowest types that keep every value of all its rows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from platform_resources.capabilities.protocols import PullFiles, ReaderOption
from platform_resources.capabilities.source_contract import ContractBroken
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.deliveries.arrivals import InputFile, is_on
from platform_resources.warehouses.duckdb.delivered.csv_dialects import (
    ALIASES,
    GZIP,
    column_types,
    dialect_of,
    ragged_as,
    sniffed_as,
    with_separator_line,
)
from platform_resources.warehouses.duckdb.delivered.file_shapes import Shape
from platform_resources.warehouses.duckdb.delivered.kept_values import WIDER, Writing, other_reading, too_small
from platform_resources.warehouses.duckdb.port_files import file_pattern
from platform_resources.warehouses.engine_errors import LoadFailed, shown_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What only helps to guess, and what the platform does itself.
_SAMPLE = 20_480
_LEAST_BYTES = 40  # so few hold no more rows than that, however they are compressed
_FOR_GUESSING = ("sample_size", "all_varchar", "auto_detect")
_DATE_OPTIONS, _TIMESTAMP_OPTIONS = ("dateformat", "date_format"), ("timestampformat", "timestamp_format")
_OF_OBJECTS = ("format", "compression", "maximum_object_size", "ignore_errors")
_NAMES = ("names", "column_names")
_OWN = ("hive_partitioning", "filename", "union_by_name")
_MAGIC = {GZIP: "gzip", b"\x28\xb5": "zstd"}


def shape(connection: "DuckDBPyConnection", file: InputFile, pull: PullFiles) -> Shape:
    """Look at a whole file. Raises LoadFailed or a database's error where it cannot be read."""
    constants = _constants(file, pull)
    if pull.format == "parquet":
        reader = f"read_parquet({literal(file_pattern(file.path))}, hive_partitioning = false{_options(pull.options, _OWN)}"
        types, rows = _described(connection, reader), _count(connection, reader)
        return _renamed(Shape(file, reader, rows, types, Writing(), 0, constants), pull)
    raw_shape = _csv(connection, file, pull, constants) if pull.format == "csv" else _json(connection, file, pull, constants)
    return _borne_out(connection, _renamed(raw_shape, pull), pull)


def _renamed(raw_shape: Shape, pull: PullFiles) -> Shape:
    """The columns by the names that the contract gives them. Raises LoadFailed where two would have one name."""
    try:
        sources = pull.contract.source_names(raw_shape.types)
    except ContractBroken as error:
        raise LoadFailed(f"{raw_shape.file.name}: {error}", error.column) from error
    types = {name: raw_shape.types[source_name] for name, source_name in sources.items()}
    return replace(raw_shape, types=types, sources=sources, contract=pull.contract)


def _described(connection: "DuckDBPyConnection", reader: str) -> dict[str, str | None]:
    return {row[0]: observed_type(row[1]) for row in connection.execute(f"describe select * from {reader})").fetchall()}


def _count(connection: "DuckDBPyConnection", reader: str) -> int:
    return int(connection.execute(f"select count(*) from {reader})").fetchall()[0][0])


def _options(options: Mapping[str, ReaderOption], without: Iterable[str]) -> str:
    return "".join(f", {name} = {_option(value)}" for name, value in sorted(options.items()) if name not in without)


def _option(value: ReaderOption) -> str:
    return f"[{', '.join(map(literal, value))}]" if isinstance(value, list) else literal(value)


def _constants(file: InputFile, pull: PullFiles) -> dict[str, str | None]:
    """What a team asks to be read from paths: folders `key=value` below the product's folder, and the file's own path."""
    wanted: dict[str, str | None] = {}
    if is_on(pull.options.get("hive_partitioning", False)):
        pairs = (part.partition("=") for part in Path(file.name).parts[:-1] if "=" in part)
        wanted |= {key: None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value) for key, _, value in pairs}
    name, address = pull.options.get("filename", False), file.name if file.tag else str(file.path)
    if is_on(name):
        wanted["filename"] = address
    elif isinstance(name, str) and name.lower() != "false":
        wanted[name] = address
    return wanted


def _compression(file: InputFile, pull: PullFiles) -> str:
    """By what is in the file, not by how it is called."""
    if "compression" in pull.options:
        return ""
    with file.path.open("rb") as stream:
        return f", compression = {literal(_MAGIC.get(stream.read(2), 'none'))}"


def _json(connection: "DuckDBPyConnection", file: InputFile, pull: PullFiles, constants: Mapping[str, str | None]) -> Shape:
    reader = f"read_json({literal(file_pattern(file.path))}, hive_partitioning = false{_compression(file, pull)}"
    guessed = f"{reader}{_options({'sample_size': -1, **pull.options}, _OWN)}"
    types = _described(connection, guessed)
    _refuse_too_small(connection, file, pull)
    read = reader + _options(pull.options, (*_OWN, *_FOR_GUESSING))
    writing = Writing(date=_said(pull, *_DATE_OPTIONS), timestamp=_said(pull, *_TIMESTAMP_OPTIONS), binary=True)
    return Shape(file, read, 0, types, writing, 0, constants)


def _refuse_too_small(connection: "DuckDBPyConnection", file: InputFile, pull: PullFiles) -> None:
    known = {name: value for name, value in pull.options.items() if name in _OF_OBJECTS}
    objects = f"read_json_objects({literal(file_pattern(file.path))}{_compression(file, pull)}{_options(known, ())})"
    numbered = f"select json, row_number() over () as mesh_row, {too_small('json')} as mesh_number from {objects}"
    bad = connection.execute(f"select mesh_row, mesh_number, json from ({numbered}) where mesh_number is not null limit 1").fetchall()
    if not bad:
        return
    row, number, written = bad[0]
    advice = "is too small for any number type and would be read as 0; write it in quotes, or write 0"
    values = json.loads(written, parse_float=str)
    column = next((key for key, value in values.items() if number in str(value)), "") if isinstance(values, dict) else ""
    raise LoadFailed(f"{file.name}, row {row}, column {column}: {shown_text(number)} {advice}", column, number)


def _said(pull: PullFiles, *names: str) -> str:
    return next((str(pull.options[name]) for name in names if name in pull.options), "")


def _csv(connection: "DuckDBPyConnection", file: InputFile, pull: PullFiles, constants: Mapping[str, str | None]) -> Shape:
    """A `#` begins no comment unless the team says so: it would take rows away."""
    if not file.stat.st_size:
        return Shape(file, "", 0, {}, Writing(), 0, constants)
    pull = with_separator_line(file, pull)
    start = f"{literal(file_pattern(file.path))}{_compression(file, pull)}"
    said = {"comment": "", **pull.options}
    sniffed = sniffed_as(connection, f"{start}{_options(said, _OWN)}")
    types = column_types(sniffed)
    dialect = dialect_of(sniffed, pull)
    ragged = ragged_as(file, types, dialect, pull)
    if ragged is not None:
        types, dialect = ragged
    rest = _options(said, (*_OWN, *_FOR_GUESSING, *ALIASES, *_NAMES, *dialect))
    read = f"read_csv({start}, hive_partitioning = false, auto_detect = false{_options(dialect, ())}{rest}"
    writing = Writing(
        _said(pull, *_DATE_OPTIONS) or sniffed["DateFormat"] or "",
        _said(pull, *_TIMESTAMP_OPTIONS) or sniffed["TimestampFormat"] or "",
        _said(pull, "decimal_separator"),
        _said(pull, "thousands"),
    )
    guessed_formats = {"dateformat": writing.date, "timestampformat": writing.timestamp}
    read += "".join(f", {name} = {literal(value)}" for name, value in guessed_formats.items() if value and name not in pull.options)
    if dialect["header"] and not set(_NAMES) & set(pull.options):
        as_rows = f"read_csv({start}, hive_partitioning = false, auto_detect = false{_options({**dialect, 'header': False}, ())}{rest}"
        _refuse_repeated_names(connection, file, types, as_rows)
    unread = Shape(file, read, 0, types, writing, int(dialect["skip"]) + bool(dialect["header"]), constants)
    if "sample_size" not in said and ragged is None and _begins_empty(connection, unread):
        types = column_types(sniffed_as(connection, f"{start}{_options({**said, 'sample_size': -1}, _OWN)}"))
    return replace(unread, types=types)


def _refuse_repeated_names(connection: "DuckDBPyConnection", file: InputFile, types: Mapping[str, str], as_rows: str) -> None:
    """DuckDB calls the second column that is named v `v_1`, as a column of its own may be called: the header itself is asked."""
    known = {name.lower() for name in types}
    if not any(number.isdigit() and name.lower() in known for name, _, number in (column.rpartition("_") for column in types)):
        return
    texts = {f"column{place}": "varchar" for place in range(len(types))}
    header = [name or "" for name in connection.execute(f"select * from {as_rows}, columns = {texts}) limit 1").fetchall()[0]]
    folded = [name.lower() for name in header]
    repeated = next((name for place, name in enumerate(header) if name and name.lower() in folded[:place]), None)
    if repeated is not None:
        raise LoadFailed(
            f"{file.name}: the header names {repeated} twice, and capitals make no difference; "
            "give each column a name of its own, or name them all in order, as options: {names: [first, second]}",
            repeated,
        )


def _begins_empty(connection: "DuckDBPyConnection", file_shape: Shape) -> bool:
    """Whether a column has no value among the rows that DuckDB guesses from, so that it was taken for text."""
    texts = [column for column, kind in file_shape.types.items() if kind == "varchar"]
    if not texts or file_shape.file.stat.st_size < _LEAST_BYTES:
        return False
    counts = ", ".join(f"count({quoted(column)})" for column in texts)
    return 0 in connection.execute(f"select {counts} from ({file_shape.values()} limit {_SAMPLE})").fetchall()[0]


def _borne_out(connection: "DuckDBPyConnection", file_shape: Shape, pull: PullFiles) -> Shape:
    """The shape with types that keep every value of the file; a promised column has the promised type, whether it can or not."""
    if not file_shape.types:
        return file_shape
    wanted = {name.lower(): kind for name, kind in pull.types.items()}
    promised = {name: wanted[name.lower()] for name in file_shape.types if name.lower() in wanted}
    guessed = {name: kind or "varchar" for name, kind in file_shape.types.items() if name not in promised}
    rows, filled, losing = _survey(connection, file_shape, guessed)
    types = {name: (promised.get(name) or guessed[name]) if name in filled else None for name in file_shape.types}
    _refuse_names_alike(file_shape, types)
    doubtful = [] if _said(pull, *_DATE_OPTIONS) else _doubtful(connection, file_shape, types)
    for name in [name for name in doubtful if name in promised]:
        raise LoadFailed(
            f"{file_shape.file.name}, column {name}: day and month cannot be told apart; "
            "say which, such as options: {dateformat: '%d/%m/%Y'}"
        )
    types |= dict.fromkeys(doubtful, "varchar")
    rungs = {name: iter((*WIDER.get(kind, ()), "varchar")) for name, kind in guessed.items()}
    losing = [name for name in losing if name not in doubtful]
    while losing:
        wider = {name: next(rungs[name]) for name in losing}
        types |= wider
        losing = file_shape.losing(connection, wider, promised=False)
    return replace(file_shape, rows=rows, types=types, promised=promised)


def _refuse_names_alike(file_shape: Shape, types: Mapping[str, str | None]) -> None:
    """JSON keys that only capitals tell apart: DuckDB calls the second `V_1`, and finds no value of that name."""
    keys = {name.lower() for name in types}
    for name in [name for name, kind in types.items() if kind is None and file_shape.reader.startswith("read_json")]:
        key = name.rpartition("_")[0]
        if key.lower() in keys and key not in types:
            raise LoadFailed(f"{file_shape.file.name}: the key {key} is there twice, once in other capitals; mend the file")


def _survey(connection: "DuckDBPyConnection", file_shape: Shape, guessed: Mapping[str, str]) -> tuple[int, set[str], list[str]]:
    """In one reading of the file: how many rows it has, which columns have values, and of which the guessed type loses some."""
    asked = [name for name, kind in guessed.items() if kind != "varchar"]
    counts = ["count(*)", *(f"count({quoted(name)})" for name in file_shape.types)]
    counts += [file_shape.counted_losses(name, guessed[name], promised=False) for name in asked]
    rows, *numbers = connection.execute(f"select {', '.join(counts)} from ({file_shape.values()})").fetchall()[0]
    names = list(file_shape.types)
    filled = {name for name, count in zip(names, numbers, strict=False) if count}
    return rows, filled, [name for name, count in zip(asked, numbers[len(names) :], strict=True) if count]


def _doubtful(connection: "DuckDBPyConnection", file_shape: Shape, types: Mapping[str, str | None]) -> list[str]:
    """Columns of dates that read as well with day and month exchanged: nobody can tell which was meant."""
    asked = {name: other for name, kind in types.items() if (other := other_reading(file_shape.writing.format_of(kind or "")))}
    if not asked:
        return []
    counts = [f"count_if({quoted(c)} is not null and try_strptime({quoted(c)}, {literal(other)}) is null)" for c, other in asked.items()]
    counted = connection.execute(f"select {', '.join(counts)} from ({file_shape.values()})").fetchall()[0]
    return [column for column, count in zip(asked, counted, strict=True) if not count]
