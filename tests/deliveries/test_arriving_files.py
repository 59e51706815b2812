"""When files have arrived: whole, still, with rows, and known again by their content; a load that is broken off leaves nothing behind."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from platform_resources.capabilities.protocols import PullFiles
from platform_resources.deliveries.arrivals import NotArrived, is_news, matching_files
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase, opened
from platform_resources.warehouses.engine_errors import LoadFailed
from tests.deliveries.landing import NOW, Landing, parquet


@pytest.fixture
def landing(tmp_path):
    with opened(tmp_path / "shop.duckdb") as database:
        yield Landing(tmp_path, database, path="in/*.csv")


# Files without rows


WITHOUT_ROWS = {"zero bytes": ("", "in/b.csv is empty (0 bytes)"), "only a header": ("id,v\n", "in/b.csv has no rows")}


@pytest.mark.parametrize("case", WITHOUT_ROWS)
def test_a_snapshot_with_a_file_without_rows_has_not_arrived(landing, case):
    text, told = WITHOUT_ROWS[case]
    landing.write("a.csv", "id,v\n1,x\n")
    landing.write("b.csv", "id,v\n2,y\n")
    landing.load(load="replace")
    landing.write("b.csv", text)
    with pytest.raises(NotArrived) as refused:
        landing.load()
    assert str(refused.value) == f"{told}, so it counts as not arrived; empty: allowed would take it"
    assert landing.rows() == [(1, "x"), (2, "y")]
    landing.load(empty="allowed")
    assert landing.rows() == [(1, "x")]
    assert landing.types == {"id": "bigint", "v": "varchar"}


@pytest.mark.parametrize("case", WITHOUT_ROWS)
def test_a_growing_set_takes_the_other_files_and_tells_of_the_one_without_rows(landing, case):
    text, told = WITHOUT_ROWS[case]
    landing.write("a.csv", "id,v\n1,x\n")
    landing.load()
    landing.write("b.csv", text)
    with pytest.raises(NotArrived, match="counts as not arrived"):
        landing.load()
    landing.write("c.csv", "id,v\n3,z\n")
    loaded = landing.load()
    assert (loaded.changed, loaded.missing) == (True, f"{told}, so it counts as not arrived; empty: allowed would take it")
    assert landing.rows() == [(1, "x"), (3, "z")]
    landing.write("b.csv", "id,v\n2,y\n")
    assert landing.load().missing == ""
    assert landing.rows() == [(1, "x"), (3, "z"), (2, "y")]


@pytest.mark.parametrize(("kind", "content"), [("json", ""), ("json", "[]"), ("parquet", None), ("parquet", "")])
def test_other_files_without_rows_have_not_arrived_either(landing, kind, content):
    if content is None:
        parquet(landing.folder / f"in/a.{kind}", "select 1 as v where false")
    else:
        landing.write(f"a.{kind}", content)
    with pytest.raises((NotArrived, LoadFailed)):
        landing.load(path=f"in/*.{kind}", format=kind, load="replace")


def test_an_allowed_empty_file_leaves_the_columns_and_their_types(landing):
    landing.write("a.csv", "id,day\n1,2024-01-01\n")
    landing.load(load="replace", empty="allowed")
    for text in ("id,day\n", ""):
        landing.write("a.csv", text)
        assert landing.load().changed
        assert (landing.rows(), landing.types) == ([], {"id": "bigint", "day": "date"})


def test_a_first_file_without_even_a_header_makes_no_table(landing):
    landing.write("a.csv", "")
    with pytest.raises(LoadFailed, match=r"^in/a\.csv: there are no columns, not even a header$"):
        landing.load(empty="allowed")


# Files that are still being written


def test_a_file_is_waited_for_until_nobody_has_written_to_it_for_so_long(landing):
    landing.write("a.csv", "v\n1\n", NOW - timedelta(minutes=4))
    with pytest.raises(NotArrived, match=r"in/a\.csv was written at Sat 1 Jun, 11:56 UTC and has not been still for 5m \(quiet\)"):
        landing.load(quiet=timedelta(minutes=5))
    assert landing.load(NOW + timedelta(minutes=1)).changed


def test_a_snapshot_waits_for_each_of_its_files_and_keeps_the_last_good_one(landing):
    for name in ("a.csv", "b.csv"):
        landing.write(name, f"v\n{name}\n", NOW - timedelta(hours=1))
    landing.load(load="replace", quiet=timedelta(minutes=5))
    landing.write("b.csv", "v\nhalf\n", NOW)
    with pytest.raises(NotArrived, match=r"^in/b\.csv was written at"):
        landing.load()
    assert landing.rows() == [("a.csv",), ("b.csv",)]


def test_a_growing_set_goes_on_without_files_that_are_not_still_yet(landing):
    landing.write("a.csv", "v\n1\n", NOW - timedelta(hours=1))
    landing.load(quiet=timedelta(minutes=5))
    landing.write("b.csv", "v\n2\n", NOW)
    landing.write("c.csv", "v\n3\n", NOW - timedelta(minutes=6))
    assert landing.load().changed
    assert landing.rows() == [(1,), (3,)]
    loaded = landing.load()
    assert (loaded.changed, loaded.missing) == (False, "")
    landing.load(NOW + timedelta(minutes=5))
    assert landing.rows() == [(1,), (3,), (2,)]


class Interrupted(DuckDBDatabase):
    """A product's database; whenever a load asks it for columns, somebody writes to a file."""

    def __init__(self, database, write):
        super().__init__(database.connection)
        self.write = write

    def columns(self, relation):
        self.write()
        return super().columns(relation)


