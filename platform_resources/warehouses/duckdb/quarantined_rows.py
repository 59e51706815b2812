"""Rows of a source that break its contract: kept beside the input, each with its file, its number and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_resources.capabilities.measures import Relation
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
    keep(connection, relation, file_shape.file.name, file_shape.contract.emptied(rows, file_shape.types), file_shape.breaches())


def numbered(rows: str, names: Mapping[str, object], sources: Mapping[str, str]) -> str:
    """The rows with their numbers, and each as one JSON object of texts under the names that the source uses."""
    texts = ", ".join(f"{literal(sources.get(name, name))}: cast({quoted(name)} as varchar)" for name in names)
    return f"select *, to_json({{{texts}}}) as mesh_delivered, row_number() over () as mesh_row from ({rows})"


def keep(connection: "DuckDBPyConnection", relation: Relation, source: str, rows: str, breaches: Breaches) -> None:
    """Keep those of these numbered rows that break the contract, with every reason."""
    place = quarantine(relation)
    connection.execute(f"create schema if not exists {quoted(place.schema)}")
    connection.execute(f"create table if not exists {relation_sql(place)} ({_COLUMNS})")
    reasons = ", ".join(_reason(column, reason, condition) for (column, reason), condition in breaches.items())
    listed = f"to_json(list_filter([{reasons}], lambda mesh_reason: mesh_reason is not null))"
    kept = f"select {literal(source)}, mesh_row, {listed}, mesh_delivered from ({rows}) where {_any(breaches)}"
    connection.execute(f"insert into {relation_sql(place)} {kept}")


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
    try:
        sources = contract.source_names(kinds)
    except ContractBroken as error:
        raise LoadFailed(str(error), error.column) from error
    texts = {name: promised.type for name, of in sources.items() if kinds[of] == "varchar" and (promised := contract.column(name))}
    texts = {name: kind for name, kind in texts.items() if kind != "varchar"}
    if texts or contract.set_aside:
        # An Arrow reader can be read once only.
        connection.execute(f"create or replace temp table {DELIVERED} as select * from {view}")
        view = DELIVERED
    raw = f"select {', '.join(f'{quoted(source_name)} as {quoted(name)}' for name, source_name in sources.items())} from {view}"
    values, lost_texts = contract.emptied(raw, sources), lost_values(texts, Writing())
    tried = {name: converted(quoted(name), kind, Writing(), trying=True) for name, kind in texts.items()}
    breaches = {**lost_texts, **contract.breaches(sources, tried)} if contract.set_aside else {}
    release(connection, relation)
    if breaches:
        counts = f"select count(*), count_if({_any(breaches)}) from ({values})"
        rows, bad = connection.execute(counts).fetchall()[0]
        if bad and bad == rows:
            raise _all_bad(source, breaches)
        keep(connection, relation, source, contract.emptied(numbered(raw, sources, sources), sources), breaches)
    elif texts:
        _refuse_lost(connection, values, lost_texts, source)
    changed = ", ".join(f"{converted(quoted(name), kind, Writing())} as {quoted(name)}" for name, kind in texts.items())
    return f"select * {f'replace ({changed}) ' if changed else ''}from ({values}) where {good(breaches)}"


def _refuse_lost(connection: "DuckDBPyConnection", values: str, lost_texts: Breaches, source: str) -> None:
    numbered_rows = f"select *, row_number() over () as mesh_row from ({values})"
    for (column, reason), condition in lost_texts.items():
        first = f"select {quoted(column)}, mesh_row from ({numbered_rows}) where {condition} order by mesh_row limit 1"
        for value, row in connection.execute(first).fetchall():
            raise LoadFailed(f"{source}, row {row}, column {column}: {shown_text(value)} {reason}", column, value)
