"""Backups: what a mesh has is put back elsewhere as it was, or nothing is."""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.columns import TABLES
from platform_resources.ledger.database import LEDGER_FILE, ledger_url, open_ledger
from platform_resources.ledger.people.lab_store import LabQuery, forget_saved, record_query, saved_queries
from platform_resources.ledger.people.review_store import write_review
from platform_resources.ledger.people.subscriptions import subscribe
from platform_resources.plan import conventions
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.shared_objects import SharedObjects, shared_objects
from platform_resources.refresh.product_locks import ProductBusy, locked
from platform_resources.refresh.views.folder_modes import PRIVATE
from platform_resources.services.backups import saved_files, saving
from platform_resources.services.backups.restoring import RestoreBroken, handed_over, restore, shown_again
from platform_resources.services.backups.saved_files import PART, BackupRefused, backup_in
from platform_resources.services.backups.saving import MADE_AGAIN, save
from platform_resources.warehouses.duckdb.catalogs import catalog_rows
from tests.cli.conftest import NOW, publish_readings
from tests.ledger.ledgers import new_database
from tests.publications.conftest import share

pytestmark = pytest.mark.slow


# What a shared source and a control port have left, and what is made again.
KEPT = ("sources/plant/support/0a1b/latest.json", "sources/plant/support/0a1b/rows", "registered/told/readings.json")
MADE = (".mesh/marketplace/judged.sqlite", ".mesh/documents/0a1b", "dbt_project/target/manifest.json", "dbt_project/logs/dbt.log")


@pytest.fixture
def lived_in(tiny):
    """A mesh with a published version, Dagster's history and people's words; gives its folder."""
    publish_readings(tiny)
    remember(ledger_url(tiny, {}))
    with closing(open_ledger(f"sqlite:///{tiny / '.dagster/history/runs.db'}")):
        pass
    (tiny / ".mesh/mask.key").write_text("k" * 32)
    (tiny / ".mesh/mask.key").chmod(0o600)
    for file in (*KEPT, *MADE):
        (tiny / file).parent.mkdir(parents=True, exist_ok=True)
        (tiny / file).write_text("as it was")
    return tiny


def remember(url):
    with closing(open_ledger(url)) as ledger, ledger.writing() as connection:
        record_query(connection, LabQuery("ana", NOW, "readings", "select 1", title="one"))
        write_review(connection, "readings", "ana", 4, "Of use, though \U0001f327", NOW)
        subscribe(connection, "readings", "ana", "plant", "high", NOW)


def saved(root, place, hours=0, **environment):
    return save(root, root / ".dagster", place, NOW + timedelta(hours=hours), environment)


def rows(url):
    with closing(open_ledger(url)) as ledger, ledger.reading() as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in TABLES.sorted_tables}


def test_a_mesh_is_put_back_elsewhere_as_it_was(lived_in, tmp_path):
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"
    restore(made, elsewhere, elsewhere / ".dagster", {})
    assert shown_again(elsewhere, read_plan(lived_in)[0], NOW) == ()
    assert rows(ledger_url(elsewhere, {})) == rows(ledger_url(lived_in, {}))
    restored = shelf(elsewhere, "plant", "readings").published()
    assert len(restored) == 1 and restored == shelf(lived_in, "plant", "readings").published()
    for folder in (made.folder / "state", elsewhere):
        one, other = folder.glob("ports/plant/readings/measurements_*/v1/*/measurements.parquet")
        assert one.samefile(other), "ports share a file"
    catalog = elsewhere / "ports/plant/readings/readings.duckdb"
    shutil.rmtree(lived_in / "ports")  # it reads the restored file, not the old one
    assert catalog_rows(catalog, "select count(*) from measurements") == [(3,)]
    assert (elsewhere / ".mesh/mask.key").stat().st_mode & 0o777 == 0o600
    assert (elsewhere / ".dagster/history/runs.db").exists()


