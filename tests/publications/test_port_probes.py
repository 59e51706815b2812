"""Probes of published ports: what consumers could not read is told with its reason, and nothing takes the others down."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.plan import conventions
from platform_resources.publications.port_probes import Answer, Probe, answers, readings
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import Candidate, publish, tidied
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
SQL, FILE = "measurements_sql", "measurements_file"
ROWS = "create or replace table internal.measurements as select n as reading_id, now() as processed_at from range({}) as t(n)"


@pytest.fixture
def state(tiny):
    """A state folder in which the product readings is published, with a SQL port of Parquet and a file port of CSV."""
    edited(tiny, product_file("plant", "readings"), "format: parquet", "format: csv")
    published(tiny, 5)
    return tiny


def published(root, rows):
    product = read_plan(root)[0].product("readings")
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS.format(rows))
        candidate = Candidate(product, root, datetime(2024, 6, 1, tzinfo=UTC), "run", "print")
        assert list(tidied(candidate, publish(database, candidate, {}), root, KnownGrants())) == []


def probe(port, seconds=20.0, before=False):
    return Probe("plant", "readings", port, port == SQL, seconds, before)


def file_of(state, port):
    shelves = shelf(state, "plant", "readings")
    return shelves.path(shelves.latest().port(port).files[0])


def errors(state, *probes):
    return [answer.error for answer in answers(state, probes or (probe(SQL), probe(FILE)))]


def test_what_is_published_can_be_read(state):
    sql, file = answers(state, [probe(SQL), probe(FILE)])
    assert (sql.port, sql.rows, sql.error) == (SQL, 5, None)
    assert (file.port, file.rows, file.error) == (FILE, 5, None)
    assert sql.seconds > 0


@pytest.mark.parametrize("rows", [0, 1000, 3000])
def test_only_the_first_rows_are_read(state, rows):
    published(state, rows)
    assert [answer.rows for answer in answers(state, [probe(SQL), probe(FILE)])] == [min(rows, 1000)] * 2


def deleted(state):
    file_of(state, SQL).unlink()


def truncated(state):
    file = file_of(state, SQL)
    file.write_bytes(file.read_bytes()[:-20])


def overwritten(state):
    file = file_of(state, SQL)
    file.write_bytes(b"x" * file.stat().st_size)


def catalog(state):
    return state / conventions.catalog_file("plant", "readings")


CORRUPTIONS = [
    (deleted, "No such file or directory"),
    (truncated, " were published"),
    (overwritten, "No magic bytes found"),
    (lambda state: catalog(state).unlink(), "does not exist"),
    (lambda state: catalog(state).write_bytes(b"no database at all" * 500), "not a valid DuckDB database file"),
]


@pytest.mark.parametrize(("corrupt", "reason"), CORRUPTIONS, ids=["deleted", "truncated", "overwritten", "no catalog", "bad catalog"])
def test_what_is_broken_of_one_port_is_told_and_the_other_is_read(state, corrupt, reason):
    assert errors(state) == [None, None]
    corrupt(state)
    broken, fine = errors(state)
    assert reason in broken
    assert fine is None


def test_a_text_file_that_lost_its_end_is_not_what_was_published(state):
    file = file_of(state, FILE)
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-30])
    assert errors(state) == [None, f"its files have {size - 30} bytes, and {size} were published"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(state):
    file_of(state, FILE).chmod(0)
    assert "Permission denied" in errors(state)[1]


def test_a_locked_catalog_is_told(state):
    lock = f"import duckdb, time; c = duckdb.connect({str(catalog(state))!r}); print('locked', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", lock], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "locked\n"
            sql, file = errors(state)
        finally:
            holder.kill()
    assert "Could not set lock on file" in sql
    assert file is None
    assert errors(state) == [None, None]


def test_a_damaged_pointer_is_told(state):
    (shelf(state, "plant", "readings").folder / "latest.json").write_text("{")
    assert all("latest.json cannot be read: it is damaged" in error for error in errors(state))


@pytest.mark.parametrize("corrupt", ["catalog", "pointer"])
def test_a_port_that_hangs_is_given_up_in_time_and_the_others_are_read(state, corrupt):
    """A pipe that nobody writes to blocks whoever opens it, as a file server does that is gone."""
    pipe = catalog(state) if corrupt == "catalog" else shelf(state, "plant", "readings").folder / "latest.json"
    pipe.unlink()
    os.mkfifo(pipe)
    well = corrupt == "catalog"
    found = errors(state, probe(SQL, seconds=1.0), probe(FILE, seconds=600.0 if well else 1.0), probe(SQL, seconds=1.0))
    hung = "no answer within 1 s"
    assert found == [hung, None if well else hung, hung]


def test_before_the_first_publication_there_is_nothing_to_miss(tiny):
    assert answers(tiny, [probe(SQL)]) == (Answer(SQL),)


def test_after_it_nothing_published_is_missed(state):
    pointer = shelf(state, "plant", "readings").folder / "latest.json"
    pointer.unlink()
    gone = "nothing is published any more, though there was a version"
    assert errors(state) == [gone, gone]


def test_what_the_ledger_knows_was_published_is_missed_though_its_folder_is_gone(tiny):
    assert errors(tiny, probe(SQL, before=True)) == ["nothing is published any more, though there was a version"]


def test_a_port_that_the_newest_version_is_without_is_new_or_missed(state):
    assert answers(state, [probe("new_port")]) == (Answer("new_port"),)
    assert errors(state, probe("old_port", before=True)) == ["it was published, and the newest version is without it"]


def test_a_reader_that_crashes_is_told_at_the_port_that_it_crashed_at(state):
    pointer = shelf(state, "plant", "readings").folder / "latest.json"
    record = json.loads(pointer.read_text())
    record["version"]["ports"][0]["format"] = "runes"
    pointer.write_text(json.dumps(record))
    sql, file = errors(state)
    assert sql == "the process that read it ended with code 1: AssertionError: Expected code to be unreachable, but got: 'runes'"
    assert file is None


def test_where_no_process_can_read_nothing_is_said_about_the_ports(state, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    found = answers(state, [probe(SQL), probe(FILE)])
    assert [(answer.rows, answer.error) for answer in found] == [(None, None)] * 2
    assert all(answer.trouble.startswith("the process that read it ended with code 1") for answer in found)


def test_no_probes_ask_nothing(tmp_path):
    assert answers(tmp_path, []) == ()


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        ([Answer("a", 3, 0.5), Answer("b", 3, 0.7)], "b"),
        ([Answer("a", 3, 0.5), Answer("b")], "b"),
        ([Answer("a"), Answer("b", trouble="no memory")], "b"),
        ([Answer("a"), Answer("b", error="gone"), Answer("c", 3, 9.0)], "b"),
    ],
)
def test_of_several_ports_the_worst_counts(found, worst):
    assert readings(found)["port"].value == worst
