"""Judge the objectives that are measured between refreshes: by probes of ports, and from the history of refreshes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from platform_resources.capabilities.judgements import History, Judgement, Moment, Refreshes, Spent
from platform_resources.capabilities.measures import Reading
from platform_resources.capabilities.registry import Registry
from platform_resources.capabilities.work import RefreshWork
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.ledger.queries.objective_history import histories, publication_times, refreshes, spent
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.zones import zone_of
from platform_resources.promises.judgement import objective_judged
from platform_resources.publications.port_probes import Probe, answers, readings
from platform_resources.refresh.kept_work import kept_work
from platform_resources.services.catalog.consumer_probes import service_answer
from platform_resources.services.watching import Judged

# As far back as a dimension may ask, and the refresh that is judged.
REFRESHES = 1001


def judged_between_refreshes(product: ProductPlan) -> tuple[ObjectivePlan, ...]:
    """The product's objectives that are judged between refreshes."""
    return tuple(objective for objective in product.objectives if objective.measured_by != "audit") if product.runs else ()


def judged_objectives(products: Sequence[ProductPlan], registry: Registry, state: Path, ledger: Ledger, now: datetime) -> Iterator[Judged]:
    """Judge every objective that no audit measures, as of `now`. Sync the ledger first.

    The ledger is let go before the ports are read, which may take a while: up to `within` for each port.
    """
    past = _histories(products, state, ledger, now)
    before = _published(products, ledger, now)
    for product in products:
        for objective in _measured_by(product, "history"):
            yield objective, _judged(registry, objective, {}, past[product.name].moment(now, objective))
    for objective, probed in _probed(products, registry, state, before):
        yield objective, _judged(registry, objective, probed, Moment(now))


def _measured_by(product: ProductPlan, how: str) -> tuple[ObjectivePlan, ...]:
    return tuple(objective for objective in judged_between_refreshes(product) if objective.measured_by == how)


def _judged(registry: Registry, objective: ObjectivePlan, readings: Mapping[str, Reading], moment: Moment) -> Judgement:
    return objective_judged(registry.dimensions()[objective.dimension], objective, readings, moment)


@dataclass(frozen=True, slots=True)
class _Past:
    """What objectives of one product are judged by that are measured from history."""

    refreshes: Refreshes
    spent: tuple[Spent, ...]
    histories: Mapping[str, History]
    publications: tuple[datetime, ...]
    zone: tzinfo
    work: tuple[RefreshWork, ...]

    def moment(self, now: datetime, objective: ObjectivePlan) -> Moment:
        history = self.histories.get(objective.check.name, History())
        past = Moment(now, refreshes=self.refreshes, spent=self.spent, history=history, publications=self.publications, zone=self.zone)
        return replace(past, work=self.work)


def _histories(products: Sequence[ProductPlan], state: Path, ledger: Ledger, now: datetime) -> dict[str, _Past]:
    asking = [product for product in products if _measured_by(product, "history")]
    if not asking:
        return {}
    with ledger.reading() as connection:
        return {product.name: _past(connection, product, state, now) for product in asking}


def _past(connection: Connection, product: ProductPlan, state: Path, now: datetime) -> _Past:
    lately = refreshes(connection, product.name, now, REFRESHES)
    published = publication_times(connection, product.name, now)
    costs, before = spent(connection, product.name, now), histories(connection, product, now)
    return _Past(lately, costs, before, published, zone_of(product), kept_work(state, product))


def _published(products: Sequence[ProductPlan], ledger: Ledger, now: datetime) -> frozenset[tuple[str, str]]:
    """The products and ports of which there ever was a version, whatever the shelves say now."""
    asking = [product.name for product in products if _measured_by(product, "probe")]
    if not asking:
        return frozenset()
    with ledger.reading() as connection:
        return frozenset((version.product, version.port) for version in newest_publications(connection, now, asking))


def _probed(
    products: Sequence[ProductPlan], registry: Registry, state: Path, before: frozenset[tuple[str, str]]
) -> Iterator[tuple[ObjectivePlan, Mapping[str, Reading]]]:
    """What each objective is judged by. All ports are read by one process, one after the other."""
    asked = [
        (product, objective, _probes(product, registry, objective, before))
        for product in products
        for objective in _measured_by(product, "probe")
    ]
    answered = iter(answers(state, [probe for *_, probes in asked for probe in probes]))
    for product, objective, probes in asked:
        within = registry.dimensions()[objective.dimension].within(objective.settings)
        services = [port for port in product.consumers if port.data_set is not None and port.name in objective.ports]
        said = [service_answer(port, within) for port in services]
        yield objective, readings([*(next(answered) for _ in probes), *said])


def _probes(product: ProductPlan, registry: Registry, objective: ObjectivePlan, before: frozenset[tuple[str, str]]) -> list[Probe]:
    within = registry.dimensions()[objective.dimension].within(objective.settings)
    stores, seconds = {port.name: port.store for port in product.outputs}, within.total_seconds()
    return [
        Probe(product.domain, product.name, name, stores[name].in_catalog, seconds, (product.name, name) in before, stores[name].server)
        for name in objective.ports
        if name in stores
    ]
