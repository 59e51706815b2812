"""Accepted failures: who resolved a failing check as expected, false alarm or not worth an action, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from platform_resources.incidents.life_cycle import NO_TROUBLE, Incident, Resolution
from platform_resources.ledger.people import incident_store


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One check that fails and was accepted by the end of an incident; `note` is what was added to it.

    It has no date of its own to end on: the check counts again as soon as it was well in between, or the incident is reopened.
    """

    check: str
    incident: str
    resolution: Resolution
    by: str
    at: datetime
    note: str


def acceptances(connection: Connection) -> dict[str, tuple[Acceptance, ...]]:
    """What fails and is accepted, by product."""
    checks: dict[str, list[str]] = {}
    for (product, check), signal in sorted(incident_store.board(connection).signals.items()):
        if signal.failing and signal.accepted:
            checks.setdefault(product, []).append(check)
    return {product: tuple(_of_product(connection, product, names)) for product, names in checks.items()}


def _of_product(connection: Connection, product: str, checks: Sequence[str]) -> Iterator[Acceptance]:
    stored = incident_store.incidents_of(connection, product, live=False)
    own = sorted((kept.incident for kept in stored if kept.incident.cause == product), key=lambda incident: -incident.number)
    for check in checks:
        yield from _accepted(connection, check, own)


def _accepted(connection: Connection, check: str, own: Sequence[Incident]) -> Iterator[Acceptance]:
    """By the newest incident that ended so and had this check."""
    incident = next((closed for closed in own if closed.resolution in NO_TROUBLE and check in closed.checks), None)
    if incident is None or incident.resolution is None:
        return
    ending = next((event for event in reversed(incident_store.events_of(connection, incident.name)) if event.kind == "resolved"), None)
    if ending is not None:
        note = ending.note.removeprefix(incident.resolution).removeprefix(": ")
        yield Acceptance(check, incident.name, incident.resolution, ending.by, ending.at, note)
