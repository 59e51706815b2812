"""`mesh demo-history`: what it writes, refuses, and takes away."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, Stop
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.made_up import made_up_history
from platform_resources.ledger.records import PortPublication
from platform_resources.ledger.writing import write

pytestmark = pytest.mark.slow


def publication_at(mesh, at):
    ledger = open_ledger(ledger_url(mesh.root, {}))
    with ledger.writing() as connection:
        write(connection, [PortPublication("readings", "measurements_sql", "v", at, "1.0.0", None, 3, 100, {}, "run", 1)])
    ledger.close()


def made_up(mesh):
    ledger = open_ledger(ledger_url(mesh.root, {}))
    with ledger.reading() as connection:
        found = made_up_history(connection)
    ledger.close()
    return found


def test_a_past_is_made_up_and_taken_away(published):
    publication_at(published, datetime.now(UTC))
    done = published.mesh("demo-history", "--beside-real")
    assert done.exit_code == 0, done.stderr
    assert "of readings; `mesh demo-history --remove` takes it away" in done.stdout
    assert made_up(published).products == ("readings",)
    assert published.mesh("demo-history", "--remove").stdout == "what was made up is gone\n"
    assert made_up(published) is None
    assert published.mesh("demo-history", "--remove").stdout == "nothing is made up here\n"


def test_real_history_is_refused_with_the_way_out(published):
    publication_at(published, datetime.now(UTC) - timedelta(days=3))
    done = published.mesh("demo-history")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert "the mesh has real history since" in done.stderr and "--beside-real" in done.stderr
    assert made_up(published) is None


def test_a_mesh_without_a_version_is_told_what_to_do(published):
    done = published.mesh("demo-history")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert "no product has published a version yet; `mesh refresh` makes them" in done.stderr