@pytest.mark.parametrize("load", ["replace", "append"])
def test_a_file_that_is_written_to_while_it_is_read_is_not_taken(landing, load):
    landing.write("a.csv", "v\nx\n")
    landing.load(load=load)
    file = landing.write("b.csv", "v\ny\n")
    first = file.stat()

    def write():
        file.write_text("v\nz\n")
        os.utime(file, ns=(first.st_atime_ns, first.st_mtime_ns))

    with pytest.raises(NotArrived, match=r"^in/b\.csv was written to while it was read$"), landing.database.transaction():
        landing.load_into(Interrupted(landing.database, write))
    assert landing.rows() == [("x",)]
    landing.load()
    assert landing.rows() == [("x",), ("z",)]


# Manifests


def test_a_marker_says_that_the_files_beside_it_are_whole(landing):
    for day in ("1", "2"):
        landing.write(f"{day}/part.csv", f"v\n{day}\n", NOW - timedelta(hours=2))
    landing.write("1/_SUCCESS", "", NOW - timedelta(hours=1))
    landing.load(path="in/*/*.csv", manifest="_SUCCESS")
    assert landing.rows() == [(1,)]
    landing.write("2/_SUCCESS", "", NOW - timedelta(hours=1))
    landing.load()
    assert landing.rows() == [(1,), (2,)]


def test_a_snapshot_comes_only_with_its_marker_and_not_before_it(landing):
    landing.write("a.csv", "v\n1\n", NOW - timedelta(hours=2))
    with pytest.raises(NotArrived, match=r"^in/done has not come yet, which says that the delivery is whole \(manifest\)$"):
        landing.load(load="replace", manifest="in/done")
    marker = landing.write("done", "", NOW - timedelta(hours=1))
    landing.load()
    landing.write("a.csv", "v\n2\n", NOW)
    with pytest.raises(NotArrived, match=r"^in/a\.csv was written after in/done, which is to be written last$"):
        landing.load()
    os.utime(marker, (NOW.timestamp(), NOW.timestamp()))
    landing.load()
    assert landing.rows() == [(2,)]


def test_a_manifest_lists_what_must_have_come_and_nothing_else_is_loaded(landing):
    landing.write("a.csv", "v\n1\n", NOW)
    landing.write("stray.csv", "v\n9\n", NOW)
    landing.write("files.txt", "a.csv\nb.csv\n", NOW)
    with pytest.raises(NotArrived, match=r"^in/files\.txt lists in/b\.csv, which did not come$"):
        landing.load(load="replace", manifest="in/files.txt")
    landing.write("b.csv", "v\n2\n", NOW)
    landing.load()
    assert landing.rows() == [(1,), (2,)]


def test_a_manifest_with_sums_takes_only_files_of_that_content(landing):
    text = "v\n1\n"
    landing.write("a.csv", text, NOW)
    landing.write("SHA256SUMS", f"{hashlib.sha256(b'else').hexdigest()}  a.csv\n", NOW - timedelta(hours=1))
    with pytest.raises(NotArrived, match=r"^in/a\.csv is not as in/SHA256SUMS says: its SHA-256 is another$"):
        landing.load(load="replace", manifest="SHA256SUMS")
    landing.write("SHA256SUMS", f"{hashlib.sha256(text.encode()).hexdigest()} *a.csv\n", NOW - timedelta(hours=1))
    landing.load()
    assert landing.rows() == [(1,)]


def test_a_manifest_of_another_form_is_told(landing):
    landing.write("a.csv", "v\n1\n", NOW)
    landing.write("m.json", '{"entries": []}', NOW)
    with pytest.raises(NotArrived, match=r"^in/m\.json is JSON; a manifest is empty, or has one file name a line"):
        landing.load(load="replace", manifest="m.json")


# Content


def touched(file, when=NOW + timedelta(days=1)):
    os.utime(file, (when.timestamp(), when.timestamp()))


