"""The status and trust of products from the ledger, the same for `mesh status` and the scorecards."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.incidents.life_cycle import Incident
from platform_resources.incidents.response_times import response
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.made_up import made_up_incidents
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.acceptances import acceptances
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.evidence import Evidence, Memory
from platform_resources.ledger.queries.reads import pulls_of, reads_of_products
from platform_resources.ledger.queries.standing import Standing
from platform_resources.ledger.records import Run
from platform_resources.plan.conventions import ENDS_CHECK, REFRESH_CHECK, VERSIONS_CHECK, check_text
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.coverage import coverages
from platform_resources.promises.grades import NEVER, CheckState, LastRefresh, ProductHealth, Said, WatchedCheck, check_state, check_states
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.services.forecasting import forecast
from platform_resources.services.product_health import health_of, published_state, watched
from platform_resources.services.trust import AcceptedWeakness, Trust
from platform_resources.services.watching import Judged, Observed, observed
from platform_resources.spec.values.clocks import Clock

RESPONSE_OVER = timedelta(days=90)
READS_OVER = timedelta(days=30)
OUTCOME_WITHIN = timedelta(days=366)
UNREADABLE = Said("unknown", "what it said last is in the ledger, which cannot be read")


@dataclass(frozen=True, slots=True)
class Known:
    """What ledger and published files say about products: the one source for `mesh status`, incidents and messages."""

    evidence: Mapping[str, Evidence]
    standings: Mapping[str, tuple[Standing, ...]]
    observations: tuple[Observed, ...]
    last_refreshes: Mapping[str, LastRefresh]
    health: Mapping[str, ProductHealth]


def known(
    connection: Connection,
    state: Path,
    products: Sequence[ProductPlan],
    now: datetime,
    judged: Sequence[Judged] = (),
    memory: Memory | None = None,
) -> Known:
    """Read the state of products; sync the ledger first. `judged` are judgements of this moment, not yet in the ledger.

    What `memory` keeps of products that have not changed is not read again.
    """
    memory = memory or Memory()
    memory.look(connection, products, now)
    evidence = {product.name: memory.evidence(product.name) for product in products}
    standings = {product.name: memory.standings(product.name) for product in products}
    checks = {product.name: memory.of_plan(product, watched) for product in products}
    observations = observed(connection, state, products, evidence, standings, now, judged, checks)
    last = {name: _last_refresh(known, now) for name, known in evidence.items()}
    health = {product.product: product for product in graded(state, products, observations, last, checks)}
    return Known(evidence, standings, observations, last, health)


def _last_refresh(evidence: Evidence, now: datetime) -> LastRefresh:
    """As its scorecard says; one that failed before it had any made no version, and what an earlier one made is not of now."""
    card, run = evidence.scorecard, failed_run(evidence)
    if run is not None:
        return LastRefresh(f"failed: {run.reason}" if run.reason else "failed")
    lately = card is not None and card.at >= now - OUTCOME_WITHIN
    return LastRefresh(card.outcome, card.held_back) if card is not None and lately else LastRefresh("not refreshed lately")


def failed_run(evidence: Evidence) -> Run | None:
    """The run that ended last, if it failed before it had a scorecard."""
    card, run = evidence.scorecard, evidence.ended
    if run is None or run.status != "failed":
        return None
    is_newer = card is None or (run.run_id != card.run_id and run.ended_at is not None and run.ended_at > card.at)
    return run if is_newer else None


def graded(
    state: Path,
    products: Sequence[ProductPlan],
    observations: Iterable[Observed],
    last: Mapping[str, LastRefresh],
    checks: Mapping[str, Sequence[WatchedCheck]] | None = None,
) -> tuple[ProductHealth, ...]:
    """The health of each product from its observations; `last` says how each last refresh ended."""
    by_product: dict[str, dict[str, Observed]] = {product.name: {} for product in products}
    for observation in observations:
        if observation.product in by_product:
            by_product[observation.product][observation.check] = observation
    checks = checks or {product.name: watched(product) for product in products}
    return tuple(_health(state, p, checks[p.name], by_product[p.name], last.get(p.name, LastRefresh())) for p in products)


def _health(
    state: Path, product: ProductPlan, planned: Sequence[WatchedCheck], seen: Mapping[str, Observed], last: LastRefresh
) -> ProductHealth:
    checks = (*(_planned(check, seen) for check in planned), *_others(product, seen))
    try:
        latest = shelf(state, product.domain, product.name).latest()
    except VersionsUnreadable as error:
        return health_of(product, None, (), last, str(error))
    return health_of(product, published_state(latest) if latest is not None else None, checks, last)


def graded_without_ledger(state: Path, product: ProductPlan, now: datetime, last: LastRefresh) -> ProductHealth:
    """The health of a product without its check results: all are unknown but the age of its data."""
    try:
        latest = shelf(state, product.domain, product.name).latest()
    except VersionsUnreadable as error:
        return health_of(product, None, (), last, str(error))
    published = published_state(latest) if latest is not None else None
    executions = {(check.key, check.name): UNREADABLE for check in watched(product)}
    checks = check_states(watched(product), published, executions, Clock(product.zone, now))
    return health_of(product, published, checks, last)


def _planned(check: WatchedCheck, seen: Mapping[str, Observed]) -> CheckState:
    said = seen.get(check_text(check.key, check.name))
    return said.state if said is not None else check_state(check, NEVER)


def _others(product: ProductPlan, seen: Mapping[str, Observed]) -> Iterator[CheckState]:
    """Tests that ran elsewhere, and what is wrong with refreshes and budgets; those two only if something is."""
    planned = {check_text(check.key, check.name) for check in product.checks}
    for name, said in sorted(seen.items()):
        if name not in planned and name != VERSIONS_CHECK and (said.imported or said.verdict == "missed"):
            yield said.state


def health_after(
    ledger: Ledger, state: Path, product: ProductPlan, now: datetime, last: LastRefresh
) -> tuple[ProductHealth, tuple[StoredIncident, ...]]:
    """The health of a product whose refresh ended like this, and its incidents. Sync the ledger first.

    The refresh is not over in the ledger yet, so what that says of the one before does not count.
    """
    with ledger.reading() as connection:
        observations = known(connection, state, (product,), now).observations
        of_now = [observation for observation in observations if observation.check not in (REFRESH_CHECK, ENDS_CHECK)]
        (health,) = graded(state, (product,), of_now, {product.name: last})
        return health, incident_store.incidents_of(connection, product.name, live=True)


def looked_at(
    ledger: Ledger, state: Path, plan: MeshPlan, products: Sequence[ProductPlan], now: datetime
) -> tuple[tuple[ProductHealth, ...], dict[str, Trust]]:
    """The health and trust of each of these products, changing nothing. Sync the ledger first."""
    with ledger.reading() as connection:
        facts = known(connection, state, products, now)
        return tuple(facts.health.values()), trust(connection, plan, products, facts, now)


def trust(connection: Connection, plan: MeshPlan, products: Sequence[ProductPlan], facts: Known, now: datetime) -> dict[str, Trust]:
    """The trust of each of these products, changing nothing."""
    at_risk = forecast(connection, plan, products, facts.observations, now, facts.evidence)
    covered = coverages(plan, _imported(facts.evidence))
    accepted = _accepted(connection, facts.observations)
    names = {product.name for product in products}
    reads = reads_of_products(connection, names, now - READS_OVER, now, pulls_of(plan))
    concerning = _incidents(connection, now)
    made_up = made_up_incidents(connection)
    return {
        product.name: Trust(
            at=now,
            standings=facts.standings[product.name],
            coverage=covered[product.name],
            response=response(_own_incidents(product.name, concerning, made_up), now),
            incidents=tuple(stored for stored in concerning.get(product.name, ()) if stored.incident.live),
            forecast=at_risk.get(product.name, ()),
            reads=reads[product.name],
            accepted=accepted.get(product.name, ()),
        )
        for product in products
    }


def _imported(evidence: Mapping[str, Evidence]) -> Counter[str]:
    """The number of each product's tests that run elsewhere and are not in its plan."""
    return Counter({name: sum(check.check.kind == "imported" for check in known.checks) for name, known in evidence.items()})


def _accepted(connection: Connection, observations: Iterable[Observed]) -> dict[str, tuple[AcceptedWeakness, ...]]:
    titles = {(observation.product, observation.check): fault(observation.check, observation.title) for observation in observations}
    return {
        product: tuple(AcceptedWeakness(titles.get((product, acceptance.check), acceptance.check), acceptance) for acceptance in accepted)
        for product, accepted in acceptances(connection).items()
    }


def _incidents(connection: Connection, now: datetime) -> Mapping[str, Sequence[StoredIncident]]:
    """Those that live or ended lately, opened last first, by each product that they concern. One query for the whole mesh."""
    concerning: dict[str, list[StoredIncident]] = {}
    for stored in incident_store.incidents_of(connection, since=now - RESPONSE_OVER):
        for product in {stored.incident.cause, *stored.incident.impacted}:
            concerning.setdefault(product, []).append(stored)
    return concerning


def _own_incidents(product: str, concerning: Mapping[str, Sequence[StoredIncident]], made_up: Collection[str]) -> Iterator[Incident]:
    stored = concerning.get(product, ())
    return (own.incident for own in stored if own.incident.cause == product and own.incident.name not in made_up)
