"""What is recorded of a published version, and what a place that keeps versions does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.capabilities.support.recency import known_until
from platform_resources.spec.values.versions import VersionRange
from platform_resources.warehouses.protocol import PublishedFiles


class VersionsUnreadable(Exception):
    """Raised when a file that says what is published is damaged or may not be read; names the file and what to do."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(f"{file} cannot be read: {what}\n{_REMEDY}")
        self.file, self.what = file, what


_REMEDY = "restore it from a backup; without one, move it away and refresh the product, which publishes a new version"


@dataclass(frozen=True, slots=True)
class PortVersion:
    """What one output port holds in one version; `files` are relative to the ports folder of the product.

    `watermark` is until when it knows the world; where that is not known, `watermark_unknown` says why. `rows_ahead` are dated later than
    the publication, and tell nothing.
    """

    port: str
    data_set: str
    format: FileFormat
    rows: int
    columns: Mapping[str, str]
    watermark: str | None
    files: tuple[str, ...]
    bytes: int
    watermark_unknown: str = ""
    rows_ahead: int = 0

    def known_until(self, published_at: str) -> datetime | None:
        """As of when it is, at the latest its publication; None where that is not known. Old records without a watermark count as new."""
        told = datetime.fromisoformat(self.watermark) if self.watermark else None
        return known_until(datetime.fromisoformat(published_at), told, bool(self.watermark_unknown))


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

    def files(self, version: PortVersion) -> PublishedFiles:
        """Where the rows of a port's version are, and how they are read."""

    def pin(self, consumer: str, version: str) -> None:
        """Keep `version` for as long as `consumer` (`<product>.<input port>`) reads it; its former pin is let go."""

    def unpin(self, consumer: str) -> None:
        """Let go what a consumer has pinned, if it has."""

    def pins(self) -> dict[str, str]:
        """Consumers and the version that each has pinned."""

    def release_pins(self, is_gone: Callable[[str], bool]) -> tuple[str, ...]:
        """Let go what consumers that are gone have pinned; gives their names."""

    def staging(self, version: str) -> Path:
        """An empty local folder to write a version into: `<port>/<file>`."""

    def publish(self, publication: Publication, staged: Path) -> None:
        """Keep what was staged, and publish it in one step. Only the product's own refresh calls this, under the product's lock."""

    def prune(self, keep: Mapping[str, int], now: datetime) -> tuple[str, ...]:
        """Take away versions that no port keeps and nobody reads, but never the newest of a major version; gives their ids."""
