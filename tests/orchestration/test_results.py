"""What Dagster is told of a judgement."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.capabilities.components.data_set import DataSet
from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.support.shares import judged_share
from platform_resources.ledger.payload import CheckSaid
from platform_resources.orchestration.events.results import check_result, judged_result
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan, SourceLine
from platform_resources.services.refreshes.check_records import CheckRecord
from platform_resources.spec.strict import Strict

AT = datetime(2026, 1, 1, tzinfo=UTC)
CHECK = CheckPlan("c", ("p", "m"), "objective", "C", "", False, "warning", SourceLine("f", 1))
OBJECTIVE = ObjectivePlan(CHECK, "completeness", Strict(), "m", Subject(DataSet(), Relation("internal", "m")))


def told_of(judgement):
    """The numbers that Dagster and the ledger are told of a judgement."""
    metadata = judged_result(OBJECTIVE, judgement, AT).metadata
    names = ("value", "shown", "threshold", "failing_rows", "failing_share")
    return {name: metadata[name].value for name in names if name in metadata}


def test_failing_rows_are_told_with_their_share_of_the_rows_that_were_looked_at():
    told = told_of(judged_share(99_996, 100_000, 100, what="id is filled in", failing="nulls in id"))
    assert told == {
        "value": 99.996,
        "shown": "99.9 %",
        "threshold": "at least 100 %",
        "failing_rows": 4,
        "failing_share": pytest.approx(0.00004),
    }


@pytest.mark.parametrize(
    ("judgement", "told"),
    [
        (Judgement("met", "so"), {}),
        (Judgement("met", "so", 0, failing_rows=0, rows=10), {"value": 0, "failing_rows": 0, "failing_share": 0.0}),
        (Judgement("missed", "so", 1, failing_rows=3), {"value": 1, "failing_rows": 3}),
        (Judgement("unknown", "so", failing_rows=0, rows=0), {"failing_rows": 0}),
    ],
)
def test_a_share_of_unknown_rows_is_not_told(judgement, told):
    assert told_of(judgement) == told


@pytest.mark.parametrize(
    ("verdict", "learning", "blocking", "passed", "description"),
    [
        ("met", False, True, True, "so"),
        ("missed", False, False, False, "so"),
        ("unknown", False, False, False, "so"),
        ("unknown", True, False, True, "no verdict yet: so"),
        ("unknown", True, True, False, "no verdict yet: so"),
    ],
)
def test_what_is_still_learning_has_not_failed_unless_it_is_a_gate(verdict, learning, blocking, passed, description):
    check = replace(CHECK, blocking=blocking, severity="error" if blocking else "warning")
    result = check_result(CheckRecord(check, CheckSaid(verdict, "so", "objective", AT, learning=learning)))
    assert (result.passed, result.description) == (passed, description)
    assert ("learning" in result.metadata) == learning, "the ledger reads that nothing was learned yet"
    assert result.metadata["verdict"].value == verdict, "the ledger reads what it was, not what Dagster shows"
