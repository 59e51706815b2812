"""Which failing check explains which: on the plan of a small mesh, with symptoms by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.planning.explanations import ABOUT_NOTHING, Symptom, Topic, explained, topics
from platform_resources.repository import read_plan
from tests.meshes import component, edited, model_file, product_file, product_yaml, tiny_mesh

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
REPORT = product_yaml(
    "report",
    "office",
    component("sensors", "input-port", "interface: data-product\nassociated_output_port: summary.sensors_sql\nversion: ^0"),
    component("lines", "data-set", "primary_key: [sensor]\ncolumns:\n  - {name: sensor, type: varchar, description: Which.}"),
    component("lines_sql", "output-port", "interface: sql"),
    component("One line each", "service-level-asset", "dimension: uniqueness"),
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """readings -> summary (reads the columns sensor and degrees) -> report (reads sensor)."""
    root = tiny_mesh(tmp_path_factory.mktemp("explanations"))
    (root / "dataproducts/office/report").mkdir()
    (root / product_file("office", "report")).write_text(REPORT)
    (root / model_file("office", "report", "lines")).parent.mkdir(parents=True)
    (root / model_file("office", "report", "lines")).write_text("select sensor from {{ source('inputs', 'sensors') }}")
    rule = component(
        "Operators are named", "service-level-asset", "dimension: custom-sql\ndata_set: measurements\nfailing_rows: operator is null"
    )
    edited(
        root,
        product_file("plant", "readings"),
        "    - name: Company use",
        "    " + rule.replace("\n", "\n    ") + "\n    - name: Company use",
    )
    found, problems = read_plan(root)
    assert not found.rejected, problems
    return found


def symptom(plan, registry, product, check, after=0):
    topic = Topic(ABOUT_NOTHING) if check in (COST, SUMMARY_COST) else topics(plan.product(product), registry).get(check, Topic())
    return Symptom(product, NOON + after * HOUR, topic)


LATE, TEMPERATURE, OPERATOR = (
    "measurements:refreshed_daily",
    "measurements:most_readings_have_a_temperature",
    "measurements:operators_are_named",
)
COST, SUMMARY_COST = "readings cost", "summary cost"
GATE, LOST = "measurements:readings_are_never_deleted", "inputs/deliveries:arrived"
SUMMARY_LATE, SUMMARY_WRONG, REPORT_WRONG = "inputs/measurements:fresh", "sensors:one_row_per_sensor", "lines:one_line_each"

CASES = [
    ("late makes late", [("readings", LATE), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("an input that did not come makes late", [("readings", LOST), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("late long after is still the reason", [("readings", LATE, 30), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("wrong makes wrong", [("readings", TEMPERATURE), ("summary", SUMMARY_WRONG)], {"summary": ("readings",)}),
    ("wrong does not make late", [("readings", TEMPERATURE), ("summary", SUMMARY_LATE)], {}),
    ("wrong and a gate makes late", [("readings", GATE), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("a column that nobody reads explains nothing", [("readings", OPERATOR), ("summary", SUMMARY_WRONG)], {}),
    ("wrong data that came long after explains nothing", [("readings", TEMPERATURE, 7), ("summary", SUMMARY_WRONG)], {}),
    (
        "a refresh that failed explains both",
        [("readings", "refresh"), ("summary", SUMMARY_WRONG), ("report", REPORT_WRONG)],
        {"summary": ("readings",), "report": ("readings", "summary")},
    ),
    ("through a product that is well", [("readings", TEMPERATURE), ("report", REPORT_WRONG)], {"report": ("readings",)}),
    (
        "one symptom without a reason is a cause",
        [("readings", LATE), ("summary", SUMMARY_LATE), ("summary", "sensors:own", 0)],
        {"summary": ("readings",)},
    ),
    ("what was imported may be about anything", [("readings", "measurements:own"), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("what costs too much explains nothing", [("readings", COST), ("summary", SUMMARY_WRONG), ("summary", SUMMARY_LATE)], {}),
    ("nothing explains what costs too much", [("readings", LATE), ("readings", "refresh"), ("summary", SUMMARY_COST)], {}),
    ("nothing above fails", [("summary", SUMMARY_LATE)], {}),
]


@pytest.mark.parametrize(("failing", "expected"), [(f, e) for _, f, e in CASES], ids=[name for name, *_ in CASES])
def test_what_explains_what(plan, registry, failing, expected):
    found = explained(plan, [symptom(plan, registry, *each) for each in failing], 6 * HOUR)
    assert {product: reasons for product, reasons in found.items() if reasons} == expected


def test_a_product_with_one_unexplained_symptom_is_a_cause_itself(plan, registry):
    both = [
        symptom(plan, registry, "readings", OPERATOR),
        symptom(plan, registry, "summary", SUMMARY_WRONG),
        symptom(plan, registry, "readings", LATE),
    ]
    assert explained(plan, both, 6 * HOUR)["summary"] == ("readings",), "late data upstream may be why it is wrong"
    assert explained(plan, both[:2], 6 * HOUR)["summary"] == ()


def test_a_failing_product_that_is_not_loaded_may_explain_anything(plan):
    found = explained(plan, [Symptom("gone", NOON, Topic()), Symptom("summary", NOON, Topic())], 6 * HOUR)
    assert found == {"gone": (), "summary": ()}


def test_columns_named_in_a_rule_are_what_it_is_about(plan, registry):
    assert topics(plan.product("readings"), registry)[OPERATOR].columns == {"operator"}
