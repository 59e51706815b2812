"""List open and recent incidents, and how fast people responded to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from platform_resources.incidents.response_times import Response, response
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.made_up import made_up_incidents
from platform_resources.ledger.people.incident_store import StoredIncident, incidents_of
from platform_resources.services.showing.incident_acts import NoSuchIncident


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Incidents, newest first. Made-up ones count in no response time."""

    incidents: tuple[StoredIncident, ...]
    response: Response


def listed_incidents(
    connection: Connection, product: str | None, since: datetime | None, now: datetime, is_product: Callable[[str], bool]
) -> IncidentList:
    """Incidents open at or after `since`, of all products or of one, including those that only impact it.

    Raises NoSuchIncident for what `is_product` says is none and has no incident: a product without incidents is as good as can be.
    """
    listed, made_up = incidents_of(connection, product, since=since), made_up_incidents(connection)
    if product and not listed and not incidents_of(connection, product) and not is_product(product):
        raise NoSuchIncident(product, [stored.incident for stored in incidents_of(connection)])
    return IncidentList(listed, response([stored.incident for stored in listed if stored.incident.name not in made_up], now))
