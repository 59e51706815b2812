"""Forecast which deadlines will be missed if inputs that are late now stay late."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from platform_resources.capabilities.registry import traits_of
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import PortPublication
from platform_resources.plan.graph import ancestors, downstream
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.forecast import LateInput, MissedDeadline, NextPromise, impacts
from platform_resources.promises.periods import ZERO
from platform_resources.services.product_health import watched
from platform_resources.services.watching import Observed

USUAL_OVER = timedelta(days=30)
REMEMBERED_FOR = timedelta(days=366)


def forecast(
    connection: Connection, plan: MeshPlan, products: Sequence[ProductPlan], observations: Iterable[Observed], now: datetime
) -> dict[str, tuple[MissedDeadline, ...]]:
    """The deadlines at risk because of each product of `products` that is late, soonest first; products that are not late are left out."""
    missed = [each for each in observations if each.verdict == "missed"]
    newest = _by_product(history.newest_publications(connection, now))
    late = {p.name: found for p in products if (found := _late(connection, p, missed, newest.get(p.name, ()), now)) is not None}
    below = downstream(plan.upstream)
    touched = {name for product in late for name in (product, *ancestors(product, below))}
    promises = {
        product.name: _promise(connection, product, newest.get(product.name, ()), now)
        for product in plan.products
        if product.name in touched
    }
    return {name: impacts(found, plan.upstream, promises, now) for name, found in late.items()}


def _by_product(publications: Iterable[PortPublication]) -> Mapping[str, Sequence[PortPublication]]:
    found: dict[str, list[PortPublication]] = {}
    for publication in publications:
        found.setdefault(publication.product, []).append(publication)
    return found


def _late(
    connection: Connection, product: ProductPlan, missed: Iterable[Observed], newest: Sequence[PortPublication], now: datetime
) -> LateInput | None:
    """What is late of a product: an input port that failed or is stale, or the product as a whole. As of when its last good data is."""
    own = [each for each in missed if each.product == product.name]
    ports = {each.check.split(":")[0].removeprefix("inputs/") for each in own if each.check.startswith("inputs/")}
    stale = any(traits_of(each.dimension).failure == "lateness" for each in own)
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


def _promise(connection: Connection, product: ProductPlan, newest: Sequence[PortPublication], now: datetime) -> NextPromise:
    """The promise of freshness that ends first with the version that is published now."""
    known = {port.data_set: version for port in product.outputs for version in newest if version.port == port.name}
    ends = [
        (known_until + check.max_age, check.max_age)
        for check in watched(product)
        if check.max_age is not None and check.data_set in known and (known_until := known[check.data_set].known_until) is not None
    ]
    deadline, max_age = min(ends, default=(None, ZERO))
    return NextPromise(deadline, max_age, _usual_refresh(connection, product, now), tuple(consumer.title for consumer in product.consumers))


def _usual_refresh(connection: Connection, product: ProductPlan, now: datetime) -> timedelta:
    """The median of the last month's refreshes that succeeded; zero where there is none."""
    seconds = [run.seconds for run in history.runs(connection, product.name, now - USUAL_OVER, now) if run.status == "succeeded"]
    return timedelta(seconds=median([s for s in seconds if s is not None] or [0.0]))
