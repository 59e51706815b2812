"""Everything that pages show of a whole mesh at one moment, read once and shared by all requests until something changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.marks import read_until
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.plan.plan import MeshPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.services.catalog.use_of_products import MeshUse, mesh_use
from platform_resources.services.product_status import Known, known, trust
from platform_resources.services.trust import Trust
from platform_resources.services.unread_history import LedgerAge, ledger_age

LATELY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class MeshOverview:
    """A mesh `at` a moment. `incidents` are those of the last 90 days and all that live, opened last first."""

    plan: MeshPlan
    at: datetime
    known: Known
    trust: Mapping[str, Trust]
    incidents: tuple[StoredIncident, ...]
    use: MeshUse
    age: LedgerAge

    @property
    def health(self) -> Mapping[str, ProductHealth]:
        return self.known.health

    @property
    def live(self) -> tuple[StoredIncident, ...]:
        """The incidents that are not over."""
        return tuple(each for each in self.incidents if each.incident.live)

    def incidents_of(self, product: str) -> tuple[StoredIncident, ...]:
        """Those of the product, and those of others that it suffers from."""
        return tuple(each for each in self.incidents if product in (each.incident.cause, *each.incident.impacted))


def mesh_overview(ledger: Ledger, state: Path, home: Path, plan: MeshPlan, now: datetime) -> MeshOverview:
    """Changes nothing. `home` is Dagster's home folder: what the ledger has not read of it is told in `age`."""
    with ledger.reading() as connection:
        found = known(connection, state, plan.products, now)
        return MeshOverview(
            plan,
            now,
            found,
            trust(connection, plan, plan.products, found.observations, found.standings, now),
            incident_store.incidents_of(connection, since=now - LATELY),
            mesh_use(connection, plan, now),
            ledger_age(connection, home),
        )


def ledger_mark(connection: Connection) -> tuple[Iterable[tuple[str, int]], int]:
    """What differs as soon as the ledger has read new events, or anybody has done something to an incident."""
    return tuple(sorted(read_until(connection).items())), incident_store.newest_event(connection)
