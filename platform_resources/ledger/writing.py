"""Write records into tables: each once; of two with the same key, the first in the log wins."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from platform_resources.ledger import tables
from platform_resources.ledger.changes import note_records
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
from platform_resources.ledger.upserts import row_of, upsert

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


def write(connection: Connection, records: Sequence[Record]) -> int:
    """Write a batch of records; gives the number of facts and runs that were new or changed. What was written of a product changes it."""
    by_kind: dict[type[Record], list[Any]] = {}
    for record in records:
        by_kind.setdefault(type(record), []).append(record)
    new_checks = _write_checks(connection, by_kind.get(Check, ()))
    written = {kind: _write_facts(connection, kind, by_kind[kind]) for kind in FACTS if kind in by_kind}
    written[Run] = _write_runs(connection, by_kind.get(Run, ()))
    note_records(connection, [record for kind, count in [*written.items(), (Check, new_checks)] if count for record in by_kind[kind]])
    return sum(written.values())


def _write_checks(connection: Connection, new: Iterable[Check]) -> int:
    """A check is described when it is first seen; the plan knows better, see `register_checks`."""
    unique = {check.id: check for check in reversed(list(new))}
    seen = select(tables.checks.c.id).where(tables.checks.c.id.in_(unique))
    known: set[int] = set(connection.execute(seen).scalars())
    return upsert(connection, tables.checks, [row_of(unique[number]) for number in sorted(unique.keys() - known)], replaces=None)


def _write_facts(connection: Connection, kind: type[Record], records: Sequence[Record]) -> int:
    table = TABLE_OF[kind]
    keys = [column.name for column in table.primary_key]
    unique: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in map(row_of, records):
        key = tuple(row[name] for name in keys)
        if key not in unique or row["log_id"] < unique[key]["log_id"]:
            unique[key] = row
    return upsert(connection, table, list(unique.values()), replaces=lambda new, old: new.log_id < old.log_id)


def _write_runs(connection: Connection, new: Sequence[Run]) -> int:
    if not new:
        return 0
    names = {run.run_id for run in new}
    rows = connection.execute(select(tables.runs).where(tables.runs.c.run_id.in_(names))).mappings()
    before = {row["run_id"]: Run(**row) for row in rows}
    after = dict(before)
    for run in new:
        after[run.run_id] = merged(after[run.run_id], run) if run.run_id in after else run
    changed = [row_of(run) for name, run in sorted(after.items()) if run != before.get(name)]
    return upsert(connection, tables.runs, changed, replaces=lambda new, old: new.run_id == old.run_id)
