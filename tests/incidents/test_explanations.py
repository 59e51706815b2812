"""Which failing check explains which: on the plan of a small mesh, with symptoms by hand."""

from dataclasses import replace

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.broken_contracts import breach, breached
from platform_resources.incidents.explanations import Symptom, Topic, explained, topics
from platform_resources.lineage.column_uses import ColumnRef
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.lineage.product_lineage import ModelLineage, ProductLineage
from tests.meshes import component, indented, model_file, product_file, product_yaml, tiny_mesh

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
    (root / model_file("office", "report", "lines")).write_text("select sensor from {{ source('report', 'sensors') }}")
    found, problems = read_plan(root)
    assert not found.rejected, problems
    return found


def symptom(plan, registry, product, check, reason=""):
    return Symptom(product, topics(plan.product(product), registry).get(check, Topic()), reason)


LATE, TEMPERATURE = "measurements:refreshed_daily", "measurements:most_readings_have_a_temperature"
GATE, LOST = "measurements:readings_are_never_deleted", "inputs/deliveries:arrived"
SUMMARY_LATE, SUMMARY_LOST, SUMMARY_WRONG = "inputs/measurements:fresh", "inputs/measurements:arrived", "sensors:one_row_per_sensor"
CONTRACT, REPORT_LOST, REPORT_WRONG = "inputs/measurements:contract", "inputs/sensors:arrived", "lines:one_line_each"
# What the version of the readings lacks.
TEMPERATURE_GONE = "version 7 of readings breaks its contract: degrees is missing, decimal(6,2) was promised"
SENSOR_GONE = "version 7 of readings breaks its contract: sensor is missing, varchar was promised"

