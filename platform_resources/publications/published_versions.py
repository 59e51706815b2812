"""Published versions on local disk: immutable files, a record per version, and a pointer to the published ones."""

import os
import shutil
import stat
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.publications.recorded_versions import RecordedVersions
from platform_resources.publications.version_records import (
    PortDraft,
    PortVersion,
    Publication,
    Versions,
    WriterFailed,
    WrittenPort,
    pointer_to,
    publication_of,
    with_names,
)
from platform_resources.publications.whole_files import read_json, replace_json
from platform_resources.settings import STORE
from platform_resources.spec.values.versions import Version
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.targets import warehouse

POINTER = "latest.json"
RECORDS, PINS, STAGING = "versions", "pins", ".staging"
_ID = "%Y%m%dT%H%M%S.%fZ"
CLOSED = 0o700


@dataclass(frozen=True, slots=True)
class Shelf(Versions):
    """The folder with one product's published versions."""

    folder: Path

    def path(self, file: str) -> Path:
        """The path of a file in this folder."""
        return self.folder / file

    def where(self, version: PortVersion) -> PublishedFiles:
        return PublishedFiles(tuple(self.path(file).resolve() for file in version.files), version.format, version.columns)

    def published(self) -> tuple[Publication, ...]:
        """All readable versions, oldest first, according to the pointer."""
        ids = read_json(self.folder / POINTER).get("published", ())
        files = (self.folder / RECORDS / f"{version}.json" for version in ids)
        # A record that is gone was taken away between the two reads: that version is no longer kept.
        return tuple(publication_of(record, str(file)) for file in files if (record := read_json(file)))

    def latest(self) -> Publication | None:
        """The newest version; None before the first. Reads one file."""
        record = read_json(self.folder / POINTER).get("version")
        return publication_of(record, str(self.folder / POINTER)) if record else None

    def was_published(self) -> bool:
        """Whether there ever was a version, even if the pointer is gone."""
        return next((self.folder / RECORDS).glob("*.json"), None) is not None

    def pin(self, consumer: str, version: str) -> None:
        replace_json(self.folder / PINS / f"{consumer}.json", {"consumer": consumer, "version": version})

    def unpin(self, consumer: str) -> None:
        (self.folder / PINS / f"{consumer}.json").unlink(missing_ok=True)

    def pins(self) -> dict[str, str]:
        records = [read_json(path) for path in sorted((self.folder / PINS).glob("*.json"))]
        return {pin["consumer"]: pin["version"] for pin in records}

    def pinning(self) -> tuple[str, ...]:
        return tuple(file.stem for file in sorted((self.folder / PINS).glob("*.json")))

    def damage(self, version: PortVersion) -> str:
        """Why the files are damaged, judged by their sizes: a truncated text file is still readable."""
        size = sum(file.stat().st_size for file in (*self.where(version).files, *map(self.path, version.own_files)))
        published = (version.bytes or 0) + sum(version.own_files.values())
        return "" if size == published else f"its files have {size:,} bytes, and {published:,} were published"

    def claim(self) -> str:
        """Whoever writes files here has the same lock."""
        return ""

    def confirm(self) -> None:
        """The lock is held until it is let go."""

    def let_go(self) -> None:
        """Nothing was claimed."""

    def hand_over(self, close: Callable[[], object]) -> None:
        """The database is where it is needed."""

    def complete(self) -> None:
        """Every file is here."""

    def staging(self, version: str) -> Path:
        """The folder into which a version is written before publication: `<port>/<file>`."""
        return self.folder / STAGING / version

    def begin(self, version: str) -> None:
        """Create an empty staging folder for the version, deleting leftovers of former attempts."""
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)
        self.made(self.folder)
        (self.folder / STAGING).mkdir(mode=CLOSED, exist_ok=True)
        self.staging(version).mkdir()

    def write(self, database: ProductDatabase, draft: PortDraft) -> WrittenPort:
        """Write one port. Ports with the same data set and format share a file by a hard link."""
        file = port_file(draft.port, draft.product_version, draft.version, draft.data_set, draft.store.format, draft.view)
        within = _within(file, draft.version)
        staged = self.staging(draft.version)
        path = staged / draft.port / within
        twin = next(staged.glob(f"*/{within}"), None)
        path.parent.mkdir(parents=True, exist_ok=True)
        published = PublishedFiles((path,), draft.store.format, draft.columns)
        if twin is None:
            database.write(draft.relation, published, draft.shown)
            _sync(path)
        else:
            os.link(twin, path)
        own_files = _written_by(draft, published, file)
        return WrittenPort(published, (file,), path.stat().st_size, shared=twin is not None, own_files=own_files)

    def staged(self, version: str, port: PortVersion) -> PublishedFiles:
        files = tuple(self.staging(version) / port.port / _within(file, version) for file in port.files)
        return PublishedFiles(files, port.format, port.columns)

    def publish(self, publication: Publication) -> None:
        """Move staged files into place, write the record, and replace the pointer, the one step that publishes."""
        self.move(publication.id, publication.ports)
        replace_json(self.folder / RECORDS / f"{publication.id}.json", asdict(publication))
        self.point_at([*self.published(), publication])
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)

    def move(self, version: str, ports: Iterable[PortVersion]) -> None:
        """Move the staged files of these ports to the places in their records."""
        for port in ports:
            self.made(self.folder / port.port)
            for file, staged in self.staged_files(version, [port]):
                target = self.path(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged, target)

    def staged_files(self, version: str, ports: Iterable[PortVersion]) -> Iterator[tuple[str, Path]]:
        """The places in their records of the ports' files, and where these lie before the publication."""
        for port in ports:
            yield from ((file, self.staging(version) / port.port / _within(file, version)) for file in files_of_ports([port]))

    def made(self, folder: Path) -> None:
        """A new folder is closed to others where that of all ports is: it would stand open until the next `mesh access apply`."""
        ports = self.folder.parents[1]
        is_closed = ports.is_dir() and not ports.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=CLOSED if is_closed else 0o777)

    def point_at(self, staying: Sequence[Publication]) -> None:
        """Replace the pointer; it includes the newest record, so a reader needs one file."""
        replace_json(self.folder / POINTER, pointer_to(staying))

    def rename(self, ports: Mapping[str, str], data_sets: Mapping[str, str]) -> None:
        """Rename ports and data sets in all records, the pointer last."""
        for file in sorted((self.folder / RECORDS).glob("*.json")):
            record = read_json(file)
            if (now := with_names(record, ports, data_sets)) != record:
                replace_json(file, now)
        pointer = read_json(self.folder / POINTER)
        latest = pointer.get("version")
        if latest and (now := with_names(latest, ports, data_sets)) != latest:
            replace_json(self.folder / POINTER, {**pointer, "version": now})

    def remove(self) -> None:
        """Readers find nothing rather than a part. Roles have links to the files in folders that go with them."""
        (self.folder / POINTER).unlink(missing_ok=True)
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def keep_only(self, staying: Sequence[Publication]) -> None:
        self.keep_ids({publication.id for publication in staying})

    def keep_ids(self, kept: Collection[str]) -> None:
        """Delete folders and records of all other versions."""
        for folder in self.folder.glob("*/v*/*"):
            if folder.is_dir() and folder.name not in kept and folder.parts[-3] != conventions.BY_ROLE:
                shutil.rmtree(folder)
        records = {f"{version}.json" for version in kept}
        for record in (self.folder / RECORDS).glob("*"):
            if record.name not in records:
                record.unlink()


