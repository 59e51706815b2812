"""Judge products from the ledger at a moment, and update incidents and messages."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.capabilities.registry import Registry
from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.incidents.messages import Statement
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.checks import register_checks
from platform_resources.notify.web_pages import WebPages
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.announcements import Round, announce
from platform_resources.services.product_status import Known, known
from platform_resources.services.releases.release_checks import note_published_contracts
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.services.tending import tend
from platform_resources.settings import DAGSTER_PAGES, MESH_PAGES

# The end of an incident may wait for the end of a weekend.
TOLD_WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Consequences:
    """The incident events and the number of new messages."""

    events: tuple[IncidentEvent, ...]
    messages: int


def concerned(connection: Connection, plan: MeshPlan, names: Collection[str], now: datetime) -> tuple[ProductPlan, ...]:
    """These products, all that are part of a recent incident in any domain, and all upstream of those.

    What was heard of them before may hold no longer, and what is wrong above may not have been heard yet: then an incident would be opened
    for what is well, or for what is not the cause.
    """
    board = incident_store.board(connection)
    lately = (stored.incident for stored in incident_store.incidents_of(connection, since=now - TOLD_WITHIN))
    troubled = {name for incident in lately for name in (incident.cause, *incident.impacted)}
    chosen = {*names, *board.failing, *troubled}
    chosen |= {name for product in chosen for name in ancestors(product, plan.upstream)}
    return tuple(product for product in plan.products if product.name in chosen)


def judge(
    ledger: Ledger,
    state: Path,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    facts: Known,
    registry: Registry,
    now: datetime,
    domains: Sequence[str] = (),
    digests: Sequence[str] = (),
) -> Consequences:
    """Update the mesh's incidents from the observations of these products, and queue the resulting messages.

    `domains` are those for whose broken descriptions somebody has to speak; a digest is made for those in `digests` only, of which
    `products` must have every product that runs.
    """
    pages = WebPages(DAGSTER_PAGES.value(os.environ), MESH_PAGES.value(os.environ))
    with ledger.projecting() as connection:
        lineage = mesh_lineage(state, plan)
        tended = tend(connection, plan, products, facts.observations, facts.standings, registry, now, facts.health, lineage)
        about = Round(plan, products, facts.observations, facts.standings, now, pages, domains, digests, facts.health, lineage)
        return Consequences(tended.events, announce(connection, about))


def judge_refreshed(
    ledger: Ledger, state: Path, plan: MeshPlan, names: Collection[str], registry: Registry, now: datetime
) -> tuple[IncidentEvent, ...]:
    """Judge products that were just refreshed, and everything downstream; returns the incident events.

    Nothing is probed or forecast: that is left to the evaluation. The ledger must be synced before.
    """
    register_checks(ledger, plan, now)
    below = plan.downstream
    affected = {*names, *(reader for name in names for reader in ancestors(name, below))}
    with ledger.reading() as connection:
        products = concerned(connection, plan, affected, now)
        facts = known(connection, state, products, now)
    note_published_contracts(ledger, state, plan, names, now)
    return judge(ledger, state, plan, products, facts, registry, now).events


def untrue(ledger: Ledger, state: Path, plan: MeshPlan, says: Collection[Statement], now: datetime) -> str:
    """The first of these statements that no longer holds; empty if all hold. Sync the ledger first."""
    names = {statement.product for statement in says}
    products = [product for product in plan.products if product.name in names]
    with ledger.reading() as connection:
        facts = known(connection, state, products, now)
    verdicts = {(observation.product, observation.check): observation.verdict for observation in facts.observations}
    for statement in says:
        health = facts.health.get(statement.product)
        if health is None:
            return f"nothing can be said of {statement.product} now"
        if statement.status and health.status != statement.status:
            return f"{statement.product} is {health.status} now, and this says that it is {statement.status}"
        for check in statement.missed:
            verdict = verdicts.get((statement.product, check), "unknown")
            if verdict != "missed":
                return f"{check} of {statement.product} is {verdict} now, and this says that it is missed"
    return ""
