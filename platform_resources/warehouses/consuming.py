"""How a consumer reads a product: SQL over published versions, without a lock on anything."""

from pathlib import Path
from typing import Any

from platform_resources.planning.plan import ProductPlan
from platform_resources.warehouses.duckdb import QueryFailed, files_sql, query
from platform_resources.warehouses.versions import Publication, shelf


class NothingPublished(Exception):
    """Raised when a product has no version yet, or not the one asked for."""


def published_version(state: Path, product: ProductPlan, version: str | None = None) -> Publication:
    """The newest version, or the one named. Raises NothingPublished."""
    shelves = shelf(state, product.domain, product.name)
    if version is None:
        latest = shelves.latest()
        if latest is None:
            raise NothingPublished(f"{product.name} has not published a version yet; `mesh refresh {product.name}` makes one")
        return latest
    found = next((p for p in shelves.published() if p.id == version), None)
    if found is None:
        raise NothingPublished(f"{product.name} has no version {version}; `mesh versions {product.name}` lists those that are kept")
    return found


def queried(state: Path, product: ProductPlan, sql: str, version: str | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one SELECT over the product's data sets and ports. Raises NothingPublished, QueryFailed."""
    publication = published_version(state, product, version)
    shelves = shelf(state, product.domain, product.name)
    views: dict[str, str] = {}
    readable: list[Path] = []
    for port in publication.ports:
        files = [shelves.path(file).resolve() for file in port.files]
        readable += files
        select = files_sql(files, port.format)
        views.setdefault(port.data_set, select)
        views[port.port] = select
    try:
        return query(sql, views, readable)
    except QueryFailed as error:
        raise QueryFailed(f"{error}\n{product.name} offers: {', '.join(sorted(views))}") from error