def files_of_ports(ports: Iterable[PortVersion]) -> Iterator[str]:
    """The files of the ports and of their views, each port's once."""
    for port in ports:
        yield from dict.fromkeys(file for part in port.parts for file in (*part.files, *part.own_files))


def shelf(state: Path, domain: str, product: str) -> Versions:
    """The storage of a product's versions: the warehouse if it stores them itself, what machines share, otherwise local disk."""
    if STORE.value(os.environ):
        from platform_resources.publications.shared_versions import shared_shelf

        return shared_shelf(state, domain, product)
    chosen = warehouse()
    rows, files = chosen.version_rows(domain, product), files_of(state, domain, product)
    if rows is None:
        return files
    return RecordedVersions(rows, files, state, f"what {chosen.kind} has of versions of {domain}/{product}")


def files_home(state: Path) -> Path:
    """The folder with ports/ in it, also where other ports are rows in a warehouse."""
    kind = warehouse().kind
    return state if kind == "duckdb" else state / kind


def files_of(state: Path, domain: str, product: str) -> Shelf:
    """The product's versions as far as they are files."""
    return Shelf(files_home(state) / conventions.ports_folder(domain, product))


def publishing(state: Path, product: str = "*") -> tuple[tuple[str, str], ...]:
    """Domain and name of every product that has published, or of those with this name."""
    chosen = warehouse()
    if chosen.kind != "duckdb":
        return tuple(place for place in chosen.products(state) if product in ("*", place[1]))
    if STORE.value(os.environ):
        from platform_resources.publications.shared_versions import bring_pointers

        bring_pointers(state, product)
    pointers = state.glob(f"{conventions.ports_folder('*', product)}/{POINTER}")
    # The folder of a former name leads to the one of the product's name.
    there = (file.parent for file in pointers if product != "*" or not file.parent.is_symlink())
    return tuple(sorted((folder.parent.name, folder.name) for folder in there))


def version_id(now: datetime) -> str:
    """An id that sorts by publication time: `20261120T050301.123456Z`."""
    return now.strftime(_ID)


def published_at(version: str) -> datetime:
    """When the version of this id was published."""
    return datetime.strptime(version, _ID).replace(tzinfo=UTC)


def port_file(port: str, product_version: str, version: str, data_set: str, file_format: str, view: str = "") -> str:
    """The path of a port's file within the shelf; that of a view is in a folder of its own."""
    return f"{port}/v{Version.parse(product_version).major}/{version}/{f'{view}/' if view else ''}{data_set}.{file_format}"


def _written_by(draft: PortDraft, published: PublishedFiles, file: str) -> dict[str, int]:
    """Have the interface's own writer write its file beside those of the platform. Raises WriterFailed."""
    writer = draft.store.writer
    if writer is None:
        return {}
    target = published.files[0].with_suffix(f".{writer.suffix}")
    try:
        writer.write(published.files, published.columns, target)
    except (Exception, SystemExit) as error:  # whatever a package's code raises; its text may quote a value
        at = traceback.extract_tb(error.__traceback__)[-1]
        problem = f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}"
        raise WriterFailed(f"the {writer.suffix} file cannot be written: {problem}") from error
    if not target.is_file():
        raise WriterFailed(f"the {writer.suffix} file was not written, and no error was told")
    _sync(target)
    return {str(Path(file).with_suffix(f".{writer.suffix}")): target.stat().st_size}


def _within(file: str, version: str) -> str:
    """The part of a file's place that follows its version."""
    return file.partition(f"/{version}/")[2]


def _sync(path: Path) -> None:
    """A version must survive a power cut that comes after its publication."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