def test_every_folder_of_the_state_is_saved_or_said_to_be_made_again(lived_in, tmp_path):
    """A folder that comes anew has to be named among those of the state, where it is closed to others too, and to be in a backup."""
    (lived_in / "sources/plant/support/0a1b/.lock").touch()
    (lived_in / "lineage/plant").mkdir(parents=True)
    (lived_in / "lineage/plant/readings.json").write_text("{}")
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"
    named = {name.removeprefix("state/").replace("dagster/", ".dagster/", 1) for name in made.files} - {"ledger.sqlite"}
    folders = {conventions.PORTS, *PRIVATE} - {conventions.SNOWFLAKE}  # which has files where it is the warehouse
    assert {folder for folder in folders if any(name.startswith(f"{folder}/") for name in named)} | {*MADE_AGAIN} >= folders
    assert {path.name for path in lived_in.iterdir() if path.is_dir()} - {"dataproducts", "dbt_project", "backups"} <= folders
    assert not [name for name in named if name.startswith(MADE_AGAIN) or name.endswith("0a1b/.lock")]
    restore(made, elsewhere, elsewhere / ".dagster", {})
    assert {(elsewhere / file).read_text() for file in KEPT} == {"as it was"} and not any((elsewhere / file).exists() for file in MADE)


def test_what_has_not_changed_takes_no_room_again(lived_in, tmp_path):
    first = saved(lived_in, tmp_path / "backups")
    publish_readings(lived_in, NOW + timedelta(minutes=1))
    second = saved(lived_in, tmp_path / "backups", hours=1)
    shared = {name for name in first.files if (first.folder / name).samefile(second.folder / name)}
    assert {name for name in first.files if name.endswith(".parquet")} <= shared
    assert "ledger.sqlite" not in shared and "dagster/history/runs.db" in shared
    parquet = [sum(name.endswith(".parquet") for name in made.files) for made in (first, second)]
    assert parquet[1] == 2 * parquet[0]
    assert backup_in(first.folder) == first


def test_what_is_damaged_in_the_last_backup_or_only_in_a_log_yet_is_copied_anew(lived_in, tmp_path):
    runs = lived_in / ".dagster/history/runs.db"
    first = saved(lived_in, tmp_path / "backups")
    cut = next(name for name in first.files if name.endswith(".parquet"))
    os.truncate(first.folder / cut, 10)
    with closing(sqlite3.connect(runs)) as writing:
        before = runs.stat()
        writing.execute("create table late as select 7 as n")
        writing.commit()
        os.utime(runs, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert runs.with_name("runs.db-wal").stat().st_size
        second = saved(lived_in, tmp_path / "backups", hours=1)
    restore(second, tmp_path / "elsewhere", tmp_path / "elsewhere/.dagster", {})
    with closing(sqlite3.connect(second.folder / "dagster/history/runs.db")) as copy:
        assert copy.execute("select n from late").fetchall() == [(7,)]


def test_consumers_are_saved_before_what_they_read(lived_in, tmp_path, monkeypatch):
    """A version that is published and pinned between the two would otherwise be missing where a product names it as its input."""
    lock, order = saving.locked, list[str]()
    (lived_in / "warehouse/office").mkdir()
    (lived_in / "warehouse/office/summary.duckdb").touch()
    monkeypatch.setattr(saving, "locked", lambda state, product: order.append(product.name) or lock(state, product))
    for owner, reader in ((("office", "summary"), "readings"), (("plant", "readings"), "summary")):
        shelf(lived_in, *owner).pin(f"{reader}.port", "v")
        saved(lived_in, tmp_path / reader)
        assert order[-2:] == [reader, owner[1]]
        shelf(lived_in, *owner).unpin(f"{reader}.port")
    for owner, reader in ((("office", "summary"), "readings"), (("plant", "readings"), "summary")):
        shelf(lived_in, *owner).pin(f"{reader}.keys of identifiers", "v")
    saved(lived_in, tmp_path / "each other")
    assert sorted(order[-2:]) == ["readings", "summary"]


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-1] + b"?"), "is damaged: 2 files are not as they were saved"),
        (lambda file: file.unlink(), "is damaged: 1 files are not as they were saved"),
    ],
)
def test_of_a_damaged_backup_nothing_is_restored(lived_in, tmp_path, way, message):
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"
    way(next(made.folder.rglob("*.parquet")))
    with pytest.raises(BackupRefused, match=message):
        restore(made, elsewhere, elsewhere / ".dagster", {})
    assert not elsewhere.exists()


