"""The calendar of a domain: exclusions that are written once for every indicator that asks for them."""

from datetime import UTC, datetime

import pytest

from platform_resources.ledger.queries.standing import IndicatorEvidence, judged
from platform_resources.plan.from_products.dbt_nodes import DbtNode, DbtProject, DbtReading
from platform_resources.plan.from_products.mesh import Mesh, ModelText, ProductTexts
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.spec.domain_document import read_domain
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from tests.meshes import MEASUREMENTS_SQL, READINGS, component, indented, product_file

FILE, OWN = product_file("plant", "readings"), "{from: 2026-06-12, reason: Test run, owner: team:plant}"
CALENDAR = "exclusions: [{from: 2026-06-13, to: 2026-06-14, reason: Inventory, owner: team:plant}]\n"
NODE = DbtNode("measurements", "model", "m.sql", "", (), (), "", "internal", "measurements", "table", "sql", MEASUREMENTS_SQL, "1")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def planned(registry, domain, more="", window="4d"):
    """The plan of readings with an indicator over this window, in a domain that says this."""
    written = f"service_level_name: Measured daily\ninterval: 1d\nwindow: {window}\nexclusions: [{OWN}]\n{more}"
    age = component("Measured daily", "service-level-asset", "dimension: freshness\ndata_set: measurements\nmax_age: 24h")
    text = READINGS + indented("\n".join((age, component("Kept", "service-level-indicator", written))), 4) + "\n"
    product = read_product(text, FILE, registry).product
    texts = ProductTexts(models=(ModelText("measurements", "measurements.sql", MEASUREMENTS_SQL),), files=frozenset({"README.md"}))
    domains = {"plant": read_domain(domain, "dataproducts/plant/domain.yaml")}
    return mesh_plan(Mesh((product,), {FILE: texts}, (), registry, domains, {FILE: DbtReading(DbtProject((NODE,)))}))


@pytest.mark.parametrize(
    ("domain", "more", "expected"),
    [(CALENDAR, "domain_exclusions: yes", "beeep"), (CALENDAR, "", "bebbp"), ("title: Plant\n", "", "bebbp")],
)
def test_what_the_domain_excludes_counts_for_indicators_that_ask_for_it(registry, domain, more, expected):
    plan, problems = planned(registry, domain, more)
    assert [each for each in problems if each.severity == "error"] == []
    nothing = IndicatorEvidence(datetime(2026, 6, 1, tzinfo=UTC), (), (), {})
    standing = next(each for each in judged(plan.product("readings"), nothing, NOW) if each.indicator.check.name == "kept")
    assert "".join(one.state[0] for one in standing.slices) == expected


def test_a_domain_that_excludes_nothing_is_told(registry):
    _, problems = planned(registry, "title: Plant\n", "domain_exclusions: yes")
    assert "the domain plant excludes nothing\n  write exclusions in dataproducts/plant/domain.yaml" in problems_text(problems)


def test_days_that_the_domain_excludes_are_told_where_they_leave_no_budget(registry):
    _, problems = planned(registry, CALENDAR, "target: 75\ndomain_exclusions: yes")
    assert "a target of 75 % of 1 interval (of 4, without what is excluded)" in problems_text(problems)
    assert "a target of 75 % of 3 intervals (of 4" in problems_text(planned(registry, CALENDAR, "target: 75")[1])
