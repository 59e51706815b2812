"""What a person sees of a refresh on Dagster's pages: the health of each port, the scorecard, and what is told of tables."""

import dagster as dg
import pytest

from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.evaluation_job import run_evaluations
from tests.meshes import edited, model_file
from tests.refresh.running import deliver, readings_csv

pytestmark = pytest.mark.slow
FEWER = readings_csv([(1, "north", 20), (2, "south", 19), (3, "north", 21)])
GOOD = readings_csv([(1, "north", 20), (2, "south", 19), (3, "north", 21), (4, "south", 18)])
COLD = readings_csv([(1, "north", ""), (2, "south", ""), (3, "north", ""), (4, "south", 18)])
PORT = ("outputs", "measurements_sql")


def healthy(mesh):
    """Whether the check of the port passed, how severe it is if not, and what it says."""
    found = mesh.check("readings", PORT, "healthy")
    return found.passed, found.severity.value, found.description


def newest(mesh, *key):
    event = mesh.instance.get_latest_materialization_event(asset_key(key))
    return event.asset_materialization.metadata


def test_a_port_is_healthy_with_care_or_unhealthy_at_the_end_of_each_refresh(running_mesh):
    mesh = running_mesh
    mesh.refresh("readings")
    assert healthy(mesh)[0] is True
    deliver(mesh.root, COLD)
    mesh.refresh("readings")
    passed, severity, told = healthy(mesh)
    assert (passed, severity) == (False, "WARN")
    assert told.startswith("use with care: ") and "degrees is filled in 25 % of 4 rows" in told
    assert mesh.check("readings", PORT, "healthy").metadata["concerns"].value == "measurements.degrees"
    served = mesh.latest("readings").id
    deliver(mesh.root, FEWER)
    mesh.refresh("readings")
    passed, severity, told = healthy(mesh)
    assert (passed, severity) == (False, "ERROR")
    assert told.startswith("unhealthy: ") and "Readings are never deleted: 3 rows" in told
    assert mesh.check("readings", PORT, "healthy").metadata["version"].value == served
    deliver(mesh.root, GOOD)
    mesh.refresh("readings")
    assert healthy(mesh)[0] is True


def test_an_evaluation_says_of_the_port_what_has_become_of_it_and_names_the_incident(running_mesh):
    mesh = running_mesh
    deliver(mesh.root, COLD)
    mesh.refresh("readings")
    assert "incidents" not in mesh.check("readings", PORT, "healthy").metadata
    (done, *_) = run_evaluations(mesh.root, mesh.plan, mesh.instance, ["plant"])
    assert done.problems == ()
    check = mesh.check("readings", PORT, "healthy")
    assert check.metadata["incidents"].value.startswith("readings#1 (")
    assert check.metadata["scorecard"].value == asset_key(("readings", "scorecard"))
    assert [event for event in mesh.instance.all_logs(done.run_id) if event.level >= 40] == []


def test_a_broken_model_makes_the_port_unhealthy_and_the_scorecard_leads_with_it(running_mesh):
    mesh = running_mesh
    mesh.refresh("readings")
    edited(mesh.root, model_file("plant", "readings", "measurements"), "cast(sensor as", "cast(senser as")
    mesh.refresh("readings")
    assert healthy(mesh)[:2] == (False, "ERROR")
    page = mesh.scorecard("readings")["scorecard"]
    assert page.startswith("**Unhealthy**: the last refresh was held back, ")
    assert 'Referenced column "senser" not found' in page.splitlines()[0]
    assert "promises met (%)" not in mesh.scorecard("readings"), "nothing was measured, so nothing is plotted"
    edited(mesh.root, model_file("plant", "readings", "measurements"), "cast(senser as", "cast(sensor as")
    mesh.refresh("readings")
    assert healthy(mesh)[0] is True, "the refresh that failed before is not the last one any more"
    assert mesh.scorecard("readings")["scorecard"].startswith("**Healthy**")


def test_tables_tell_their_rows_keys_and_what_is_never_empty(running_mesh):
    running_mesh.refresh("readings")
    for key in (("readings", "measurements"), ("readings", *PORT)):
        told = newest(running_mesh, *key)
        assert told["dagster/row_count"].value == 4
        assert told["profile_table"].value
    columns = {column.name: column for column in newest(running_mesh, "readings", *PORT)["dagster/column_schema"].value.columns}
    key, degrees = columns["reading_id"].constraints, columns["degrees"].constraints
    assert (key.nullable, key.unique, key.other) == (False, True, ["primary key"])
    assert (degrees.nullable, degrees.unique, degrees.other) == (True, False, [])
    assert columns["degrees"].type == "decimal(6,2)"


def test_the_profile_on_a_data_sets_page_makes_nothing_outdated(running_mesh):
    """The build's event and the profile's are of the same data, and so is Dagster's version of it."""
    running_mesh.refresh("readings")
    records = running_mesh.instance.fetch_materializations(asset_key(("readings", "measurements")), limit=5).records
    profiled, built = (record.asset_materialization for record in records)
    assert "sql" in built.metadata and {"sql", "profile_table", "version"} <= set(profiled.metadata)
    assert profiled.tags["dagster/data_version"] == built.tags["dagster/data_version"]
    assert isinstance(profiled.metadata["profile_table"], dg.MarkdownMetadataValue)
