"""What is said of indicators on the scorecard and in `mesh status`."""

from dataclasses import replace

import pytest

from platform_resources.ledger.standing import Standing
from platform_resources.objectives.indicators import Attainment, Budget
from platform_resources.orchestration.trust import standing_text
from platform_resources.repository import read_plan
from tests.meshes import tiny_mesh

HOUR = 3_600_000_000
CASES = [
    ("timeslices", 95, 20, Budget(4, 1, 3), "95 % of 20 intervals were good, 80 % promised; 3 of 4 bad ones are left"),
    (
        "timeslices",
        100,
        12,
        Budget(2.4, 0, 2.4),
        "100 % of 12 intervals were good, 80 % promised; 12 of 20 intervals were measured; 2.4 of 2.4 bad ones are left",
    ),
    ("timeslices", 79.99999, 20, None, "79.999 % of 20 intervals were good, 80 % promised"),
    (
        "occurrences",
        99,
        20,
        Budget(4 * HOUR, HOUR, 3 * HOUR),
        "99 % were good over 20 intervals, 80 % promised; 75 % of the error budget is left",
    ),
    ("occurrences", 50, 20, Budget(0, HOUR, -HOUR), "50 % were good over 20 intervals, 80 % promised; 0 % of the error budget is left"),
]


@pytest.fixture(scope="module")
def indicator(tmp_path_factory):
    plan, _ = read_plan(tiny_mesh(tmp_path_factory.mktemp("trust")))
    return plan.product("readings").indicators[0]


@pytest.mark.parametrize(("method", "percent", "known", "budget", "told"), CASES)
def test_an_indicator_in_a_sentence(indicator, method, percent, known, budget, told):
    reached = Attainment("met", percent, 80, 0, 0, 0, 0, 0, known, 20, budget, None)
    indicator = replace(indicator, spec=indicator.spec.model_copy(update={"method": method}))
    assert standing_text(Standing(indicator, (), reached, (), (), None)) == told
