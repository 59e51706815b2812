"""Runs in this process, and the code location that Dagster's pages show them in."""

import dagster as dg
import pytest
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from platform_resources.orchestration.runs import run_here

BY_FILE = "{python_file: {relative_path: dataproducts/sales/definitions.py, location_name: shops}}"
UNNAMED = "{python_file: dataproducts/sales/definitions.py}"
OTHER_DOMAIN = "{python_file: {relative_path: dataproducts/finance/definitions.py, location_name: sales}}"
BY_NAME = "{python_module: {module_name: company.sales, location_name: sales}}"
SERVER = "{grpc_server: {host: localhost, port: 4266, location_name: sales}}"
WHOLE_MESH = "{python_file: {relative_path: mesh_definitions.py, location_name: mesh}}"
ELSEWHERE = "{python_module: {module_name: company.reports, location_name: reports}}"


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def finished(tmp_path, instance, *locations):
    """The run of a job of the domain sales in a mesh with these code locations."""
    if locations:
        (tmp_path / "workspace.yaml").write_text("load_from:\n" + "".join(f"  - {location}\n" for location in locations))

    @dg.op
    def say():
        return None

    @dg.job(tags={"product": "orders"}, executor_def=dg.in_process_executor)
    def refresh_orders():
        say()

    result = run_here(tmp_path, "sales", refresh_orders, instance, {})
    assert result.success
    run = instance.get_run_by_id(result.run_id)
    assert run.tags["product"] == "orders"
    return run


@pytest.mark.parametrize(
    ("locations", "name"),
    [
        ([BY_FILE, WHOLE_MESH], "shops"),
        ([OTHER_DOMAIN, UNNAMED], "definitions.py"),
        ([BY_NAME, ELSEWHERE], "sales"),
        ([SERVER, ELSEWHERE], "sales"),
        ([WHOLE_MESH], "mesh"),
        ([OTHER_DOMAIN, WHOLE_MESH], "mesh"),
    ],
)
def test_a_run_belongs_to_the_code_location_that_has_its_domain(tmp_path, instance, locations, name):
    run = finished(tmp_path, instance, *locations)
    assert run.remote_job_origin.job_name == "refresh_orders"
    assert run.tags_for_storage()[REPOSITORY_LABEL_TAG] == f"__repository__@{name}"
    assert run.tags["dagster/code_location"] == name


@pytest.mark.parametrize(
    ("locations", "reason"),
    [
        ([], "there is no workspace.yaml that says which code location has the domain sales"),
        ([OTHER_DOMAIN], "no code location in workspace.yaml has the domain sales"),
        ([ELSEWHERE, WHOLE_MESH], "no code location in workspace.yaml has the domain sales"),
        (["{python_fil: x.py}"], "Dagster cannot read workspace.yaml: "),
        (["{python_file: [}"], "Dagster cannot read workspace.yaml: "),
        ([BY_FILE, BY_FILE], "Dagster cannot read workspace.yaml: "),
    ],
)
def test_a_run_of_no_known_location_runs_all_the_same_and_says_why_no_job_shows_it(tmp_path, instance, locations, reason):
    run = finished(tmp_path, instance, *locations)
    assert run.remote_job_origin is None
    notes = [entry.message for entry in instance.all_logs(run.run_id) if entry.message.startswith("This run is not shown")]
    assert [note.startswith(f"This run is not shown with its job: {reason}") for note in notes] == [True]
