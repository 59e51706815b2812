"""The views of its newest version that the readers of each role of a product have in a warehouse."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.tenancy import ProductTenancy, product_tenancy
from platform_resources.publications.published_versions import Shelf, shelf
from platform_resources.publications.version_records import catalog_view
from platform_resources.refresh.views.role_files import seen_ports
from platform_resources.warehouses.published_places import CatalogView
from platform_resources.warehouses.targets import warehouse


def role_views(state: Path, product: ProductPlan, tenancy: ProductTenancy) -> Mapping[str, tuple[CatalogView, ...]]:
    """The views of each role; empty where versions are files, which roles read in folders. Raises VersionsUnreadable, EngineError."""
    shelves = shelf(state, product.domain, product.name)
    newest = shelves.latest() if not isinstance(shelves, Shelf) else None
    if newest is None:
        return {}
    in_catalog = {port.name for port in product.outputs if port.store.in_catalog}

    def views(role: str) -> tuple[CatalogView, ...]:
        seen = next(reader.seen for reader in tenancy.readers if reader.name == role)
        ports = {port.data_set: port for port in seen_ports(product, seen, newest) if port.port in in_catalog}
        return tuple(catalog_view(product, port, shelves.where(port)) for port in ports.values())

    return {role.name: views(role.name) for role in tenancy.readers}


def show_to_roles(state: Path, product: ProductPlan, known: KnownGrants, now: datetime) -> None:
    """Have what roles read in the warehouse show the newest version. Raises VersionsUnreadable, EngineError."""
    tenancy = product_tenancy(product, known, now)
    views = role_views(state, product, tenancy)
    if any(views.values()):
        warehouse().show_to_roles(tenancy, views)
