"""How a consumer is, where somebody reports it."""

from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.consumer_answers import consumer_answers
from platform_resources.services.catalog.consumer_reports import ReportRefused, report
from tests.marketplace.shop_mesh import NOW
from tests.meshes import edited, product_file, tiny_mesh

CONSUMER = "kind: dashboard\n        uses: [sensors_sql]\n"


@pytest.fixture
def mesh(tmp_path):
    root = tiny_mesh(tmp_path)
    ledger = open_ledger(ledger_url(root, {}))
    yield root, ledger
    ledger.close()


def summary(root):
    plan, problems = read_plan(root)
    assert not plan.rejected, problems
    return plan.product("summary")


def test_the_newest_report_stands(mesh):
    root, ledger = mesh
    report(ledger, summary(root), "plant_dashboard", False, "3 of 40 cells fail.", "Ada", NOW)
    report(ledger, summary(root), "plant_dashboard", True, "", "nightly job", NOW + timedelta(hours=1))
    with ledger.reading() as connection:
        (found,) = consumer_answers(connection).values()
    assert (found.answers, found.said) == (True, "nightly job says")


def test_what_is_asked_or_not_known_or_too_long_is_refused_with_what_to_do(mesh):
    root, ledger = mesh
    with pytest.raises(ReportRefused, match="did you mean"):
        report(ledger, summary(root), "plant_dashbord", True, "", "Ada", NOW)
    with pytest.raises(ReportRefused, match="allowed: 500"):
        report(ledger, summary(root), "plant_dashboard", True, "x" * 501, "Ada", NOW)
    edited(root, product_file("office", "summary"), CONSUMER, f"{CONSUMER}        url: https://example.com\n        probe: true\n")
    with pytest.raises(ReportRefused, match="each evaluation asks it"):
        report(ledger, summary(root), "plant_dashboard", True, "", "Ada", NOW)
    with ledger.reading() as connection:
        assert consumer_answers(connection) == {}
