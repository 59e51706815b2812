"""A build tells which columns it has made from which: in Dagster, and in what is kept beside the data."""

import json
from dataclasses import replace

import dagster as dg
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.cli.terminal.console import Stop
from platform_resources.lineage.column_uses import ColumnRef
from platform_resources.plan.check_plans import SourceLine
from platform_resources.refresh.built_lineage import built_columns, keep_lineage, kept_lineage
from platform_resources.warehouses.duckdb.product_database import opened


def lineage_of(mesh, *key):
    event = mesh.instance.get_latest_materialization_event(dg.AssetKey(list(key)))
    value = event.asset_materialization.metadata["dagster/column_lineage"].value
    return {name: {("/".join(dep.asset_key.path), dep.column_name) for dep in deps} for name, deps in value.deps_by_column.items()}


def test_column_lineage_is_shown_at_models_and_ports_and_leads_across_products(published):
    assert lineage_of(published, "summary", "sensors") == {
        "sensor": {("summary/sensor_readings", "sensor")},
        "readings": set(),
        "warmest": {("summary/sensor_readings", "degrees")},
    }
    assert lineage_of(published, "summary", "sensor_readings")["degrees"] == {("summary/inputs/measurements", "degrees")}
    assert lineage_of(published, "summary", "inputs", "measurements")["degrees"] == {("readings/outputs/measurements_sql", "degrees")}
    assert lineage_of(published, "readings", "outputs", "measurements_sql")["degrees"] == {("readings/measurements", "degrees")}
    assert lineage_of(published, "readings", "measurements")["degrees"] == {("readings/inputs/deliveries", "degrees")}
    assert lineage_of(published, "readings", "inputs", "deliveries")["degrees"] == {("readings/sources/deliveries", "degrees")}


def test_what_is_kept_tells_kinds_and_what_decides_about_rows(published):
    kept = kept_lineage(published.root, published.plan.product("summary"))
    assert kept.made_from("sensors", "WARMEST") == {
        ColumnRef("sensor_readings", "sensor"): "row-level",
        ColumnRef("sensor_readings", "degrees"): "computed",
    }
    assert kept.made_from("sensors", "readings") == {ColumnRef("sensor_readings", "sensor"): "row-level"}
    assert kept.names("inputs/measurements")[:2] == ("reading_id", "sensor")


def test_a_model_is_looked_at_again_where_its_sql_has_changed_and_only_there(published):
    product = published.plan.product("summary")
    before = kept_lineage(published.root, product)
    unchanged = "select sensor, degrees from inputs.measurements"
    with opened(published.root / "warehouse/office/summary.duckdb") as database:
        keep_lineage(
            database, published.root, product, {"sensors": "select 1", "sensor_readings": unchanged}, built_columns(database, product)
        )
        kept = published.root / "lineage/office/summary.json"
        kept.write_text(
            kept.read_text().replace('"columns": {"sensor": [["inputs/measurements", "sensor"', '"columns": {"sensor": [["seen", "sensor"')
        )
        after = keep_lineage(
            database, published.root, product, {"sensors": "select sensor", "sensor_readings": unchanged}, built_columns(database, product)
        )
    assert after.made_from("sensor_readings", "sensor") == {ColumnRef("seen", "sensor"): "passed on"}
    assert after.models["sensors"].unresolved and after.models["sensors"].key != before.models["sensors"].key
    assert set(after.made_from("sensors", "warmest").values()) == {"unresolved"}
    assert {ref.column for ref in after.made_from("sensors", "warmest")} == {"sensor", "degrees"}


def test_a_python_model_may_read_all_of_its_inputs(published):
    product = published.plan.product("summary")
    models = tuple(replace(m, place=SourceLine("sensors.py", 1)) if m.name == "sensors" else m for m in product.models)
    with opened(published.root / "warehouse/office/summary.duckdb") as database:
        kept = keep_lineage(
            database,
            published.root,
            replace(product, models=models),
            {"sensors": "def model(dbt, session): ..."},
            built_columns(database, product),
        )
    assert kept.models["sensors"].unresolved == "it is made by Python"
    assert kept.made_from("sensors", "readings") == {
        ColumnRef("sensor_readings", "sensor"): "unresolved",
        ColumnRef("sensor_readings", "degrees"): "unresolved",
    }


def test_mesh_lineage_leads_from_a_column_to_its_source_and_to_whom_a_change_concerns(published):
    def told(column, *more):
        done = CliRunner().invoke(app, ["--root", str(published.root), "lineage", column, *more])
        assert done.exit_code == 0, done.output
        return done.output

    data = json.loads(told("summary.warmest", "--json"))
    assert [(step["product"], step["place"], step["column"], step["how"]) for step in data["upstream"] if step["column"] == "degrees"] == [
        ("summary", "sensor_readings", "degrees", "computed"),
        ("summary", "inputs/measurements", "degrees", "computed"),
        ("readings", "outputs/measurements_sql", "degrees", "computed"),
        ("readings", "measurements", "degrees", "computed"),
        ("readings", "inputs/deliveries", "degrees", "computed"),
        ("readings", "sources/deliveries", "degrees", "computed"),
    ]
    assert {step["how"] for step in data["upstream"] if step["column"] == "sensor"} == {"row-level"}
    assert (data["consumers"][0]["name"], data["unknown"]) == ("plant_dashboard", [])
    below = json.loads(told("readings.measurements.degrees", "--json"))["downstream"]
    assert ("summary", "sensors", "warmest", "computed") in {(s["product"], s["place"], s["column"], s["how"]) for s in below}
    assert "operator" not in {step["column"] for step in json.loads(told("summary.sensor", "--json"))["upstream"]}
    shown = told("readings.degrees")
    assert "summary.outputs/sensors_sql.warmest" in shown and "Plant dashboard" in shown


def test_a_column_that_there_is_none_of_is_named_with_those_that_there_are(published):
    done = CliRunner().invoke(app, ["--root", str(published.root), "lineage", "summary.warmst"])
    assert isinstance(done.exception, Stop)
    assert "summary has no column warmst; known: readings, sensor, warmest" in done.output
