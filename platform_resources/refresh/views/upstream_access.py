"""What a product receives of another product's port: everything, a view of it, or nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader, ReaderStanding, standing
from platform_resources.plan.conventions import Placed
from platform_resources.plan.port_plans import Upstream
from platform_resources.publications.version_records import PortVersion, Publication
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import folded_column

# Of a pull record: the view of the port that was read, empty where it was everything; records of former times do not say it.
VIEW = "view"


class AccessRefused(Exception):
    """Raised when the product may not read the port, or not any more; says what to ask whom. What it read before is not to be served."""


class AccessUnknown(Exception):
    """Raised while it cannot be told what the product may read, or the version does not have it yet; what it read before still serves."""


def consumer_standing(upstream: Upstream, consumer: Placed, grants: KnownGrants, now: datetime) -> ReaderStanding:
    """What the product gets of the port's product. Raises AccessRefused, AccessUnknown."""
    if upstream.offers is None:
        if upstream.domain == consumer.domain and upstream.domain_access:
            return ReaderStanding("all", f"domain {upstream.domain} sees everything of its products")
        raise AccessUnknown(f"the product.yaml of {upstream.product} does not tell now what it offers to domain {consumer.domain}")
    decision = standing(upstream.offers, Reader(f"product:{consumer.name}", consumer.domain, role=upstream.role), grants, now)
    if decision.sees == "nothing":
        raise (AccessUnknown if grants.unknown else AccessRefused)(decision.refused)
    if decision.sees != "all" and decision.view(upstream.views) is None:
        which = f"port {upstream.port} of {upstream.product} has no column for product:{consumer.name} ({decision.why})"
        raise AccessRefused(f"{which}; its product.yaml says which columns are delivered: by their classification, or in an agreement")
    return decision


def received(upstream: Upstream, publication: Publication, decision: ReaderStanding, former: Mapping[str, Any] | None) -> PortVersion:
    """The port as this reader sees it. Raises AccessUnknown where the version has no such view, or AccessRefused if another was read."""
    version = publication.port(upstream.port)
    assert version is not None
    view = decision.view(upstream.views)
    if view is None:
        return version
    seen = version.seen_as(view)
    if seen is not None:
        return seen
    reason = f"version {publication.id} of {upstream.product} was published before it had what is offered here ({decision.why})"
    refusal = AccessUnknown if former is not None and former.get(VIEW, view.name) == view.name else AccessRefused
    owners = upstream.offers.owners if upstream.offers is not None else ()
    whose = f", which is {' or '.join(owners)} to run" if owners else ""
    raise refusal(f"{reason}; `mesh refresh {upstream.product}`{whose}, publishes one that has it")


def seen_columns(upstream: Upstream, decision: ReaderStanding) -> list[Column]:
    """The promised columns that this reader sees."""
    view = decision.view(upstream.views)
    seen = {folded_column(column.name) for column in view.columns} if view is not None else None
    return [column for column in upstream.columns if seen is None or folded_column(column.name) in seen]


def view_record(upstream: Upstream, decision: ReaderStanding) -> dict[str, str]:
    """What a pull record says of the view that was read."""
    view = decision.view(upstream.views)
    return {VIEW: view.name if view is not None else "", **({"grant": decision.grant} if decision.grant else {})}
