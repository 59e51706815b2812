"""Files of published versions, for whoever downloads them."""

from dataclasses import dataclass
from pathlib import Path

from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.warehouses.protocol import PublishedFiles


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of one output port in one version, and where it is."""

    version: str
    name: str
    path: Path
    bytes: int


def published_files(state: Path, product: ProductPlan, port: str, version: str = "") -> tuple[PublishedFile, ...]:
    """The files of a port in the newest version, or in the one asked for; none where there is no such version, or it has no such port.

    Raises VersionsUnreadable.
    """
    versions = shelf(state, product.domain, product.name)
    found: Publication | None = versions.latest()
    if version:
        found = next((each for each in versions.published() if each.id == version), None)
    of_port = found.port(port) if found is not None else None
    if found is None or of_port is None:
        return ()
    place = versions.where(of_port)
    paths = [path for path in place.files if path.is_file()] if isinstance(place, PublishedFiles) else []
    return tuple(PublishedFile(found.id, path.name, path, path.stat().st_size) for path in paths)
