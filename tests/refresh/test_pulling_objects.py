"""Files on a real S3-compatible storage as inputs: late, renamed, truncated, half-written, deleted, delivered again, and refused."""

import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.deliveries.objects import matches
from platform_resources.refresh.sources.pull_records import PullFailed
from platform_resources.services.starting.new_inputs import AskedSource
from platform_resources.services.starting.new_meshes import new_mesh
from platform_resources.services.starting.new_products import thought_of, write
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.deliveries.storage import SECRET
from tests.meshes import REPOSITORY, edited, product_file
from tests.refresh.test_pulling import NOW, Pulling

SPEC = product_file("plant", "readings")
FILE = "interface: file\n        path: landing/readings.csv"


def csv(*numbers):
    return ("reading_id,sensor\n" + "".join(f"{number},north\n" for number in numbers)).encode()


@pytest.fixture
def deliveries(tiny, bucket, request, monkeypatch):
    """A folder of the storage of its own, and pulls of what is in it."""
    environment, store = bucket
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    folder = re.sub(r"\W", "_", request.node.name)

    class Deliveries:
        def __init__(self):
            self.folder = folder

        def port(self, more=""):
            edited(tiny, SPEC, FILE, f"interface: file\n        path: s3://mesh/{folder}/**/r_*.csv{more}")

        def put(self, name, data):
            store.put(f"{folder}/{name}", data)

        def delete(self, name):
            store.delete(f"{folder}/{name}")

        def copy(self, name, other):
            store.copy(f"{folder}/{name}", f"{folder}/{other}")

        def pull(self, hours=1):
            with opened(tiny / "warehouse/plant/readings.duckdb") as database:
                pulling = Pulling(tiny, "readings", database)
                # Objects carry the storage's own time.
                found = pulling.pull(NOW.replace(year=2100) + timedelta(hours=hours))
                return found, [row[0] for row in pulling.rows("select reading_id from {} order by 1")]

    return Deliveries()


@pytest.mark.slow
def test_a_set_of_objects_is_what_is_there(deliveries):
    deliveries.port()
    with pytest.raises(PullFailed, match="no file matches s3://mesh/"):
        deliveries.pull()
    deliveries.put("2026/r_1.csv", csv(1, 2))
    deliveries.put("2026/_r_2.csv", csv(9))
    deliveries.put("2026/other.csv", csv(9))
    found, ids = deliveries.pull()
    assert (ids, found.changed, found.record["files"][0]["path"].endswith("2026/r_1.csv")) == ([1, 2], True, True)
    assert deliveries.pull()[0].changed is False
    deliveries.put("r_2.csv", csv(3))
    assert deliveries.pull()[1] == [1, 2, 3]
    deliveries.put("r_2.csv", csv(3, 4))
    assert deliveries.pull()[1] == [1, 2, 3, 4]
    deliveries.delete("2026/r_1.csv")
    assert deliveries.pull()[1] == [3, 4]
    deliveries.delete("r_2.csv")
    found, ids = deliveries.pull()
    assert (ids, "no file matches" in found.failures["arrived"]) == ([3, 4], True)


@pytest.mark.slow
def test_a_set_that_grows_takes_each_content_once_and_keeps_what_is_gone(deliveries):
    deliveries.port("\n        load: append")
    deliveries.put("r_1.csv", csv(1, 2))
    deliveries.pull()
    deliveries.put("r_1.csv", csv(1, 2))
    deliveries.copy("r_1.csv", "renamed/r_9.csv")
    deliveries.put("r_2.csv", csv(3))
    assert deliveries.pull()[1] == [1, 2, 3]
    deliveries.delete("r_1.csv")
    assert deliveries.pull()[1] == [1, 2, 3]
    deliveries.put("r_2.csv", csv(3, 4))
    found, ids = deliveries.pull()
    assert (ids, "files that were loaded already have changed" in found.failures["arrived"]) == ([1, 2, 3], True)