CASES = [
    ("late makes late", [("readings", LATE), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("late makes an input missing", [("readings", LATE), ("summary", SUMMARY_LOST)], {"summary": ("readings",)}),
    ("an input that did not come makes late", [("readings", LOST), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("a closed gate makes late", [("readings", GATE), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("a failed refresh makes late", [("readings", "refresh"), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("a refresh that hangs makes late", [("readings", "refresh:ends"), ("summary", SUMMARY_LATE)], {"summary": ("readings",)}),
    ("versions that nobody can read make an input missing", [("readings", "versions"), ("summary", SUMMARY_LOST)], {"summary": ("readings",)}),
    ("through a product that is well", [("readings", LATE), ("report", REPORT_LOST)], {"report": ("readings",)}),
    ("a broken contract makes late what is below", [("summary", CONTRACT), ("report", REPORT_LOST)], {"report": ("summary",)}),
    ("wrong does not make late", [("readings", TEMPERATURE), ("summary", SUMMARY_LATE)], {}),
    ("wrong does not make wrong", [("readings", TEMPERATURE), ("summary", SUMMARY_WRONG)], {}),
    ("a closed gate does not make wrong", [("readings", GATE), ("summary", SUMMARY_WRONG), ("report", REPORT_WRONG)], {}),
    ("late does not make wrong", [("readings", LATE), ("summary", SUMMARY_WRONG)], {}),
    ("late explains no refresh that failed", [("readings", LATE), ("summary", "refresh")], {}),
    ("late explains no version that cannot be read", [("readings", LATE), ("summary", "versions")], {}),
    ("wrong of the very column that fails its contract", [("readings", TEMPERATURE), ("summary", CONTRACT, TEMPERATURE_GONE)],
     {"summary": ("readings",)}),
    ("wrong of another column than the one that fails its contract", [("readings", TEMPERATURE), ("summary", CONTRACT, SENSOR_GONE)], {}),
    ("late explains no broken contract", [("readings", LATE), ("summary", CONTRACT, SENSOR_GONE)], {}),
    ("one symptom without a reason makes a cause", [("readings", LATE), ("summary", SUMMARY_LATE), ("summary", SUMMARY_WRONG)], {}),
    ("of what was imported nothing is known", [("readings", "measurements:own"), ("summary", SUMMARY_LATE)], {}),
    ("what was imported is explained by nothing", [("readings", LATE), ("summary", "sensors:own")], {}),
    ("nothing above fails", [("summary", SUMMARY_LATE)], {}),
]  # fmt: skip


@pytest.mark.parametrize(("failing", "expected"), [(f, e) for _, f, e in CASES], ids=[name for name, *_ in CASES])
def test_what_explains_what(plan, registry, failing, expected):
    found = explained(plan, [symptom(plan, registry, *each) for each in failing])
    assert {product: reasons for product, reasons in found.items() if reasons} == expected


FILLED = component("Sensors are named", "service-level-asset", "dimension: completeness\ndata_set: {}\ncolumns: [sensor]\nat_least: 100")
ABOVE, BELOW = "measurements:sensors_are_named", "sensors:sensors_are_named"


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """The tiny mesh, where both products promise that each sensor is named."""
    root = tiny_mesh(tmp_path_factory.mktemp("named"))
    for domain, product, data_set in (("plant", "readings", "measurements"), ("office", "summary", "sensors")):
        file = root / product_file(domain, product)
        file.write_text(file.read_text() + indented(FILLED.format(data_set), 4) + "\n")
    found, problems = read_plan(root)
    assert not found.rejected, problems
    return found


def made(model, reads, sensor, unresolved=""):
    columns = {} if unresolved else {"sensor": {ColumnRef(reads, "sensor"): sensor}}
    return ProductLineage({model: ModelLineage(("sensor",), columns, {}, (reads,), unresolved, "")}, {reads: ("sensor",)})


def reasons_of(named, registry, readings, summary, *more):
    lineage = MeshLineage(named, {"readings": readings, "summary": summary})
    failing = [("readings", ABOVE), ("summary", BELOW), *more]
    return explained(named, [symptom(named, registry, *each) for each in failing], lineage)["summary"]


def test_wrong_values_explain_the_same_values_below_and_no_others(named, registry):
    readings = made("measurements", "inputs/deliveries", "passed on")
    assert reasons_of(named, registry, readings, made("sensors", "inputs/measurements", "passed on")) == ("readings",)
    assert reasons_of(named, registry, readings, made("sensors", "inputs/measurements", "computed")) == ()
    assert reasons_of(named, registry, readings, made("sensors", "inputs/measurements", "conditional")) == ()


def test_unknown_lineage_explains_nothing(named, registry):
    readings = made("measurements", "inputs/deliveries", "passed on")
    assert reasons_of(named, registry, readings, made("sensors", "inputs/measurements", "", "it is made by Python")) == ()
    assert reasons_of(named, registry, readings, ProductLineage()) == ()
    without = [symptom(named, registry, "readings", ABOVE), symptom(named, registry, "summary", BELOW)]
    assert explained(named, without)["summary"] == ()


def test_a_gate_or_another_kind_of_failure_in_the_same_column_is_not_explained(named, registry):
    lineages = (made("measurements", "inputs/deliveries", "passed on"), made("sensors", "inputs/measurements", "passed on"))
    assert reasons_of(named, registry, *lineages, ("summary", SUMMARY_WRONG)) == ()
    found = symptom(named, registry, "readings", ABOVE)
    other = replace(found, topic=replace(found.topic, travels="uniqueness"))
    lineage = MeshLineage(named, dict(zip(("readings", "summary"), lineages, strict=True)))
    assert explained(named, [other, symptom(named, registry, "summary", BELOW)], lineage)["summary"] == ()


def test_a_failing_product_that_is_not_loaded_explains_nothing(plan):
    found = explained(plan, [Symptom("gone", Topic()), Symptom("summary", Topic())])
    assert found == {"gone": (), "summary": ()}


def test_every_gate_and_a_failed_refresh_are_their_own_cause(plan, registry):
    for product in plan.products:
        about = topics(product, registry)
        stops = {name for name, topic in about.items() if topic.stops}
        gates = {f"{'/'.join(check.key[1:])}:{check.name}" for check in product.checks if check.blocking}
        assert stops == gates | {"refresh"}
        assert not any(about[name].late for name in stops)


def test_a_broken_contract_names_its_columns(plan):
    promised = plan.product("summary").inputs[0].upstream.columns
    kept = {column.name: column.type for column in promised}
    assert breach("7", "readings", promised, kept | {"more": "varchar"}) == ""
    broken = {name: kind for name, kind in kept.items() if name != "degrees"} | {"sensor": "bigint"}
    told = breach("7", "readings", promised, broken)
    assert breached(told, promised) == ["sensor", "degrees"], told
    assert breached("the file is missing", promised) == []
