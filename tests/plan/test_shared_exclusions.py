"""The calendar of a domain: exclusions that are written once for every indicator that asks for them."""

from datetime import UTC, datetime

import pytest

from platform_resources.ledger.queries.standing import IndicatorEvidence, judged
from platform_resources.plan.from_products.dbt_nodes import DbtNode, DbtProject, DbtReading
from platform_resources.plan.from_products.mesh import Mesh, ModelText, ProductTexts
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.domain_document import read_calendar, read_domain, with_calendars
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from tests.meshes import MEASUREMENTS_SQL, READINGS, component, indented, product_file, write_mesh

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
    domains = {"plant": read_domain(domain, "dataproducts/plant/domain.yaml") if isinstance(domain, str) else domain}
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
    assert "the domain plant excludes nothing\n  write exclusions or calendars in dataproducts/plant/domain.yaml" in problems_text(problems)


def test_days_that_the_domain_excludes_are_told_where_they_leave_no_budget(registry):
    _, problems = planned(registry, CALENDAR, "target: 75\ndomain_exclusions: yes")
    assert "a target of 75 % of 1 interval (of 4, without what is excluded)" in problems_text(problems)
    assert "a target of 75 % of 3 intervals (of 4" in problems_text(planned(registry, CALENDAR, "target: 75")[1])


COMPANY = """
owner: team:people
exclusions:
  - {from: 2026-06-13, to: 2026-06-14, reason: Inventory}
  - {from: soon, reason: No such day}
  - {from: 2026-12-24, reason: Christmas, owner: team:plant}
"""


def test_a_calendar_is_shared_by_the_domains_that_name_it(tmp_path):
    write_mesh(tmp_path, {
        "dataproducts/calendars/company.yaml": COMPANY,
        "dataproducts/calendars/works.yaml": "\n",
        "dataproducts/plant/domain.yaml": "title: Plant\ncalendars: [company, compny, works]\n" + CALENDAR.replace("06-1", "07-1"),
        "dataproducts/office/domain.yaml": "title: Office\ncalendars: [company]\n",
        "dataproducts/shop/domain.yaml": "title: Shop\n",
    })  # fmt: skip
    domains = read_mesh(tmp_path).domains
    told = {name: [(str(each.from_), each.owner) for each in reading.domain.exclusions] for name, reading in domains.items()}
    shared = [("2026-06-13", "team:people"), ("2026-12-24", "team:plant")]
    assert told == {"plant": [("2026-07-13", "team:plant"), *shared], "office": shared, "shop": []}
    problems = problems_text(sorted({problem for reading in domains.values() for problem in reading.problems}))
    assert problems == (
        "dataproducts/calendars/company.yaml:5  exclusions[1].from\n"
        '  "soon" is not a date; write 2026-12-24, or with a time 2026-12-24T18:00\n'
        "dataproducts/calendars/works.yaml:1\n"
        "  the calendar is empty\n"
        "  write its owner and its exclusions, or take the file away\n"
        "dataproducts/plant/domain.yaml:2  calendars[1]\n"
        '  no calendar "compny"; known: company, works\n'
        '  did you mean "company"?'
    )


def test_an_indicator_does_not_count_what_its_domains_calendar_excludes(registry):
    company = read_calendar(COMPANY, "dataproducts/calendars/company.yaml")
    domain = with_calendars(read_domain("calendars: [company]\n", "dataproducts/plant/domain.yaml"), {"company": company}, "calendars")
    for asked, expected in (("domain_exclusions: yes", "beeep"), ("", "bebbp")):
        plan, _ = planned(registry, domain, asked)
        nothing = IndicatorEvidence(datetime(2026, 6, 1, tzinfo=UTC), (), (), {})
        standing = next(each for each in judged(plan.product("readings"), nothing, NOW) if each.indicator.check.name == "kept")
        assert "".join(one.state[0] for one in standing.slices) == expected
