"""What is said of indicators on the scorecard and in `mesh status`."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.queries.standing import Standing
from platform_resources.orchestration.evaluation_job import standing_result
from platform_resources.promises.attainment import Attainment, Budget, attainment
from platform_resources.promises.slices import Slice
from platform_resources.services.indicator_sentences import standing_text
from platform_resources.spec.values.clocks import Clock
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
    ("timeslices", 100, 1, None, "100 % of 1 interval was good, 80 % promised; 1 of 20 intervals were measured"),
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
    assert standing_text(Standing(indicator, (), reached, (), (), None), CLOCK) == told


MIDNIGHT = datetime(2026, 6, 16, tzinfo=UTC)
CLOCK = Clock("Europe/Berlin", MIDNIGHT)
TOO_LITTLE = [
    (Attainment("no data", None, 80, 0, 0, 0, 0, 1, 0, 0, None, MIDNIGHT), "no data yet: needs 1 slice of 24h; the one that runs now ends Tue 16 Jun, 02:00 CEST"),
    (Attainment("no data", None, 80, 0, 0, 3, 0, 0, 0, 3, None, None), "no data yet: needs 3 slices of 24h; 3 ended without a measurement"),
    (
        Attainment("insufficient data", 100, 80, 3, 0, 7, 0, 0, 3, 10, None, None),
        "too little data: needs 4 more slices of 24h; so far 100 % of 3 intervals were good, 80 % promised; 3 of 10 intervals were measured",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reached", "told"), TOO_LITTLE)
def test_an_indicator_without_enough_data_says_what_it_needs_and_nothing_has_failed(indicator, reached, told):
    standing = Standing(indicator, (), reached, (), (), None)
    result = standing_result(standing, CLOCK)
    assert (standing_text(standing, CLOCK), result.description) == (told, told)
    assert (result.passed, result.metadata["verdict"].value) == (True, "unknown"), "no verdict is no failure, and not met either"


@pytest.mark.parametrize(
    ("state", "passed", "verdict"), [("met", True, "met"), ("missed", False, "missed"), ("no target", True, "unknown")]
)
def test_an_indicator_fails_exactly_if_it_is_missed(indicator, state, passed, verdict):
    reached = Attainment(state, 70, 80, 14, 6, 0, 0, 0, 20, 20, None, None)
    result = standing_result(Standing(indicator, (), reached, (), (), None), CLOCK)
    assert (result.passed, result.metadata["verdict"].value) == (passed, verdict)


def test_as_many_slices_more_as_it_says_are_enough(indicator):
    slices = [Slice(MIDNIGHT, MIDNIGHT, "unknown", measured=False)] * 7 + [Slice(MIDNIGHT, MIDNIGHT, "good")] * 3
    assert attainment(slices, 80).state == "insufficient data"
    assert attainment(slices + slices[-1:] * 3, 80).state == "insufficient data"
    assert attainment(slices + slices[-1:] * 4, 80).state == "met"
