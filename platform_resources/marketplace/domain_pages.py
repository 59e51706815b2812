"""Pages of domain health for owners: remaining error budgets, open incidents by age, and the next digest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from platform_resources.incidents.response_times import response
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.standing import Standing
from platform_resources.marketplace.display import charts, phrases
from platform_resources.marketplace.display.phrases import Look, PageTimes
from platform_resources.marketplace.display.promise_rows import window_text
from platform_resources.marketplace.display.readme import safe_html
from platform_resources.marketplace.home_page import page_zone, product_row, trouble_first
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.product_page import median_text
from platform_resources.marketplace.shop import Missing
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.announcements import Round, next_digest
from platform_resources.services.showing.mesh_overview import MeshOverview

MOST_BUDGETS = 20


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain in the list."""

    name: str
    title: str
    healthy: int
    products: int
    met: int
    missed: int
    unknown: int
    incidents: tuple[StoredIncident, ...]
    oldest: datetime | None
    watched: int
    steps: int

    @property
    def severities(self) -> list[str]:
        """The incidents by severity, worst first: `1 high`, `2 medium`."""
        counts = Counter(stored.severity for stored in self.incidents)
        return [f"{counts[severity]} {severity}" for severity in reversed(phrases.SEVERITIES) if counts[severity]]


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One indicator with its remaining error budget."""

    look: Look
    title: str
    product: ProductPlan
    strip: Markup
    text: str
    deadline: datetime | None


def domains_page(view: MeshOverview) -> dict[str, Any]:
    """The context of the template `domains.html`."""
    titles = view.plan.domain_titles
    rows = [_row(view, name, title) for name, title in titles.items()]
    return {
        "page": "domain",
        "times": PageTimes(view.at, page_zone(view)),
        "rows": sorted(rows, key=lambda row: (-row.missed, row.title)),
        "budgets": _budgets(view, view.plan.products, PageTimes(view.at, page_zone(view)), MOST_BUDGETS),
        "rejected": view.plan.rejected,
        "response": response((stored.incident for stored in view.real_incidents), view.at),
        "median": median_text,
        "view": view,
    }


def _row(view: MeshOverview, name: str, title: str) -> DomainRow:
    own = [product for product in view.plan.products if product.domain == name]
    health, trust = [view.health[product.name] for product in own], [view.trust[product.name] for product in own]
    incidents = _live_of(view, own)
    return DomainRow(
        name,
        title,
        *view.healthy_of(name),
        sum(product.count("met") for product in health),
        sum(product.count("missed") for product in health),
        sum(product.count("unknown") for product in health),
        incidents,
        min((stored.incident.began_at for stored in incidents), default=None),
        sum(product.coverage.own.watched for product in trust),
        sum(product.coverage.own.total for product in trust),
    )


def _live_of(view: MeshOverview, products: Iterable[ProductPlan]) -> tuple[StoredIncident, ...]:
    """Oldest first."""
    names = {product.name for product in products}
    return tuple(sorted((stored for stored in view.live if stored.incident.cause in names), key=lambda stored: stored.incident.began_at))


def domain_page(market: Market, view: MeshOverview, name: str) -> dict[str, Any]:
    """The context of the template `domain.html`. Raises Missing for a domain without a product."""
    own = [product for product in trouble_first(view) if product.domain == name]
    if not own:
        raise Missing(f"There is no domain “{name}” with a product in this mesh.")
    plan = next((domain for domain in view.plan.domains if domain.name == name), None)
    zone = plan.digest.timezone if plan is not None and plan.digest is not None else own[0].zone
    times = PageTimes(view.at, zone)
    causes = {product.name for product in own}
    seen = all(view.sees_all(product.name) for product in own)
    return {
        "page": "domain",
        "times": times,
        "name": name,
        "plan": plan,
        "title": view.plan.domain_titles[name],
        "titles": view.plan.domain_titles,
        "lines": [product_row(view, product) for product in own],
        "row": _row(view, name, ""),
        "budgets": _budgets(view, own, times),
        "incidents": _live_of(view, own),
        "product_titles": {product.name: product.title for product in view.plan.products},
        "response": response((stored.incident for stored in view.real_incidents if stored.incident.cause in causes), view.at),
        "median": median_text,
        "digest": _digest(market, view, name, own) if seen else None,
        "digest_withheld": not seen,
    }


def _digest(market: Market, view: MeshOverview, name: str, own: Sequence[ProductPlan]) -> dict[str, Any] | None:
    """What the next digest would say now, and when and where it goes."""
    known = view.known
    today = Round(view.plan, own, known.observations, known.standings, view.at, domains=[name], digests=[name], health=known.health)
    digest = market.patient.said(lambda connection: next_digest(connection, today, name), None)
    if digest is None:
        return None
    day, words = digest
    return {
        "at": f"{day.digest.at:%H:%M}",
        "zone": day.digest.timezone,
        "channel": day.digest.channel,
        "subject": words.subject,
        "body": safe_html(words.body),
    }


def _budgets(view: MeshOverview, products: Sequence[ProductPlan], times: PageTimes, most: int | None = None) -> list[BudgetRow]:
    """Least budget first; what is not counted yet comes last. Only these are drawn."""
    return [_budget(product, standing, times) for product, standing in by_budget(view.charted, products)[:most]]


def by_budget(standings: Mapping[str, Sequence[Standing]], products: Sequence[ProductPlan]) -> list[tuple[ProductPlan, Standing]]:
    """Every promise over a window, least budget first."""
    pairs = [(product, standing) for product in products for standing in standings.get(product.name, ())]
    return sorted(pairs, key=lambda pair: _budget_left(pair[1]))


def _budget_left(standing: Standing) -> float:
    """As a share; more than all of it where nothing is counted yet."""
    reached = standing.attainment
    return 1 - (reached.budget.consumed if reached.budget is not None else -1.0) if reached.percent is not None else 9.0


def _budget(product: ProductPlan, standing: Standing, times: PageTimes) -> BudgetRow:
    reached = standing.attainment
    counted = any(one.state in ("good", "bad", "unknown") for one in standing.slices)
    shown = charts.cells(standing.slices, times) if counted else ()
    title = standing.indicator.objective.title
    return BudgetRow(
        phrases.VERDICTS["met" if reached.state == "met" else "missed" if reached.state == "missed" else "unknown"],
        title,
        product,
        charts.strip(shown, f"{title}: {charts.strip_label(shown)}") if shown else Markup(""),
        window_text(standing, times),
        standing.next_deadline,
    )