@pytest.mark.parametrize("inside", [".mesh/backups", ".dagster", "ports/plant", "sources/plant/support/0a1b"])
def test_a_backup_is_not_written_into_what_it_saves(lived_in, inside):
    before = sorted(lived_in.rglob("*"))
    with pytest.raises(BackupRefused, match="which is backed up itself; name a folder elsewhere"):
        saved(lived_in, lived_in / inside)
    assert sorted(lived_in.rglob("*")) == before


def test_a_backup_that_names_a_file_elsewhere_is_refused(lived_in, tmp_path):
    made = saved(lived_in, tmp_path / "backups")
    contents = made.folder / "backup.json"
    contents.write_text(contents.read_text().replace("state/ports", "state/../../ports", 1))
    with pytest.raises(BackupRefused, match=r"it names state/\.\./\.\./ports/.*, which is no file of a backup; take another backup"):
        backup_in(made.folder)


def test_of_half_a_restored_state_nothing_is_refreshed(lived_in, tmp_path, monkeypatch):
    made, elsewhere, left = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere", iter(range(5))
    copy, product = shutil.copy2, read_plan(lived_in)[0].product("readings")

    def full(*files):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "no space left")
        copy(*files)

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(RestoreBroken, match="no space left"):
        restore(made, elsewhere, elsewhere / ".dagster", {})
    monkeypatch.undo()
    assert not (elsewhere / LEDGER_FILE).exists(), "nobody is told anything of half a state"
    with pytest.raises(ProductBusy, match=r"a backup is being restored to .*, or was broken off"):
        locked(elsewhere, product, 0)
    shutil.rmtree(elsewhere)
    restore(made, elsewhere, elsewhere / ".dagster", {})
    locked(elsewhere, product, 0).release()


def test_of_two_restores_at_once_one_is_refused_and_the_other_is_whole(lived_in, tmp_path):
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"

    def restored(_):
        try:
            restore(made, elsewhere, elsewhere / ".dagster", {})
        except BackupRefused as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        done, refused = sorted(pool.map(restored, range(2)))
    assert done == "" and ("is under way, or was broken off" in refused or "there is something already" in refused)
    assert rows(ledger_url(elsewhere, {})) == rows(ledger_url(lived_in, {}))
    locked(elsewhere, read_plan(lived_in)[0].product("readings"), 0).release()


def test_a_backup_of_a_newer_platform_is_refused(lived_in, tmp_path):
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"
    contents, copy = json.loads((made.folder / "backup.json").read_text()), made.folder / "ledger.sqlite"
    with closing(sqlite3.connect(copy)) as ledger, ledger:
        ledger.execute("update alembic_version set version_num = '9999'")
    contents["files"]["ledger.sqlite"] |= {"bytes": copy.stat().st_size, "sha256": hashlib.sha256(copy.read_bytes()).hexdigest()}
    (made.folder / "backup.json").write_text(json.dumps(contents))
    with pytest.raises(BackupRefused, match=r"is of a newer platform, .*, with revision 9999; this one, .*, knows up to revision 0"):
        restore(backup_in(made.folder), elsewhere, elsewhere / ".dagster", {})
    assert not elsewhere.exists()


def test_nothing_is_restored_over_what_is_there(lived_in, tmp_path):
    made = saved(lived_in, tmp_path / "backups")
    before = rows(ledger_url(lived_in, {}))
    with pytest.raises(BackupRefused, match=r"there is something already: .*/ports, .*/ledger\.sqlite, .*move it away, or set MESH_STATE"):
        restore(made, lived_in, lived_in / ".dagster", {})
    assert rows(ledger_url(lived_in, {})) == before


