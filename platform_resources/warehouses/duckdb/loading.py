"""Load files into an input's table, with columns wide enough for every value of every file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.source_contract import EMPTY
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.deliveries.arrivals import InputFile
from platform_resources.warehouses.duckdb.delivered.file_errors import load_error, not_of_type, promise
from platform_resources.warehouses.duckdb.delivered.file_shapes import Shape
from platform_resources.warehouses.duckdb.delivered.file_survey import shape
from platform_resources.warehouses.duckdb.delivered.kept_values import WHOLE, is_nested, lost
from platform_resources.warehouses.duckdb.quarantined_rows import refuse_all_bad, release, set_aside, with_bad_rows
from platform_resources.warehouses.engine_errors import LoadFailed, shown_text
from platform_resources.warehouses.protocol import ProductDatabase

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TIMES = ("date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")
_NUMBERS = (*WHOLE, "decimal", "float", "double")


def shapes(database: ProductDatabase, files: Sequence[InputFile], pull: PullFiles) -> list[Shape]:
    """Look at each file. Raises LoadFailed at the first that cannot be read, or does not keep a promised type."""
    return [_shape(database.connection, file, pull) for file in files]


def _shape(connection: "DuckDBPyConnection", file: InputFile, pull: PullFiles) -> Shape:
    try:
        file_shape = shape(connection, file, pull)
        if file_shape.contract.set_aside:
            return with_bad_rows(connection, file_shape)
        for column in file_shape.losing(connection, file_shape.promised, promised=True):
            raise _lost(connection, file_shape, column, file_shape.promised[column], promised=True)
        for column, condition in file_shape.emptiness().items():
            _refuse_empty(connection, file_shape, column, condition)
    except duckdb.Error as error:
        raise load_error(file, error) from error
    return file_shape


def _lost(connection: "DuckDBPyConnection", file_shape: Shape, column: str, kind: str, promised: bool) -> LoadFailed:
    """File, line, column and the first value that the type would not keep."""
    bad = _first(
        connection, file_shape, column, f"{quoted(column)} is not null and {lost(quoted(column), kind, file_shape.writing, promised)}"
    )
    if bad is None:
        return LoadFailed(f"{file_shape.file.name}, column {column}: it is {file_shape.types[column]} there, which {kind} cannot hold")
    value, place = bad
    long = file_shape.writing.binary and "decimal" in kind and sum(map(str.isdigit, value)) > 15
    advice = "write a number of so many digits in quotes" if long else promise(column)
    return LoadFailed(
        f"{file_shape.file.name}, {place}, column {file_shape.titled(column)}: {not_of_type(value, kind)}; {advice}", column, value
    )


def _refuse_empty(connection: "DuckDBPyConnection", file_shape: Shape, column: str, condition: str) -> None:
    bad = _first(connection, file_shape, column, condition)
    if bad is not None:
        shown = f"it {EMPTY}" if not bad[0] else f"{shown_text(bad[0])} says nothing (missing), and nullable is not written"
        raise LoadFailed(f"{file_shape.file.name}, {bad[1]}, column {file_shape.titled(column)}: {shown}", column, bad[0])


def _first(connection: "DuckDBPyConnection", file_shape: Shape, column: str, condition: str) -> tuple[str, str] | None:
    """The value of the first row that meets the condition, and the line or row where it is."""
    texts = [f"cast({quoted(name)} as varchar)" for name in (column, *file_shape.types)]
    breaks = " + ".join(f"coalesce(length({text}) - length(replace({text}, chr(10), '')), 0)" for text in texts[1:])
    numbered = f"select *, row_number() over () as mesh_row, {breaks} as mesh_breaks from ({file_shape.values()})"
    before = "coalesce(sum(mesh_breaks) over (order by mesh_row rows unbounded preceding) - mesh_breaks, 0)"
    lines = f"select *, mesh_row + {before} as mesh_line from ({numbered})"
    shown = f"coalesce({texts[0]}, ''), coalesce({', '.join(texts)}, ''), mesh_row, mesh_line"
    bad = connection.execute(f"select {shown} from ({lines}) where {condition} order by mesh_row limit 1").fetchall()
    if not bad:
        return None
    value, witness, row, line = bad[0]
    return value, _place(file_shape, witness, int(row), int(line) + file_shape.skipped)


def _place(file_shape: Shape, value: str, row: int, line: int) -> str:
    """The line, where the file shows that it is that one: empty lines and compression put the count out."""
    with file_shape.file.path.open("rb") as stream:
        text = next((read for number, read in enumerate(stream, 1) if number == line), b"")
    return f"line {line}" if value.splitlines()[:1] and value.splitlines()[0].encode() in text else f"row {row}"


def replace(database: ProductDatabase, relation: Relation, shapes: Sequence[Shape], pull: PullFiles) -> None:
    """Make the relation anew from these files; where none of them has a value, a column keeps the type that it had."""
    refuse_all_bad(shapes)
    former = database.columns(relation) if database.exists(relation) else {}
    names = _united(database.connection, shapes, pull) or dict.fromkeys(former)
    if not names:
        raise LoadFailed(f"{', '.join(file_shape.file.name for file_shape in shapes)}: there are no columns, not even a header")
    known = _folded({**former}) | _folded(pull.types)
    settled = {name: kind or known.get(name.lower(), "varchar") for name, kind in names.items()}
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in settled.items())
    database.connection.execute(f"drop {'table' if database.is_table(relation) else 'view'} if exists {relation_sql(relation)}")
    database.connection.execute(f"create table {relation_sql(relation)} ({columns})")
    release(database.connection, relation)
    _insert(database.connection, relation, shapes, settled)


def fits(database: ProductDatabase, relation: Relation, shapes: Sequence[Shape], pull: PullFiles) -> bool:
    """Whether the table's columns are what they would be if its files and these had been loaded together, but for new columns."""
    return not _widened(database, relation, shapes, pull)


