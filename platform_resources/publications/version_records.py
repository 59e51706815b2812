"""What is recorded of a published version, and what a place that keeps versions does."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from platform_resources.access.views import View
from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Store
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.capabilities.support.recency import known_until
from platform_resources.plan.plan import ProductPlan
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.versions import Version, VersionRange
from platform_resources.warehouses.protocol import CatalogView, ProductDatabase, PublishedPort, ShownPart

# A reader that has just looked at the pointer still finds the version it saw, however few are kept.
GRACE = timedelta(minutes=10)


class WriterFailed(Exception):
    """Raised when the writer of an interface fails, or writes no file; quotes nothing that the data may hold."""


class VersionsUnreadable(Exception):
    """Raised when what says what is published is damaged or may not be read; names the file, or where else it is, and what to do."""

    def __init__(self, origin: Path | str, what: str) -> None:
        super().__init__(f"{origin} cannot be read: {what}\n{_REMEDY}")
        self.file, self.what = origin, what


_REMEDY = "restore it from a backup; without one, move it away and refresh the product, which publishes a new version"


@dataclass(frozen=True, slots=True)
class ViewVersion:
    """What one view of a port holds in one version, how it shows each column, and which rows; the rest is as in PortVersion."""

    rows: int
    columns: Mapping[str, str]
    files: tuple[str, ...]
    bytes: int | None
    shows: Mapping[str, str]
    condition: str = ""
    own_files: Mapping[str, int] = field(default_factory=dict)

    def is_within(self, view: View) -> bool:
        """Whether all that it shows is what `view` shows too: the same rows, and no other column or mask."""
        allowed = {folded_column(column.name): column.sql for column in view.columns}
        return self.condition == view.rows and all(allowed.get(folded_column(name)) == sql for name, sql in self.shows.items())


@dataclass(frozen=True, slots=True)
class PortVersion:
    """What one output port holds in one version; `files` are relative to the ports folder of the product, or name a warehouse's rows.

    `bytes` is None where the warehouse does not tell it of one version.

    `watermark` is until when it knows the world; where that is not known, `watermark_unknown` says why. `rows_ahead` are dated later than
    the publication, and tell nothing. `views` are what roles see of it, by the name of the view; versions of former times have none.
    `inherited` are columns that are more restricted than product.yaml says, with the class of what they are made from.
    `own_files` are what the writer of the port's interface has written beside the files, with their bytes.
    """

    port: str
    data_set: str
    format: FileFormat
    rows: int
    columns: Mapping[str, str]
    watermark: str | None
    files: tuple[str, ...]
    bytes: int | None
    watermark_unknown: str = ""
    rows_ahead: int = 0
    views: Mapping[str, ViewVersion] = field(default_factory=dict)
    own_files: Mapping[str, int] = field(default_factory=dict)
    inherited: Mapping[str, str] = field(default_factory=dict)

    def seen_as(self, view: View) -> "PortVersion | None":
        """The port as this view shows it, or the version's view that comes nearest and shows nothing else; None where there is none.

        One that shows everything is the whole, also of versions of former times, unless a column is more restricted than it says.
        """
        if view.shows_all_of(self.columns) and not self.inherited:
            return self
        within = (other for other in self.views.values() if other.is_within(view))
        shown = self.views.get(view.name) or max(within, key=lambda other: len(other.columns), default=None)
        if shown is None:
            return None
        parts = {part: getattr(shown, part) for part in ("rows", "columns", "files", "bytes", "own_files")}
        return replace(self, **parts, views={})

    def known_until(self, published_at: str) -> datetime | None:
        """As of when it is, at the latest its publication; None where that is not known. Old records without a watermark count as new."""
        watermark = datetime.fromisoformat(self.watermark) if self.watermark else None
        return known_until(datetime.fromisoformat(published_at), watermark, bool(self.watermark_unknown))


@dataclass(frozen=True, slots=True)
class Publication:
    """One published version of a product: all its ports, and what it was made from.

    `built_in` is the run that built what it holds; unknown of versions of former times.
    """

    id: str
    product: str
    product_version: str
    published_at: str
    run_id: str
    fingerprint: str
    inputs: Mapping[str, Mapping[str, Any]]
    ports: tuple[PortVersion, ...]
    built_in: str = ""

    def port(self, name: str) -> PortVersion | None:
        """The version's port with this name; None if it has none."""
        return next((p for p in self.ports if p.port == name), None)


@dataclass(frozen=True, slots=True)
class PortDraft:
    """One output port of a version that is about to be written, and the relation that it shows, or the part of it that a view shows."""

    version: str
    product_version: str
    port: str
    data_set: str
    store: Store
    relation: Relation
    columns: Mapping[str, str]
    view: str = ""
    shown: ShownPart | None = None


@dataclass(frozen=True, slots=True)
class WrittenPort:
    """Where a port was written. `shared` says that another port of the version has the same bytes, which were written for that one."""

    published: PublishedPort
    files: tuple[str, ...]
    bytes: int | None
    shared: bool = False
    own_files: Mapping[str, int] = field(default_factory=dict)


def catalog_view(product: ProductPlan, version: PortVersion, published: PublishedPort) -> CatalogView:
    """What SQL clients see of a port of a version, over these files."""
    spec = product.data_set(version.data_set).spec
    names = {folded_column(name): name for name in version.columns}
    described = {names[folded_column(c.name)]: c.description for c in spec.columns if folded_column(c.name) in names}
    return CatalogView(version.data_set, published, spec.description, described)


