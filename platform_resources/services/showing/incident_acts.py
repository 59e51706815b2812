"""Act on an incident as a person: acknowledge, start, resolve, reopen. With a successor, only acceptances can be withdrawn."""

from collections.abc import Callable, Sequence
from datetime import datetime

from platform_resources.incidents import life_cycle
from platform_resources.incidents.board import Board, changed, taken_back
from platform_resources.incidents.life_cycle import Change, Incident
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.incident_store import board, incident_named, incidents_of, keep_board, keep_former

Act = Callable[[Incident, datetime], Change]


class NoSuchIncident(Exception):
    """Raised for an unknown incident name; `known` are the newest incidents of all products."""

    def __init__(self, name: str, known: Sequence[Incident]) -> None:
        super().__init__(f'there is no incident "{name}"')
        self.name = name
        self.known = known


def act_on(ledger: Ledger, name: str, act: Act, now: datetime) -> Incident:
    """Apply the act and return the incident. Raises NoSuchIncident, and IllegalTransition if its state does not allow the act."""
    with ledger.projecting() as connection:
        before, stored = board(connection), incident_named(connection, name)
        if stored is None:
            raise NoSuchIncident(name, list(before.incidents.values()))
        newest = before.incidents[stored.incident.cause]
        change = act(stored.incident, now)
        if newest.number == stored.incident.number:
            after, events = changed(before, stored.incident.cause, lambda _: change)
            keep_board(connection, before, after, events)
        else:
            _keep_former(connection, before, stored.incident, change, newest)
    return change[0]


def _keep_former(connection: Connection, before: Board, incident: Incident, change: Change, newest: Incident) -> None:
    """Of an incident that has a successor only how it was resolved can still be said, and what it has accepted be taken back."""
    after, events = change
    if after.live or incident.resolution not in life_cycle.NO_TROUBLE:
        raise life_cycle.IllegalTransition(
            f"{incident.name} is over and has a successor, {newest.name}, which can be changed instead"
            + (f"; `mesh resolve {incident.name} --as fixed` takes back what was accepted with it" if after.live else "")
        )
    keep_former(connection, incident, after, events)
    if after.resolution in life_cycle.NO_TROUBLE:
        return
    later = [stored.incident for stored in incidents_of(connection, incident.cause) if stored.incident.cause == incident.cause]
    still = {check for o in later if o.number > incident.number and o.resolution in life_cycle.NO_TROUBLE for check in o.checks}
    keep_board(connection, before, taken_back(before, incident.cause, set(incident.checks) - still), ())