def _widened(database: ProductDatabase, relation: Relation, shapes: Sequence[Shape], pull: PullFiles) -> dict[str, str]:
    """The columns of the table that must have another type to take these files, and which."""
    former = database.columns(relation)
    types = _united(database.connection, shapes, pull, _valued(database, relation))
    return {name: kind for name, kind in former.items() for kind in [types[name] or kind] if kind != former[name]}


def _valued(database: ProductDatabase, relation: Relation) -> dict[str, str | None]:
    """The table's columns and their types; None for one of text that has no value yet, which may become anything."""
    former = database.columns(relation)
    texts = [name for name, kind in former.items() if kind == "varchar"]
    if not texts:
        return {**former}
    counts = ", ".join(f"count({quoted(name)})" for name in texts)
    filled = dict(zip(texts, database.execute(f"select {counts} from {relation_sql(relation)}"), strict=True))
    return {name: kind if filled.get(name, 1) else None for name, kind in former.items()}


def append(database: ProductDatabase, relation: Relation, shapes: Sequence[Shape], pull: PullFiles, texts_kept: bool) -> None:
    """Load files behind what is there, whose own files are gone. Raises LoadFailed where what is there cannot be widened without loss.

    `texts_kept` says that whole numbers in the table were written in their files as a number is written, so they can become text again.
    """
    refuse_all_bad(shapes)
    connection = database.connection
    former = database.columns(relation)
    for column, kind in _widened(database, relation, shapes, pull).items():
        if not _can_widen(connection, relation, column, former[column], kind, texts_kept):
            raise _gone(connection, shapes, column, former[column])
        connection.execute(f"alter table {relation_sql(relation)} alter column {quoted(column)} type {kind}")
    promised = _folded(pull.types)
    united = _united(connection, shapes, pull, _valued(database, relation))
    types = {name: kind or former.get(name) or promised.get(name.lower(), "varchar") for name, kind in united.items()}
    for name in [name for name in types if name not in former]:
        connection.execute(f"alter table {relation_sql(relation)} add column {quoted(name)} {types[name]}")
    _insert(connection, relation, shapes, types)


def _can_widen(connection: "DuckDBPyConnection", relation: Relation, column: str, old: str, new: str, texts_kept: bool) -> bool:
    if new == "varchar":
        return old in WHOLE and texts_kept
    name = quoted(column)
    changed = f"{name} is not null and try_cast(try_cast({name} as {new}) as {old}) is distinct from {name}"
    return not connection.execute(f"select count(*) from {relation_sql(relation)} where {changed}").fetchall()[0][0]


def _gone(connection: "DuckDBPyConnection", shapes: Sequence[Shape], column: str, kind: str) -> LoadFailed:
    wide = next(((shape, name) for shape in shapes for name in shape.types if name.lower() == column.lower()), None)
    reason = _unfit(connection, *wide, kind) if wide else LoadFailed(f"column {column}")
    return LoadFailed(
        f"{str(reason).removesuffix(f'; {promise(reason.column)}')}, and files that were loaded as {kind} before are gone, "
        "so they cannot be read again as something wider; put them back for one refresh, or mend the new file",
        reason.column,
        reason.value,
    )


def _unfit(connection: "DuckDBPyConnection", file_shape: Shape, column: str, kind: str) -> LoadFailed:
    if file_shape.reader.startswith("read_parquet"):
        return LoadFailed(f"{file_shape.file.name}, column {column}: it is {file_shape.types[column]} there, which {kind} cannot hold")
    return _lost(connection, file_shape, column, kind, promised=False)