def test_a_file_that_is_touched_copied_or_moved_is_not_loaded_again(landing):
    file = landing.write("a.csv", "v\n1\n", NOW)
    first = landing.load()
    touched(file)
    assert not landing.load().changed
    landing.write("copy.csv", "v\n1\n")
    file.rename(file.with_name("moved.csv"))
    again = landing.load()
    assert (again.changed, landing.rows()) == (False, [(1,)])
    assert again.record["watermark"] == first.record["watermark"]
    assert not is_news(matching_files("in/*.csv", landing.folder), again.record, PullFiles(**landing.settings))


def test_a_snapshot_whose_file_was_only_touched_is_not_read_again(landing):
    file = landing.write("a.csv", "v\n1\n", NOW)
    landing.load(load="replace")
    touched(file)
    assert not landing.load().changed


def test_a_content_that_changes_behind_the_same_time_and_length_is_seen(landing):
    file = landing.write("a.csv", "v\n1\n", NOW)
    landing.load(load="replace")
    file.write_text("v\n2\n")
    touched(file, NOW)
    assert landing.load().changed
    assert landing.rows() == [(2,)]


def test_a_loaded_file_that_changed_is_refused_until_its_content_is_back(landing):
    file = landing.write("a.csv", "v\n1\n")
    landing.load()
    file.write_text("v\n1\n2\n")
    with pytest.raises(LoadFailed, match=r"^files that were loaded already have changed: in/a\.csv; .* set load: replace for one refresh"):
        landing.load()
    landing.load(load="replace")
    landing.write("b.csv", "v\n3\n")
    landing.load(load="append")
    assert landing.rows() == [(1,), (2,), (3,)]


def former(landing):
    """The record as a former release wrote it: without contents."""
    files = [{name: entry[name] for name in ("path", "bytes", "modified")} for entry in landing.record["files"]]
    landing.record = {"interface": "file", "files": files, "watermark": landing.record["watermark"], "rows": 1}
    return files


@pytest.mark.parametrize(
    ("options", "columns", "rows"),
    [
        ({"hive_partitioning": True}, "v, day", [(1, "mon"), (1, "tue")]),
        ({"filename": True}, "v, filename[-10:]", [(1, "=mon/a.csv"), (1, "=tue/a.csv")]),
    ],
)
def test_the_same_content_in_another_folder_is_other_rows_if_the_folder_is_a_column(landing, options, columns, rows):
    landing.write("day=mon/a.csv", "v\n1\n")
    landing.load(path="in/**/*.csv", options=options)
    landing.write("day=tue/a.csv", "v\n1\n")
    assert is_news(matching_files("in/**/*.csv", landing.folder), landing.record, PullFiles(**landing.settings))
    assert landing.load().changed
    assert landing.rows(columns) == rows
    assert not is_news(matching_files("in/**/*.csv", landing.folder), landing.record, PullFiles(**landing.settings))
    assert not landing.load().changed


def test_a_record_without_contents_goes_on_as_it_is(landing):
    landing.write("a.csv", "v\n1\n", NOW)
    landing.load()
    files = former(landing)
    assert not landing.load().changed
    assert landing.record["files"] == files
    landing.write("copy.csv", "v\n1\n")
    landing.write("b.csv", "v\n2\n")
    landing.load()
    assert landing.rows() == [(1,), (2,)]


def test_rows_that_a_former_release_rounded_are_read_again_with_the_next_file(landing):
    landing.write("a.csv", "v\n3\n", NOW)
    landing.load()
    landing.write("b.csv", "v\n3.70\n", NOW)
    landing.load()
    former(landing)
    landing.database.connection.execute("create or replace table inputs.tills as select cast(v as bigint) as v from inputs.tills")
    landing.write("c.csv", "v\n5\n", NOW)
    landing.load()
    assert landing.rows() == [(3.0,), (3.7,), (5.0,)]


# Kills


KILLED = """
import json, os, signal, sys
from pathlib import Path
from platform_resources.warehouses.duckdb.product_database import opened
from tests.deliveries.landing import INPUT, Landing
with opened(Path(sys.argv[1]) / "shop.duckdb") as database:
    landing = Landing(Path(sys.argv[1]), database, path="in/*.csv", load=sys.argv[2])
    landing.record = json.loads(sys.argv[3])
    with database.transaction():
        landing.load_into(database)
        print(database.count(INPUT), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("load", ["replace", "append"])
def test_a_kill_in_the_middle_of_a_load_loses_nothing(tmp_path, load):
    with opened(tmp_path / "shop.duckdb") as database:
        landing = Landing(tmp_path, database, path="in/*.csv", load=load)
        landing.write("a.csv", "v\n1\n")
        landing.load()
    landing.write("b.csv", "v\nx\n")
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), load, json.dumps(landing.record)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "2\n"), killed.stderr
    with opened(tmp_path / "shop.duckdb") as database:
        landing.database = database
        assert landing.rows() == [(1,)]
        landing.load()
        assert landing.rows() == [("1",), ("x",)]
