"""Which commands import nothing heavy: only what refreshes, evaluates or syncs needs Dagster and dbt."""

import json
import subprocess
import sys

import pytest

from platform_resources.ledger.database import ledger_url, open_ledger
from tests.refresh.running import environment

pytestmark = pytest.mark.slow

# Runs the commands one after another, and prints which of the modules each has imported that those before it have not.
SCRIPT = """
import contextlib, io, json, shlex, sys
from platform_resources.cli.app import app
from platform_resources.cli.terminal.console import Stop
root, commands, modules = sys.argv[1], *map(json.loads, sys.argv[2:])
imported = {}
for command in commands:
    before = set(sys.modules)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Stop, SystemExit):
        app(["--root", root, *shlex.split(command)], standalone_mode=False)
    imported[command] = sorted(set(modules) & (set(sys.modules) - before))
print(json.dumps(imported))
"""
LIGHT = ("--help", "incidents", "status", "status readings --json", "subscriptions", "notifications", "ack readings#1", "reopen readings#1")
WITHOUT_DAGSTER = (
    "profile readings",
    "backtest readings",
    "versions readings",
    "query readings 'select count(*) from measurements'",
    "channels",
    "monitors plan",
    "validate",
    "plan readings",
    "capabilities",
    "schema",
)


def imported(root, commands, *modules):
    arguments = [str(root), json.dumps(commands), json.dumps(modules)]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], env=environment(), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return {command: names for command, names in json.loads(done.stdout.splitlines()[-1]).items() if names}


@pytest.fixture
def mesh(published):
    """It has a ledger of the newest revision: making one needs alembic."""
    open_ledger(ledger_url(published.root, {})).close()
    return published.root


def test_what_shows_the_ledger_imports_neither_dagster_nor_a_database_engine_nor_migrations(mesh):
    assert imported(mesh, LIGHT, "dagster", "dbt", "alembic", "duckdb") == {}


def test_a_process_that_answers_a_query_reads_no_specification():
    code = "import platform_resources.warehouses.duckdb.consuming.query_process, sys; print({'pydantic', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_help_imports_nothing_of_the_platform_but_the_list_of_commands(tmp_path):
    script = """
import contextlib, io, sys
from platform_resources.cli.app import app
with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
    app(["--help"])
assert "Check every spec of the mesh" in text.getvalue() and "Monitors as code" in text.getvalue(), text.getvalue()
print(*sorted(name for name in sys.modules if name.startswith(("platform_resources.", "pydantic"))))
"""
    done = subprocess.run([sys.executable, "-c", script], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "platform_resources.cli",
        "platform_resources.cli.app",
        "platform_resources.cli.terminal",
        "platform_resources.cli.terminal.deferred_commands",
        "platform_resources.settings",
    ]


def test_nothing_imports_dagster_but_what_refreshes_evaluates_or_syncs(mesh):
    assert imported(mesh, WITHOUT_DAGSTER, "dagster", "dagster_dbt", "dbt", "alembic") == {}


def test_what_syncs_imports_dagster(mesh):
    assert imported(mesh, ("incidents --sync",), "dagster") == {"incidents --sync": ["dagster"]}