def _folded(types: Mapping[str, str]) -> dict[str, str]:
    """By names in small letters: capitals make no difference to a warehouse."""
    return {name.lower(): kind for name, kind in types.items()}


def _insert(connection: "DuckDBPyConnection", relation: Relation, shapes: Sequence[Shape], types: Mapping[str, str]) -> None:
    spelled = _folded(types)
    for file_shape in shapes:
        own = {name: spelled[name.lower()] for name in (*file_shape.types, *file_shape.constants)}
        try:
            _refuse_rounding(connection, file_shape, own)
            if own and file_shape.rows:
                connection.execute(f"insert into {relation_sql(relation)} by name {file_shape.select(own)}")
            if file_shape.bad:
                set_aside(connection, relation, file_shape)
        except duckdb.Error as error:
            raise load_error(file_shape.file, error) from error


def _refuse_rounding(connection: "DuckDBPyConnection", file_shape: Shape, types: Mapping[str, str]) -> None:
    """Values of Parquet files that the common type of all files does not hold exactly."""
    if not file_shape.reader.startswith("read_parquet"):
        return
    for column, kind in file_shape.types.items():
        if kind is None or types[column] in (kind, "varchar"):
            continue
        name = quoted(file_shape.sources.get(column, column))
        changed = f"try_cast(try_cast({name} as {types[column]}) as {kind}) is distinct from {name}"
        bad = connection.execute(f"select {name} from {file_shape.reader}) where {changed} limit 1").fetchall()
        if bad:
            raise LoadFailed(
                f"{file_shape.file.name}, column {column}: {not_of_type(str(bad[0][0]), types[column])}, as which other files have it",
                column,
                str(bad[0][0]),
            )


def _united(
    connection: "DuckDBPyConnection", shapes: Sequence[Shape], pull: PullFiles, former: Mapping[str, str | None] | None = None
) -> dict[str, str | None]:
    """Every column with the type that holds the values of all files and of what was loaded before; None where there are no values."""
    united: dict[str, str | None] = dict(former or {})
    spelled = {name.lower(): name for name in united}
    for file_shape in shapes:
        if spelled and file_shape.types and not any(name.lower() in spelled for name in file_shape.types):
            raise LoadFailed(
                f"{file_shape.file.name}: none of its columns ({', '.join(file_shape.types)}) is among those of other files "
                f"({', '.join(united)}); does it lack its header?"
            )
        for column, kind in (*file_shape.types.items(), *dict.fromkeys(file_shape.constants, "varchar").items()):
            name = spelled.setdefault(column.lower(), column)
            united[name] = _wider(connection, united.get(name), kind, pull.format)
    unknown = [column for column in pull.types if column.lower() not in spelled]
    if unknown and united:
        wanted = [promised.source_name if (promised := pull.contract.column(name)) is not None else name for name in unknown]
        message = f"no file has {', '.join(wanted)}, whose type is promised; the columns are {', '.join(united)}"
        raise LoadFailed(message, unknown[0])
    for file_shape in shapes if pull.format != "parquet" else ():
        for column in _unkept(connection, file_shape, {name: united[spelled[name.lower()]] for name in file_shape.types}):
            united[spelled[column.lower()]] = "varchar"
    return united


def _unkept(connection: "DuckDBPyConnection", file_shape: Shape, united: Mapping[str, str | None]) -> Iterable[str]:
    """Columns whose common type does not keep what this file's own does: large whole numbers among decimals."""
    changed = {c: kind for c, kind in united.items() if kind is not None and kind != file_shape.types[c] and c not in file_shape.promised}
    return file_shape.losing(connection, changed, promised=False)


def _wider(connection: "DuckDBPyConnection", one: str | None, other: str | None, file_format: str) -> str | None:
    """The type that takes the values of both; text where they are of different kinds: no number becomes a time, no zone is made up."""
    if one is None or other is None or one == other:
        return one or other
    plain = {kind.partition("(")[0] for kind in (one, other)}
    if plain <= set(_NUMBERS) and plain & {"float", "double"}:
        return "double"
    if plain <= set(_NUMBERS) or plain <= set(_TIMES) or all(is_nested(kind) for kind in (one, other)):
        rows = connection.execute(f"select typeof(x) from (select null::{one} as x union all select null::{other}) limit 1").fetchall()
        return observed_type(rows[0][0])
    nested = any(is_nested(kind) or kind == "json" for kind in (one, other))
    return "json" if nested and file_format == "json" else "varchar"
