"""What stops a publication, what does not, and what is told of it."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.definitions import definitions
from tests.meshes import edited, model_file, product_file
from tests.refresh.running import deliver, leftovers, mesh, readings_csv

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MEASUREMENTS = model_file("plant", "readings", "measurements")
SENSORS = model_file("office", "summary", "sensors")
READINGS = product_file("plant", "readings")
SUMMARY = product_file("office", "summary")
COLUMNS = """
    - name: Deliveries have the columns that we read
      type: service-level-asset
      properties: {dimension: schema, data_set: measurements, input: deliveries, columns: {operator: varchar}, gate: true}
"""
GOOD = readings_csv([(1, "north", 20), (2, "south", 19), (3, "north", 21), (4, "south", 18), (5, "south", 17)])
FEWER = readings_csv([(1, "north", 20), (2, "south", 19), (3, "north", 21)])
TWICE = readings_csv([(1, "north", 20), (1, "south", 19), (3, "north", 21), (4, "south", 18)])


def ended(mesh, run_id):
    """The words with which a run's step ended, which is all that Dagster's page shows: there is no stack trace."""
    events = [entry.dagster_event for entry in mesh.instance.all_logs(run_id) if entry.dagster_event is not None]
    (failure,) = [event.step_failure_data for event in events if event.event_type_value == "STEP_FAILURE"]
    assert (failure.error.stack, failure.error.cause) == ([], None)
    return failure.error.message


def verdicts(mesh, run_id):
    """What the checks of objectives said in a run, each of which speaks once."""
    events = [entry.dagster_event for entry in mesh.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)]
    said = [each.asset_check_evaluation_data for each in events]
    named = [(each.check_name, each.metadata["verdict"].value) for each in said if each.metadata["kind"].value == "objective"]
    assert len(named) == len(dict(named))
    return dict(named)


def doubled(mesh):
    """The product summary with every sensor twice, which its gate does not let through."""
    text = (mesh.root / SENSORS).read_text()
    (mesh.root / SENSORS).write_text(f"select * from ({text}) union all select * from ({text})")


def test_a_closed_gate_leaves_the_last_good_version_and_names_the_objective(published):
    before = published.latest("readings")
    deliver(published.root, FEWER)
    (done,) = published.refresh("readings")
    assert (done.outcome, done.version) == ("gate closed", None)
    assert len(done.reasons) == 1
    assert done.reasons[0].startswith("Readings are never deleted: ")
    assert "3 rows" in done.reasons[0] and "4" in done.reasons[0]
    assert published.latest("readings") == before
    assert done.served == before.id
    assert ended(published, done.run_id) == (
        f"not published, the gate is closed; version {before.id} is still served\n"
        "- Readings are never deleted: 3 rows; never fewer than before promised, 4 before"
    )
    assert published.rows("readings", "select count(*) from measurements") == [(4,)]


def test_the_scorecard_of_a_closed_gate_says_why_nothing_was_published(published):
    deliver(published.root, FEWER)
    published.refresh("readings")
    card = published.scorecard("readings")
    assert card["outcome"].startswith("not published, the gate is closed: Readings are never deleted: ")
    assert (card["objectives"], card["missed"], card["met"]) == (3, 1, 2)
    assert "Readings are never deleted" in card["scorecard"]


def test_the_check_that_closes_a_gate_carries_the_keys_that_fail(published):
    doubled(published)
    (done,) = published.refresh("summary")
    assert done.outcome == "gate closed"
    check = published.check("summary", ("sensors",), "one_row_per_sensor")
    assert (check.passed, check.blocking, check.severity.value) == (False, True, "ERROR")
    assert check.metadata["verdict"].value == "missed"
    assert "north" in check.metadata["failing_keys"].value and "south" in check.metadata["failing_keys"].value
    told = mesh(published.root, "quarantine", "summary")
    assert told.returncode == 1 and told.stdout.startswith("One row per sensor: sensor is unique in "), told
    assert sorted(told.stdout.splitlines()[1:]) == ["  sensor north", "  sensor south"]


def test_a_gate_opens_again_with_good_data(published):
    deliver(published.root, FEWER)
    published.refresh("readings")
    deliver(published.root, GOOD)
    (done,) = published.refresh("readings")
    assert done.outcome == "published"
    assert published.scorecard("readings")["outcome"] == f"published version {done.version}"
    assert leftovers(published.root) == []


def test_an_objective_that_is_no_gate_warns_and_publishes(published):
    deliver(published.root, readings_csv([(1, "north", ""), (2, "south", ""), (3, "north", ""), (4, "south", 18)]))
    (done,) = published.refresh("readings")
    assert done.outcome == "published"
    assert [text.partition(":")[0] for text in done.warnings] == ["Most readings have a temperature"]


def test_outputs_alone_are_not_published_behind_a_closed_gate(published):
    deliver(published.root, FEWER)
    published.refresh("readings")
    assert not published.materialised("readings", "publish").success
    assert published.rows("readings", "select count(*) from measurements") == [(4,)]


def test_outputs_alone_are_not_published_before_the_models_were_built_from_new_inputs(published):
    before = published.latest("readings")
    deliver(published.root, GOOD)
    assert published.materialised("readings", "pull").success
    assert not published.materialised("readings", "publish").success
    assert published.latest("readings") == before


def test_outputs_alone_are_no_new_version_of_what_is_published_already(published):
    before = published.latest("readings")
    assert published.materialised("readings", "publish").success
    assert published.latest("readings") == before
    outcome = f"not published, nothing changed: version {before.id} holds what was built last"
    assert published.scorecard("readings")["outcome"] == outcome


def test_an_input_without_the_columns_that_are_read_is_refused_before_dbt_builds(published):
    (published.root / SPEC).write_text((published.root / SPEC).read_text() + COLUMNS)
    (before,) = published.refresh("readings")
    assert before.outcome == "published"
    deliver(published.root, GOOD.replace("operator", "worker"))
    (done,) = published.refresh("readings")
    assert (done.outcome, done.reasons) == ("gate closed", ("Deliveries have the columns that we read: operator is missing",))
    assert ended(published, done.run_id).endswith(
        f"version {before.version} is still served\n- Deliveries have the columns that we read: operator is missing"
    )
    assert verdicts(published, done.run_id) == {"deliveries_have_the_columns_that_we_read": "missed"}
    card = published.scorecard("readings")
    assert card["outcome"] == "not published: the gate is closed: Deliveries have the columns that we read: operator is missing"
    assert (card["objectives"], card["missed"], card["met"]) == (4, 1, 0)
    health = published.health("readings", datetime.now(UTC))
    assert "Deliveries have the columns that we read: operator is missing" in str(health)
    assert not published.materialised("readings", "publish").success
    # One that is no gate is told of as well, and dbt says what it makes of it.
    edited(published.root, SPEC, ", gate: true}", "}")
    (done,) = published.refresh("readings")
    assert done.outcome == "failed" and 'measurements: Binder Error: Column "operator"' in done.reasons[0]
    assert done.warnings == ("Deliveries have the columns that we read: operator is missing",)
    deliver(published.root, GOOD)
    (done,) = published.refresh("readings")
    assert (done.outcome, done.warnings) == ("published", ())
    assert verdicts(published, done.run_id)["deliveries_have_the_columns_that_we_read"] == "met"
    assert published.scorecard("readings")["met"] == 4


def test_a_product_whose_only_promise_is_about_an_input_is_published_and_its_check_can_be_run_alone(running_mesh):
    root = running_mesh.root
    text = (root / SUMMARY).read_text()
    start, end = text.index("    - name: One row per sensor"), text.index("    - name: Plant dashboard")
    promise = (
        COLUMNS.replace("measurements", "sensors").replace("deliveries", "measurements").replace("operator: varchar", "sensor: varchar")
    )
    (root / SUMMARY).write_text(text[:start] + promise + text[end:])
    assert [done.outcome for done in running_mesh.refresh("readings", "summary")] == ["published", "published"]
    key = dg.AssetCheckKey(asset_key(("summary", "sensors")), "deliveries_have_the_columns_that_we_read")
    before = running_mesh.latest("summary")
    job = definitions(root, running_mesh.plan).resolve_job_def("refresh_summary")
    selected = job.get_subset(asset_selection=set(), asset_check_selection={key})
    done = selected.execute_in_process(instance=running_mesh.instance)
    assert [(each.check_name, each.passed) for each in done.get_asset_check_evaluations()] == [(key.name, True)]
    # What was built is still what was published.
    assert running_mesh.materialised("summary", "publish").success and running_mesh.latest("summary") == before


def test_a_product_without_objectives_is_published(running_mesh):
    root = running_mesh.root
    text = (root / SUMMARY).read_text()
    start, end = text.index("    - name: One row per sensor"), text.index("    - name: Plant dashboard")
    (root / SUMMARY).write_text(text[:start] + text[end:])
    assert [done.outcome for done in running_mesh.refresh("readings", "summary")] == ["published", "published"]


# dbt


def test_a_dbt_test_that_fails_stops_the_publication(published):
    before = published.latest("readings")
    deliver(published.root, TWICE)
    (done,) = published.refresh("readings")
    assert (done.outcome, done.version) == ("gate closed", None)
    assert any("reading_id" in reason for reason in done.reasons)
    assert published.latest("readings") == before
    assert not published.check("readings", ("measurements",), "unique_measurements_reading_id").passed
    assert published.scorecard("readings")["outcome"].startswith("not published: unique_measurements_reading_id")
    assert ended(published, done.run_id).startswith(f"not published, the gate is closed; version {before.id} is still served\n- unique_")
    assert not published.materialised("readings", "publish").success


def test_a_dbt_test_of_severity_warn_does_not(published):
    edited(published.root, READINGS, "tests: [unique]", "tests: [{unique: {severity: warn}}]")
    deliver(published.root, TWICE)
    (done,) = published.refresh("readings")
    assert done.outcome == "published"
    assert len(done.warnings) == 1 and "reading_id" in done.warnings[0]


def test_a_model_that_breaks_its_contract_names_the_column(published):
    edited(published.root, SENSORS, "cast(max(degrees) as decimal(6, 2))", "cast(max(degrees) as double)")
    (done,) = published.refresh("summary")
    assert (done.outcome, done.version) == ("failed", None)
    assert "warmest is double, decimal(6,2) was promised" in done.reasons[0]


def test_a_model_that_cannot_run_gives_the_words_of_the_database(published):
    before = published.latest("summary")
    edited(published.root, SENSORS, "max(degrees)", "max(degreees)")
    (done,) = published.refresh("summary")
    assert done.outcome == "failed"
    assert 'Referenced column "degreees" not found' in done.reasons[0]
    assert "Traceback" not in done.reasons[0]
    assert published.latest("summary") == before
    assert published.scorecard("summary")["outcome"].startswith("not published: sensors: ")


def test_a_model_with_tests_that_cannot_run_has_failed_and_closed_no_gate(published):
    edited(published.root, MEASUREMENTS, "cast(sensor as", "cast(senser as")
    (done,) = published.refresh("readings")
    assert done.outcome == "failed"
    assert 'Referenced column "senser" not found' in done.reasons[0]


def test_a_candidate_of_another_spec_is_not_published_under_the_new_version(published):
    """The old rows would come out as version 1.2.0, past a gate that never saw them."""
    before = published.latest("readings")
    edited(published.root, SPEC, "version: 1.1.0", "version: 1.2.0")
    edited(published.root, SPEC, "at_least: 3", "at_least: 3000")
    result = published.materialised("readings", "publish")
    assert not result.success
    assert published.latest("readings") == before
