"""Detect, without Dagster, whether its history has events that the ledger has not read, by the newest event ids."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database_errors import remedy
from platform_resources.ledger.events import EventKind
from platform_resources.ledger.marks import read_until
from platform_resources.ledger.queries.history import synced_at

# What Dagster calls the kinds of events that the ledger reads.
DAGSTER_NAMES: Mapping[EventKind, str] = {
    "materialisation": "ASSET_MATERIALIZATION",
    "observation": "ASSET_OBSERVATION",
    "check_evaluation": "ASSET_CHECK_EVALUATION",
    "run_start": "PIPELINE_START",
    "run_success": "PIPELINE_SUCCESS",
    "run_failure": "PIPELINE_FAILURE",
    "run_cancellation": "PIPELINE_CANCELED",
    "freshness_change": "FRESHNESS_STATE_CHANGE",
}
# Dagster's daemon notes these at any time; nothing that a check says depends on them.
_BESIDE_RUNS: frozenset[EventKind] = frozenset({"freshness_change"})
# Settings that move Dagster's history away from the file below.
_OWN_STORAGE = frozenset({"storage", "event_log_storage", "local_artifact_storage"})
_FILE = "history/runs/index.db"
_NEWEST = "select coalesce(max(id), 0) from event_logs where dagster_event_type = ?"
BEHIND = "Dagster's history has events that the ledger has not read: a run goes on or was killed; `mesh status --sync` reads them first"
NOT_SEEN = "whether Dagster's history has newer events is unknown, as dagster.yaml sets its storage; `mesh status --sync` reads it first"


@dataclass(frozen=True, slots=True)
class LedgerAge:
    """When the ledger was last synced (None: never), and what it may lack of Dagster's history; empty if nothing."""

    synced_at: datetime | None
    lacks: str


def ledger_age(connection: Connection, home: Path) -> LedgerAge:
    """The age of the ledger; `home` is Dagster's home folder."""
    return LedgerAge(synced_at(connection), _lacks(home, read_until(connection)))


def _lacks(home: Path, read: Mapping[EventKind, int]) -> str:
    settings = home / "dagster.yaml"
    if settings.exists() and _OWN_STORAGE & set(yaml.safe_load(settings.read_text(encoding="utf-8")) or ()):
        return NOT_SEEN
    file = home / _FILE
    if not file.exists():
        return ""
    try:
        newest = _newest(file)
    except sqlite3.Error as error:
        return f"Dagster's history {file} cannot be read: {error}\n{remedy(str(error))}"
    return BEHIND if any(newest[kind] != read.get(kind, 0) for kind in newest) else ""


def _newest(file: Path) -> dict[EventKind, int]:
    """The id of the newest event of each kind; 0 where there is none."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as log:
        return {kind: int(log.execute(_NEWEST, (name,)).fetchone()[0]) for kind, name in DAGSTER_NAMES.items() if kind not in _BESIDE_RUNS}
