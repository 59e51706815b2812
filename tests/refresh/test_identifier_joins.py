"""Columns with a global identifier against the owner's key: counted by every refresh, without a grant, and telling no value."""

from dataclasses import replace

import pytest

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.check_plans import OwnedKey
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.gate import gate
from platform_resources.refresh.owned_keys import owned_keys
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file, tiny_mesh
from tests.refresh.running import CSV, publish, running

GOVERNANCE = """\
identifiers:
  - {name: sensor, type: varchar, product: summary, column: sensor}
"""
TITLE = "measurements.sensor is a known sensor"
READINGS = product_file("plant", "readings")
KEY = OwnedKey("sensor", "summary", "", "sensor", "varchar")
# Somebody's custom SQL tries to read the key that is not its product's to read.
SPY = """
    - name: Spy
      type: service-level-asset
      properties: {dimension: custom-sql, data_set: measurements, failing_rows: 'sensor in (select sensor from inputs."key of sensor")'}
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    root = tiny_mesh(tmp_path_factory.mktemp("joins"))
    (root / "dataproducts/governance.yaml").write_text(GOVERNANCE)
    edited(root, READINGS, ", tests: [{accepted_values: {values: [north, south]}}]", "")
    (root / READINGS).write_text((root / READINGS).read_text() + SPY)
    with running(root) as found:
        yield found


def verdicts(mesh):
    with opened(mesh.root / "warehouse/plant/readings.duckdb") as database:
        assert not database.exists(KEY.relation)
        return {each.title: (each.verdict, each.reason) for each in gate(database).verdicts}


def test_it_is_unknown_until_the_owner_has_published_and_counts_then_whatever_the_owner_gives_to_others(mesh):
    publish("readings")(mesh)
    assert verdicts(mesh)[TITLE] == (
        "unknown",
        "summary, which owns sensor, had published nothing when this was judged; the next refresh judges it again",
    )
    publish("summary")(mesh)
    mesh.refresh("readings")
    assert verdicts(mesh)[TITLE] == ("met", "sensor is found in summary for 100 % of 4 rows; 100 % promised")
    with (mesh.root / CSV).open("a") as file:
        file.write("5,west,1.00,2024-06-01 08:00:00,Ben\n")
    mesh.refresh("readings")
    assert verdicts(mesh)[TITLE] == ("missed", "sensor is found in summary for 80 % of 5 rows; 100 % promised")
    assert verdicts(mesh)["Spy"][0] == "unknown", "no SQL that a team writes runs while the key is there"
    edited(mesh.root, READINGS, "identifier: sensor,", "identifier: sensor, join_rate: 75,")
    owner = shelf(mesh.root, "office", "summary")
    owner.pin("readings.keys", owner.latest().id)  # as an input port of that name has it
    mesh.refresh("readings")
    assert verdicts(mesh)[TITLE] == ("met", "sensor is found in summary for 80 % of 5 rows; 75 % promised")
    assert owner.pins() == {"readings.keys": owner.latest().id}, "what the audit has pinned is let go, and nothing else"


def test_what_a_killed_audit_leaves_is_gone_before_the_next_build(mesh):
    with opened(mesh.root / "warehouse/plant/readings.duckdb") as database:
        database.execute('create or replace view "inputs"."key of sensor" as select 1 as sensor')
    mesh.materialised("readings", "build")
    with opened(mesh.root / "warehouse/plant/readings.duckdb") as database:
        assert not database.exists(KEY.relation)


def test_a_key_of_another_type_is_no_key(mesh):
    mesh.refresh("readings", "summary")
    product = mesh.product("readings")
    (objective,) = [each for each in product.objectives if each.key is not None]
    assert objective.key == KEY and objective.subject.inputs["summary"] == Relation("inputs", "key of sensor")
    (mesh.root / "dataproducts/governance.yaml").write_text(GOVERNANCE.replace("varchar", "bigint"))
    _, problems = read_plan(mesh.root)
    assert any("sensor is bigint, and its owner summary.sensor is varchar" in each.message for each in problems)
    other = OwnedKey("sensor", "summary", "sensors", "sensor", "bigint")
    changed = replace(product, objectives=(replace(objective, key=other),))
    with opened(mesh.root / "warehouse/plant/readings.duckdb") as database, owned_keys(database, mesh.root, changed) as missing:
        assert "which owns sensor, has no column sensor of type bigint" in missing[other]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("join_rate: 0", []),
        ("join_rate: 90", [90]),
        ("", [100]),
    ],
)
def test_a_column_says_otherwise(tmp_path, said, expected):
    root = tiny_mesh(tmp_path)
    (root / "dataproducts/governance.yaml").write_text(GOVERNANCE)
    edited(root, READINGS, "identifier: sensor,", f"identifier: sensor,{f' {said},' if said else ''}")
    products = read_plan(root)[0].products
    found = [each.settings.at_least for product in products for each in product.objectives if each.key is not None]
    assert found == expected, "the owner's own key is not compared with itself"


def test_a_join_rate_without_an_identifier_is_a_mistake(tmp_path):
    root = edited(tiny_mesh(tmp_path), READINGS, "identifier: sensor,", "join_rate: 90,")
    assert "column sensor says a join_rate, and which identifier it holds is not said" in [each.message for each in read_plan(root)[1]]
