"""Compare the specified monitors with the deployed ones, and record the specified ones as deployed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.deployed_monitors import ByProduct, apply, deployed
from platform_resources.ledger.queries.objective_history import refreshes
from platform_resources.ledger.queries.relation_sizes import relation_sizes
from platform_resources.monitors.monitor_costs import MonitorCost, Size, Surroundings, profiled_relations
from platform_resources.monitors.monitor_plan import Change, Monitor, ProductChanges, monitors, product_changes
from platform_resources.monitors.monitor_text import SYMBOLS
from platform_resources.plan.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.spec.problems import Problem, errors, unknown_text

# The median of so many refreshes tells how long one takes.
REFRESHES = 20


class NothingOfThatName(Exception):
    """Raised for a name that is neither a product nor a domain, now or when monitors were last applied."""


class SpecificationsInvalid(Exception):
    """Raised if the specifications of monitors to apply have problems, which it lists."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("nothing is applied: the specifications have problems (above)")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class MonitorChanges:
    """Monitor changes by product, including removed products, and problems in their specifications."""

    products: tuple[ProductChanges, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class MeshSpecifications:
    """The current monitor specifications of a mesh; `names` restricts them to products and domains, empty means all."""

    plan: MeshPlan
    problems: Sequence[Problem]
    names: Collection[str] = ()

    @property
    def products(self) -> tuple[ProductPlan | RejectedProduct, ...]:
        """All products of the mesh, also those whose documents have errors."""
        return (*self.plan.products, *self.plan.rejected)

    def wants(self, product: str, domain: str) -> bool:
        """Whether the product or its domain is selected."""
        return not self.names or product in self.names or domain in self.names

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Errors in the specifications of the selected products."""
        return tuple(problem for problem in errors(tuple(self.problems)) if not self.names or {*self.names} & set(problem.file.split("/")))


def planned_changes(ledger: Ledger, specifications: MeshSpecifications, now: datetime) -> MonitorChanges:
    """The changes that `applied_changes` would record. Raises NothingOfThatName."""
    with ledger.reading() as connection:
        known = deployed(connection)
        _refuse_unknown(specifications, known)
        changes = _decided(specifications, known, relation_sizes(connection, specifications.plan.products, now))
        return MonitorChanges(_timed(connection, changes, now), specifications.errors)


def applied_changes(ledger: Ledger, specifications: MeshSpecifications, now: datetime, person: str) -> MonitorChanges:
    """Record the specified monitors as deployed. Raises NothingOfThatName and SpecificationsInvalid."""
    with ledger.reading() as connection:
        _refuse_unknown(specifications, deployed(connection))
        sizes = relation_sizes(connection, specifications.plan.products, now)
    if specifications.errors:
        raise SpecificationsInvalid(specifications.errors)
    changes = apply(ledger, lambda known: _decided(specifications, known, sizes), now, person)
    with ledger.reading() as connection:
        return MonitorChanges(_timed(connection, changes, now))


def _refuse_unknown(specifications: MeshSpecifications, known: ByProduct) -> None:
    plan = specifications.plan
    names = {name for product in specifications.products for name in (product.name, product.domain)}
    names |= {name for product, m in known.items() for name in (product, m[0].domain)} | {domain.name for domain in plan.domains}
    for name in specifications.names:
        if name not in names:
            raise NothingOfThatName(unknown_text("product or domain", name, names))


def _decided(specifications: MeshSpecifications, known: ByProduct, sizes: Mapping[str, Mapping[str, Size]]) -> tuple[ProductChanges, ...]:
    plan = specifications.plan
    planned = [_planned(p, known, sizes.get(p.name, {})) for p in plan.products if specifications.wants(p.name, p.domain)]
    there = {product.name for product in specifications.products}
    gone = {name: m[0].domain for name, m in known.items() if name not in there and specifications.wants(name, m[0].domain)}
    removed = [product_changes(name, domain, _monitors(known, name), (), Surroundings({})) for name, domain in gone.items()]
    return tuple(sorted((*planned, *removed), key=lambda change: (change.domain, change.product)))


def _planned(product: ProductPlan, known: ByProduct, sizes: Mapping[str, Size]) -> ProductChanges:
    wanted = monitors(product, installed_registry().dimensions())
    surroundings = Surroundings(sizes, profiled_relations(product))
    return product_changes(product.name, product.domain, _monitors(known, product.name), wanted, surroundings)


def _monitors(known: ByProduct, product: str) -> tuple[Monitor, ...]:
    return tuple(stored.monitor for stored in known.get(product, ()))


def _timed(connection: Connection, changes: Sequence[ProductChanges], now: datetime) -> tuple[ProductChanges, ...]:
    """With how long refreshes take of the products that change."""
    lasted = {change.product: refreshes(connection, change.product, now, REFRESHES).seconds for change in changes if change.changes}
    return tuple(replace(change, seconds=median(lasted[change.product])) if lasted.get(change.product) else change for change in changes)


def changes_data(changes: MonitorChanges) -> dict[str, Any]:
    """The changes as JSON data."""
    products = changes.products
    return {
        "products": [_product_data(product) for product in products],
        "counts": {kind: sum(product.count(kind) for product in products) for kind in SYMBOLS},
        "unchanged": sum(product.unchanged for product in products),
        "cost": asdict(sum((product.cost for product in products), MonitorCost())),
        "problems": [str(problem) for problem in changes.problems],
    }


def _product_data(product: ProductChanges) -> dict[str, Any]:
    return {
        "product": product.product,
        "domain": product.domain,
        "changes": [_change_data(change) for change in product.changes],
        "unchanged": product.unchanged,
        "cost": asdict(product.cost),
        "refresh_seconds": product.seconds,
    }


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "change": change.kind,
        "monitor": change.monitor.name,
        "former": change.former.name if change.former is not None else None,
        "fingerprint": change.monitor.fingerprint,
        "definition": change.monitor.definition,
        "fields": [asdict(field) for field in change.fields],
        "cost": asdict(change.cost),
    }
