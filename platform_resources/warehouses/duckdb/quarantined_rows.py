"""Rows of a source that break its contract: kept beside the input, each with its file, its number and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import ROW_FAULT, ROW_NUMBER, ROW_SOURCE, ROW_TEXT
from platform_resources.capabilities.source_contract import ContractBroken, SourceContract
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.sql_text import literal, quoted, relation_sql
from platform_resources.plan import conventions
from platform_resources.warehouses.duckdb.delivered.file_shapes import Shape
from platform_resources.warehouses.duckdb.delivered.kept_values import Writing, converted, lost_values
from platform_resources.warehouses.engine_errors import LoadFailed, shown_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIVERED = "mesh_delivered_rows"
_OF_ROW = (ROW_SOURCE, ROW_NUMBER, ROW_FAULT, ROW_TEXT)
_COLUMNS = "source varchar, row_number bigint, reasons varchar, delivered varchar"
Breaches = Mapping[tuple[str, str], str]


def quarantine(relation: Relation) -> Relation:
    """Where the bad rows of an input are kept."""
    return Relation(conventions.QUARANTINE, relation.name)


def with_bad_rows(connection: "DuckDBPyConnection", file_shape: Shape) -> Shape:
    """The file with the number of its rows that break the contract."""
    breaches = file_shape.breaches()
    if not breaches:
        return file_shape
    counted = f"select count_if({_any(breaches)}) from ({file_shape.values()})"
    return replace(file_shape, bad=int(connection.execute(counted).fetchall()[0][0]))


def refuse_all_bad(shapes: Sequence[Shape]) -> None:
    """A delivery without one good row is refused as a whole: it is another thing than what was promised. Raises LoadFailed."""
    bad = [file_shape for file_shape in shapes if file_shape.bad]
    if bad and sum(file_shape.bad for file_shape in bad) == sum(file_shape.rows for file_shape in shapes):
        raise _all_bad(", ".join(file_shape.file.name for file_shape in bad), bad[0].breaches())


def _all_bad(source: str, breaches: Breaches) -> LoadFailed:
    columns = ", ".join(dict.fromkeys(name for name, _ in breaches))
    reason = f"every row breaks the contract, in one of {columns}"
    return LoadFailed(f"{source}: {reason}; so none goes to quarantine, and nothing of it is loaded", columns)


def release(connection: "DuckDBPyConnection", relation: Relation) -> None:
    """Forget what was set aside of an input that is loaded anew."""
    connection.execute(f"drop table if exists {relation_sql(quarantine(relation))}")


def set_aside(connection: "DuckDBPyConnection", relation: Relation, file_shape: Shape) -> None:
    """Keep the rows of a file that break the contract, with what its path tells of them."""
    rows = numbered(file_shape.raw(), {**file_shape.types, **file_shape.constants}, file_shape.sources)
    keep(connection, relation, literal(file_shape.file.name), file_shape.contract.emptied(rows, file_shape.types), file_shape.breaches())


def numbered(rows: str, names: Mapping[str, object], sources: Mapping[str, str], number: str = "row_number() over ()") -> str:
    """The rows with their numbers, and each as one JSON object of texts under the names that the source uses."""
    texts = ", ".join(f"{literal(sources.get(name, name))}: cast({quoted(name)} as varchar)" for name in names)
    return f"select *, to_json({{{texts}}}) as mesh_delivered, {number} as mesh_number from ({rows})"


def keep(connection: "DuckDBPyConnection", relation: Relation, source: str, rows: str, breaches: Breaches) -> None:
    """Keep those of these numbered rows that break the contract, with every reason. `source` is SQL."""
    place = _made(connection, relation)
    reasons = ", ".join(_reason(column, reason, condition) for (column, reason), condition in breaches.items())
    listed = f"to_json(list_filter([{reasons}], lambda mesh_reason: mesh_reason is not null))"
    kept = f"select {source}, mesh_number, {listed}, mesh_delivered from ({rows}) where {_any(breaches)}"
    connection.execute(f"insert into {place} {kept}")


def _made(connection: "DuckDBPyConnection", relation: Relation) -> str:
    place = quarantine(relation)
    connection.execute(f"create schema if not exists {quoted(place.schema)}")
    connection.execute(f"create table if not exists {relation_sql(place)} ({_COLUMNS})")
    return relation_sql(place)


def _keep_unread(connection: "DuckDBPyConnection", relation: Relation, contract: SourceContract, view: str) -> None:
    """Keep the rows that the reader itself could not read. Raises LoadFailed where the input port sets none aside."""
    if not contract.set_aside:
        first = f"select {ROW_SOURCE}, {ROW_NUMBER}, {ROW_FAULT} from {view} where {ROW_FAULT} is not null order by all limit 1"
        for source, number, fault in connection.execute(first).fetchall():
            raise LoadFailed(f"{source}, row {number} {fault}; bad_rows: quarantine, which needs columns, sets such rows aside")
        return
    reasons = f"to_json([{{'column': {literal(ROW_TEXT)}, 'reason': {ROW_FAULT}, 'value': null}}])"
    kept = f"select {ROW_SOURCE}, {ROW_NUMBER}, {reasons}, to_json({{{literal(ROW_TEXT)}: {ROW_TEXT}}})"
    connection.execute(f"insert into {_made(connection, relation)} {kept} from {view} where {ROW_FAULT} is not null")


def _reason(column: str, reason: str, condition: str) -> str:
    value = "null" if condition == "true" else f"cast({quoted(column)} as varchar)"
    said = f"{{'column': {literal(column)}, 'reason': {literal(reason)}, 'value': {value}}}"
    return f"case when coalesce({condition}, false) then {said} end"


def _any(breaches: Breaches) -> str:
    return " or ".join(f"coalesce({condition}, false)" for condition in breaches.values())


def good(breaches: Breaches) -> str:
    """The SQL condition of rows that break nothing."""
    return f"not ({_any(breaches)})" if breaches else "true"


def by_contract(connection: "DuckDBPyConnection", relation: Relation, contract: SourceContract, source: str, view: str) -> str:
    """The select of what is to be loaded of a view of what a source delivered; its bad rows are kept. Raises LoadFailed.

    Text of columns that are promised as something else is read as that.
    """
    kinds = {row[0]: observed_type(str(row[1])) for row in connection.execute(f"describe {view}").fetchall()}
    placed = ROW_SOURCE in kinds
    kinds = {name: kind for name, kind in kinds.items() if not placed or name not in _OF_ROW}
    try:
        sources = contract.source_names(kinds)
    except ContractBroken as error:
        raise LoadFailed(str(error), error.column) from error
    texts = {name: promised.type for name, of in sources.items() if kinds[of] == "varchar" and (promised := contract.column(name))}
    texts = {name: kind for name, kind in texts.items() if kind != "varchar"}
    if texts or contract.set_aside or placed:
        # An Arrow reader can be read once only.
        connection.execute(f"create or replace temp table {DELIVERED} as select * from {view}")
        view = DELIVERED
    raw = ", ".join(f"{quoted(source_name)} as {quoted(name)}" for name, source_name in sources.items())
    raw = f"select {raw}, {ROW_SOURCE}, {ROW_NUMBER} from {view} where {ROW_FAULT} is null" if placed else f"select {raw} from {view}"
    place, number = (ROW_SOURCE, ROW_NUMBER) if placed else (literal(source), "row_number() over ()")
    values, lost_texts = contract.emptied(raw, sources), lost_values(texts, Writing())
    tried = {name: converted(quoted(name), kind, Writing(), trying=True) for name, kind in texts.items()}
    breaches = {**lost_texts, **contract.breaches(sources, tried)} if contract.set_aside else {}
    release(connection, relation)
    if placed:
        _keep_unread(connection, relation, contract, view)
    if breaches:
        counts = f"select count(*), count_if({_any(breaches)}) from ({values})"
        rows, bad = connection.execute(counts).fetchall()[0]
        if bad and bad == rows:
            raise _all_bad(source, breaches)
        keep(connection, relation, place, contract.emptied(numbered(raw, sources, sources, number), sources), breaches)
    elif texts:
        _refuse_lost(connection, f"select *, {place} as mesh_place, {number} as mesh_number from ({values})", lost_texts)
    changed = ", ".join(f"{converted(quoted(name), kind, Writing())} as {quoted(name)}" for name, kind in texts.items())
    columns = f"* exclude ({ROW_SOURCE}, {ROW_NUMBER})" if placed else "*"
    return f"select {columns} {f'replace ({changed}) ' if changed else ''}from ({values}) where {good(breaches)}"


def _refuse_lost(connection: "DuckDBPyConnection", numbered_rows: str, lost_texts: Breaches) -> None:
    for (column, reason), condition in lost_texts.items():
        first = f"select {quoted(column)}, mesh_number, mesh_place from ({numbered_rows}) where {condition} order by mesh_number limit 1"
        for value, row, source in connection.execute(first).fetchall():
            raise LoadFailed(f"{source}, row {row}, column {column}: {shown_text(value)} {reason}", column, value)