def newest_within(published: Sequence[Publication], versions: VersionRange, port: str) -> Publication | None:
    """The newest version whose product version is in the range and that has the port."""
    fitting = (version for version in reversed(published) if Version.parse(version.product_version) in versions)
    return next((version for version in fitting if version.port(port) is not None), None)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many versions each port keeps, and how old one may be that is not the newest; None: as old as may be."""

    versions: Mapping[str, int]
    retention: timedelta | None = None


def kept(published: Sequence[Publication], pinned: Iterable[str], keep: Keeping, now: datetime, grace: timedelta) -> set[str]:
    """Which of the published versions stay: those that a port keeps, that are pinned, that were superseded no longer than `grace` ago, and
    the newest of each major version. After the retention only the newest, pinned ones, and those within the grace do."""
    reading = set(pinned) | {version.id for version in published[-1:]}
    pairs = itertools.pairwise(published)
    reading |= {older.id for older, newer in pairs if now - datetime.fromisoformat(newer.published_at) < grace}
    most = max(keep.versions.values(), default=1)
    staying = {version.id for version in published[-most:]}
    staying |= {version.id for version in {Version.parse(version.product_version).major: version for version in published}.values()}
    return reading | (staying - {version.id for version in outlived(published, keep.retention, now)})


def outlived(published: Sequence[Publication], retention: timedelta | None, now: datetime) -> tuple[Publication, ...]:
    """The versions that are older than their retention."""
    if retention is None:
        return ()
    return tuple(version for version in published if now - datetime.fromisoformat(version.published_at) > retention)


def kept_longer(published: Sequence[Publication], pins: Mapping[str, str], retention: timedelta | None, now: datetime) -> Iterator[str]:
    """Which versions stay though they are older than their retention, and why."""
    for old in outlived(published, retention, now):
        readers = sorted(consumer for consumer, version in pins.items() if version == old.id)
        too_old = f"version {old.id} is older than its retention of {duration_text(retention)}" if retention is not None else ""
        if old is published[-1]:
            yield f"{too_old}, and stays because it is the one served; a refresh with newer data replaces it"
        elif readers:
            yield f"{too_old}, and stays while {', '.join(readers)} reads it; a refresh of that product lets it go"


def publication_of(record: Mapping[str, Any], origin: str) -> Publication:
    """Read a version from its record. Raises VersionsUnreadable, which names its `origin`."""
    try:
        ports = tuple(_port_of(port) for port in record["ports"])
        publication = Publication(**{**record, "ports": ports})
        datetime.fromisoformat(publication.published_at)
        for port in ports:
            port.known_until(publication.published_at)
    except (KeyError, TypeError, ValueError) as error:
        raise VersionsUnreadable(origin, f"it is no record of a version ({error})") from error
    return publication


def with_names(record: Mapping[str, Any], ports: Mapping[str, str], data_sets: Mapping[str, str]) -> dict[str, Any]:
    """The record of a version in which ports and data sets are called otherwise; its files stay where they are."""
    named = [
        {**port, "port": ports.get(port["port"], port["port"]), "data_set": data_sets.get(port["data_set"], port["data_set"])}
        for port in record["ports"]
    ]
    return {**record, "ports": named}


def _port_of(record: Mapping[str, Any]) -> PortVersion:
    views = {name: ViewVersion(**{**view, "files": tuple(view["files"])}) for name, view in record.get("views", {}).items()}
    return PortVersion(**{**record, "files": tuple(record["files"]), "views": views})


class Versions(Protocol):
    """One product's published versions, wherever they are kept. What reads them raises VersionsUnreadable.

    A version is published whole or not at all, and readers always find the last one that was.
    """

    def published(self) -> tuple[Publication, ...]:
        """Every version that may be read, oldest first."""

    def latest(self) -> Publication | None:
        """The newest version; None before the first."""

    def newest_within(self, versions: VersionRange, port: str) -> Publication | None:
        """The newest version whose product version is in the range and that has the port."""

    def was_published(self) -> bool:
        """Whether there ever was a version, also where it is lost which one is published."""

    def where(self, version: PortVersion) -> PublishedPort:
        """Where the rows of a port's version are, and how they are read."""

    def damage(self, version: PortVersion) -> str:
        """What of it is not as it was written, as far as that is seen without reading its rows; empty if nothing. Raises OSError."""

    def pin(self, consumer: str, version: str) -> None:
        """Keep `version` for as long as `consumer` (`<product>.<input port>`) reads it; its former pin is let go."""

    def unpin(self, consumer: str) -> None:
        """Let go what a consumer has pinned, if it has."""

    def pins(self) -> dict[str, str]:
        """Consumers and the version that each has pinned."""

    def release_pins(self, is_gone: Callable[[str], bool]) -> tuple[str, ...]:
        """Let go what consumers that are gone have pinned; gives their names."""

    def begin(self, version: str) -> None:
        """Before a version is written: take away what former attempts left. This and the next two are called under the product's lock."""

    def write(self, database: ProductDatabase, draft: PortDraft) -> WrittenPort:
        """Write one port of the version that was begun; nobody reads it yet. Raises EngineError, NotSupported, OSError."""

    def publish(self, publication: Publication) -> None:
        """Publish all that was written of a version, in one step."""

    def rename(self, ports: Mapping[str, str], data_sets: Mapping[str, str]) -> None:
        """Name ports and data sets otherwise in every record. Called under the product's lock."""

    def prune(self, keep: Keeping, now: datetime) -> tuple[str, ...]:
        """Take away versions that no port keeps or that are older than they may be, and nobody reads; gives their ids."""
