"""What the ledger lacks of Dagster's history is seen without Dagster: after a run that was killed, and not after one that ended."""

import signal
import sys

import pytest

from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.services.unread_history import BEHIND, NOT_SEEN, ledger_age
from tests.forked_commands import forked
from tests.refresh.running import environment, mesh, running

# A run whose process dies as soon as its audit is to begin.
DYING = """
import os, signal
from platform_resources.refresh import auditing
auditing.scanned = lambda *asked: os.kill(os.getpid(), signal.SIGKILL)
from platform_resources.cli.app import main
main()
"""


def age(root):
    ledger = open_ledger(ledger_url(root, {}))
    try:
        with ledger.reading() as connection:
            return ledger_age(connection, root / ".dagster")
    finally:
        ledger.close()


def test_a_mesh_in_which_nothing_ran_lacks_nothing(tiny):
    assert (age(tiny).synced_at, age(tiny).lacks) == (None, "")


def test_of_a_history_kept_elsewhere_nothing_is_known(tiny):
    (tiny / ".dagster").mkdir()
    (tiny / ".dagster/dagster.yaml").write_text("storage:\n  postgres:\n    postgres_url: postgresql://nowhere\n")
    assert age(tiny).lacks == NOT_SEEN


def test_a_damaged_history_is_told(tiny):
    file = tiny / ".dagster/history/runs/index.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert "index.db cannot be read: file is not a database\nthe file is damaged" in age(tiny).lacks


@pytest.mark.slow
def test_each_run_leaves_the_ledger_up_to_date_unless_it_is_killed(tiny):
    with running(tiny) as found:
        found.materialised("readings", "pull", "build")
        assert age(tiny).lacks == "", "started as on Dagster's pages"
        found.refresh("readings")
    assert age(tiny).lacks == "", "started from the command line"
    command = [sys.executable, "-c", DYING, "--root", str(tiny), "refresh", "readings"]
    assert forked(command, environment()).returncode == -signal.SIGKILL
    assert age(tiny).lacks == BEHIND
    told = mesh(tiny, "status", "readings")
    assert BEHIND in told.stderr
    assert BEHIND not in mesh(tiny, "status", "readings", "--sync").stderr
    assert age(tiny).lacks == ""


@pytest.mark.slow
def test_a_ledger_that_cannot_be_written_at_the_end_of_a_run_holds_it_up_no_more_than_its_log_says(tiny, monkeypatch):
    monkeypatch.setenv("MESH_LEDGER", f"sqlite:///{tiny}/dataproducts")
    with running(tiny) as found:
        (done,) = found.refresh("readings")
        assert done.outcome == "published"
        log = [entry.user_message or entry.dagster_event.message or "" for entry in found.instance.all_logs(done.run_id)]
    assert any(text.startswith("The ledger does not have this run yet: the ledger sqlite:///") for text in log)
    monkeypatch.delenv("MESH_LEDGER")
    assert age(tiny).lacks == BEHIND
