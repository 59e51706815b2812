"""The record of a published version, and the interface of a storage for versions."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import CatalogView, PublishedPort, ShownPart

# A reader that has just looked at the pointer still finds the version it saw, however few are kept.
GRACE = timedelta(minutes=10)


class WriterFailed(Exception):
    """Raised if an interface's writer fails or writes no file; contains no data values."""


class VersionsUnreadable(Exception):
    """Raised if version records are damaged or unreadable; names the file or place, and what to do."""

    def __init__(self, origin: Path | str, what: str) -> None:
        super().__init__(f"{origin} cannot be read: {what}\n{_REMEDY}")
        self.file, self.what = origin, what


_REMEDY = "restore it from a backup; without one, move it away and refresh the product, which publishes a new version"


@dataclass(frozen=True, slots=True)
class ViewVersion:
    """One role view of a port in one version: its columns, their masks, and its rows; other fields as in PortVersion."""

    rows: int
    columns: Mapping[str, str]
    files: tuple[str, ...]
    bytes: int | None
    shows: Mapping[str, str]
    condition: str = ""
    own_files: Mapping[str, int] = field(default_factory=dict)

    def is_within(self, view: View) -> bool:
        """Whether it shows nothing beyond `view`: the same rows, and only columns of it in the same form."""
        allowed = {folded_column(column.name): column.sql for column in view.columns}
        return self.condition == view.rows and all(allowed.get(folded_column(name)) == sql for name, sql in self.shows.items())


@dataclass(frozen=True, slots=True)
class PortVersion:
    """One output port in one version; `files` are relative to the product's ports folder, or name warehouse rows.

    `bytes` is None where the warehouse does not tell it of one version.

    `watermark` is until when it knows the world; where that is not known, `watermark_unknown` says why. `rows_ahead` are dated later than
    the publication, and tell nothing. `views` are what roles see of it, by the name of the view; versions of former times have none.
    `inherited` are columns that are more restricted than product.yaml says, with the class of what they are made from.
    `own_files` are what the writer of the port's interface has written beside the files, with their bytes. `version` is the port's own
    where it is of an older major than the product.
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
    version: str = ""

    @property
    def parts(self) -> tuple["PortVersion", ...]:
        """The port itself, and as each of its views has it."""
        shown = (replace(self, columns=view.columns, files=view.files, own_files=view.own_files, views={}) for view in self.views.values())
        return (self, *shown)

    def seen_as(self, view: View) -> "PortVersion | None":
        """The port restricted to this view, or to the closest stored view that shows no more; None without one.

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
        """As of when the data are known, at most the publication time; None if unknown. Old records without a watermark count as new."""
        watermark = datetime.fromisoformat(self.watermark) if self.watermark else None
        return known_until(datetime.fromisoformat(published_at), watermark, bool(self.watermark_unknown))


