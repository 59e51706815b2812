"""Published versions on disk: immutable files, one record per version, and one pointer that decides which are published."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from platform_resources.plan import conventions
from platform_resources.publications.version_records import PortVersion, Publication, Versions, VersionsUnreadable
from platform_resources.spec.values.versions import Version, VersionRange
from platform_resources.warehouses.protocol import PublishedFiles

POINTER = "latest.json"
RECORDS, PINS, STAGING = "versions", "pins", ".staging"
# A reader that has just looked at the pointer still finds the version it saw, however few are kept.
GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder that holds one product's versions."""

    folder: Path

    def path(self, file: str) -> Path:
        """The path of a file of the shelf."""
        return self.folder / file

    def files(self, version: PortVersion) -> PublishedFiles:
        """Where the rows of a port's version are, and how they are read."""
        return PublishedFiles(tuple(self.path(file).resolve() for file in version.files), version.format, version.columns)

    def published(self) -> tuple[Publication, ...]:
        """Every version that may be read, oldest first; decided by the pointer alone."""
        ids = _json(self.folder / POINTER).get("published", ())
        files = (self.folder / RECORDS / f"{version}.json" for version in ids)
        # A record that is gone was taken away between the two reads: that version is no longer kept.
        return tuple(_publication(record, file) for file in files if (record := _json(file)))

    def latest(self) -> Publication | None:
        """The newest version; None before the first. Reads one file."""
        record = _json(self.folder / POINTER).get("version")
        return _publication(record, self.folder / POINTER) if record else None

    def was_published(self) -> bool:
        """Whether there ever was a version, also where the pointer is gone."""
        return next((self.folder / RECORDS).glob("*.json"), None) is not None

    def newest_within(self, versions: VersionRange, port: str) -> Publication | None:
        """The newest version whose product version is in the range and that has the port."""
        for publication in reversed(self.published()):
            if Version.parse(publication.product_version) in versions and publication.port(port) is not None:
                return publication
        return None

    def pin(self, consumer: str, version: str) -> None:
        """Keep `version` for as long as `consumer` (`<product>.<input port>`) reads it; its former pin is let go."""
        _replace_json(self.folder / PINS / f"{consumer}.json", {"consumer": consumer, "version": version})

    def unpin(self, consumer: str) -> None:
        """Release the consumer's pin."""
        (self.folder / PINS / f"{consumer}.json").unlink(missing_ok=True)

    def release_pins(self, is_gone: Callable[[str], bool]) -> tuple[str, ...]:
        """Let go what consumers that are gone have pinned; gives their names."""
        gone = tuple(consumer for consumer in self.pins() if is_gone(consumer))
        for consumer in gone:
            self.unpin(consumer)
        return gone

    def pins(self) -> dict[str, str]:
        """Consumers and the version that each has pinned."""
        found = [_json(path) for path in sorted((self.folder / PINS).glob("*.json"))]
        return {pin["consumer"]: pin["version"] for pin in found}

    def staging(self, version: str) -> Path:
        """An empty folder to write a version into, with what former attempts left taken away."""
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)
        folder = self.folder / STAGING / version
        folder.mkdir(parents=True)
        return folder

    def publish(self, publication: Publication, staged: Path) -> None:
        """Move the staged files in place, write the record, and flip the pointer: the one step that publishes.

        Only the product's own refresh calls this, under the product's lock.
        """
        for port in publication.ports:
            for file in port.files:
                target = self.folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged / port.port / target.name, target)
        _replace_json(self.folder / RECORDS / f"{publication.id}.json", asdict(publication))
        ids = [p.id for p in self.published()]
        self._flip([*ids, publication.id], publication)
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)

    def _flip(self, ids: Sequence[str], latest: Publication) -> None:
        """The pointer also carries the newest record, so that a reader needs one file."""
        _replace_json(self.folder / POINTER, {"latest": latest.id, "published": list(ids), "version": asdict(latest)})

    def prune(self, keep: Mapping[str, int], now: datetime, grace: timedelta = GRACE) -> tuple[str, ...]:
        """Take versions away that no port keeps, no consumer has pinned, and that were superseded longer than `grace` ago.

        The newest version of each major version always stays. The pointer forgets a version before its files go. Gives the ids taken.
        """
        published = self.published()
        if not published:
            return ()
        kept = self._kept(published, keep, now, grace)
        gone = tuple(p.id for p in published if p.id not in kept)
        if gone:
            self._flip([p.id for p in published if p.id in kept], published[-1])
        self._remove_all_but({p.id for p in published if p.id in kept}, keep)
        return gone

    def _kept(self, published: Sequence[Publication], keep: Mapping[str, int], now: datetime, grace: timedelta) -> set[str]:
        most = max(keep.values(), default=1)
        kept = {p.id for p in published[-most:]} | set(self.pins().values())
        kept |= {p.id for p in {Version.parse(p.product_version).major: p for p in published}.values()}
        for older, newer in itertools.pairwise(published):
            if now - datetime.fromisoformat(newer.published_at) < grace:
                kept.add(older.id)
        return kept

    def _remove_all_but(self, kept: set[str], ports: Iterable[str]) -> None:
        """Also removes what a killed publication left behind: folders and records that the pointer does not know."""
        for folder in self.folder.glob("*/v*/*"):
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder)
        records = {f"{version}.json" for version in kept}
        for record in (self.folder / RECORDS).iterdir():
            if record.name not in records:
                record.unlink()


def _publication(record: Mapping[str, Any], file: Path) -> Publication:
    try:
        ports = tuple(PortVersion(**{**port, "files": tuple(port["files"])}) for port in record["ports"])
        publication = Publication(**{**record, "ports": ports})
        datetime.fromisoformat(publication.published_at)
        for port in ports:
            port.known_until(publication.published_at)
    except (KeyError, TypeError, ValueError) as error:
        raise VersionsUnreadable(file, f"it is no record of a version ({error})") from error
    return publication


def shelf(state: Path, domain: str, product: str) -> Versions:
    """Where a product's versions are kept."""
    return Shelf(state / conventions.ports_folder(domain, product))


def publishing(state: Path, product: str = "*") -> tuple[tuple[str, str], ...]:
    """Domain and name of every product that has published, or of those that are called so."""
    pointers = state.glob(f"{conventions.ports_folder('*', product)}/{POINTER}")
    return tuple(sorted((file.parent.parent.name, file.parent.name) for file in pointers))


def version_id(now: datetime) -> str:
    """Sorts by time of publication: `20261120T050301.123456Z`."""
    return now.strftime("%Y%m%dT%H%M%S.%fZ")


def port_file(port: str, product_version: str, version: str, data_set: str, file_format: str) -> str:
    """Where a port's file lies within the shelf."""
    return f"{port}/v{Version.parse(product_version).major}/{version}/{data_set}.{file_format}"


def _json(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise VersionsUnreadable(path, error.strerror or str(error)) from error
    except ValueError as error:  # of JSON, or of UTF-8
        raise VersionsUnreadable(path, f"it is damaged ({error})") from error
    if not isinstance(found, dict):
        raise VersionsUnreadable(path, "it is damaged (no JSON object)")
    return found


def _replace_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write the whole file or leave the old one, also through a power cut.

    Each file has one writer at a time, so the next write takes up what a killed one left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)  # columns in their order
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
