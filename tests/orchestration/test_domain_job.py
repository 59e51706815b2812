"""The job that refreshes a whole domain, on a real instance."""

import dagster as dg
import pytest

from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.events.ledger_events import DagsterLog
from platform_resources.plan import conventions
from tests.meshes import SENSORS_SQL, SUMMARY, edited, model_file, product_file, tiny_mesh
from tests.refresh.running import running

pytestmark = pytest.mark.slow
# Beside its upstream, in one domain.
BESIDE = product_file("plant", "a_summary")


@pytest.fixture
def plant(tmp_path):
    """A domain of two products; the one behind comes first in the alphabet."""
    tiny_mesh(tmp_path)
    spec = tmp_path / BESIDE
    spec.parent.mkdir(parents=True)
    spec.write_text(SUMMARY.replace("name: summary", "name: a_summary").replace("name: office", "name: plant"))
    model = tmp_path / model_file("plant", "a_summary", "sensors")
    model.parent.mkdir(parents=True)
    model.write_text(SENSORS_SQL.replace("ref('sensor_readings')", "source('a_summary', 'measurements')"))
    with running(tmp_path) as mesh:
        yield mesh


def run_domain(mesh, **asked) -> dg.ExecuteInProcessResult:
    job = definitions(mesh.root, mesh.plan).resolve_job_def(conventions.domain_job_name("plant"))
    config = {"resources": {"refresh": {"config": asked}}}
    return job.execute_in_process(instance=mesh.instance, run_config=config, raise_on_error=False)


def runs(mesh) -> list[tuple[str, str]]:
    """Of the products' own jobs, oldest first."""
    return [(run.job_name, run.status.value) for run in reversed(mesh.instance.get_runs()) if "product" in run.tags]


def test_a_domain_is_refreshed_upstream_first_each_product_in_a_run_of_its_own_job(plant):
    assert run_domain(plant).success
    assert runs(plant) == [("refresh_readings", "SUCCESS"), ("refresh_a_summary", "SUCCESS")]
    assert plant.latest("a_summary").inputs["measurements"]["version"] == plant.latest("readings").id
    told = DagsterLog(plant.instance).after("run_success", 0, 10)
    assert [event.what.product for event in told] == ["readings", "a_summary", ""], "the run of the domain's job is no product's"


def test_a_product_that_fails_is_told_and_those_behind_it_go_on_with_its_last_version(plant):
    assert run_domain(plant).success
    before = plant.latest("readings")
    edited(plant.root, model_file("plant", "readings", "measurements"), "cast(sensor as", "cast(nowhere as")
    result = run_domain(plant, full_refresh=True)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    told = failure.step_failure_data.error.message
    assert told.startswith("not published:\nreadings: failed\n  dbt could not build") and "a_summary" not in told
    assert runs(plant)[2:] == [("refresh_readings", "FAILURE"), ("refresh_a_summary", "SUCCESS")]
    assert plant.latest("a_summary").inputs["measurements"]["version"] == before.id
    assert [run.run_config["resources"]["refresh"]["config"] for run in plant.instance.get_runs()[:3]] == [{"full_refresh": True}] * 3
