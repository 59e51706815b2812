"""How a domain's products are as a whole: budgets of promises, incidents by age, response times, coverage. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.incidents.response_times import Response, response
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.standing import Standing
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.coverage import Coverage
from platform_resources.promises.grades import ProductHealth, Status
from platform_resources.services.trust import Trust


@dataclass(frozen=True, slots=True)
class DomainIndicator:
    """One indicator of a product of the domain, with what is left of its budget.

    `left` is a share of the budget, below 0 if it is overspent; None where there is no target, or nothing can be told yet.
    """

    product: str
    standing: Standing
    left: float | None


@dataclass(frozen=True, slots=True)
class AgedIncident:
    """An incident that is not over, and how long it has been known."""

    stored: StoredIncident
    age: timedelta


@dataclass(frozen=True, slots=True)
class DomainHealth:
    """One domain at a moment. `indicators` begin with the least budget left, `incidents` with the oldest; `response` is of 90 days.

    `datsis` will hold the grade of each product once it is defined; until then it is not computed, and pages say so.
    """

    domain: str
    products: tuple[str, ...]
    statuses: Mapping[Status, int]
    indicators: tuple[DomainIndicator, ...]
    incidents: tuple[AgedIncident, ...]
    response: Response
    coverage: Coverage
    at_risk: tuple[str, ...]
    datsis: None = None


def domain_healths(
    products: Iterable[ProductPlan],
    health: Mapping[str, ProductHealth],
    trust: Mapping[str, Trust],
    incidents: Sequence[StoredIncident],
    now: datetime,
    made_up: Collection[str] = (),
) -> tuple[DomainHealth, ...]:
    """Every domain that has products, by name. `incidents` are those of the last 90 days and all that live, of the whole mesh.

    Those that are `made_up`, by name, have no part in the response times.
    """
    real = [stored for stored in incidents if stored.incident.name not in made_up]
    by_domain: dict[str, list[str]] = {}
    for product in products:
        by_domain.setdefault(product.domain, []).append(product.name)
    return tuple(_domain(domain, sorted(names), health, trust, real, now) for domain, names in sorted(by_domain.items()))


def _domain(
    domain: str,
    names: Sequence[str],
    health: Mapping[str, ProductHealth],
    trust: Mapping[str, Trust],
    incidents: Iterable[StoredIncident],
    now: datetime,
) -> DomainHealth:
    own = [stored for stored in incidents if stored.incident.cause in names]
    covered = [trust[name].coverage.own for name in names]
    return DomainHealth(
        domain=domain,
        products=tuple(names),
        statuses=Counter(health[name].status for name in names),
        indicators=tuple(sorted((_indicator(name, s) for name in names for s in trust[name].standings), key=_least_left_first)),
        incidents=tuple(sorted((_aged(stored, now) for stored in own if stored.incident.live), key=lambda aged: -aged.age)),
        response=response((stored.incident for stored in own), now),
        coverage=Coverage(sum(each.watched for each in covered), sum(each.total for each in covered)),
        at_risk=tuple(name for name in names if trust[name].forecast),
    )


def _indicator(product: str, standing: Standing) -> DomainIndicator:
    budget = standing.attainment.budget
    return DomainIndicator(product, standing, 1 - budget.consumed if budget is not None else None)


def _least_left_first(indicator: DomainIndicator) -> tuple[bool, float, str, str]:
    left = indicator.left
    return left is None, left if left is not None else 0.0, indicator.product, indicator.standing.indicator.check.name


def _aged(stored: StoredIncident, now: datetime) -> AgedIncident:
    return AgedIncident(stored, max(now - stored.incident.opened_at, timedelta()))
