"""Only those are affected who use what is different; where nobody knows, everybody may."""

from dataclasses import replace

import pytest

from platform_resources.contracts.affected_consumers import Consumption, affected_consumers, affected_products
from platform_resources.contracts.change import ContractChange
from platform_resources.lineage.column_uses import ColumnRef
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.lineage.product_lineage import ModelLineage, ProductLineage
from platform_resources.notify.facts import About, SchemaChange
from platform_resources.notify.notice_wording import schema_words
from platform_resources.promises.schema_difference import schema_difference
from platform_resources.services.releases.contract_sources import contracts_in
from tests.meshes import TINY_MESH, component, model_file, product_file, product_yaml, tiny_mesh, write_mesh

INPUT = "inputs/measurements"
DEGREES = {ColumnRef(INPUT, "degrees"): "computed"}
# `sensor` decides which rows there are; of `warmest` it is not known what it is made from where the model is unresolved.
SENSORS = ModelLineage(
    ("sensor", "warmest"), {"sensor": {}, "warmest": DEGREES}, {ColumnRef(INPUT, "sensor"): "row-level"}, (INPUT,), "", "1"
)
REPORT = product_yaml(
    "report",
    "office",
    component("sensors", "input-port", "interface: data-product\nassociated_output_port: summary.sensors_sql"),
    component("heat", "data-set", "columns: [{name: heat, type: bigint}]"),
    component("heat_sql", "output-port", "interface: sql\ndata_set: heat"),
)
HEAT = ModelLineage(("heat",), {"heat": {ColumnRef("inputs/sensors", "warmest"): "computed"}}, {}, ("inputs/sensors",), "", "1")
RECEIVED = ("reading_id", "sensor", "Degrees", "measured_at", "operator")


def summary(model=SENSORS):
    return ProductLineage({"sensors": model}, {INPUT: tuple(map(str.lower, RECEIVED))})


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    files = {**TINY_MESH, product_file("office", "report"): REPORT, model_file("office", "report", "heat"): "select 1 as heat"}
    found = contracts_in(write_mesh(tmp_path_factory.mktemp("mesh"), files))
    assert found.problems == ()
    return found.plan


REPORT_BUILT = ProductLineage({"heat": HEAT}, {"inputs/sensors": ("sensor", "warmest")})
UNRESOLVED = ModelLineage(("sensor", "warmest"), {}, {}, (INPUT,), "it is not one query", "1")
CASES = {
    "a value": ({"summary": summary(), "report": REPORT_BUILT}, ("DEGREES",), {"summary": ("DEGREES",), "report": ("DEGREES",)}),
    "rows": ({"summary": summary(), "report": REPORT_BUILT}, ("sensor",), {"summary": ("sensor",), "report": ("sensor",)}),
    "nothing": ({"summary": summary(), "report": REPORT_BUILT}, ("measured_at", "operator"), {}),
    "nobody knows": ({"summary": summary(UNRESOLVED), "report": REPORT_BUILT}, ("operator",), {"summary": ("operator",), "report": ("operator",)}),
    "not built": ({"report": REPORT_BUILT}, ("operator",), {"summary": (), "report": ()}),
    "not built below": ({"summary": summary()}, ("degrees",), {"summary": ("degrees",), "report": ()}),
    "not built below those who do not use it": ({"summary": summary()}, ("operator",), {}),
    "all of it": ({"summary": summary()}, (), {"summary": ()}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_uses_a_column_is_told_by_the_lineage_of_the_last_build(plan, case):
    built, columns, affected = CASES[case]
    found = affected_products(plan, MeshLineage(plan, built), "readings", ["measurements_sql"], columns)
    assert {consumer.name: consumer.columns for consumer in found} == affected


def test_pulls_of_a_product_are_no_readers_beside_its_lineage(tmp_path):
    """The ledger counts its refreshes as reads, of whatever column; people who have read may use any."""
    found = contracts_in(tiny_mesh(tmp_path))
    change = ContractChange("major", "structure", "column operator is gone", "measurements", ("operator",))
    readers = {"measurements_sql": ("summary", "eve@example.com")}
    known = Consumption(found.plan, MeshLineage(found.plan, {"summary": summary()}), readers=readers)
    affected = affected_consumers(found.contracts["readings"], change, known)
    assert [consumer.name for consumer in affected if consumer.kind in ("product", "reader")] == ["eve@example.com"]


def test_a_port_that_nobody_reads_concerns_nobody(plan):
    assert affected_products(plan, MeshLineage(plan, {}), "readings", ["measurements_file"], ("degrees",)) == ()


def test_what_is_retired_reads_nothing_any_more(plan):
    after = replace(plan.product("summary"), offers=replace(plan.product("summary").offers, retired="is retired"))
    over = replace(plan, products=tuple(after if product.name == "summary" else product for product in plan.products))
    for known, readers in ((plan, ["summary"]), (over, [])):
        assert [found.name for found in affected_products(known, MeshLineage(known, {}), "readings", ["measurements_sql"], ())] == readers


def test_a_message_says_which_of_the_columns_the_reader_uses():
    about, below = About("readings", "Sensor readings", "plant"), About("summary", "Sensor summary", "office")
    lost = {"SQL": schema_difference({"degrees": "integer", "sensor": "varchar"}, {"degrees": "bigint"})}
    said = schema_words(SchemaChange(about, "v2", lost, (below,), {"summary": ("sensor",)}), (below,))
    assert "You read it in **Sensor summary** (which uses `sensor`). This is a **MAJOR** change" in said.body
    assert "- removed: `sensor` (`varchar`); read it no more, or ask the owner for it" in said.body
    assert "- type changed: `degrees`, from `integer` to `bigint`; it holds all former values" in said.body


def test_a_wider_type_breaks_nobody():
    about = About("readings", "Sensor readings", "plant")
    wider = SchemaChange(about, "v2", {"SQL": schema_difference({"n": "integer"}, {"n": "bigint"})})
    narrower = SchemaChange(about, "v2", {"SQL": schema_difference({"n": "bigint"}, {"n": "integer"})})
    assert (wider.breaking, narrower.breaking) == (False, True)
