"""Pages that all server processes of a mesh share, and as of when they are current: one SQLite file in the mesh's state.

Only pages for those who see everything are in it, so only its owner may read it. It may be deleted at any time: then pages are made anew.
"""

import gzip
import json
import logging
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.services.showing.mesh_overview import LedgerMark

FILE = ".mesh/marketplace/pages.sqlite"
MOST_BYTES = 500_000_000
FIND = "select packed, at, tag, mark, same, about, media from pages where address = ?"
PUT = "insert or replace into pages values (?, ?, ?, ?, ?, ?, ?, ?)"
TOLD = "select at, value from told where name = ?"
USED = "select (c.page_count - f.freelist_count) * s.page_size from pragma_page_count c, pragma_freelist_count f, pragma_page_size s"
DROP_FIRST = "delete from pages where rowid in (select rowid from pages order by rowid limit (select count(*) / 8 + 1 from pages))"
TABLES = (
    "create table if not exists pages "
    "(address text primary key, packed blob, at text, tag text, mark text, same text, about text, media text)",
    "create table if not exists told (name text primary key, at text, value text)",
)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """One page, compressed. It shows the mesh as of `at`, `mark` and `same`; `about` are the products it shows; None: the whole mesh."""

    packed: bytes
    at: datetime
    tag: str
    mark: LedgerMark
    same: str
    about: frozenset[str] | None
    media: str

    @property
    def body(self) -> bytes:
        """The uncompressed page."""
        return gzip.decompress(self.packed)


@dataclass(frozen=True, slots=True)
class SeenLast:
    """What the process that judges for all saw last, as far as it decides which pages are current.

    Nobody relies on it after `until`, nor once a process has `written` later than that.
    """

    at: datetime
    mark: LedgerMark
    same: str
    changed: Mapping[str, datetime]
    until: datetime
    written: int


@dataclass(frozen=True, slots=True)
class LastAsked:
    """When somebody asked last, of which server, and how they call it; `server` is empty if they do not see everything."""

    at: datetime
    server: str
    scheme: str
    host: str


class SharedPages:
    """The file, open for one process. Reading never waits for writing; what cannot be read or written now is as if it were not kept."""

    def __init__(self, file: Path) -> None:
        self.reading, self.writing = _opened(file), _opened(file)

    def find(self, address: str) -> KeptPage | None:
        """The page of this address, whether or not it is current."""
        for packed, at, tag, mark, same, about, media in self._rows(FIND, address):
            names = json.loads(about)
            return KeptPage(packed, _at(at), tag, _mark(json.loads(mark)), same, None if names is None else frozenset(names), media)
        return None

    def put(self, address: str, page: KeptPage) -> None:
        """Keep the page; where there is no room, those that were made first go."""
        about = json.dumps(None if page.about is None else sorted(page.about))
        self._write(PUT, address, page.packed, page.at.isoformat(), page.tag, json.dumps(page.mark), page.same, about, page.media)
        if any(used > MOST_BYTES for (used,) in self._rows(USED)):
            self._write(DROP_FIRST)

    def drop_before(self, at: datetime) -> None:
        """Forget pages that were made before."""
        self._write("delete from pages where at < ?", at.isoformat())

    def tell(self, seen: SeenLast) -> None:
        """Say to all processes as of when pages are current."""
        changed = {name: at.isoformat() for name, at in seen.changed.items()}
        self._tell("seen", seen.at, [seen.mark, seen.same, changed, seen.until.isoformat(), seen.written])

    def seen_last(self, known: SeenLast | None) -> SeenLast | None:
        """What was told last; `known` if that is it, None if nothing is."""
        for at, value in self._rows(TOLD, "seen"):
            if known is None or at != known.at.isoformat():
                mark, same, changed, until, written = json.loads(value)
                since = {name: _at(changed_at) for name, changed_at in changed.items()}
                return SeenLast(_at(at), _mark(mark), same, since, _at(until), written)
            return known
        return None

    def tell_nothing(self) -> None:
        """Have every process look for itself as of when pages are current."""
        self._write("delete from told where name = ?", "seen")

    def ask(self, asked: LastAsked) -> None:
        """Say to the process that makes pages that somebody has asked."""
        self._tell("asked", asked.at, [asked.server, asked.scheme, asked.host])

    def asked(self) -> LastAsked | None:
        """Who asked last."""
        return next((LastAsked(_at(at), *json.loads(value)) for at, value in self._rows(TOLD, "asked")), None)

    def _tell(self, name: str, at: datetime, value: list[Any]) -> None:
        self._write("insert or replace into told values (?, ?, ?)", name, at.isoformat(), json.dumps(value))

    def _rows(self, query: str, *values: Any) -> list[Any]:
        try:
            return self.reading.execute(query, values).fetchall()
        except sqlite3.Error as error:
            logging.getLogger(__name__).warning(f"shared pages cannot be read: {error}")
            return []

    def _write(self, statement: str, *values: Any) -> None:
        try:
            self.writing.execute(statement, values)
        except sqlite3.Error as error:
            logging.getLogger(__name__).warning(f"shared pages cannot be written: {error}")


def shared_pages(state: Path) -> SharedPages | None:
    """The pages that processes of this mesh share; None if others might open the file. If it is no whole database, it is made anew."""
    file = state / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    seen = file.stat()
    if seen.st_uid != os.geteuid() or seen.st_mode & 0o077:
        logging.getLogger(__name__).warning(f"{file} is not used: others own it or may open it; delete it, and it is made anew")
        return None
    try:
        return SharedPages(file)
    except sqlite3.DatabaseError as error:
        logging.getLogger(__name__).warning(f"{file} cannot be read ({error}); it is made anew")
        for part in file.parent.glob(f"{file.name}*"):
            part.unlink(missing_ok=True)
        file.touch(mode=0o600)
        return SharedPages(file)


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=5, isolation_level=None, check_same_thread=False)
    # What is lost when the machine stops is made anew.
    for statement in ("pragma journal_mode = wal", "pragma synchronous = off", *TABLES):
        database.execute(statement)
    return database


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _mark(value: list[Any]) -> LedgerMark:
    """As a ledger's mark is compared: JSON has no tuples."""
    read_until, *newest = value
    event, change, decision = newest
    return tuple((kind, number) for kind, number in read_until), event, change, decision