@pytest.mark.slow
def test_what_is_truncated_or_only_half_uploaded_is_not_loaded(deliveries, bucket, monkeypatch):
    deliveries.port("\n        columns: [{name: reading_id, type: bigint}, {name: sensor, type: varchar}]")
    deliveries.put("r_1.csv", csv(1, 2))
    deliveries.pull()
    deliveries.put("r_2.csv", csv(3)[:-7])
    found, ids = deliveries.pull()
    assert (ids, [check for check, why in found.failures.items() if "r_2.csv" in why]) == ([1, 2], ["arrived"]), found.failures
    deliveries.delete("r_2.csv")

    def breaking_off():
        yield b"reading_id,sensor\n"
        yield b"7,north\n" * 2_000_000
        raise ConnectionError("the supplier's line is cut")

    with pytest.raises(ConnectionError):
        bucket[1].put(f"{deliveries.folder}/r_3.csv", breaking_off(), chunk_size=5 * 2**20)
    assert deliveries.pull()[1] == [1, 2]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    found, ids = deliveries.pull()
    assert (ids, "cannot be listed" in found.failures["arrived"]) == ([1, 2], True)
    assert SECRET not in str(found.failures)


KILLED = """
import sys
from datetime import timedelta
from pathlib import Path

from platform_resources.warehouses.duckdb.product_database import opened
from tests.refresh.test_pulling import NOW, Pulling
from tests.refresh.test_pulling_tables import killing

root, stage = Path(sys.argv[1]), sys.argv[2]
with opened(root / "warehouse/plant/readings.duckdb") as database:
    database.connection = killing(stage)(database.connection)
    Pulling(root, "readings", database).pull(NOW.replace(year=2100) + timedelta(hours=1))
"""


@pytest.mark.slow
@pytest.mark.parametrize("load", ["replace", "append"])
def test_a_pull_that_is_killed_at_any_stage_loses_and_doubles_nothing(deliveries, tiny, load):
    deliveries.port(f"\n        load: {load}")
    deliveries.put("r_1.csv", csv(1, 2))
    deliveries.pull()
    deliveries.put("r_2.csv", csv(3))
    for stage in ("insert or replace into main.mesh_memory", "commit"):
        command = [sys.executable, "-c", KILLED, str(tiny), stage]
        killed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        with opened(tiny / "warehouse/plant/readings.duckdb") as database:
            assert Pulling(tiny, "readings", database).rows("select count(*) from {}") == [(2,)], stage
    assert deliveries.pull()[1] == [1, 2, 3]
    assert deliveries.pull()[0].changed is False


@pytest.mark.slow
def test_a_new_product_begins_from_objects(tmp_path_factory, deliveries):
    tmp_path = tmp_path_factory.mktemp("new")
    deliveries.put("r_1.csv", csv(*range(30)))
    new_mesh(tmp_path / "shop", None, None)
    asked = AskedSource("s3://mesh/test_a_new_product_begins_from_objects/*.csv")
    new = thought_of(tmp_path / "shop", "shop", "readings", asked, NOW)
    write(tmp_path / "shop", new)
    assert (new.source.rows, new.asked.input["path"]) == (30, asked.source)
    assert problems_text(read_plan(tmp_path / "shop")[1]) == ""


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b.csv", "a/*.csv", True),
        ("a/c/b.csv", "a/*.csv", False),
        ("a/c/d/b.csv", "a/**/*.csv", True),
        ("a/b.csv", "a/**/*.csv", True),
        ("a/_b.csv", "a/*.csv", False),
        ("a/_b.csv", "a/_*.csv", True),
        ("a/.x/b.csv", "a/**/*.csv", False),
        ("a/b.csv", "a/b.csv", True),
    ],
)
def test_globs_of_objects_are_those_of_files(path, pattern, expected):
    assert matches(path.split("/"), pattern.split("/")) is expected


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("path: s3://mesh/a/*.csv\n        manifest: _SUCCESS", "manifest is for files on disk"),
        ('path: "s3://*/a.csv"', "names no objects; write s3://BUCKET/folder/*.csv"),
    ],
)
def test_what_no_storage_has_is_refused(tiny, port, said):
    edited(tiny, SPEC, "path: landing/readings.csv", port)
    assert said in problems_text(read_plan(tiny)[1])
