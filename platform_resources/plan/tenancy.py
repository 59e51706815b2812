"""What each domain and product has of its own: compute, schemas and roles, whatever the warehouse calls them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.access.role_folders import RoleFolder, wanted_folders
from platform_resources.access.views import mask_problem
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.spec.agreements import MaskUse
from platform_resources.spec.data_classes import DataClass
from platform_resources.spec.domain_document import Compute

# The schemas of every product: what was pulled, what was built, rows of versions, and what the product's team and domain read.
SCHEMAS = ("inputs", "internal", "versions", "ports")
# What a value is called in the mask of a class.
VALUE = "val"
# A type of columns for each that a warehouse tells apart.
KINDS = ("varchar", "bigint", "double", "date", "time", "timestamp", "timestamptz", "boolean")


@dataclass(frozen=True, slots=True)
class DomainTenancy:
    """One domain's compute, and who belongs to the domain."""

    name: str
    compute: Compute
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReaderRole:
    """A role of readers. Roles of the agreement that see the same are one; `seen` stands for all of them."""

    name: str
    readers: tuple[str, ...]
    why: str
    seen: RoleFolder
    data_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductTenancy:
    """One product's schemas and roles: its team's own, and one for all readers of each view.

    `classes` has the classification of each column of a data set, `filtered` the data sets of which somebody sees only some rows.
    """

    name: str
    domain: str
    team: tuple[str, ...]
    domain_access: bool
    schemas: tuple[str, ...]
    readers: tuple[ReaderRole, ...]
    classes: Mapping[str, Mapping[str, str]]
    filtered: tuple[str, ...]
    mesh_classes: tuple[DataClass, ...]


@dataclass(frozen=True, slots=True)
class MeshTenancy:
    """All domains and products of a mesh that could be planned; `spared` are products that cannot be now, and stay as they are."""

    domains: tuple[DomainTenancy, ...]
    products: tuple[ProductTenancy, ...]
    spared: tuple[tuple[str, str], ...] = ()


def mesh_tenancy(plan: MeshPlan, known: KnownGrants, now: datetime) -> MeshTenancy:
    """The tenancy of every domain and product, from the agreements and the grants in force."""
    # Its owners belong to it; others are the company's to add.
    domains = tuple(DomainTenancy(domain.name, domain.compute, domain.owners) for domain in plan.domains)
    products = tuple(product_tenancy(product, known, now) for product in plan.products)
    return MeshTenancy(domains, products, tuple((rejected.domain, rejected.name) for rejected in plan.rejected))


def product_tenancy(product: ProductPlan, known: KnownGrants, now: datetime) -> ProductTenancy:
    """What the product has of its own, and who has it now."""
    in_catalog = {port.data_set for port in product.outputs if port.store.in_catalog}
    data_sets = [data_set for data_set in product.data_sets if data_set.name in in_catalog]
    seen = {folder: tuple(folder.view(data_set.views) for data_set in data_sets) for folder in wanted_folders(product.offers, known, now)}
    alike: dict[tuple[Any, ...], list[RoleFolder]] = {}
    for folder, views in seen.items():
        if any(views):
            alike.setdefault(views, []).append(folder)
    return ProductTenancy(
        product.name,
        product.domain,
        product.offers.owners,
        product.offers.domain_access,
        SCHEMAS,
        tuple(_reader_role(folders, data_sets) for folders in alike.values()),
        {data_set.name: {column.name: column.classification for column in data_set.spec.columns} for data_set in data_sets},
        tuple(data_set.name for data_set in data_sets if any(view.rows for view in data_set.views.distinct)),
        product.classes,
    )


def _reader_role(folders: Sequence[RoleFolder], data_sets: Iterable[DataSetPlan]) -> ReaderRole:
    first = folders[0]
    readers = tuple(sorted({reader for folder in folders for reader in folder.readers}))
    why = "; ".join(f"{folder.name}: {folder.why}" for folder in folders)
    return ReaderRole(
        first.name, readers, why, first, tuple(data_set.name for data_set in data_sets if first.view(data_set.views) is not None)
    )


def class_masks(tenancy: ProductTenancy, kind: str) -> dict[str, str]:
    """By class, in DuckDB's SQL, what whoever reads a table beside the roles finds of a column of this type: the value only where everybody
    may see it, else what the class's own mask leaves of it, if that takes the type."""
    return {data_class.name: _mask(data_class, tenancy.name, kind) for data_class in tenancy.mesh_classes}


def _mask(data_class: DataClass, product: str, kind: str) -> str:
    if data_class.others == "clear":
        return quoted(VALUE)
    use: MaskUse = data_class.mask
    if mask_problem(use, kind):
        return "null"
    mask: Any = installed_registry().masks()[use.mask]
    key = {"": "", "mesh": "mesh", "agreement": product}[mask.keyed]
    return str(mask.sql(mask.config.model_validate(dict(use.settings)), quoted(VALUE), kind, key))
