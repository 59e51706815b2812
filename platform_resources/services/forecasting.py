"""Forecast which deadlines will be missed if inputs that are late now stay late."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from statistics import median

from platform_resources.capabilities.registry import traits_of
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.evidence import REFRESHES_OVER, Evidence
from platform_resources.ledger.records import PortPublication
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.promises.forecast import LateInput, MissedDeadline, NextPromise, impacts
from platform_resources.promises.periods import ZERO
from platform_resources.services.watching import Observed
from platform_resources.spec.values.deadlines import kept_until

REMEMBERED_FOR = timedelta(days=366)


def forecast(
    connection: Connection,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    observations: Iterable[Observed],
    now: datetime,
    evidence: Mapping[str, Evidence] | None = None,
) -> dict[str, tuple[MissedDeadline, ...]]:
    """Deadlines at risk because of each late product in `products`, soonest first; products on time are left out.

    Of products that are not in the `evidence`, how long refreshes take is read.
    """
    missed: dict[str, list[Observed]] = {}
    for observation in observations:
        if observation.verdict == "missed":
            missed.setdefault(observation.product, []).append(observation)
    newest = _by_product(history.newest_publications(connection, now))
    late = {
        p.name: delay for p in products if (delay := _late(connection, p, missed.get(p.name, ()), newest.get(p.name, ()), now)) is not None
    }
    touched = {name for product in late for name in (product, *ancestors(product, plan.downstream))}
    promises = {
        product.name: _promise(product, newest.get(product.name, ()), _usual_refresh(connection, product, evidence or {}, now))
        for product in plan.products
        if product.name in touched
    }
    return {name: impacts(delay, plan.graph, promises, now) for name, delay in late.items()}


def _by_product(publications: Iterable[PortPublication]) -> Mapping[str, Sequence[PortPublication]]:
    by_product: dict[str, list[PortPublication]] = {}
    for publication in publications:
        by_product.setdefault(publication.product, []).append(publication)
    return by_product


def _late(
    connection: Connection, product: ProductPlan, missed: Sequence[Observed], newest: Sequence[PortPublication], now: datetime
) -> LateInput | None:
    """What is late of a product: an input port that failed or is stale, or the product as a whole. As of when its last good data is."""
    ports = {check.check.split(":")[0].removeprefix("inputs/") for check in missed if check.check.startswith("inputs/")}
    stale = any(traits_of(check.dimension).failure == "lateness" for check in missed)
    if not ports and not stale:
        return None
    published = [version.known_until or version.published_at for version in newest]
    return LateInput(product.name, min([*_last_good(connection, product, ports, now), *published], default=now))


def _last_good(connection: Connection, product: ProductPlan, ports: Iterable[str], now: datetime) -> Iterator[datetime]:
    """When each of these ports last brought its data."""
    states = history.input_states(connection, product.name, now - REMEMBERED_FOR, now)
    for port in sorted(ports):
        good = [state.at for state in states if state.port == port and not state.degraded]
        yield from good[-1:]


def _promise(product: ProductPlan, newest: Sequence[PortPublication], usual_refresh: timedelta) -> NextPromise:
    """The promise of freshness that ends first with the version that is published now."""
    known = {port.data_set: version for port in product.outputs for version in newest if version.port == port.name}
    ends = [
        (kept_until(max_age, known_until), max_age)
        for objective in product.objectives
        if objective.data_set in known
        and (known_until := known[objective.data_set].known_until) is not None
        and (max_age := promised_age(objective)) is not None
    ]
    deadline, max_age = min(ends, key=itemgetter(0), default=(None, ZERO))
    return NextPromise(deadline, max_age, usual_refresh, tuple(consumer.title for consumer in product.consumers))


def _usual_refresh(connection: Connection, product: ProductPlan, evidence: Mapping[str, Evidence], now: datetime) -> timedelta:
    """The median of the last month's refreshes that succeeded; zero where there is none."""
    since, known = now - REFRESHES_OVER, evidence.get(product.name)
    refreshes = known.refreshes if known is not None else history.refresh_seconds(connection, product.name, since, now)
    return timedelta(seconds=median([seconds for began, seconds in refreshes if began >= since] or [0.0]))
