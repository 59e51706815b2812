"""`mesh incidents` where there are none, or none lately; who acts where nobody can tell who that is."""

import getpass
import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.incidents.board import Board, changed, tended, with_reading
from platform_resources.incidents.life_cycle import opened, resolved
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.incident_store import board, keep_board
from platform_resources.plan.incident_rules import Rule

pytestmark = pytest.mark.slow

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


def hears(root, minutes, **verdicts):
    """Which checks of the readings count after these have said so, some minutes after the beginning, and what happened."""
    at = LONG_AGO + timedelta(minutes=minutes)
    ledger = open_ledger(f"sqlite:///{root}/.mesh/ledger.sqlite")
    with ledger.projecting() as connection:
        before = board(connection)
        heard = before
        for check, verdict in verdicts.items():
            heard = with_reading(heard, "readings", check, verdict, at, Rule())
        after, events = tended(heard, {}, at, lambda _: Rule(cooldown=timedelta(days=400)))
        keep_board(connection, before, after, events)
    ledger.close()
    return after.failing_checks("readings"), [f"{event.kind} {event.incident}" for event in events]


def test_an_incident_resolved_by_mistake_is_reopened_and_what_it_had_accepted_counts_again(mesh, tiny):
    hears(tiny, 0, fresh="missed")
    assert mesh("resolve", "readings#1", "--as", "expected", "--note", "mistake", "--by", "ana")[0] == 0
    assert hears(tiny, 1, fresh="missed") == ((), [])
    assert mesh("reopen", "readings#1", "--by", "ana", "--note", "not meant") == (0, "readings#1 is open\n", "")
    assert hears(tiny, 2, fresh="missed")[0] == ("fresh",)
    shown = mesh("incidents", "readings#1")
    assert shown[0] == 1 and "reopened" in shown[1] and "not meant" in shown[1]
    assert mesh("ack", "readings#1", "--by", "ana")[0] == 0


def test_an_incident_is_resolved_again_in_another_way(mesh, tiny):
    hears(tiny, 0, fresh="missed")
    mesh("resolve", "readings#1", "--as", "expected", "--by", "ana")
    assert mesh("resolve", "readings#1", "--as", "fixed", "--by", "ana") == (0, "readings#1 is resolved (fixed)\n", "")
    code, _, refused = mesh("resolve", "readings#1", "--as", "fixed", "--by", "ana")
    since = re.search(r"is resolved as fixed since (.*); it can be resolved in another way, or reopened", refused)
    assert code == 3 and since is not None
    assert re.fullmatch(r"\w{3} \d{1,2} \w{3}, \d\d:\d\d CES?T", since[1]), "the zone of the product is Europe/Berlin"
    assert hears(tiny, 200 * 24 * 60, fresh="missed") == (("fresh",), ["reopened readings#1"])


def test_what_an_incident_with_a_successor_had_accepted_is_taken_back_by_resolving_it_as_fixed(mesh, tiny):
    hears(tiny, 0, fresh="missed", nulls="missed")
    mesh("resolve", "readings#1", "--as", "expected", "--by", "ana")
    assert hears(tiny, 1, rows="missed") == (("rows",), ["opened readings#2"])
    code, _, refused = mesh("reopen", "readings#1", "--by", "ana")
    assert code == 3 and "`mesh resolve readings#1 --as fixed` takes back what was accepted" in refused
    assert mesh("resolve", "readings#1", "--as", "fixed", "--by", "ana")[0] == 0
    assert hears(tiny, 2) == (("fresh", "nulls", "rows"), ["noticed readings#2"] * 2)


def test_what_was_accepted_twice_stays_accepted_by_the_later_incident(mesh, tiny):
    hears(tiny, 0, fresh="missed", nulls="missed")
    mesh("resolve", "readings#1", "--as", "expected", "--by", "ana")
    hears(tiny, 1, fresh="met")
    hears(tiny, 2, fresh="missed")
    mesh("resolve", "readings#2", "--as", "no-action", "--by", "ana")
    assert mesh("resolve", "readings#1", "--as", "fixed", "--by", "ana")[0] == 0
    assert hears(tiny, 3)[0] == ("nulls",)


def test_a_former_incident_cannot_accept_what_its_successor_is_about(mesh, tiny):
    hears(tiny, 0, fresh="missed")
    mesh("resolve", "readings#1", "--as", "fixed", "--by", "ana")
    mesh("resolve", "readings#1", "--as", "false-positive", "--by", "ana")
    hears(tiny, 1, fresh="met")
    hears(tiny, 2, fresh="missed")
    mesh("resolve", "readings#2", "--as", "fixed", "--by", "ana")
    hears(tiny, 500 * 24 * 60, fresh="missed")
    code, _, refused = mesh("resolve", "readings#2", "--as", "expected", "--by", "ana")
    assert code == 3 and "readings#3, which can be changed instead" in refused


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
