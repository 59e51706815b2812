"""Published versions inside the warehouse: rows keyed by version id, a record per version, and a pointer row."""

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_resources.publications.own_claims import claiming, last_claim
from platform_resources.publications.version_records import (
    PortDraft,
    PortVersion,
    Publication,
    Versions,
    VersionsUnreadable,
    WrittenPort,
    pointer_to,
    publication_of,
    with_names,
)
from platform_resources.warehouses.engine_errors import DatabaseBusy, NotSupported
from platform_resources.warehouses.protocol import ProductDatabase, VersionRows
from platform_resources.warehouses.published_places import PublishedPort

if TYPE_CHECKING:
    from platform_resources.publications.published_versions import Shelf

# The pointer also carries the newest record, so that a reader needs one note. Warehouses read `latest` of it for their catalogs.
POINTER, NEWEST = "pointer", "latest"
# For so long a claim keeps other machines out; a refresh that takes longer may lose its claim, and then publishes nothing.
LEASE = timedelta(hours=1)
_RECORDS, _PINS, _ROWS = "version", "pin", "rows:"


@dataclass(frozen=True, slots=True)
class RecordedVersions(Versions):
    """One product's versions: `rows` are those of SQL ports, `files` those of other ports; the pointer row decides for both.

    Who reads files alone finds a pointer beside them too, which is replaced after the one that decides.
    """

    rows: VersionRows
    files: "Shelf"
    state: Path
    origin: str

    def _pointer(self) -> Mapping[str, Any]:
        return self._json(self.rows.remembered(POINTER).get(NEWEST, "{}"))

    def _json(self, text: str) -> dict[str, Any]:
        try:
            record = json.loads(text)
        except ValueError as error:
            raise VersionsUnreadable(self.origin, f"a note is damaged ({error})") from error
        if not isinstance(record, dict):
            raise VersionsUnreadable(self.origin, "a note is damaged (no JSON object)")
        return record

    def published(self) -> tuple[Publication, ...]:
        """All readable versions, oldest first, according to the pointer."""
        ids = self._pointer().get("published", ())
        records = self.rows.remembered(_RECORDS) if ids else {}
        return tuple(publication_of(self._json(records[version]), self.origin) for version in ids if version in records)

    def latest(self) -> Publication | None:
        """The newest version; None before the first. Reads one record."""
        record = self._pointer().get("version")
        return publication_of(record, self.origin) if record else None

    def was_published(self) -> bool:
        """Whether there ever was a version, even if the pointer is gone."""
        return bool(self.rows.remembered(_RECORDS))

    def where(self, version: PortVersion) -> PublishedPort:
        (file, *_) = version.files
        if not file.startswith(_ROWS):
            return self.files.where(version)
        table, identity, view = _named(file)
        return self.rows.place(table, identity, version.columns, view)

    def damage(self, version: PortVersion) -> str:
        """Why files are damaged, by their sizes; rows are the warehouse's responsibility."""
        return "" if version.files[0].startswith(_ROWS) else self.files.damage(version)

    def pin(self, consumer: str, version: str) -> None:
        self.rows.remember(_PINS, consumer, version)

    def unpin(self, consumer: str) -> None:
        self.rows.forget(_PINS, consumer)

    def pins(self) -> dict[str, str]:
        return self.rows.remembered(_PINS)

    @property
    def _holder(self) -> str:
        """One process at a time has the lock of this machine's state folder."""
        return self._holding(last_claim(self.state, *self._place))

    def _holding(self, claim: str) -> str:
        return f"{platform.node()}:{self.files.folder} ({claim})"

    @property
    def _place(self) -> tuple[str, str]:
        return self.files.folder.parent.name, self.files.folder.name

    def claim(self) -> str:
        """Claimed anew with each lock; a machine that died is waited for until its claim is over."""
        return claiming(self.state, *self._place, self._claimed)

    def _claimed(self, former: Sequence[str], claim: str) -> str:
        now = datetime.now(UTC)
        return self.rows.claim(self._holding(claim), [self._holding(own) for own in former or ("",)], now, now + LEASE)

    def confirm(self) -> None:
        if not self.rows.holds(self._holder):
            raise DatabaseBusy(self._lost)

    @property
    def _lost(self) -> str:
        return f"another place has begun to refresh {self.files.folder.name}; see what comes of that"

    def let_go(self) -> None:
        self.rows.let_go(self._holder)

    def hand_over(self, close: Callable[[], object]) -> None:
        """The database is where all machines find it."""

    def complete(self) -> None:
        """Rows are where all machines find them."""

    def begin(self, version: str) -> None:
        """Delete leftovers of killed attempts: rows and records of versions unknown to the pointer.

        What the first refresh found nothing to claim in is there by now.
        """
        self.confirm()
        if self._claimed((), last_claim(self.state, *self._place)):
            raise DatabaseBusy(self._lost)
        published = self.published()
        if version in (publication.id for publication in published):
            raise VersionsUnreadable(self.origin, f"version {version} is published already, at the same microsecond")
        self.keep_only(published)
        self.files.begin(version)

    def keep_only(self, staying: Sequence[Publication]) -> None:
        self.confirm()
        ids = [publication.id for publication in staying]
        for gone in self.rows.remembered(_RECORDS).keys() - set(ids):
            self.rows.forget(_RECORDS, gone, self._holder)
        seen = (view.files[0] for publication in staying for port in publication.ports for view in port.views.values())
        views = {(table, view) for table, _, view in map(_named, seen) if view}
        self.rows.keep_only(ids, views, self._holder)
        self.files.keep_only(staying)

    def write(self, database: ProductDatabase, draft: PortDraft) -> WrittenPort:
        """Write rows for SQL ports, once per data set, with the rows of their views; other ports get a file."""
        if not draft.store.in_catalog:
            return self.files.write(database, draft)
        if draft.store.writer is not None:
            raise NotSupported(f"a {draft.store.suffix} file is written from files, and this warehouse keeps the port's rows in tables")
        place = self.rows.place(draft.data_set, draft.version, draft.columns, draft.view)
        shared = not draft.view and self.rows.has_rows(place)
        if not shared:
            database.write(draft.relation, place, draft.shown)
        file = "/".join(part for part in (draft.data_set, draft.version, draft.view) if part)
        return WrittenPort(place, (f"{_ROWS}{file}",), None, shared)

    def staged(self, version: str, port: PortVersion) -> PublishedPort:
        """Rows stay where they are; files are moved."""
        return self.where(port) if port.files[0].startswith(_ROWS) else self.files.staged(version, port)

    def publish(self, publication: Publication) -> None:
        """Move files in place, write the record, and replace the pointer: the one statement that publishes.

        Raises DatabaseBusy where another machine has claimed the product meanwhile: then nothing is published.
        """
        self.files.move(publication.id, [port for port in publication.ports if not port.files[0].startswith(_ROWS)])
        self.rows.remember(_RECORDS, publication.id, json.dumps(asdict(publication)))
        self.point_at([*self.published(), publication])

    def point_at(self, staying: Sequence[Publication]) -> None:
        if not self.rows.point(json.dumps(pointer_to(staying)), self._holder):
            raise DatabaseBusy(f"version {staying[-1].id} is not published: {self._lost}")
        self.files.point_at(staying)

    def rename(self, ports: Mapping[str, str], data_sets: Mapping[str, str]) -> None:
        """Rename ports and data sets in all records, the pointer last."""
        self.confirm()
        for name, text in self.rows.remembered(_RECORDS).items():
            record = self._json(text)
            if (now := with_names(record, ports, data_sets)) != record:
                self.rows.remember(_RECORDS, name, json.dumps(now), self._holder)
        pointer = self._pointer()
        latest = pointer.get("version")
        if latest and (now := with_names(latest, ports, data_sets)) != latest:
            self.rows.remember(POINTER, NEWEST, json.dumps({**pointer, "version": now}), self._holder)
            self.confirm()

    def remove(self) -> None:
        """Nobody finds rows without a pointer; they go with the product's database."""
        self.rows.forget(POINTER, NEWEST, self._holder)
        for version in self.rows.remembered(_RECORDS):
            self.rows.forget(_RECORDS, version, self._holder)
        self.confirm()
        self.files.remove()


def _named(file: str) -> tuple[str, str, str]:
    """Data set, version and view of rows; nothing of a file."""
    if not file.startswith(_ROWS):
        return "", "", ""
    table, version, view = (*file.removeprefix(_ROWS).split("/"), "")[:3]
    return table, version, view
