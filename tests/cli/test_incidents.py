"""`mesh incidents` where there are none, or none lately; who acts where nobody can tell who that is."""

import getpass
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.incident_store import board, keep_board
from platform_resources.objectives.board import Board, changed
from platform_resources.objectives.incidents import opened, resolved

LONG_AGO = datetime.now(UTC) - timedelta(days=90)
OTHERS = 'no incident and no product with incidents is called "reading"; known: readings#1\ndid you mean "readings#1"?\n'


@pytest.fixture
def mesh(tiny, monkeypatch):
    for variable in ("MESH_STATE", "DAGSTER_HOME", "MESH_LEDGER"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments):
        result = CliRunner().invoke(app, ["--root", str(tiny), *arguments])
        return getattr(result.exception, "code", 0), result.stdout, result.stderr

    return run


def with_old_incident(root):
    ledger = open_ledger(f"sqlite:///{root}/.mesh/ledger.sqlite")
    incident, events = opened("readings", LONG_AGO, LONG_AGO)
    with ledger.projecting() as connection:
        keep_board(connection, Board(), Board(incidents={"readings": incident}), events)
    with ledger.projecting() as connection:
        before = board(connection)
        after, events = changed(before, "readings", lambda each: resolved(each, "fixed", LONG_AGO, "ana"))
        keep_board(connection, before, after, events)
    ledger.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no incident in the last 30 days\n"),
        (("--all",), "no incident\n"),
        (("readings",), "no incident of readings in the last 30 days\n"),
    ],
)
def test_a_mesh_or_product_without_incidents_is_well(mesh, arguments, told):
    assert mesh("incidents", *arguments) == (0, "", told)


def test_old_incidents_of_a_product_are_shown_only_if_asked_for(mesh, tiny):
    with_old_incident(tiny)
    assert mesh("incidents", "readings") == (0, "", "no incident of readings in the last 30 days\n")
    assert "readings#1" in mesh("incidents", "readings", "--all")[1]
    assert mesh("incidents", "reading") == (3, "", OTHERS)


def test_who_cannot_be_told_is_asked_to_say_so(mesh, monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert mesh("ack", "readings#1") == (3, "", "nobody can tell who you are here; say it with --by NAME\n")
