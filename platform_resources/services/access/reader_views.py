"""Decide which rows and columns of published versions a reader sees."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader, ReaderStanding, previewed, standing
from platform_resources.access.views import View, attributes_of
from platform_resources.ledger.connections import DatabaseFailed
from platform_resources.ledger.database import LedgerUnavailable, ledger_url, open_ledger
from platform_resources.ledger.people.grant_store import grants_of, grants_of_reader
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.publications.version_records import PortVersion
from platform_resources.refresh.views.class_travel import as_inherited
from platform_resources.warehouses.engine_errors import QueryFailed


def known_grants(state: Path, reader: Reader | None = None) -> KnownGrants:
    """The ledger's grants, all or one reader's; if the ledger cannot be read, the result says why."""
    try:
        ledger = open_ledger(ledger_url(state, os.environ))
        try:
            with ledger.reading() as connection:
                return KnownGrants(grants_of(connection) if reader is None else grants_of_reader(connection, reader))
        finally:
            ledger.close()
    except LedgerUnavailable as error:
        return KnownGrants(unknown=str(error))
    except DatabaseFailed as error:
        return KnownGrants(unknown=f"the ledger failed: {str(error.orig).strip()}")


def grants_for(state: Path, product: ProductPlan) -> KnownGrants:
    """The grants that a product's refresh needs; the ledger is opened only if an agreement of it or of an input requires grants."""
    return known_grants(state) if product.offers.roles is not None or needs_grants(product) else KnownGrants()


def needs_grants(product: ProductPlan) -> bool:
    """Whether any input port of the product reads another domain's product that has an agreement."""
    offers = [port.upstream.offers for port in product.inputs if port.upstream is not None and port.upstream.offers is not None]
    agreed = [offer for offer in offers if offer.roles is not None]
    return any(offer.domain != product.domain or not offer.domain_access for offer in agreed)


def named_reader(plan: MeshPlan, name: str, role: str = "", groups: tuple[str, ...] = ()) -> Reader:
    """The reader of this name: a person with groups, a `team:…`, or a `product:…`, which belongs to its domain."""
    domain = next((product.domain for product in plan.products if f"product:{product.name}" == name), "")
    return Reader(name, domain, groups, role)


@dataclass(frozen=True, slots=True)
class ReaderView:
    """What one reader sees of each product; `preview` is a role that somebody with full access tries out.

    `health` knows of products which columns their newest versions keep back for what they are made from.
    """

    plan: MeshPlan
    known: KnownGrants
    now: datetime
    reader: Reader | None = None
    preview: str = ""
    attributes: Mapping[str, str] | None = None
    health: Mapping[str, ProductHealth] = field(default_factory=dict)

    def standing(self, product: ProductPlan) -> ReaderStanding:
        """How the reader stands to the product: what they see of it, and by which role or ownership. What is open to all may be nothing."""
        if self.reader is not None:
            decision = standing(product.offers, self.reader, self.known, self.now)
            if decision.sees != "open" or not product.data_sets or any(data_set.views.open is not None for data_set in product.data_sets):
                return decision
            refused = f"{product.name} has no agreement and no column that is open to others; ask {' or '.join(product.owners)}"
            return ReaderStanding("nothing", "", refused=refused)
        if self.preview:
            return previewed(product.offers, self.preview, attributes_of(self.attributes or {}))
        return ReaderStanding("all", "the user of this computer, who may read its files")

    def view(self, product: ProductPlan, data_set: str) -> View | None:
        """The rows and columns that the reader sees of a data set; None if nothing. For products not seen whole."""
        known = self.health.get(product.name)
        published = known.published if known is not None else None
        received = as_inherited(product, product.data_set(data_set), published.inherited if published is not None else {})
        return self.standing(product).view(received.views)

    def port(self, name: str, version: PortVersion, published: str) -> PortVersion | None:
        """A port of a version as the reader sees it, None where that is nothing. Raises QueryFailed where the product is not to be read."""
        if self.reader is None and not self.preview:
            return version
        product = next((product for product in self.plan.products if product.name == name), None)
        data_set = next((d for d in product.data_sets if d.name == version.data_set), None) if product is not None else None
        if product is None or data_set is None:
            raise QueryFailed(f"what {name} offers to whom cannot be told now; `mesh validate` says why")
        decision = self.standing(product)
        if decision.sees == "all":
            return version
        if decision.sees == "nothing":
            raise QueryFailed(decision.refused)
        view = decision.view(data_set.views)
        if view is None:
            return None
        seen = version.seen_as(view)
        if seen is None:
            lacking = f"version {published} of {name} does not have what is offered here ({decision.why})"
            raise QueryFailed(f"{lacking}; `mesh refresh {name}` publishes one that has")
        return seen
