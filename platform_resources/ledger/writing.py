"""Write records into tables: each once; of two with the same key, the first in the log wins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from platform_resources.ledger import tables
from platform_resources.ledger.projection import merged
from platform_resources.ledger.records import (
    Check,
    CheckReading,
    ColumnProfiled,
    FreshnessState,
    InputState,
    PortPublication,
    Record,
    Run,
    Scorecard,
)

TABLE_OF: Mapping[type[Record], Table] = {
    Check: tables.checks,
    CheckReading: tables.readings,
    PortPublication: tables.publications,
    ColumnProfiled: tables.profiles,
    InputState: tables.input_states,
    Scorecard: tables.scorecards,
    FreshnessState: tables.freshness_states,
    Run: tables.runs,
}
FACTS: tuple[type[Record], ...] = (CheckReading, PortPublication, ColumnProfiled, InputState, Scorecard, FreshnessState)
Replaces = Callable[[Any, Any], ColumnElement[bool]]


def write(connection: Connection, records: Sequence[Record]) -> int:
    """Write a batch of records; gives the number of facts and runs that were new or changed."""
    _write_checks(connection, [record for record in records if isinstance(record, Check)])
    changed = sum(_write_facts(connection, kind, [r for r in records if isinstance(r, kind)]) for kind in FACTS)
    return changed + _write_runs(connection, [record for record in records if isinstance(record, Run)])


def _write_checks(connection: Connection, found: Iterable[Check]) -> None:
    """A check is described when it is first seen; the plan knows better, see `register_checks`."""
    unique = {check.id: check for check in reversed(list(found))}
    seen = select(tables.checks.c.id).where(tables.checks.c.id.in_(unique))
    known: set[int] = set(connection.execute(seen).scalars())
    upsert(connection, tables.checks, [row_of(unique[number]) for number in sorted(unique.keys() - known)], replaces=None)


def _write_facts(connection: Connection, kind: type[Record], found: Sequence[Record]) -> int:
    table = TABLE_OF[kind]
    keys = [column.name for column in table.primary_key]
    unique: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in map(row_of, found):
        key = tuple(row[name] for name in keys)
        if key not in unique or row["log_id"] < unique[key]["log_id"]:
            unique[key] = row
    return upsert(connection, table, list(unique.values()), replaces=lambda new, old: new.log_id < old.log_id)


def _write_runs(connection: Connection, found: Sequence[Run]) -> int:
    if not found:
        return 0
    names = {run.run_id for run in found}
    rows = connection.execute(select(tables.runs).where(tables.runs.c.run_id.in_(names))).mappings()
    before = {row["run_id"]: Run(**row) for row in rows}
    after = dict(before)
    for run in found:
        after[run.run_id] = merged(after[run.run_id], run) if run.run_id in after else run
    changed = [row_of(run) for name, run in sorted(after.items()) if run != before.get(name)]
    return upsert(connection, tables.runs, changed, replaces=lambda new, old: new.run_id == old.run_id)


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
