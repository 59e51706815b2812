"""State that is damaged, or may not be written, gives a message and exit code 3; `mesh status` goes on with the other products."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from platform_resources.cli.app import _exit_code
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.warehouses.engine_errors import QueryTooSlow
from tests.forked_commands import forked
from tests.ledger.ledgers import new_database, postgres
from tests.meshes import edited, product_file
from tests.refresh.running import MESH, environment, mesh

REMEDY = "restore it from a backup; without one, move it away and refresh the product, which publishes a new version"


def not_an_object(text):
    return "[1]"


def cut_off(text):
    return text[: len(text) // 2]


def without_ports(text):
    found = json.loads(text)
    return json.dumps({**found, "version": {"id": "x"}})


@pytest.mark.parametrize("damage", [not_an_object, cut_off, without_ports])
def test_a_damaged_pointer_names_its_file_and_what_to_do(published, damage):
    pointer = published.shelf.folder / "latest.json"
    pointer.write_text(damage(pointer.read_text()), encoding="utf-8")
    with pytest.raises(VersionsUnreadable) as caught:
        published.shelf.latest()
    assert Path(caught.value.file) == pointer
    assert f"{pointer} cannot be read: it is" in str(caught.value) and REMEDY in str(caught.value)


def test_bytes_that_are_no_text_are_damage_too(published):
    (published.shelf.folder / "latest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(VersionsUnreadable, match="it is damaged"):
        published.shelf.published()


def test_a_pointer_that_may_not_be_read_is_told_from_one_that_is_not_there(published):
    pointer = published.shelf.folder / "latest.json"
    pointer.unlink()
    assert published.shelf.latest() is None
    pointer.mkdir()
    with pytest.raises(VersionsUnreadable, match="Is a directory"):
        published.shelf.latest()


def test_a_damaged_record_does_not_hide_the_newest_version(published):
    (record,) = (published.shelf.folder / "versions").iterdir()
    record.write_text("{}{", encoding="utf-8")
    assert published.mesh("query", "readings", "select 1 as one").exit_code == 0
    assert isinstance(published.mesh("versions", "readings").exception, VersionsUnreadable)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("versions", "readings"), ("query", "readings", "select 1"), ("refresh", "--stale")])
def test_a_command_on_a_damaged_pointer_says_what_to_do(published, arguments):
    (published.shelf.folder / "latest.json").write_text("{", encoding="utf-8")
    done = mesh(published.root, *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert "latest.json cannot be read: it is damaged" in done.stderr and REMEDY in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_status_shows_one_unreadable_product_beside_the_others(published):
    (published.shelf.folder / "latest.json").write_text("{", encoding="utf-8")
    edited(published.root, product_file("plant", "readings"), "title: Sensor readings", 'title: "Sensor [/b]"')
    done = mesh(published.root, "status", "--json")
    found = {each["product"]: each for each in json.loads(done.stdout)}
    assert (found["readings"]["status"], found["summary"]["status"]) == ("unreadable", "unpublished")
    assert "latest.json cannot be read: it is damaged" in found["readings"]["problem"]
    shown = mesh(published.root, "status")
    assert (shown.returncode, "Traceback" in shown.stderr) == (1, False)
    assert "unreadable" in shown.stdout and "unpublished" in shown.stdout
    one = mesh(published.root, "status", "readings")
    assert one.returncode == 1
    assert "Sensor [/b] (plant/readings): unreadable" in one.stdout and REMEDY in one.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [("status",), ("refresh", "readings")])
def test_a_state_that_cannot_be_written_is_told_without_a_traceback(tiny, command):
    blocked = tiny / "a_file"
    blocked.write_text("", encoding="utf-8")
    done = mesh(tiny, *command, MESH_STATE=str(blocked))
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    assert f"{blocked}/" in done.stderr and "must be able to write there" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [("import", "openslo"), ("export", "openslo", "readings", "--out")])
def test_a_file_whose_folder_is_not_there_is_told_and_nothing_of_the_state(tiny, command):
    done = mesh(tiny, *command, str(tiny / "nowhere/slo.yaml"))
    assert (done.returncode, done.stderr) == (3, f"{tiny}/nowhere/slo.yaml: No such file or directory\n")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="taking the right to write from root needs setpriv")
@pytest.mark.parametrize("command", [("status",), ("refresh", "readings")])
def test_a_history_that_may_only_be_read_is_told_without_a_traceback(tiny, command):
    mesh(tiny, "status", "--sync")
    paths = [path for path in (tiny, *tiny.rglob("*")) if not path.is_symlink()]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    rights = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    call = ["setpriv", *rights, *MESH, "--root", str(tiny), *command]
    done = subprocess.run(call, capture_output=True, text=True, env=environment(), timeout=600, check=False)
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    where = f"{tiny}/.mesh/ledger.sqlite cannot be" if command == ("status",) else f"{tiny}/.dagster: Permission denied"
    assert where in done.stderr and "must be able to write there" in done.stderr


# The ledger, and Dagster's history

# The command as it is, but for the half minute that it waits for another writer.
IMPATIENT = """
from platform_resources.ledger import database
database.SQLITE_SETTINGS = ("pragma busy_timeout = 300",)
from platform_resources.cli.app import main
main()
"""
SUBSCRIBE = ("subscribe", "readings", "--channel", "ann@example.com", "--as", "ann")


def impatient(root, *arguments):
    return forked([sys.executable, "-c", IMPATIENT, "--root", str(root), *arguments], environment())


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("evaluate",), ("incidents", "--sync"), SUBSCRIBE])
def test_a_ledger_that_another_process_does_not_let_go_is_told_without_a_traceback(tiny, arguments):
    mesh(tiny, "status")
    with closing(sqlite3.connect(tiny / ".mesh/ledger.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        done = impatient(tiny, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    assert f"the ledger sqlite:///{tiny}/.mesh/ledger.sqlite cannot be used: database is locked\n" in done.stderr
    assert "another process is writing to it and does not end; wait for it, or end it, and try again" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["incidents", "status"])
def test_readers_of_the_ledger_do_not_wait_for_who_writes_to_it(tiny, command):
    before = mesh(tiny, command)
    with closing(sqlite3.connect(tiny / ".mesh/ledger.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        done = impatient(tiny, command)
    assert (done.returncode, done.stdout) == (before.returncode, before.stdout), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("evaluate",), ("incidents",), SUBSCRIBE])
def test_a_damaged_ledger_is_told_without_a_traceback(tiny, arguments):
    mesh(tiny, "status")
    file = tiny / ".mesh/ledger.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        (pages,) = connection.execute("select max(rootpage) from sqlite_master").fetchone()
        (schema,) = connection.execute("select min(rootpage) from sqlite_master where rootpage > 1").fetchone()
    whole = file.read_bytes()
    assert pages > schema
    file.write_bytes(whole[: 4096 * (schema - 1)] + b"\xff" * (len(whole) - 4096 * (schema - 1)))
    done = mesh(tiny, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    assert f"the ledger sqlite:///{file} cannot be" in done.stderr
    assert "the file is damaged: restore it from a backup; without one, move it away" in done.stderr


@pytest.mark.slow
def test_a_damaged_history_is_told_without_a_traceback(tiny):
    mesh(tiny, "status", "--sync")
    (index,) = tiny.glob(".dagster/history/runs/index.db")
    index.write_bytes(b"dear diary" * 1000)
    done = mesh(tiny, "evaluate")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    assert "Dagster's history (DAGSTER_HOME, or .dagster beside the mesh's state) cannot be used: file is not a database" in done.stderr


@pytest.mark.slow
def test_a_postgresql_that_was_stopped_is_told_without_a_traceback_and_without_its_password(tiny, tmp_path):
    with postgres() as server:
        url = new_database(server)
        assert mesh(tiny, "incidents", MESH_LEDGER=url).returncode == 0
    done = mesh(tiny, "incidents", MESH_LEDGER=url)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
    assert "see that the server runs and can be reached from here, and try again" in done.stderr


def test_a_query_that_takes_too_long_is_told_without_a_traceback(capsys):
    assert _exit_code(QueryTooSlow(timedelta(seconds=30))) == 3
    told = capsys.readouterr().err
    assert "broken off after 30s" in told and "Traceback" not in told
