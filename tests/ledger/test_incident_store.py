"""What is kept of incidents: nothing is lost on the way into the ledger and out again."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, text

from platform_resources.incidents.board import Board, changed, tended, watching, with_reading
from platform_resources.incidents.life_cycle import Incident, acknowledged, opened, resolved, started
from platform_resources.incidents.signals import Signal
from platform_resources.ledger import people_tables as tables
from platform_resources.ledger.people.incident_store import (
    BoardChanged,
    StoredIncident,
    board,
    events_of,
    incident_named,
    incidents_of,
    keep_board,
    set_severities,
    set_titles,
)
from platform_resources.plan.incident_rules import Rule
from tests.ledger.event_logs import START

# orders feeds revenue, revenue feeds the report; stock stands alone.
UPSTREAM = {"orders": (), "revenue": ("orders",), "report": ("revenue",), "stock": ()}
RULE = Rule(bad=1, of=2, good=1, cooldown=timedelta(hours=5), settle=timedelta(hours=1))


def at(hours):
    return START + timedelta(hours=hours)


def tend(ledger, readings, hours, rule=RULE):
    """Hear readings (`-orders +stock`), tend the board and keep it, as the platform does; gives the events."""
    with ledger.projecting() as connection:
        before = heard = board(connection)
        for word in readings.split():
            verdict = "met" if word[0] == "+" else "missed"
            heard = with_reading(heard, word[1:], "complete", verdict, at(hours), rule, f"{word} at {hours}")
        after, events = tended(heard, UPSTREAM, at(hours), lambda _: rule)
        keep_board(connection, before, after, events)
    return events


def act(ledger, cause, do):
    with ledger.projecting() as connection:
        before = board(connection)
        after, events = changed(before, cause, do)
        keep_board(connection, before, after, events)


def keep(ledger, before, after, events=()):
    with ledger.writing() as connection:
        keep_board(connection, before, after, events)


def asked(ledger, ask, *arguments, **options):
    with ledger.reading() as connection:
        return ask(connection, *arguments, **options)


def names(ledger, **options):
    return [stored.incident.name for stored in asked(ledger, incidents_of, **options)]


def test_an_empty_ledger_has_an_empty_board(either):
    assert asked(either, board) == Board()


def test_every_field_of_a_signal_and_an_incident_has_its_place():
    kept = {"product", "check_name"} | {field.name for field in fields(Signal)}
    assert set(tables.signals.c.keys()) == kept
    told_apart = {"severity", "title"} | {field.name for field in fields(Incident)} - {"impacted", "checks"}
    assert set(tables.incidents.c.keys()) == told_apart


def test_an_incident_is_read_as_it_was_kept_with_its_checks_and_impacts(either):
    tend(either, "-orders", 0)
    tend(either, "-report -revenue", 1)
    act(either, "orders", lambda incident: started(incident, at(2), "ana", "on it"))
    (found,) = asked(either, incidents_of, live=True)
    incident = Incident(
        cause="orders",
        number=1,
        began_at=at(0),
        opened_at=at(0),
        changed_at=at(2),
        status="in progress",
        acknowledged_at=at(2),
        started_at=at(2),
        impacted=("report", "revenue"),
        checks=("complete",),
    )
    assert found == StoredIncident(incident, "low", "")
    assert asked(either, incident_named, "orders#1") == found


def test_what_happened_is_told_in_order(either):
    tend(either, "-report", 0)
    act(either, "report", lambda incident: acknowledged(incident, at(1), "ana", "seen \0 \ud800"))
    tend(either, "-orders", 2)
    told = [f"{event.at:%H} {event.kind} by {event.by}: {event.note}" for event in asked(either, events_of, "report#1")]
    assert told == ["05 opened by platform: ", "06 acknowledged by ana: seen \ufffd ?", "07 resolved by platform: moved: orders"]
    assert [event.kind for event in asked(either, events_of, "orders#1")] == ["opened", "attached"]
    assert asked(either, incident_named, "report#1").incident.moved_to == ("orders",)


def test_impacts_remember_since_when(either):
    tend(either, "-orders", 0)
    tend(either, "-report", 1)
    tend(either, "-revenue", 2)
    with either.reading() as connection:
        found = connection.execute(select(tables.incident_impacts.c.product, tables.incident_impacts.c.since)).all()
    assert sorted(found) == [("report", at(1)), ("revenue", at(2))]


@pytest.mark.parametrize(
    "name", ["orders#2", "prices#1", "orders", "orders#", "#1", "orders#01", "orders#1 ", "o\0#1", "orders#99999999999", ""]
)
def test_what_is_no_incident_is_not_found(ledger, name):
    tend(ledger, "-orders", 0)
    assert asked(ledger, incident_named, name) is None
    assert asked(ledger, events_of, name) == ()


def test_the_board_has_the_newest_incident_of_each_cause_and_the_ledger_all(either):
    for hours, readings in enumerate(["-orders", "+orders", "", "", "", "", "", "-orders -stock"]):
        tend(either, readings, hours)
    assert {incident.name for incident in asked(either, board).incidents.values()} == {"orders#2", "stock#1"}
    assert names(either) == ["orders#2", "stock#1", "orders#1"]


LISTS = [
    ({}, ["stock#1", "orders#2", "orders#1"]),
    ({"product": "report"}, ["orders#1"]),
    ({"product": "orders"}, ["orders#2", "orders#1"]),
    ({"product": "unheard_of"}, []),
    ({"live": True}, ["orders#2"]),
    ({"live": False}, ["stock#1", "orders#1"]),
    ({"since": at(1)}, ["stock#1", "orders#2", "orders#1"]),
    ({"since": at(1.5)}, ["stock#1", "orders#2"]),
    ({"since": at(22)}, ["orders#2"]),
    ({"product": "orders", "live": False}, ["orders#1"]),
]


@pytest.fixture
def several(ledger):
    for hours, readings in [(0, "-orders -report"), (1, "+orders +report"), (20, "-orders"), (21, "-stock"), (21.5, "+stock")]:
        tend(ledger, readings, hours)
    return ledger


@pytest.mark.parametrize(("options", "expected"), LISTS)
def test_incidents_are_listed_newest_first(several, options, expected):
    assert names(several, **options) == expected


def test_listed_incidents_have_their_impacts_and_checks_too(either):
    tend(either, "-orders -report -stock", 0)
    found = asked(either, incidents_of, product="report", live=True, since=at(0))
    assert [(stored.incident.impacted, stored.incident.checks) for stored in found] == [(("report",), ("complete",))]


def test_severity_and_title_are_told_apart_from_what_happens(either):
    tend(either, "-orders -stock", 0)
    with either.writing() as connection:
        set_severities(connection, {"orders#1": "critical", "stock#1": "medium"})
        set_titles(connection, {"orders#1": "Orders are complete"})
    act(either, "orders", lambda incident: acknowledged(incident, at(1), "ana"))
    told = {s.incident.name: (s.severity, s.title, s.incident.status) for s in asked(either, incidents_of)}
    assert told == {"orders#1": ("critical", "Orders are complete", "acknowledged"), "stock#1": ("medium", "", "open")}


@pytest.mark.parametrize("name", ["orders#2", "nonsense"])
def test_only_what_exists_can_be_described(ledger, name):
    tend(ledger, "-orders", 0)
    with pytest.raises(KeyError, match=name), ledger.writing() as connection:
        set_titles(connection, {name: "?"})


def written(ledger, do):
    """The statements by which `do` changes the ledger."""
    told = []

    def listen(connection, cursor, statement, parameters, context, executemany):
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")):
            told.append(" ".join(statement.split()[:3]))

    event.listen(ledger.engine, "before_cursor_execute", listen)
    do()
    event.remove(ledger.engine, "before_cursor_execute", listen)
    return told


def test_only_what_differs_is_written(ledger):
    tend(ledger, "-orders -stock", 0)
    assert written(ledger, lambda: tend(ledger, "", 1)) == []
    assert written(ledger, lambda: tend(ledger, "-stock", 2)) == ["INSERT INTO signals"]
    seen = written(ledger, lambda: act(ledger, "orders", lambda incident: acknowledged(incident, at(3), "ana")))
    assert seen == ["UPDATE incidents SET", "INSERT INTO incident_events"]


def test_signals_of_checks_that_are_watched_no_longer_are_forgotten(either):
    tend(either, "-orders -stock", 0)
    with either.projecting() as connection:
        before = board(connection)
        after, events = tended(watching(before, {"stock": ()}), UPSTREAM, at(1), lambda _: RULE)
        keep_board(connection, before, after, events)
    assert set(asked(either, board).signals) == {("orders", "complete")}
    assert asked(either, incident_named, "stock#1").incident.resolution == "no action"


def test_a_board_that_has_not_been_tended_is_not_kept(ledger):
    tend(ledger, "-stock", 0)
    before = asked(ledger, board)
    with pytest.raises(ValueError, match="some checks of the board are not watched any more; tend it before it is kept"):
        keep(ledger, before, watching(before, {"stock": ()}))


def resolved_and_tended(before):
    after, first = changed(before, "stock", lambda incident: resolved(incident, "fixed", at(1), "ana"))
    after = with_reading(after, "stock", "complete", "missed", at(20), RULE)
    after, second = tended(after, UPSTREAM, at(20), lambda _: RULE)
    return after, (*first, *second)


def test_a_step_that_was_left_out_is_noticed(ledger):
    tend(ledger, "-stock", 0)
    before = asked(ledger, board)
    with pytest.raises(ValueError, match="stock#2 cannot follow stock#1, open: keep the board after every step"):
        keep(ledger, before, *resolved_and_tended(before))
    assert names(ledger) == ["stock#1"]


def test_a_change_by_somebody_else_meanwhile_is_not_overwritten(either):
    tend(either, "-stock", 0)
    before = asked(either, board)
    act(either, "stock", lambda incident: acknowledged(incident, at(0), "ana"))
    with pytest.raises(BoardChanged, match="stock#1 has been changed since the board was read; read it again"):
        keep(either, before, *changed(before, "stock", lambda incident: resolved(incident, "fixed", at(0), "ben")))
    assert asked(either, incident_named, "stock#1").incident.status == "acknowledged"
    assert len(asked(either, events_of, "stock#1")) == 2


def test_an_incident_that_somebody_else_opened_meanwhile_is_not_opened_twice(either):
    before = asked(either, board)
    tend(either, "-stock", 0)
    incident, events = opened("stock", at(0), at(0))
    with pytest.raises(BoardChanged, match="stock has another incident since the board was read; read it again"):
        keep(either, before, replace(before, incidents={"stock": incident}), events)
    assert len(asked(either, events_of, "stock#1")) == 1


def test_nothing_is_kept_of_a_board_that_cannot_be_kept_whole(either):
    tend(either, "-stock", 0)
    before = asked(either, board)
    incident, events = opened("stock", at(0), at(0))
    after = Board({("orders", "complete"): Signal()}, {"orders": replace(incident, cause="orders"), "stock": replace(incident, number=2)})
    with pytest.raises(ValueError, match="stock#2 cannot follow stock#1, open"):
        keep(either, before, after, events)
    assert asked(either, board) == before


PRODUCTS = st.sampled_from(sorted(UPSTREAM))
CHECKS = st.sampled_from(["complete", "fresh"])
READS = st.tuples(st.just("read"), PRODUCTS, CHECKS, st.sampled_from(["met", "missed", "missed", "unknown"]))
STEPS = st.one_of(
    READS,
    READS,
    st.tuples(st.just("watch"), PRODUCTS, st.sets(CHECKS)),
    st.tuples(st.just("act"), PRODUCTS, st.sampled_from(["acknowledge", "start", "fixed", "expected"])),
)
STORIES = st.lists(st.tuples(st.integers(-30, 240), STEPS), min_size=1, max_size=25)
ACTS = {
    "acknowledge": lambda now: lambda incident: acknowledged(incident, now, "ana") if incident.status == "open" else (incident, ()),
    "start": lambda now: lambda incident: started(incident, now, "ana") if incident.status in ("open", "acknowledged") else (incident, ()),
    "fixed": lambda now: lambda incident: resolved(incident, "fixed", now, "ana") if incident.live else (incident, ()),
    "expected": lambda now: lambda incident: resolved(incident, "expected", now, "ana") if incident.live else (incident, ()),
}


def taken(known, step, now):
    """The board after one step, and what happened."""
    match step:
        case ("read", product, check, verdict):
            known = with_reading(known, product, check, verdict, now, RULE, f"{check} is {verdict}")
        case ("watch", product, checks):
            known = watching(known, {product: checks})
        case ("act", product, act) if product in known.incidents:
            return changed(known, product, ACTS[act](now))
    return tended(known, UPSTREAM, now, lambda _: RULE)


def relive(ledger, story):
    """Keep the board after every step, and find it again each time: on the board, in the lists and in what happened."""
    known, told, all_known, now = Board(), [], {}, START
    for minutes, step in story:
        now += timedelta(minutes=minutes)
        after, events = taken(known, step, now)
        with ledger.projecting() as connection:
            keep_board(connection, known, after, events)
        known, told = after, [*told, *events]
        all_known |= {incident.name: incident for incident in after.incidents.values()}
        with ledger.reading() as connection:
            assert board(connection) == known
            assert {stored.incident.name: stored.incident for stored in incidents_of(connection)} == all_known
            for name, incident in all_known.items():
                assert incident_named(connection, name).incident == incident
                assert list(events_of(connection, name)) == [event for event in told if event.incident == name]


@pytest.mark.slow
@given(STORIES)
@settings(max_examples=60)
def test_the_board_is_read_as_it_was_kept(sqlite_ledgers, story):
    ledger = sqlite_ledgers.new()
    relive(ledger, story)
    ledger.close()


@pytest.mark.slow
@given(STORIES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_board_is_read_as_it_was_kept_in_postgresql(postgres_ledger, story):
    with postgres_ledger.writing() as connection:
        for table in (tables.incident_events, tables.incident_impacts, tables.incident_checks, tables.incidents, tables.signals):
            connection.execute(delete(table))
    relive(postgres_ledger, story)


TIMES = st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=START.tzinfo))
SIGNALS = st.builds(
    Signal,
    recent=st.lists(st.booleans(), max_size=9).map(tuple),
    last_at=TIMES,
    last_bad_at=TIMES,
    failing_since=TIMES,
    well_since=TIMES,
    reason=st.text(),
    accepted=st.booleans(),
)
NAMES = st.tuples(st.sampled_from(["orders", "prices"]), st.text("abc/: é", max_size=4))


@pytest.mark.slow
@given(st.dictionaries(NAMES, SIGNALS), st.dictionaries(NAMES, SIGNALS))
@settings(max_examples=60)
def test_any_signal_is_read_as_it_was_kept(sqlite_ledgers, first, second):
    ledger = sqlite_ledgers.new()
    before = Board()
    for signals in (first, second):
        after = Board({key: replace(signal, reason=signal.reason.replace("\0", "\ufffd")) for key, signal in signals.items()})
        with ledger.writing() as connection:
            keep_board(connection, before, after, ())
            assert board(connection) == after
            assert connection.execute(select(func.count()).select_from(tables.signals)).scalar() == len(after.signals)
        before = after
    ledger.close()


def test_no_impact_or_event_is_of_an_incident_that_does_not_exist(either):
    told = "insert into incident_impacts (cause, number, product, since) select 'orders', 1, 'report', synced_at from cursors"
    with either.writing() as connection:
        connection.execute(tables.TABLES.tables["cursors"].insert().values(kind="run_start", log_id=1, synced_at=START))
    with pytest.raises(Exception, match=r"(?i)foreign key"), either.writing() as connection:
        connection.execute(text(told))
