"""The home page: what needs attention, what is new, what is used, and the map."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.lineage_pictures import MOST_ARROWS, data_as_of, mesh_map
from platform_resources.marketplace.display.phrases import Look, PageTimes
from platform_resources.marketplace.display.promise_rows import short_trouble
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.forecast import MissedDeadline
from platform_resources.services.catalog.use_of_products import most_used, newly_published
from platform_resources.services.showing.mesh_overview import MeshOverview

MOST_ROWS, MOST_LISTED, MOST_DOMAINS = 12, 5, 8


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product in a table: its state, what to know, and the columns affected."""

    plan: ProductPlan
    look: Look
    met: int
    missed: int
    unknown: int
    text: str
    columns: tuple[str, ...]
    as_of: datetime | None


def product_row(view: MeshOverview, product: ProductPlan) -> ProductRow:
    """The row of one product."""
    health = view.health[product.name]
    return ProductRow(
        product,
        phrases.look(health),
        health.count("met"),
        health.count("missed"),
        health.count("unknown"),
        short_trouble(health, product),
        phrases.concerned(health),
        data_as_of(health),
    )


def trouble_first(view: MeshOverview) -> list[ProductPlan]:
    """All products, those in trouble first."""
    return sorted(view.plan.products, key=lambda product: (phrases.TROUBLE.index(view.health[product.name].status), product.title))


def page_zone(view: MeshOverview) -> str:
    """The time zone of most products."""
    return view.plan.usual_zone


def home_page(view: MeshOverview) -> dict[str, Any]:
    """The context of the template `home.html`."""
    titles, ordered = view.plan.domain_titles, trouble_first(view)
    sick = [product for product in ordered if view.health[product.name].status not in ("healthy", "retired")]
    shown = ordered if len(ordered) <= MOST_ROWS else sick[:MOST_ROWS]
    return {
        "page": "home",
        "times": PageTimes(view.at, page_zone(view)),
        "view": view,
        "look": phrases.look,
        "titles": titles,
        "worst": sorted(view.live, key=lambda stored: -list(phrases.SEVERITIES).index(stored.severity))[:MOST_LISTED],
        "lines": [product_row(view, product) for product in shown],
        "summary": summary(view, titles),
        "left_out": len(sick) - len(shown) if len(ordered) > MOST_ROWS else 0,
        "map": mesh_map(view, list(titles.items())),
        "deadlines": deadlines(view),
        "at_risk": at_risk(view),
        "used": used(view),
        "new": newest(view),
        "certified": certified(view),
        "is_mosaic": len(view.plan.products) > MOST_ARROWS,
        "domains": sorted(((name, title, *view.healthy_of(name)) for name, title in titles.items()), key=_least_healthy)[:MOST_DOMAINS],
    }


def summary(view: MeshOverview, titles: dict[str, str]) -> str:
    """`7 products, 4 domains: 1 healthy, 5 to use with care, 1 unknown`."""
    states = [phrases.look(health).word for health in view.health.values() if health.status != "retired"]
    counts = phrases.listed(f"{states.count(word)} {word.lower()}" for word in dict.fromkeys(states))
    return f"{phrases.count(len(states), 'product')}, {phrases.count(len(titles), 'domain')}: {counts}." if states else ""


def deadlines(view: MeshOverview) -> list[tuple[datetime, ProductPlan, str]]:
    """What must have happened by when, soonest first; one for each product."""
    soonest: dict[str, tuple[datetime, ProductPlan, str]] = {}
    for product in view.plan.products:
        for standing in view.trust[product.name].standings:
            at = standing.next_deadline
            if at is not None and at > view.at and (product.name not in soonest or at < soonest[product.name][0]):
                soonest[product.name] = (at, product, standing.indicator.objective.title)
    return sorted(soonest.values(), key=lambda deadline: deadline[0])[:MOST_LISTED]


def at_risk(view: MeshOverview) -> list[tuple[ProductPlan, MissedDeadline]]:
    """Deadlines that will be missed if what is late stays so, soonest first; one for each product."""
    products = view.plan.by_name
    soonest: dict[str, MissedDeadline] = {}
    for missed in sorted((risk for trust in view.trust.values() for risk in trust.forecast), key=lambda risk: risk.deadline):
        soonest.setdefault(missed.product, missed)
    return [(products[name], missed) for name, missed in soonest.items() if name in products][:MOST_LISTED]


def used(view: MeshOverview) -> list[tuple[ProductPlan, int, int]]:
    """Products with their reads and readers of 30 days, most read first."""
    products = view.plan.by_name
    uses = view.use.uses
    return [(products[name], uses[name].reads, uses[name].users) for name in most_used(view.use, MOST_LISTED)]


def newest(view: MeshOverview) -> list[tuple[ProductPlan, datetime]]:
    """Those whose first version is the youngest."""
    products = view.plan.by_name
    return [(products[name], at) for name, at in newly_published(view.use, MOST_LISTED)]


def certified(view: MeshOverview) -> list[tuple[ProductPlan, datetime]]:
    """Certified products, those first that were seen to be so last."""
    certified = [(p, view.certified[p.name]) for p in view.plan.products if p.info.certified and p.name in view.certified]
    return sorted(certified, key=lambda dated: dated[1], reverse=True)[:MOST_LISTED]


def _least_healthy(domain: tuple[str, str, int, int]) -> tuple[float, str]:
    return domain[2] / max(1, domain[3]), domain[1]