def test_a_folder_that_is_no_backup_names_those_in_it(lived_in, tmp_path):
    made = saved(lived_in, tmp_path / "backups")
    (tmp_path / f"backups/killed{PART}").mkdir()
    with pytest.raises(BackupRefused, match=rf"is no backup: it has no backup\.json; it holds these: {made.folder.name}$"):
        backup_in(tmp_path / "backups")
    saved(lived_in, tmp_path / "backups", hours=1)
    assert not list((tmp_path / "backups").glob(f"*{PART}")), "what a killed backup left is taken away"


def test_a_backup_beside_publications_is_whole(lived_in, tmp_path):
    """Whatever is published meanwhile: each version that a backup's pointer names is in it with all its bytes."""
    ended, failures = threading.Event(), []

    def go_on_publishing():
        minutes = 0
        while not ended.is_set():
            minutes += 1
            try:
                publish_readings(lived_in, NOW + timedelta(minutes=minutes))
            except Exception as error:
                failures.append(error)
                return

    publishing = threading.Thread(target=go_on_publishing)
    publishing.start()
    try:
        made = [saved(lived_in, tmp_path / "backups", hours=hours) for hours in range(6)]
    finally:
        ended.set()
        publishing.join()
    assert failures == []
    for number, backup in enumerate(made):
        elsewhere = tmp_path / f"elsewhere{number}"
        restore(backup, elsewhere, elsewhere / ".dagster", {})
        restored = shelf(elsewhere, "plant", "readings")
        assert {restored.damage(port) for version in restored.published() for port in version.ports} == {""}


def test_what_a_storage_did_not_take_after_a_restore_is_told_and_handed_over_later(lived_in, tmp_path, bucket, monkeypatch):
    made, elsewhere = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere"
    restore(made, elsewhere, elsewhere / ".dagster", {})
    assert handed_over(elsewhere) == "", "machines share nothing"
    share(bucket, monkeypatch)
    objects = shared_objects()
    with monkeypatch.context() as patch:
        patch.setattr(saved_files, "shared_objects", lambda: SharedObjects("s3://away", None))
        assert handed_over(elsewhere).startswith("s3://away")
    assert handed_over(elsewhere) == ""
    assert objects.listed("pointers").keys() == {"pointers/plant/readings.json"}


def test_a_ledger_moves_to_postgresql_and_back(lived_in, tmp_path, postgres_server):
    made, elsewhere, back = saved(lived_in, tmp_path / "backups"), tmp_path / "elsewhere", tmp_path / "back"
    url = new_database(postgres_server)
    restore(made, elsewhere, elsewhere / ".dagster", {"MESH_LEDGER": url})
    assert rows(url) == rows(ledger_url(lived_in, {}))
    assert not (elsewhere / LEDGER_FILE).exists()
    with closing(open_ledger(url)) as ledger, ledger.writing() as connection:
        assert [query.query for query in saved_queries(connection)] == ["select 1"]
        record_query(connection, LabQuery("ana", NOW, "readings", "select 2", title="two"))  # numbered on from the last
        assert [query.query for query in saved_queries(connection)] == ["select 2", "select 1"]
        assert forget_saved(connection, "ana", "two")
    filled = "is not empty: it has rows in lab_queries, product_changes, reviews, subscriptions; restore into an empty one"
    with pytest.raises(BackupRefused, match=filled):
        restore(made, tmp_path / "third", tmp_path / "third/.dagster", {"MESH_LEDGER": url})
    assert not (tmp_path / "third").exists()
    again = save(elsewhere, elsewhere / ".dagster", tmp_path / "again", NOW, {"MESH_LEDGER": url})
    restore(again, back, back / ".dagster", {})

    assert rows(ledger_url(back, {})) == rows(ledger_url(lived_in, {}))
