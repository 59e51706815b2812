"""Insert rows that may be there already; both databases write it alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from platform_resources.ledger.records import Record

Replaces = Callable[[Any, Any], ColumnElement[bool]]


def row_of(record: Record) -> dict[str, Any]:
    """The record as a row, by column name."""
    return {name: getattr(record, name) for name in record.__slots__}


def insertion(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what to do about rows that are there; both databases write it alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], replaces: Replaces | None) -> int:
    """Insert rows with distinct primary keys; one that is there stays unless `replaces(new, old)`. Gives the number written."""
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    insert = insertion(connection, table)
    if replaces is None:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    else:
        rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=rest, where=replaces(insert.excluded, table.c))
    # RETURNING counts what was written; no driver counts it for many rows at once.
    return len(connection.execute(statement.returning(*table.primary_key), list(rows)).all())
