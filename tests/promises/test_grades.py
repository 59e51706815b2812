"""How a product is, by every combination of what its checks say and how they weigh."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from platform_resources.ledger.queries.evidence import Evidence
from platform_resources.ledger.queries.standing import IndicatorEvidence
from platform_resources.ledger.records import Run, Scorecard
from platform_resources.promises.grades import CheckState, PublishedState, grade, most_urgent_first
from platform_resources.services.product_status import _last_refresh

NOW, HOUR, DAY = datetime(2026, 1, 2, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)
PUBLISHED = PublishedState("20260101T000000Z", "1.0.0", datetime(2026, 1, 1, tzinfo=UTC), {"orders": 3}, {})
CHECK = CheckState(
    "filled", "Customers are known", "objective", "completeness", False, "met", "it is so", None, columns=("orders.customer",)
)
# How a check weighs, by what is said of it; the table of docs/objectives.md.
KINDS = {
    "gate": {"gate": True, "severity": "error"},
    "error": {"severity": "error"},
    "freshness": {"dimension": "freshness"},
    "availability": {"dimension": "availability"},
    "input too old": {"kind": "input", "name": "fresh"},
    "failed refresh": {"kind": "refresh", "severity": "error"},
    "input not arrived, which must": {"kind": "input", "name": "arrived", "severity": "error"},
    "input not arrived": {"kind": "input", "name": "arrived"},
    "imported test": {"kind": "imported", "severity": "error"},
    "imported test that informs": {"kind": "imported", "severity": "warning"},
    "informs": {},
    "learning": {"learning": True},
    "business target": {"target": True},
}
BREAKS = ("gate", "error", "freshness", "availability", "input too old", "failed refresh", "input not arrived, which must", "imported test")
GRADES = {
    **{(kind, "met"): "healthy" for kind in KINDS},
    **{(kind, "missed"): "unhealthy" for kind in BREAKS},
    **{(kind, "unknown"): "unknown" for kind in BREAKS},
    ("input not arrived", "missed"): "use with care",
    ("input not arrived", "unknown"): "use with care",
    ("imported test that informs", "missed"): "use with care",
    ("imported test that informs", "unknown"): "use with care",
    ("informs", "missed"): "use with care",
    ("informs", "unknown"): "use with care",
    ("learning", "missed"): "use with care",
    ("learning", "unknown"): "healthy",
    ("business target", "missed"): "healthy",
    ("business target", "unknown"): "healthy",
}
WORST_FIRST = ("unhealthy", "unknown", "use with care", "healthy")
CASES = tuple(product(KINDS, ("met", "missed", "unknown")))


def check(kind, verdict):
    return replace(CHECK, **KINDS[kind], verdict=verdict)


@pytest.mark.parametrize(("kind", "verdict"), CASES)
def test_one_check_grades_a_product_by_its_weight(kind, verdict):
    assert grade(True, PUBLISHED, [check(kind, verdict)]).status == GRADES[kind, verdict]


@pytest.mark.parametrize("first", CASES)
def test_of_two_checks_the_worse_decides_whatever_their_order(first):
    for second in CASES:
        expected = min((GRADES[first], GRADES[second]), key=WORST_FIRST.index)
        both = [check(*first), check(*second)]
        assert grade(True, PUBLISHED, both).status == grade(True, PUBLISHED, both[::-1]).status == expected, (first, second)


@pytest.mark.parametrize(("kind", "verdict"), CASES)
@pytest.mark.parametrize(
    "held_back",
    ["the gate is closed: One row per order: 3 rows break the rule", "dbt could not build every model", ""],
)
def test_a_refresh_that_was_held_back_makes_a_product_unhealthy_whatever_its_checks_say(kind, verdict, held_back):
    expected = "unhealthy" if held_back else GRADES[kind, verdict]
    assert grade(True, PUBLISHED, [check(kind, verdict)], held_back).status == expected


@pytest.mark.parametrize(("kind", "verdict"), CASES)
def test_what_is_not_run_not_published_or_not_readable_stays_so_whatever_its_checks_say(kind, verdict):
    checks = [check(kind, verdict)]
    assert grade(False, PUBLISHED, checks).status == "not run"
    assert grade(True, None, checks).status == "unpublished"
    assert grade(True, None, checks, has_ports=False).reason == "it has no output port, so nothing of it is published"
    assert grade(True, None, checks, problem="latest.json is no JSON").status == "unreadable"


def test_a_product_of_which_nothing_is_checked_is_healthy():
    assert grade(True, PUBLISHED, []).status == "healthy"


def test_a_grade_says_why_in_one_sentence_and_which_columns_it_concerns():
    found = grade(True, PUBLISHED, [check("informs", "missed"), check("gate", "met")])
    assert (found.reason, found.columns) == ("Customers are known: it is so", ("orders.customer",))


def test_a_closed_gate_is_told_as_one():
    closed = grade(True, PUBLISHED, [], "the gate is closed: One row per order: 3 rows break the rule")
    assert closed.reason == "the last refresh was held back, the gate is closed: One row per order: 3 rows break the rule"


def test_a_missed_business_target_is_a_note_and_concerns_no_column():
    found = grade(True, PUBLISHED, [check("business target", "missed"), check("learning", "unknown")])
    assert (found.status, found.columns) == ("healthy", ())
    assert found.reason == "Customers are known: it is so; Customers are known: it is so"


def test_more_than_two_reasons_are_counted():
    missed = [replace(check("informs", "missed"), title=f"Promise {number}", reason="") for number in range(5)]
    assert grade(True, PUBLISHED, missed).reason == "Promise 0; Promise 1; and 3 more"


def test_closed_gates_come_first_then_the_failed_refresh_errors_and_what_informs():
    order = ("gate", "failed refresh", "error", "informs", "business target")
    checks = [replace(check(kind, "missed"), title=kind, reason="") for kind in ("error", "failed refresh", "freshness", "gate")]
    assert grade(True, PUBLISHED, checks).reason == "gate; failed refresh; and 2 more"
    states = {name: check(kind, "missed") for name, kind in zip("edcba", order, strict=True)}
    assert most_urgent_first(dict.fromkeys("abcde", NOW), states) == list("edcba")


def test_of_equal_checks_the_one_that_fails_longest_comes_first_and_what_is_not_watched_any_more_last():
    since = {"a": NOW, "b": NOW - HOUR, "gone": NOW - DAY, "c": NOW - HOUR}
    assert most_urgent_first(since, dict.fromkeys("abc", check("error", "missed"))) == ["b", "c", "a", "gone"]


@pytest.mark.parametrize(
    ("status", "hours", "run_id", "said"),
    [
        ("failed", 1, "later", ("failed: no file came", "")),
        ("failed", 0, "own", ("held back, a gate", "a gate")),
        ("failed", -1, "before", ("held back, a gate", "a gate")),
        ("succeeded", 1, "of a part", ("held back, a gate", "a gate")),
    ],
)
def test_what_failed_after_a_version_was_held_back_is_the_last_that_is_told(status, hours, run_id, said):
    card = Scorecard("orders", NOW, "own", "held back, a gate", 1, 0, 1, 0, 1, 1, "a gate")
    run = Run(run_id, "orders", "refresh", status, None, NOW + hours * HOUR, "pull", "no file came", 2)
    evidence = Evidence((), run, None, card, (), IndicatorEvidence(None, (), (), {}), (), None)
    last = _last_refresh(evidence, NOW + DAY)
    assert (last.outcome, last.held_back) == said
