"""What the first release with a ledger left behind is taken over: its ledger, its history, its versions and its databases."""

import re
import sqlite3
import tarfile
from contextlib import closing
from datetime import UTC, datetime

import duckdb
import pytest

from platform_resources.ledger.database import LEDGER_FILE, newest_revision, open_ledger
from platform_resources.publications.consumer_queries import queried
from tests.meshes import REPOSITORY, tiny_mesh
from tests.refresh.running import CSV, mesh, running

pytestmark = pytest.mark.slow
STATE = REPOSITORY / "tests/recorded/first_release.tar.xz"
COUNT = "select count(*) from readings.measurements"


def rows(root):
    """Of each table that the first revision had."""
    with closing(sqlite3.connect(root / LEDGER_FILE)) as connection:
        names = ("readings", "publications", "runs", "input_states", "scorecards")
        revision = connection.execute("select version_num from alembic_version").fetchone()[0]
        return revision, {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in names}


def rows_of_catalog(root):
    """Of the file that SQL clients open, as the first release has written it: its view names files where they were recorded."""
    with closing(duckdb.connect(str(root / "ports/plant/readings/readings.duckdb"), read_only=True)) as catalog:
        ((view,),) = catalog.execute("select sql from duckdb_views() where not internal").fetchall()
        query = re.sub(r"'/.*?/mesh/", f"'{root}/", view.partition(" AS ")[2].rstrip(";"))
        return catalog.execute(f"select count(*) from ({query})").fetchall()


def test_what_the_first_release_left_behind_is_taken_over(tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    with tarfile.open(STATE) as archive:
        archive.extractall(root, filter="data")
    revision, before = rows(root)
    assert revision == "0001" and min(before.values()) > 0, before
    assert rows_of_catalog(root) == [(6,)]
    with running(root) as found:
        old = [version.id for version in found.shelf("readings").published()]
        assert len(old) == 2
        read = [queried(root, "plant", "readings", COUNT, version=version)[1][0][0] for version in old]
        assert read == [5, 6], "each day brought one row"
        shown = mesh(root, "status").stdout
        assert "plant/readings" in shown and "office/summary" in shown
        after = rows(root)
        assert after[0] == newest_revision()
        assert {name: after[1][name] - count for name, count in before.items()} == dict.fromkeys(before, 0), (
            "nothing is lost, nothing is twice"
        )
        (root / CSV).write_text(
            (root / CSV).read_text() + "".join(f"{100 + day},north,20.5,2024-06-0{day} 06:00:00,\n" for day in (1, 2, 3))
        )
        refreshed = found.refresh("readings", "summary")
        assert [done.outcome for done in refreshed] == ["published", "published"], refreshed
        newest = found.latest("readings")
        assert newest.id not in old
        assert [queried(root, "plant", "readings", COUNT, version=version)[1][0][0] for version in old] == read
        assert "healthy" in mesh(root, "status", "readings").stdout
        health = found.health("readings", datetime.now(UTC))
        assert health.status == "healthy", health
    ledger = open_ledger(f"sqlite:///{root / LEDGER_FILE}")
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("select count(distinct version) from publications where product = 'readings'").scalar() == 3
    ledger.close()
