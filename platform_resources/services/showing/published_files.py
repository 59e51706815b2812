"""The files of published versions, for downloads."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.consumer_queries import SeenPort, everything
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.published_places import PublishedFiles


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of an output port in one version; `view` is the folder of a role's view."""

    version: str
    view: str
    name: str
    path: Path
    bytes: int


def published_files(
    state: Path, product: ProductPlan, port: str, version: str = "", seen: SeenPort = everything
) -> tuple[PublishedFile, ...]:
    """The files of a port in the newest or a given version; empty if there is no such version or port.

    `seen` says what the reader gets of it, and raises QueryFailed where that is nothing. Raises VersionsUnreadable.
    """
    versions = shelf(state, product.domain, product.name)
    publication: Publication | None = versions.latest()
    if version:
        publication = next((candidate for candidate in versions.published() if candidate.id == version), None)
    of_port = publication.port(port) if publication is not None else None
    if publication is None or of_port is None:
        return ()
    of_port = seen(product.name, of_port, publication.id)
    if of_port is None:
        raise QueryFailed(f"no column of port {port} of {product.name} is shown to you")
    place = versions.where(of_port)
    files = place.files if isinstance(place, PublishedFiles) else ()
    # What the interface's own writer has written lies beside them, and is what the port is for.
    files = tuple(files[0].with_name(Path(own).name) for own in of_port.own_files) or files
    there = list[PublishedFile]()
    for path in files:
        with suppress(FileNotFoundError):  # its version may have been taken away just now
            there.append(PublishedFile(publication.id, path.parent.name, path.name, path, path.stat().st_size))
    return tuple(there)
