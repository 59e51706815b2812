"""Pull what several products read of a source once, and keep it for all of them."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Extraction, PullShared
from platform_resources.capabilities.support.sql_text import literal, relation_sql
from platform_resources.plan import conventions
from platform_resources.warehouses.extraction import read_by
from platform_resources.warehouses.targets import scratch

# Who holds it pulls or reads.
LOCK = ".lock"
# How many rows the newest pull brought; None: all of them.
BROUGHT = "brought"
_NOTES, _LATEST = "pull", "latest.json"
_ROWS = Relation("inputs", "rows")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SharedRows:
    """What was pulled of a source: the file of its rows, and its record: an id, when it was pulled, how much that brought, its cursor."""

    file: Path
    record: Mapping[str, Any]

    @property
    def sql(self) -> str:
        """Reads the rows from their file."""
        return f"select * from read_parquet({literal(str(self.file))})"


@contextmanager
def shared_rows(
    state: Path, folder: Path, pull: PullShared, now: datetime, as_of: date, replay: str | None = None, known: str = ""
) -> Iterator[SharedRows]:
    """The rows, pulled now if they are older than the source says, or a person asks for older ones, or another machine has pulled newer
    ones: `known` says when. While they are read nobody else pulls. Raises ExtractorFailed.

    A killed pull leaves the rows of the one before it: a file is named by its pull, and the newest is the one that `latest.json` names.
    """
    assert pull.rows is not None
    place = state / conventions.source_folder(pull.domain, pull.source, _digest(pull))
    (state / conventions.SOURCES).mkdir(mode=0o700, parents=True, exist_ok=True)  # rows as the source has them, in the clear
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / LOCK):
        latest = place / _LATEST
        record = json.loads(latest.read_text(encoding="utf-8")) if latest.exists() else None
        pulled_at = datetime.fromisoformat(record["pulled_at"]) if record is not None else _LONG_AGO
        is_behind = bool(known) and pulled_at < datetime.fromisoformat(known)
        if replay is not None or record is None or is_behind or not timedelta() <= now - pulled_at < pull.every:
            record = _pulled(place, folder, pull, now, as_of, replay)
        yield SharedRows(place / f"{record['pull']}.parquet", record)


def waits_until(state: Path, pull: PullShared) -> datetime:
    """Before when the source is not pulled anew."""
    latest = state / conventions.source_folder(pull.domain, pull.source, _digest(pull)) / _LATEST
    if not latest.exists():
        return _LONG_AGO
    return datetime.fromisoformat(json.loads(latest.read_text(encoding="utf-8"))["pulled_at"]) + pull.every


def _digest(pull: PullShared) -> str:
    """The same for ports that read the same: addresses stand in it as they are written, without what their variables hold."""
    return hashlib.sha256(repr(pull.rows).encode()).hexdigest()[:16]


def _pulled(place: Path, folder: Path, pull: PullShared, now: datetime, as_of: date, replay: str | None) -> dict[str, Any]:
    assert pull.rows is not None
    name = now.strftime("%Y%m%dT%H%M%S.%fZ")
    part = place / f"{name}.parquet.part"
    with scratch().opened(place, pull.domain, pull.source) as database:
        before = json.loads(database.remembered(_NOTES).get(_NOTES, "{}"))
        with database.transaction():
            extraction = Extraction(database.connection, as_of, {}, before.get("cursor"), folder, pull.source, replay)
            extracted = read_by(pull.interface, pull.rows.reader, extraction)
            database.load_data(_ROWS, extracted.data)
            record = {"pull": name, "pulled_at": now.isoformat(), "cursor": extracted.cursor, BROUGHT: extracted.brought}
            database.remember(_NOTES, _NOTES, json.dumps(record))
        database.execute(f"copy {relation_sql(_ROWS)} to {literal(str(part))} (format parquet)")
    os.replace(part, place / f"{name}.parquet")
    latest = place / f"{_LATEST}.part"
    latest.write_text(json.dumps(record), encoding="utf-8")
    os.replace(latest, place / _LATEST)
    for old in (*place.glob("*.parquet"), *place.glob("*.parquet.part")):
        if old.name != f"{name}.parquet":
            old.unlink()
    return record
