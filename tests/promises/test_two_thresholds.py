"""One objective with a threshold for a warning and one for an error: from the rows to the gate and the health of the product."""

import dagster as dg
import pytest

from platform_resources.capabilities.judgements import Moment
from platform_resources.capabilities.measures import Reading
from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.metrics import Asked
from platform_resources.orchestration.events.results import check_result
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan, SourceLine
from platform_resources.plan.plan_text import plain
from platform_resources.promises.grades import Said, check_state, grade, shared
from platform_resources.promises.judgement import objective_judged
from platform_resources.refresh.auditing import Audited
from platform_resources.refresh.gate import decided
from platform_resources.services.product_health import PublishedState, WatchedCheck
from platform_resources.services.refreshes.check_records import judged_check
from platform_resources.spec.reading import read_product
from platform_resources.warehouses.measured_queries import measure
from tests.capabilities.judging import NOW, Warehouse, subject
from tests.meshes import component, product_yaml

COMPLETENESS = installed_registry().dimensions()["completeness"]
WRITTEN = "dimension: completeness\ndata_set: here\ncolumns: [age]\ngate: yes\nwarn: {at_least: 95}\nerror: {at_least: 80}"
KEY = ("p", "here")


def objective(written=WRITTEN):
    """The objective as product.yaml says it, planned."""
    text = product_yaml("p", "d", component("here", "data-set"), component("Ages", "service-level-asset", written))
    (declared,) = read_product(text, "product.yaml", installed_registry()).product.objectives
    check = CheckPlan("ages", KEY, "objective", "Ages", "", declared.config.gate, "error", SourceLine("product.yaml", 1))
    return ObjectivePlan(check, "completeness", declared.settings, "here", subject(age="bigint"), error_settings=declared.error_settings)


def audited(planned, filled=None):
    """What an audit says of 100 rows of which so many are filled; None where they cannot be measured."""
    measures = COMPLETENESS.measures(planned.settings, planned.subject)
    if filled is None:
        readings = {name: Reading(None, "disk is gone") for name in measures}
    else:
        warehouse = Warehouse()
        warehouse.here(f"select case when i <= {filled} then i end as age from range(1, 101) t(i)")
        asked = [Asked(name, planned.subject.relation, wanted) for name, wanted in measures.items()]
        readings = measure(asked, lambda sql: warehouse.connection.execute(sql).fetchone())
    return Audited(planned, objective_judged(COMPLETENESS, planned, readings, Moment(NOW)), "", ())


@pytest.mark.parametrize(
    ("filled", "verdict", "severity", "gate_open", "status", "says"),
    [
        (95, "met", "WARN", True, "healthy", "; 95 % promised"),
        (94, "missed", "WARN", True, "use with care", "; 95 % promised"),
        (80, "missed", "WARN", True, "use with care", "; 95 % promised"),
        (79, "missed", "ERROR", False, "unhealthy", "; 80 % promised"),
        (None, "unknown", "ERROR", False, "unknown", "disk is gone"),
    ],
)
def test_gate_severity_and_health_follow_the_threshold_that_is_missed(filled, verdict, severity, gate_open, status, says):
    found = audited(objective(), filled)
    record = judged_check(found.objective, found.judgement, NOW)
    assert (found.judgement.verdict, decided([found], "f").open) == (verdict, gate_open), found.judgement.reason
    assert says in found.judgement.reason
    result = check_result(record)
    assert (result.severity, result.passed) == (dg.AssetCheckSeverity[severity], verdict == "met")
    watched = WatchedCheck(KEY, "ages", "Ages", "objective", gate=True, severity="error", levels=True)
    said = Said(**shared(Said, found.judgement, found.judgement.promise), weighs=record.check.severity)
    published = PublishedState("1", "1.0.0", NOW, {}, {})
    assert grade(True, published, [check_state(watched, said)]).status == status


def test_what_stands_outside_is_the_threshold_of_the_group_that_is_left_out():
    only_error = objective("dimension: completeness\ndata_set: here\ncolumns: [age]\nat_least: 95\nerror: {at_least: 80}")
    only_warning = objective("dimension: completeness\ndata_set: here\ncolumns: [age]\nat_least: 80\nwarn: {at_least: 95}")
    for planned in (only_error, only_warning):
        assert (planned.settings.at_least, planned.error_settings.at_least) == (95, 80)


def test_objectives_with_one_threshold_are_planned_as_before():
    one = objective("dimension: completeness\ndata_set: here\ncolumns: [age]\nat_least: 95")
    assert "error_settings" not in plain(one) and audited(one, 90).judgement.severity is None
    assert plain(objective())["error_settings"]["at_least"] == 80
