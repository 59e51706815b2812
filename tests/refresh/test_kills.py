"""`mesh refresh` killed in the middle of each step: the former version stays, and the next refresh is clean."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.meshes import edited, model_file, product_file
from tests.refresh.running import MESH, batch, deliver, environment, leftovers, mesh, mesh_json

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MODEL = model_file("plant", "readings", "measurements")
EXTRACTOR = """
import time
def delivered(e):
    if (e.folder / "slow").exists():
        e.connection.execute("create or replace table inputs.deliveries as select 'half' as reading_id")
        (e.folder / "reached").touch()
        time.sleep(60)
    return e.connection.read_csv(str(e.folder / "landing/readings.csv"))
"""
ENDLESS = "(select count(*) from range(1000000) as a(x), range(1000000) as b(y) where hash(x, y) = 1)"
DYING = """
import os, signal, sys
replace, left = os.replace, [int(sys.argv.pop(1))]
def dying(source, target):
    if "/ports/plant/readings/" in str(target):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
    replace(source, target)
os.replace = dying
from platform_resources.cli.app import main
main()
"""


@pytest.fixture
def root(tiny):
    """Refreshed once with batch 1; its input is an extractor that can be made slow."""
    edited(tiny, SPEC, "interface: file\n        path: landing/readings.csv", 'interface: python\n        extractor: "extract:delivered"')
    (tiny / "dataproducts/plant/readings/extract.py").write_text(EXTRACTOR)
    deliver(tiny, batch(1, 10))
    assert mesh(tiny, "refresh", "readings").returncode == 0
    return tiny


def killed(root, reached, command=MESH):
    """Run `mesh refresh readings` and kill it as soon as `reached` says so."""
    process = subprocess.Popen(
        [*command, "--root", str(root), "refresh", "readings"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said


def seen(root):
    """(batch, rows) of the version that readers see."""
    sql = "select cast(degrees as integer) as batch, count(*) as n from measurements group by 1"
    return [(row["batch"], row["n"]) for row in mesh_json(root, "query", "readings", sql)]


def is_clean_after(root, number):
    deliver(root, batch(number, 10 + number))
    done = mesh(root, "refresh", "readings")
    assert done.returncode == 0, done.stderr
    assert seen(root) == [(number, 10 + number)]
    assert leftovers(root) == []
    assert mesh_json(root, "status", "readings")[0]["status"] == "healthy"


def test_killed_while_it_pulls(root):
    folder = root / "dataproducts/plant/readings"
    (folder / "slow").touch()
    deliver(root, batch(2, 12))
    killed(root, (folder / "reached").exists)
    assert seen(root) == [(1, 10)]
    (folder / "slow").unlink()
    is_clean_after(root, 3)


def test_killed_while_it_builds(root):
    compiled = root / "dbt_project/target/plant/readings/run/mesh/models/plant/readings/measurements.sql"
    compiled.unlink()
    deliver(root, batch(2, 12))
    endless(root)
    killed(root, lambda: compiled.exists() and ENDLESS in compiled.read_text())
    assert seen(root) == [(1, 10)]
    ended(root)
    is_clean_after(root, 3)


def endless(root):
    (root / MODEL).write_text((root / MODEL).read_text() + f"where 0 <= {ENDLESS}\n")


def ended(root):
    edited(root, MODEL, f"where 0 <= {ENDLESS}\n", "")


SLOW_OBJECTIVE = f"""    - name: Takes forever
      type: service-level-asset
      properties:
        dimension: custom-sql
        data_set: measurements
        scalar: "{ENDLESS}"
        min: 0
        gate: true
"""


def test_killed_while_it_audits(root):
    deliver(root, batch(2, 12))
    text = (root / SPEC).read_text()
    (root / SPEC).write_text(text + SLOW_OBJECTIVE)
    killed(root, lambda: step_reached(root, "audit"))
    assert seen(root) == [(1, 10)]
    (root / SPEC).write_text(text)
    is_clean_after(root, 3)


def step_reached(root, step):
    """Whether the newest run in Dagster's event log has begun the step."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
        (record,) = instance.get_run_records(limit=1)
        if not record.dagster_run.is_finished:
            return any(stats.step_key == f"readings__{step}" for stats in instance.get_run_step_stats(record.dagster_run.run_id))
    return False


@pytest.mark.parametrize("moves", [0, 1, 3])
def test_killed_while_it_publishes(root, moves):
    """After so many of its moves into the ports' folder: the files of two ports, the record, the pointer."""
    deliver(root, batch(2, 12))
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(moves), "--root", str(root), "refresh", "readings"],
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert seen(root) == [(1, 10)]
    assert len(mesh_json(root, "versions", "readings")) == 1
    is_clean_after(root, 3)


def test_killed_between_its_pointer_and_its_catalog(root):
    """The version is published then; only clients of the catalog see it after the next refresh."""
    deliver(root, batch(2, 12))
    command = [sys.executable, "-c", DYING, "4", "--root", str(root), "refresh", "readings"]
    assert subprocess.run(command, env=environment(), capture_output=True, check=False).returncode == -signal.SIGKILL
    assert seen(root) == [(2, 12)]
    is_clean_after(root, 3)


def test_killed_before_it_could_publish_anything(tiny):
    command = [sys.executable, "-c", DYING, "0"]
    killed(tiny, lambda: False, command)
    assert mesh_json(tiny, "versions", "readings") == []
    is_clean_after(tiny, 3)
    assert os.listdir(tiny / "ports/plant/readings/versions")
