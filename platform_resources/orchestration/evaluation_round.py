"""One round of judging: what products promise is looked at in the ledger, incidents follow, and what is to be told is written down."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from platform_resources.capabilities.registry import Registry
from platform_resources.incidents.life_cycle import Incident, IncidentEvent
from platform_resources.incidents.response_times import response
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger, ledger_url, open_ledger
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.acceptances import acceptances
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.reads import pulled_by, reads_of
from platform_resources.ledger.queries.standing import Standing
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.ledger_events import DagsterLog
from platform_resources.orchestration.trust import AcceptedWeakness, Trust
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.conventions import ENDS_CHECK, REFRESH_CHECK, check_text
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.coverage import coverages
from platform_resources.promises.grades import NEVER, ProductHealth
from platform_resources.services.forecasting import forecast
from platform_resources.services.grading import graded
from platform_resources.services.judged_objectives import Judged, judged_objectives
from platform_resources.services.judging import concerned, judge, known
from platform_resources.services.watching import Observed, unplanned

RESPONSE_OVER = timedelta(days=90)
READS_OVER = timedelta(days=30)
Standings = Mapping[str, tuple[Standing, ...]]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a round found: what was judged just now, what became of incidents, how many messages are new, and whom to trust how far."""

    at: datetime
    judged: tuple[Judged, ...]
    events: tuple[IncidentEvent, ...]
    messages: int
    verdicts: Mapping[str, tuple[Observed, ...]]
    outcomes: Mapping[str, str]
    health: Mapping[str, ProductHealth]
    trust: Mapping[str, Trust]


@contextmanager
def synced_ledger(state: Path, instance: dg.DagsterInstance, now: datetime) -> Iterator[Ledger]:
    """The ledger, up to date with the event log. Raises LedgerUnavailable."""
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        sync(ledger, DagsterLog(instance), now)
        yield ledger
    finally:
        ledger.close()


def evaluate(
    ledger: Ledger, state: Path, plan: MeshPlan, products: Sequence[ProductPlan], registry: Registry, now: datetime, domain: str = ""
) -> Evaluated:
    """Judge these products, and tend the incidents of the whole mesh, whose plan is given. The ledger must be synced before.

    `domain` is theirs; it has to be told where none of its products can be read.
    """
    register_checks(ledger, plan, now)
    just_now = tuple(judged_objectives(products, registry, state, ledger, now))
    with ledger.reading() as connection:
        own = {product.name: product for product in products}
        others = [product for product in concerned(connection, plan, own, now) if product.name not in own]
        everybody = (*products, *others)
        found = known(connection, state, everybody, now, just_now)
    domains = tuple(dict.fromkeys([*(product.domain for product in products), *filter(None, [domain])]))
    followed = judge(ledger, plan, everybody, found, registry, now, domains, domains)
    with ledger.reading() as connection:
        trusted = trust(connection, plan, products, found.observations, found.standings, now)
    verdicts = _verdicts(products, found.observations)
    return Evaluated(now, just_now, followed.events, followed.messages, verdicts, found.outcomes, found.health, trusted)


def _verdicts(products: Sequence[ProductPlan], observations: Sequence[Observed]) -> dict[str, tuple[Observed, ...]]:
    """What is said of each objective, in the order of the plan; one without evidence is unknown."""
    found = {(each.product, each.check): each for each in observations}
    return {
        product.name: tuple(
            found.get((product.name, check_text(o.check.key, o.check.name)), _not_checked(product, o)) for o in product.objectives
        )
        for product in products
    }


def _not_checked(product: ProductPlan, objective: ObjectivePlan) -> Observed:
    check = objective.check
    text = check_text(check.key, check.name)
    return Observed(
        product.name, text, unplanned(product.name, text, check.title, NEVER, "objective", dimension=objective.dimension), datetime.min
    )


def health_after(
    state: Path, instance: dg.DagsterInstance, product: ProductPlan, now: datetime, outcome: str
) -> tuple[ProductHealth, tuple[StoredIncident, ...]]:
    """How a product is whose refresh ends with this outcome, and which incidents it has or suffers from. Raises LedgerUnavailable.

    The refresh is not over in the ledger yet, so what that says of the one before does not count.
    """
    with synced_ledger(state, instance, now) as ledger, ledger.reading() as connection:
        observations = known(connection, state, (product,), now).observations
        of_now = [each for each in observations if each.check not in (REFRESH_CHECK, ENDS_CHECK)]
        (health,) = graded(state, (product,), of_now, {product.name: outcome})
        return health, incident_store.incidents_of(connection, product.name, live=True)


def looked_at(
    ledger: Ledger, state: Path, plan: MeshPlan, products: Sequence[ProductPlan], now: datetime
) -> tuple[tuple[ProductHealth, ...], dict[str, Trust]]:
    """How each of these products is and how far it can be trusted, without changing anything. The ledger must be synced before."""
    with ledger.reading() as connection:
        found = known(connection, state, products, now)
        return tuple(found.health.values()), trust(connection, plan, products, found.observations, found.standings, now)


def trust(
    connection: Connection,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    observations: Sequence[Observed],
    judged: Standings,
    now: datetime,
) -> dict[str, Trust]:
    """How far each of these products can be trusted; it changes nothing."""
    at_risk = forecast(connection, plan, products, observations, now)
    covered = coverages(plan, _imported(connection, products, now))
    accepted = _accepted(connection, observations)
    return {
        product.name: Trust(
            at=now,
            standings=judged[product.name],
            coverage=covered[product.name],
            response=response(_own_incidents(connection, product.name, now), now),
            incidents=incident_store.incidents_of(connection, product.name, live=True),
            forecast=at_risk.get(product.name, ()),
            reads=reads_of(connection, product.name, now - READS_OVER, now, pulled_by(plan, product.name)),
            accepted=accepted.get(product.name, ()),
        )
        for product in products
    }


def _imported(connection: Connection, products: Sequence[ProductPlan], now: datetime) -> Counter[str]:
    """The number of each product's tests that run elsewhere and are not in its plan."""
    states = history.check_states(connection, now, [product.name for product in products])
    return Counter(state.check.product for state in states if state.check.kind == "imported")


def _accepted(connection: Connection, observations: Iterable[Observed]) -> dict[str, tuple[AcceptedWeakness, ...]]:
    titles = {(each.product, each.check): fault(each.check, each.title) for each in observations}
    return {
        product: tuple(AcceptedWeakness(titles.get((product, each.check), each.check), each) for each in found)
        for product, found in acceptances(connection).items()
    }


def _own_incidents(connection: Connection, product: str, now: datetime) -> Iterator[Incident]:
    stored = incident_store.incidents_of(connection, product, since=now - RESPONSE_OVER)
    return (each.incident for each in stored if each.incident.cause == product)
