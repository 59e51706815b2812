"""What the ledger answers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platform_resources.ledger.queries import history
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import START, MemoryLog, ended, freshness, generated, publication, pull, reading, scorecard, started

COMPLETE = check_id(("orders", "lines"), "complete")


def at(seconds):
    return START + timedelta(seconds=seconds)


def with_columns(event, columns):
    return replace(event, what=replace(event.what, columns=columns))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def asked(request):
    """Gives the answer of `ask(connection, …)` by a ledger that has synced the events."""
    ledger = request.getfixturevalue("ledger" if request.param == "sqlite" else "postgres_ledger")

    def answer(events, ask, *arguments, **options):
        log = MemoryLog()
        log.add(*events)
        sync(ledger, log, at(1e6))
        with ledger.reading() as connection:
            return ask(connection, *arguments, **options)

    return answer


def test_a_window_begins_with_its_first_moment_and_ends_before_its_last(asked):
    found = asked([reading(9), reading(10), reading(15), reading(20)], history.readings, COMPLETE, at(10), at(20))
    assert [one.at for one in found] == [at(10), at(15)]


def test_readings_are_exact_to_the_microsecond_and_in_utc(asked):
    (found,) = asked([reading(0.000001, value=0.1)], history.readings, COMPLETE, at(0), at(1))
    assert (found.at, found.at.utcoffset(), found.value) == (START + timedelta(microseconds=1), timedelta(0), 0.1)


def test_the_newest_reading_of_every_check_comes_in_one_query(asked):
    events = [reading(1), reading(5, "missed"), reading(3), reading(2, name="unique"), reading(4, "unknown", product="prices")]
    found = asked(events, history.check_states, at(10))
    told = {(state.check.product, state.check.name): (state.reading.verdict, state.reading.at) for state in found}
    assert told == {
        ("orders", "complete"): ("missed", at(5)),
        ("orders", "unique"): ("met", at(2)),
        ("prices", "complete"): ("unknown", at(4)),
    }


def test_the_state_of_some_products_at_an_earlier_time(asked):
    events = [reading(1), reading(5, "missed"), reading(4, product="prices")]
    (found,) = asked(events, history.check_states, at(3), products=["orders"])
    assert found.reading.verdict == "met"


def test_a_check_that_had_not_said_anything_yet_has_no_reading(asked):
    (found,) = asked([reading(5)], history.check_states, at(3))
    assert found.reading is None


def test_readings_of_a_clock_that_was_ahead_hide_nothing(asked):
    (found,) = asked([reading(1), reading(1e6, "missed"), reading(2)], history.check_states, at(10))
    assert (found.reading.verdict, found.reading.at) == ("met", at(2))


def test_two_readings_at_the_same_microsecond_give_one_state(asked):
    found = asked([reading(1, run="run-1"), reading(1, "missed", run="run-2")], history.check_states, at(10))
    assert [state.reading.run_id for state in found] == ["run-2"]


def test_publications_of_a_product(asked):
    events = [publication(1, "v1"), publication(2, "v2", watermark="2026-03-01T00:00:00Z"), publication(2, "v2", product="prices")]
    found = asked(events, history.publications, "orders", at(0), at(10))
    assert [(one.version, one.watermark) for one in found] == [("v1", None), ("v2", START - timedelta(hours=5))]
    assert found[0].columns == {"id": "bigint"}


def test_the_newest_publication_of_every_port(asked):
    events = [
        publication(1, "v1"),
        publication(3, "v3"),
        publication(2, "v2"),
        publication(1, "v1", port="file"),
        publication(9, "v9", "prices"),
    ]
    found = asked(events, history.newest_publications, at(5))
    assert [(one.product, one.port, one.version) for one in found] == [("orders", "file", "v1"), ("orders", "lines_sql", "v3")]


def test_the_newest_publication_whose_columns_are_known_may_be_an_older_one(asked):
    events = [publication(1, "v1"), with_columns(publication(3, "v3"), {})]
    for only, version in ((False, "v3"), (True, "v1")):
        (found,) = asked(events, history.newest_publications, at(5), with_columns=only)
        assert found.version == version


def test_the_newest_pull_whose_columns_are_known_may_be_an_older_one(asked):
    events = [with_columns(pull(1), {"id": "bigint"}), with_columns(pull(3), {})]
    for only, seconds in ((False, 3), (True, 1)):
        (found,) = asked(events, history.newest_input_states, at(5), ["orders"], with_columns=only)
        assert found.at == at(seconds)


def test_runs_have_durations(asked):
    events = [
        started(0),
        ended(42),
        started(100, "run-2"),
        ended(110, "failed", "run-2", step="orders__pull", reason="no file"),
        started(200, "run-3"),
    ]
    found = asked(events, history.runs, "orders", at(0), at(1000))
    assert [(run.status, run.seconds, run.failed_step) for run in found] == [
        ("succeeded", 42.0, ""),
        ("failed", 10.0, "orders__pull"),
        ("started", None, ""),
    ]


def test_inputs_scorecards_and_freshness_states_of_a_product(asked):
    events = [pull(1, degraded="late"), pull(1, product="prices"), scorecard(2), freshness(3, "FAIL", "PASS")]
    assert [one.degraded for one in asked(events, history.input_states, "orders", at(0), at(10))] == ["late"]
    assert [one.met for one in asked([], history.scorecards, "orders", at(0), at(10))] == [2]
    assert [(one.previous, one.state) for one in asked([], history.freshness_states, "orders", at(0), at(10))] == [("PASS", "FAIL")]


def test_an_empty_ledger_says_that_it_never_synced(ledger):
    with ledger.reading() as connection:
        assert history.synced_at(connection) is None
        assert history.check_states(connection, START) == ()


def test_a_ledger_says_as_of_when_it_is(ledger):
    for seconds in (1e6, 2e6):
        sync(ledger, generated(1), at(seconds))
        with ledger.reading() as connection:
            assert history.synced_at(connection) == at(seconds)
