"""Compare a mesh's contracts with the released ones, and find the consumers affected."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.access.grants import Grant
from platform_resources.contracts.affected_consumers import Consumption
from platform_resources.contracts.change import Profile
from platform_resources.contracts.contract import contract_text
from platform_resources.contracts.planned_contract import contract_of
from platform_resources.contracts.release import Release, release
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger, ledger_url, open_ledger
from platform_resources.ledger.people.grant_store import grants_of
from platform_resources.ledger.people.published_contracts import note_contract, port_switches_of
from platform_resources.ledger.queries.reads import pulls_of, reads_of_products
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.built_lineage import kept_lineage
from platform_resources.services.releases.contract_sources import MeshContracts
from platform_resources.services.showing.column_lineage import mesh_lineage

# Whoever has not asked for so long is not told.
LATELY = timedelta(days=90)


def releases(
    old: MeshContracts,
    new: MeshContracts,
    state: Path,
    profile: Profile,
    now: datetime,
    names: Collection[str] = (),
    accepted: bool = False,
) -> tuple[Release, ...]:
    """The release of each product that was released before and can be read now, also without changes. Raises LedgerUnavailable."""
    plan = _known_plan(old.plan, new.plan)
    unread = {rejected.name for rejected in new.plan.rejected}
    compared = [name for name in sorted(old.contracts) if name not in unread and (not names or name in names)]
    if not compared:
        return ()
    lineage = mesh_lineage(state, plan)
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        with ledger.reading() as connection:
            consumed = consumptions(connection, plan, lineage, compared, now, _grants(old.plan, new.plan))
    finally:
        ledger.close()
    releases = []
    for name in compared:
        known = consumed[name]
        called = new.plan.renamed.get(name, name)
        planned = [product for product in plan.products if product.name == called]
        built = kept_lineage(state, planned[0]) if planned else ProductLineage()
        releases.append(release(old.contracts[name], new.contracts.get(called), built, known, profile, accepted))
    return tuple(releases)


def consumptions(
    connection: Connection, plan: MeshPlan, lineage: MeshLineage, names: Collection[str], now: datetime, in_code: Iterable[Grant]
) -> dict[str, Consumption]:
    """What is known of who consumes each of these products; `in_code` are the grants that stand in agreements."""
    grants = [grant for grant in (*in_code, *grants_of(connection)) if grant.state(now) in ("approved", "to come")]
    readers = _readers(connection, names, plan, now)
    moved: dict[str, dict[str, frozenset[str]]] = {}
    for switch in port_switches_of(connection, port_places(plan, names)):
        ports = moved.setdefault(switch.product, {})
        ports[switch.port] = ports.get(switch.port, frozenset()) | {switch.consumer.casefold()}
    held = {name: tuple(grant for grant in grants if grant.product == name) for name in names}
    return {name: Consumption(plan, lineage, held[name], readers[name], moved.get(name, {})) for name in names}


def port_places(plan: MeshPlan, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of each of these products its ports, and which data set each shows."""
    return {name: {port.name: port.data_set for port in plan.product(name).outputs} if name in plan.by_name else {} for name in names}


def _known_plan(old: MeshPlan, new: MeshPlan) -> MeshPlan:
    """The mesh as it is now. A product that cannot be loaded any more, perhaps because its input is gone, is known as it was."""
    before = {product.name: product for product in old.products}
    lost = [before[rejected.name] for rejected in new.rejected if rejected.name in before]
    return replace(new, products=(*new.products, *lost), rejected=tuple(r for r in new.rejected if r.name not in before))


def _grants(*plans: MeshPlan) -> list[Grant]:
    """Those that stand in the agreements themselves, each once."""
    return list(dict.fromkeys(grant for plan in plans for product in plan.products for grant in product.offers.grants))


def _readers(connection: Connection, names: Iterable[str], plan: MeshPlan, now: datetime) -> dict[str, Mapping[str, tuple[str, ...]]]:
    read = reads_of_products(connection, tuple(names), now - LATELY, now, pulls_of(plan))
    return {product: {port: reads.readers for port, reads in of_product.by_port.items()} for product, of_product in read.items()}


def note_published_contracts(ledger: Ledger, state: Path, plan: MeshPlan, names: Collection[str], now: datetime) -> None:
    """Record the contract of each version just published, unless the product's documents changed since."""
    for product in (product for product in plan.products if product.name in names):
        latest = shelf(state, product.domain, product.name).latest()
        if latest is not None and latest.fingerprint == fingerprint(product):
            with ledger.writing() as connection:
                note_contract(connection, product.name, latest.id, contract_text(contract_of(product, _models(product))), now)


def _models(product: ProductPlan) -> dict[str, str]:
    return {model.name: model.sql for model in product.models if model.kind == "model"}
