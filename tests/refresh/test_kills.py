"""`mesh refresh` killed in the middle of each step: the former version stays, and the next refresh is clean."""

import os
import signal
import sys
import time

import pytest

from tests.forked_commands import forked
from tests.meshes import edited, model_file, product_file, tiny_mesh
from tests.refresh.running import batch, deliver, environment, leftovers, mesh_json, publish, running, started

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MODEL = model_file("plant", "readings", "measurements")
EXTRACTOR = """
import time
def delivered(e):
    if (e.folder / "slow").exists():
        e.connection.execute("create or replace table inputs.deliveries as select 'half' as reading_id")
        (e.folder / "reached").touch()
        time.sleep(3600)
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


DYING_IN_AUDIT = """
import os, signal
from platform_resources.refresh import auditing
auditing.scanned = lambda *asked: os.kill(os.getpid(), signal.SIGKILL)
from platform_resources.cli.app import main
main()
"""


@pytest.fixture
def root(refreshed_copy, tmp_path):
    """Refreshed once with batch 1; its input is an extractor that can be made slow."""
    return refreshed_copy("extracted", extracted_mesh, publish("readings"), tmp_path)


def extracted_mesh(folder):
    tiny = tiny_mesh(folder)
    edited(tiny, SPEC, "interface: file\n        path: landing/readings.csv", 'interface: python\n        extractor: "extract:delivered"')
    (tiny / "dataproducts/plant/readings/extract.py").write_text(EXTRACTOR)
    deliver(tiny, batch(1, 10))
    return tiny


def refreshed(root):
    """Refresh without a new process, which takes a tenth of the time."""
    with running(root) as found:
        (done,) = found.refresh("readings")
    assert done.outcome == "published", done.reasons


def dies(root, script, *arguments):
    """Run `mesh refresh readings` in a process that kills itself where the script says."""
    command = [sys.executable, "-c", script, *arguments, "--root", str(root), "refresh", "readings"]
    done = forked(command, environment())
    assert done.returncode == -signal.SIGKILL, done.stderr


def killed(root, reached):
    """Run `mesh refresh readings` and kill it as soon as `reached` says so."""
    process = started(root, "refresh", "readings")
    deadline = time.monotonic() + 600
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
    refreshed(root)
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


def test_killed_while_it_audits(root):
    deliver(root, batch(2, 12))
    dies(root, DYING_IN_AUDIT)
    assert seen(root) == [(1, 10)]
    is_clean_after(root, 3)


@pytest.mark.parametrize("moves", [0, 1, 5])
def test_killed_while_it_publishes(root, moves):
    """After so many of its moves into the ports' folder: the files of two ports and of the analyst's view of each, the record, the pointer."""
    deliver(root, batch(2, 12))
    dies(root, DYING, str(moves))
    assert seen(root) == [(1, 10)]
    assert len(mesh_json(root, "versions", "readings")) == 1
    is_clean_after(root, 3)


def test_killed_between_its_pointer_and_its_catalog(root):
    """The version is published then; only clients of the catalog see it after the next refresh."""
    deliver(root, batch(2, 12))
    dies(root, DYING, "6")
    assert seen(root) == [(2, 12)]
    is_clean_after(root, 3)


def test_killed_before_it_could_publish_anything(tiny):
    dies(tiny, DYING, "0")
    assert mesh_json(tiny, "versions", "readings") == []
    is_clean_after(tiny, 3)
    assert os.listdir(tiny / "ports/plant/readings/versions")