@dataclass(frozen=True, slots=True)
class Publication:
    """One published version of a product: all its ports, and the inputs it was made from.

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

    def version_of(self, port: PortVersion) -> Version:
        """The semantic version of one of its ports."""
        return Version.parse(port.version or self.product_version)


@dataclass(frozen=True, slots=True)
class PortDraft:
    """One output port of a version about to be written: the relation or role view that it publishes."""

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
    """The place of a written port. `shared`: another port of the version has the same bytes, already written."""

    published: PublishedPort
    files: tuple[str, ...]
    bytes: int | None
    shared: bool = False
    own_files: Mapping[str, int] = field(default_factory=dict)


def catalog_view(product: ProductPlan, version: PortVersion, published: PublishedPort) -> CatalogView:
    """The view through which SQL clients read a port's version from these files."""
    spec = product.data_set(version.data_set).spec
    names = {folded_column(name): name for name in version.columns}
    described = {names[folded_column(c.name)]: c.description for c in spec.columns if folded_column(c.name) in names}
    return CatalogView(version.data_set, published, spec.description, described)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many versions each port keeps, and the age at which others expire; None: never."""

    versions: Mapping[str, int]
    retention: timedelta | None = None


def kept(published: Sequence[Publication], pinned: Iterable[str], keep: Keeping, now: datetime, grace: timedelta) -> set[str]:
    """The ids of the versions to keep: those that a port keeps, pinned ones, recently superseded ones, the newest of each
    major version of each port that there is.

    Recently is within `grace`. Past the retention only the newest, pinned ones and those within the grace stay."""
    reading = set(pinned) | {version.id for version in published[-1:]}
    pairs = itertools.pairwise(published)
    reading |= {older.id for older, newer in pairs if now - datetime.fromisoformat(newer.published_at) < grace}
    most = max(keep.versions.values(), default=1)
    staying = {version.id for version in published[-most:]}
    ports = ((version, port) for version in published for port in version.ports if port.port in keep.versions)
    staying |= {version.id for version in {(port.port, version.version_of(port).major): version for version, port in ports}.values()}
    return reading | (staying - {version.id for version in outlived(published, keep.retention, now)})


def outlived(published: Sequence[Publication], retention: timedelta | None, now: datetime) -> tuple[Publication, ...]:
    """The versions older than the retention."""
    if retention is None:
        return ()
    return tuple(version for version in published if now - datetime.fromisoformat(version.published_at) > retention)


def kept_longer(published: Sequence[Publication], pins: Mapping[str, str], retention: timedelta | None, now: datetime) -> Iterator[str]:
    """Versions that stay although they are older than the retention, and why."""
    for old in outlived(published, retention, now):
        readers = sorted(consumer for consumer, version in pins.items() if version == old.id)
        too_old = f"version {old.id} is older than its retention of {duration_text(retention)}" if retention is not None else ""
        if old is published[-1]:
            yield f"{too_old}, and stays because it is the one served; a refresh with newer data replaces it"
        elif readers:
            yield f"{too_old}, and stays while {', '.join(readers)} reads it; a refresh of that product lets it go"


def publication_of(record: Mapping[str, Any], origin: str) -> Publication:
    """Parse a version's record. Raises VersionsUnreadable, naming its `origin`."""
    try:
        ports = tuple(_port_of(port) for port in record["ports"])
        publication = Publication(**{**record, "ports": ports})
        datetime.fromisoformat(publication.published_at)
        for port in ports:
            port.known_until(publication.published_at)
    except (KeyError, TypeError, ValueError) as error:
        raise VersionsUnreadable(origin, f"it is no record of a version ({error})") from error
    return publication


def pointer_to(published: Sequence[Publication]) -> dict[str, Any]:
    """What a pointer says of these versions, the newest last; with its record, so that a reader needs nothing else."""
    latest = published[-1]
    return {"latest": latest.id, "published": [publication.id for publication in published], "version": asdict(latest)}


def with_names(record: Mapping[str, Any], ports: Mapping[str, str], data_sets: Mapping[str, str]) -> dict[str, Any]:
    """The record with ports and data sets renamed; the files stay where they are."""
    named = [
        {**port, "port": ports.get(port["port"], port["port"]), "data_set": data_sets.get(port["data_set"], port["data_set"])}
        for port in record["ports"]
    ]
    return {**record, "ports": named}


def _port_of(record: Mapping[str, Any]) -> PortVersion:
    views = {name: ViewVersion(**{**view, "files": tuple(view["files"])}) for name, view in record.get("views", {}).items()}
    return PortVersion(**{**record, "files": tuple(record["files"]), "views": views})


