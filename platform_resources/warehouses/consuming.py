"""How a consumer reads a product: SQL over published versions, without a lock on anything."""

from pathlib import Path
from typing import Any

from platform_resources.planning import conventions
from platform_resources.spec.names import is_name
from platform_resources.warehouses.duckdb import QueryFailed, query
from platform_resources.warehouses.port_files import read_sql
from platform_resources.warehouses.versions import POINTER, Publication, shelf


class NothingPublished(Exception):
    """Raised when a product has no version yet, or not the one asked for."""


def published_version(state: Path, domain: str, product: str, version: str | None = None) -> Publication:
    """The newest version, or the one named. Raises NothingPublished, VersionsUnreadable."""
    shelves = shelf(state, domain, product)
    if version is None:
        latest = shelves.latest()
        if latest is None:
            raise NothingPublished(f"{product} has not published a version yet; `mesh refresh {product}` makes one")
        return latest
    found = next((p for p in shelves.published() if p.id == version), None)
    if found is None:
        raise NothingPublished(f"{product} has no version {version}; `mesh versions {product}` lists those that are kept")
    return found


def published_domains(state: Path, product: str) -> tuple[str, ...]:
    """The domains under whose folder a product of that name has published, also where no product.yaml tells of it any more."""
    if not is_name(product):
        return ()
    return tuple(sorted(file.parent.parent.name for file in state.glob(f"{conventions.ports_folder('*', product)}/{POINTER}")))


def queried(state: Path, domain: str, product: str, sql: str, version: str | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one SELECT over the product's data sets and ports, from published files alone.

    Raises NothingPublished, VersionsUnreadable, QueryFailed.
    """
    publication = published_version(state, domain, product, version)
    shelves = shelf(state, domain, product)
    views: dict[str, str] = {}
    readable: list[Path] = []
    for port in publication.ports:
        files = [shelves.path(file).resolve() for file in port.files]
        readable += files
        select = read_sql(files, port.format, port.columns)
        views.setdefault(port.data_set, select)
        views[port.port] = select
    try:
        return query(sql, views, readable)
    except QueryFailed as error:
        raise QueryFailed(f"{error}\n{product} offers: {', '.join(sorted(views))}") from error
