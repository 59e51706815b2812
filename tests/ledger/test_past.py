"""What objectives are compared with, as the ledger remembers it."""

from datetime import timedelta

import pytest

from platform_resources.capabilities.judgements import Past, Spent
from platform_resources.incidents.board import Board, changed, tended, with_reading
from platform_resources.incidents.life_cycle import resolved
from platform_resources.ledger.people.incident_store import board, keep_board
from platform_resources.ledger.queries.objective_history import history, publication_times, spent
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import sync
from platform_resources.plan.incident_rules import Rule
from tests.ledger.event_logs import START, MemoryLog, ended, publication, reading, scorecard, started

CHECK, TEXT = check_id(("orders", "lines"), "complete"), "lines:complete"
RULE = Rule(bad=1, of=1, good=1, cooldown=timedelta(hours=1), settle=timedelta(hours=1))
UPSTREAM = {"prices": (), "orders": ("prices",)}


def at(seconds):
    return START + timedelta(seconds=seconds)


def asked(ledger, *events, publishes=True, now=10_000):
    log = MemoryLog()
    log.add(*events)
    sync(ledger, log, at(now))
    with ledger.reading() as connection:
        return history(connection, "orders", CHECK, TEXT, publishes, at(now))


def published(seconds, value, run, **metadata):
    return reading(seconds, run=run, value=value, **metadata), publication(seconds + 1, f"v-{run}", run=run)


def test_numbers_of_published_versions_are_told_oldest_first(either):
    found = asked(either, *published(100, 98.5, "b", failing_rows=7), *published(0, 97, "a"))
    assert found.past == (Past(at(0), 97.0), Past(at(100), 98.5, 7))
    assert (found.excluded, found.error) == ((), None)


def test_what_was_not_published_is_left_out_unless_nothing_ever_is(either):
    events = (*published(0, 97, "a"), reading(100, run="b", value=50, verdict="missed"))
    assert [one.value for one in asked(either, *events).past] == [97.0]
    assert [one.value for one in asked(either, *events, publishes=False).past] == [97.0, 50.0]


def test_readings_without_a_number_of_others_and_from_now_on_are_left_out(ledger):
    events = (
        *published(0, 97, "a"),
        *published(100, "26 h", "b"),
        *published(200, 1, "c", name="unique"),
        *published(300, 2, "d", product="prices")[:1],
        *published(400, 3, "e"),
    )
    assert [one.at for one in asked(ledger, *events, now=400).past] == [at(0)]


def trouble(ledger, product, check, begun, over, how):
    """An incident from the one to the other, which ends as told; by itself, if `how` is left out."""
    with ledger.projecting() as connection:
        before = board(connection)
        after, events = tended(heard(before, product, check, "missed", begun), UPSTREAM, at(begun), lambda _: RULE)
        keep_board(connection, before, after, events)
    with ledger.projecting() as connection:
        before = board(connection)
        if how is None:
            after, events = tended(heard(before, product, check, "met", over), UPSTREAM, at(over), lambda _: RULE)
        else:
            after, events = changed(before, product, lambda incident: resolved(incident, how, at(over), "ada"))
        keep_board(connection, before, after, events)


def heard(before: Board, product, check, verdict, seconds):
    return with_reading(before, product, check, verdict, at(seconds), RULE, "")


@pytest.mark.parametrize(
    ("product", "check", "how", "excluded"),
    [
        ("orders", TEXT, "fixed", True),
        ("orders", TEXT, None, False),
        ("orders", TEXT, "expected", False),
        ("orders", TEXT, "false positive", False),
        ("orders", "lines:unique", "fixed", False),
        ("prices", "lines:unique", "fixed", False),
    ],
)
def test_only_what_somebody_mended_is_excluded(either, product, check, how, excluded):
    trouble(either, product, check, 100, 500, how)
    found = asked(either, *published(0, 97, "a"))
    assert found.excluded == (((at(100), at(500)),) if excluded else ())


def test_what_suffered_from_something_above_is_excluded_too(either):
    with either.projecting() as connection:
        before = board(connection)
        both = heard(heard(before, "prices", "lines:unique", "missed", 100), "orders", "lines:unique", "missed", 150)
        after, events = tended(both, UPSTREAM, at(150), lambda _: RULE)
        keep_board(connection, before, after, events)
    with either.projecting() as connection:
        before = board(connection)
        keep_board(connection, before, *changed(before, "prices", lambda incident: resolved(incident, "fixed", at(500), "ada")))
    assert asked(either).excluded == ((at(100), at(500)),)


def test_versions_of_several_ports_are_published_at_one_time(either):
    log = MemoryLog()
    log.add(publication(1, "v1"), publication(1, "v1", port="lines_file"), publication(90, "v2"), publication(95, "v1", "prices"))
    sync(either, log, at(1000))
    with either.reading() as connection:
        assert publication_times(connection, "orders", at(1000)) == (at(1), at(90))
        assert publication_times(connection, "orders", at(89)) == (at(1),)
        assert publication_times(connection, "orders", at(1) + timedelta(days=3660)) == (at(1), at(90))


def test_a_version_without_newer_data_is_no_publication_that_cadence_learns_from(either):
    log, unknown = MemoryLog(), {"watermark_unknown": "changed_at is empty in every row"}
    log.add(
        *(publication(1, "v1", watermark=at(0).isoformat()), publication(1, "v1", port="lines_file", watermark=at(0).isoformat())),
        *(publication(50, "v2", watermark=at(0).isoformat()), publication(50, "v2", port="lines_file", watermark=at(0).isoformat())),
        *(publication(90, "v3", watermark=at(0).isoformat()), publication(90, "v3", port="lines_file", watermark=at(80).isoformat())),
        *(publication(95, "v4", watermark=at(0).isoformat()), publication(95, "v4", port="new_port", watermark=at(70).isoformat())),
        *(publication(97, "v5", **unknown), publication(98, "v6", watermark=at(60).isoformat())),
        *(publication(1, "v1", "prices", **unknown), publication(5, "v2", "prices", **unknown)),
    )
    sync(either, log, at(1000))
    with either.reading() as connection:
        assert publication_times(connection, "orders", at(1000)) == (at(1), at(90), at(98))
        assert publication_times(connection, "prices", at(1000)) == (at(1),)


def test_every_run_costs_something_and_tells_whether_it_was_whole(either):
    log = MemoryLog()
    log.add(
        *(started(0, "a"), publication(1, "v1", run="a", bytes=700), publication(1, "v1", port="lines_file", run="a", bytes=50)),
        *(scorecard(2, run="a"), ended(60, run="a")),
        *(started(100, "b"), scorecard(101, run="b"), ended(110, "failed", "b")),
        *(started(200, "c"), ended(205, run="c")),
        *(started(300, "d", "prices"), scorecard(301, "prices", "d"), ended(305, run="d", product="prices")),
        started(400, "e"),
    )
    sync(either, log, at(1000))
    with either.reading() as connection:
        assert spent(connection, "orders", at(1000)) == (
            Spent(at(0), 60.0, 750, True),
            Spent(at(100), 10.0, 0, False),
            Spent(at(200), 5.0, 0, False),
        )
        assert spent(connection, "orders", at(50)) == ()
        assert spent(connection, "orders", at(0) + timedelta(days=367)) == ()
