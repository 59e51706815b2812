"""Several processes open and sync one ledger at once."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import START, generated
from tests.ledger.ledgers import new_database, rows
from tests.meshes import REPOSITORY

SYNC = """
import sys
from datetime import timedelta
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import START, generated
done = sync(open_ledger(sys.argv[1]), generated(150), START + timedelta(days=30), batch=20)
print(done.written)
"""


def all_synced(url, processes=3):
    """What each of several processes wrote that open the ledger and sync the same log at the same time."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", SYNC, url]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    told = [process.communicate(timeout=600) for process in running]
    assert [process.returncode for process in running] == [0] * processes, told
    return [int(out) for out, _ in told]


def expected(ledger):
    sync(ledger, generated(150), START + timedelta(days=30))
    return rows(ledger)


@pytest.mark.slow
def test_processes_that_open_and_sync_a_new_sqlite_ledger_at_once_write_each_row_once(tmp_path, ledger):
    url = f"sqlite:///{tmp_path}/.mesh/ledger.sqlite"
    written = all_synced(url)
    assert rows(open_ledger(url)) == expected(ledger)
    assert sum(written) == 1200 - 150 + 150


@pytest.mark.slow
def test_processes_that_open_and_sync_a_new_postgresql_ledger_at_once_write_each_row_once(postgres_server, ledger):
    url = new_database(postgres_server)
    all_synced(url)
    assert rows(open_ledger(url)) == expected(ledger)