class Versions(Protocol):
    """The storage of one product's published versions. All reads raise VersionsUnreadable.

    A version is published whole or not at all, and readers always find the last one that was. What does not depend on where versions
    lie stands here: which one is in a range, whose pins go, and which versions stay.
    """

    def published(self) -> tuple[Publication, ...]:
        """All readable versions, oldest first."""

    def latest(self) -> Publication | None:
        """The newest version; None before the first."""

    def newest_within(self, versions: VersionRange, port: str) -> Publication | None:
        """The newest version that has the port, with a semantic version in the range."""
        having = ((version, held) for version in reversed(self.published()) if (held := version.port(port)) is not None)
        return next((version for version, held in having if version.version_of(held) in versions), None)

    def was_published(self) -> bool:
        """Whether there ever was a version, even if the pointer to it is lost."""

    def where(self, version: PortVersion) -> PublishedPort:
        """Where the rows of a port's version are stored, and how to read them."""

    def damage(self, version: PortVersion) -> str:
        """What differs from the written version, as far as visible without reading rows; empty if nothing. Raises OSError."""

    def pin(self, consumer: str, version: str) -> None:
        """Keep `version` while `consumer` (`<product>.<input port>`) reads it; releases its former pin."""

    def unpin(self, consumer: str) -> None:
        """Release the consumer's pin, if it has one."""

    def pins(self) -> dict[str, str]:
        """The pinned version of each consumer."""

    def pinning(self) -> tuple[str, ...]:
        """Who has pinned a version."""
        return tuple(self.pins())

    def release_pins(self, is_gone: Callable[[str], bool]) -> tuple[str, ...]:
        """Release the pins of consumers that are gone; returns their names."""
        gone = tuple(consumer for consumer in self.pinning() if is_gone(consumer))
        for consumer in gone:
            self.unpin(consumer)
        return gone

    def claim(self) -> str:
        """Keep other machines out for a while, where they could refresh the product too; gives who has it, empty where it is this one."""

    def confirm(self) -> None:
        """Raises DatabaseBusy where another process has claimed the product since; ask right before readers see what no pointer decides."""

    def let_go(self) -> None:
        """Let other machines in."""

    def hand_over(self, close: Callable[[], object]) -> None:
        """Have the product's database where another machine would go on from; `close` closes it here. Call this under the claim."""

    def complete(self) -> None:
        """Have every file of every version on this machine."""

    def begin(self, version: str) -> None:
        """Delete leftovers before a version is written. Call this and the next two under the product's lock."""

    def write(self, database: ProductDatabase, draft: PortDraft) -> WrittenPort:
        """Write one port of the version that was begun, not readable yet. Raises EngineError, NotSupported, OSError."""

    def staged(self, version: str, port: PortVersion) -> PublishedPort:
        """Where the rows of a port are that was written and is not published yet."""

    def publish(self, publication: Publication) -> None:
        """Publish everything written of the version in one step."""

    def rename(self, ports: Mapping[str, str], data_sets: Mapping[str, str]) -> None:
        """Rename ports and data sets in all records. Call under the product's lock."""

    def prune(self, keep: Keeping, now: datetime, grace: timedelta = GRACE) -> tuple[str, ...]:
        """Delete versions that no port keeps, no consumer has pinned, and that were superseded longer than `grace` ago; returns their ids.

        The newest version of each major of a port stays until its retention ends, or the port is gone. The pointer forgets a version
        before its files or rows go.
        """
        published = self.published()
        if not published:
            return ()
        kept_ids = kept(published, self.pins().values(), keep, now, grace)
        staying = [version for version in published if version.id in kept_ids]
        if len(staying) < len(published):
            self.point_at(staying)
        self.keep_only(staying)
        return tuple(version.id for version in published if version.id not in kept_ids)

    def point_at(self, staying: Sequence[Publication]) -> None:
        """Have the pointer name these versions, the newest last, and no other."""

    def keep_only(self, staying: Sequence[Publication]) -> None:
        """Delete all other versions, also leftovers of killed publications."""

    def remove(self) -> None:
        """Take all versions away, whoever reads them, the pointer first. Call under the product's lock; a second time changes nothing."""
