"""One incident in full: failing checks, affected products with their next deadlines, and events."""

from dataclasses import dataclass
from datetime import datetime

from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.incident_store import StoredIncident, events_of, incident_named
from platform_resources.ledger.queries import history
from platform_resources.notify.facts import Trouble, product_facts
from platform_resources.services.incident_facts import incident_facts
from platform_resources.services.showing.mesh_overview import MeshOverview


@dataclass(frozen=True, slots=True)
class Reached:
    """A product affected by an incident: its missed objectives, and its next deadline if it has one."""

    product: str
    reads: tuple[str, ...]
    missed: tuple[str, ...]
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """One incident with its facts (`trouble`, as in messages) and its events in order of time."""

    stored: StoredIncident
    trouble: Trouble
    events: tuple[IncidentEvent, ...]
    reached: tuple[Reached, ...]


def incident_story(connection: Connection, view: MeshOverview, name: str) -> IncidentStory | None:
    """The story of the incident; None if there is no such incident."""
    stored = incident_named(connection, name)
    if stored is None:
        return None
    newest = {publication.product: publication for publication in history.newest_publications(connection, view.at)}
    abouts = {product.name: product_facts(product, timezone=product.zone) for product in view.plan.products}
    (trouble,) = incident_facts(
        connection, view.plan, [stored], view.incidents, view.known.observations, view.known.standings, abouts, newest
    )
    reached = tuple(_reached(view, stored.incident.cause, product) for product in stored.incident.impacted if product in view.health)
    return IncidentStory(stored, trouble, events_of(connection, name), reached)


def _reached(view: MeshOverview, cause: str, name: str) -> Reached:
    ports = [port.upstream for port in view.plan.product(name).inputs if port.upstream is not None and port.upstream.product == cause]
    deadlines = [standing.next_deadline for standing in view.known.standings.get(name, ()) if standing.next_deadline is not None]
    missed = tuple(check.title for check in view.health[name].objectives if check.verdict == "missed")
    return Reached(name, tuple(port.port for port in ports), missed, min((at for at in deadlines if at > view.at), default=None))
