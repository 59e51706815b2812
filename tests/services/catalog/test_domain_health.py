"""How a domain is as a whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from platform_resources.incidents.life_cycle import Incident
from platform_resources.incidents.response_times import response
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.standing import Standing
from platform_resources.promises.attainment import attainment
from platform_resources.promises.coverage import Coverage, ProductCoverage
from platform_resources.promises.grades import ProductHealth
from platform_resources.promises.slices import DAY, Slice
from platform_resources.services.catalog.domain_health import domain_healths
from platform_resources.services.trust import Trust

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def standing(indicator, bad, target=90.0):
    slices = tuple(Slice(NOW - (n + 1) * DAY, NOW - n * DAY, "bad" if n < bad else "good") for n in range(20))
    return Standing(indicator, slices, attainment(slices, target), (), (), None)


def trusted(watched, total, *standings):
    covered = Coverage(watched, total)
    return Trust(NOW, standings, ProductCoverage(covered, covered, 1, ()), response((), NOW))


def incident(cause, number, hours, resolved_after=None):
    opened = NOW - timedelta(hours=hours)
    found = Incident(cause, number, opened, opened, opened)
    if resolved_after is not None:
        over = opened + timedelta(hours=resolved_after)
        found = replace(found, status="resolved", resolved_at=over, resolution="fixed", acknowledged_at=opened + timedelta(hours=1))
    return StoredIncident(found, "high", "what is broken")


def test_a_domain_begins_with_the_least_budget_and_the_oldest_incident(plan):
    (indicator,) = plan.product("readings").indicators
    health = {product.name: ProductHealth(product.name, product.title, product.domain, "healthy", None, ()) for product in plan.products}
    trust = {
        "readings": trusted(3, 4, standing(indicator, bad=1), standing(indicator, bad=3), standing(indicator, bad=0, target=None)),
        "summary": trusted(0, 2),
        "stock": trusted(0, 0),
    }
    incidents = [incident("readings", 2, 5), incident("readings", 1, 90, resolved_after=9), incident("summary", 1, 70)]
    office, plant, warehouse = domain_healths(plan.products, health, trust, incidents, NOW)
    assert [found.domain for found in (office, plant, warehouse)] == ["office", "plant", "warehouse"]
    assert [None if each.left is None else round(each.left, 3) for each in plant.indicators] == [-0.5, 0.5, None]
    assert [(aged.stored.incident.name, aged.age) for aged in plant.incidents] == [("readings#2", timedelta(hours=5))]
    assert (plant.response.fix.median, plant.response.fix.censored) == (timedelta(hours=9), 1)
    assert plant.response.respond.median == timedelta(hours=1)
    assert [aged.stored.incident.name for aged in office.incidents] == ["summary#1"]
    assert (plant.coverage, office.coverage, warehouse.coverage.share) == (Coverage(3, 4), Coverage(0, 2), None)
    assert plant.statuses == {"healthy": 1} and plant.datsis is None
    (_, unmade, _) = domain_healths(plan.products, health, trust, incidents, NOW, made_up={"readings#1"})
    assert unmade.response.fix.count == 1, "what never was took no time"
