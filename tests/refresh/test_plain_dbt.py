"""Plain dbt on the whole project of a mesh: it parses, builds what is selected, and never touches a product's own data."""

import hashlib
import json
import shutil
import sys

import pytest

from tests.forked_commands import forked
from tests.meshes import REPOSITORY, copied_mesh, edited, model_file, tiny_mesh
from tests.refresh.running import environment, mesh, publish, running

# All in one process, as importing dbt takes longer than each command.
ASKED = """
import json, sys
from dbt.cli.main import dbtRunner
said = []
for arguments in json.loads(sys.argv[1]):
    done = dbtRunner().invoke([*arguments, "--quiet"])
    results = getattr(done.result, "results", done.result if isinstance(done.result, list) else ()) or ()
    shown = [each if isinstance(each, str) else f"{each.node.unique_id} {each.status}" for each in results if isinstance(each, str) or hasattr(each, "node")]
    said.append([done.success, sorted(shown)])
print("SAID" + json.dumps(said))
"""


def dbt(root, *commands, **variables):
    """What plain dbt says of each command, run in the project's folder with its own profile."""
    project = root / "dbt_project"
    asked = [sys.executable, "-c", ASKED, json.dumps([[*command, "--profiles-dir", "."] for command in commands])]
    done = forked(asked, environment(**variables), project)
    assert "SAID" in done.stdout, f"{done.stdout}{done.stderr}"
    return json.loads(done.stdout.rpartition("SAID")[2])


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A mesh whose products are published, with the data of one in an analyst's own database; and its products' files as they were."""
    root = tiny_mesh(tmp_path_factory.mktemp("analysed"))
    with running(root) as refreshed:
        publish("readings", "summary")(refreshed)
    before = {name: digest(root / f"warehouse/{name}.duckdb") for name in ("plant/readings", "office/summary")}
    done = mesh(root, "generate", "--data", "summary")
    assert done.returncode == 0, done.stderr
    assert "3 tables of summary are in" in done.stdout + done.stderr
    return root, before


def test_the_whole_sample_project_is_parsed_in_a_fresh_clone(tmp_path):
    for name in ("dataproducts", "dbt_project"):
        left_out = shutil.ignore_patterns("target", "logs", "_generated.yml", "__pycache__")
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=left_out)
    assert dbt(tmp_path, ["parse"]) == [[False, []]]
    assert mesh(tmp_path, "generate").returncode == 0
    parsed, listed = dbt(tmp_path, ["parse"], ["ls", "--resource-type", "source"])
    assert parsed[0]
    assert "source:mesh.customer_360.orders" in listed[1]
    assert "source:mesh.campaign_performance.orders" in listed[1]


def test_what_is_selected_is_built_in_the_analysts_database_and_no_products(analysed):
    root, before = analysed
    commands = ["build", "--select", "sensor_readings+"], ["docs", "generate", "--select", "summary"], ["source", "freshness"]
    built, documented, fresh = dbt(root, *commands)
    assert built == [True, ["model.mesh.sensor_readings success", "model.mesh.sensors success"]]
    assert documented[0]
    assert fresh == [True, []]
    assert {name: digest(root / f"warehouse/{name}.duckdb") for name in before} == before


def test_state_modified_and_defer_work_against_a_manifest_that_was_kept(analysed, tmp_path):
    root = copied_mesh(analysed[0], tmp_path / "mesh")
    dbt(root, ["parse"])
    (root / "kept").mkdir()
    shutil.copy(root / "dbt_project/target/manifest.json", root / "kept/manifest.json")
    edited(root, model_file("office", "summary", "sensors"), "count(*)", "count(degrees)")
    changed = ["--select", "state:modified", "--state", "../kept"]
    listed, built = dbt(root, ["ls", "--resource-type", "model", *changed], ["build", *changed, "--defer"])
    assert listed == [True, ["mesh.office.summary.sensors"]]
    assert built == [True, ["model.mesh.sensors success"]]


def test_files_of_products_that_are_gone_are_taken_away(analysed, tmp_path):
    root = copied_mesh(analysed[0], tmp_path / "mesh")
    gone = root / "dbt_project/models/office/former/_generated.yml"
    gone.parent.mkdir()
    gone.write_text("version: 2\nsources: [{name: readings, tables: [{name: x}]}]\n")
    assert mesh(root, "generate").returncode == 0
    assert not gone.exists()


def test_a_refresh_never_builds_in_an_analysts_database(analysed):
    done = mesh(analysed[0], "validate", MESH_TARGET="analyst")
    assert done.returncode == 2
    assert (
        'MESH_TARGET is "analyst", which is the target of analysts\' own databases; refreshes never build in it'
        in done.stdout + done.stderr
    )
    product_without_data = mesh(analysed[0], "generate", "--data", "nowhere")
    assert product_without_data.returncode == 3
