"""The ledger follows the log: each event once, whatever becomes of the log."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.marks import MOST_KEPT
from platform_resources.ledger.syncing import HistoryWouldBeLost, rebuild, sync
from tests.ledger.event_logs import EVENTS, START, MemoryLog, ended, generated, publication, reading, started
from tests.ledger.ledgers import counts, rows

NOW = START + timedelta(days=30)


def test_every_kind_of_event_has_its_rows(ledger):
    done = sync(ledger, generated(2), NOW)
    assert (done.read, done.changes) == (16, ())
    expected = {"checks": 4, "readings": 4, "publications": 2, "input_states": 2, "scorecards": 2, "freshness_states": 2, "runs": 2}
    assert counts(ledger) == expected


def test_a_second_sync_finds_nothing_new(ledger):
    log = generated(5)
    sync(ledger, log, NOW)
    before = rows(ledger)
    again = sync(ledger, log, NOW + timedelta(minutes=5))
    assert (again.read, again.written, again.changes) == (0, 0, ())
    assert rows(ledger) == before


def test_a_sync_reads_only_what_is_new(ledger):
    log = generated(5)
    sync(ledger, log, NOW)
    log.add(reading(1e6), publication(1e6, "v99"))
    assert sync(ledger, log, NOW).read == 2


def test_an_event_logged_twice_is_one_row(ledger):
    log = MemoryLog()
    log.add(reading(), reading(), publication(), publication())
    assert sync(ledger, log, NOW).written == 2
    assert counts(ledger) == {"checks": 1, "readings": 1, "publications": 1}


def test_an_event_that_appears_behind_the_cursor_is_not_lost(ledger):
    log = MemoryLog()
    log.add(reading(0), reading(1))
    log.hidden = {1}
    now = START + timedelta(seconds=2)
    assert sync(ledger, log, now).written == 1
    log.hidden = set()
    assert sync(ledger, log, now + timedelta(seconds=30)).written == 1
    assert counts(ledger)["readings"] == 2


def test_events_settle_and_are_not_read_again(ledger):
    log = MemoryLog()
    log.add(reading(0), reading(1))
    for seconds, read in ((2, 2), (30, 2), (63, 0), (90, 0)):
        assert sync(ledger, log, START + timedelta(seconds=seconds)).read == read


def test_a_clock_that_steps_back_loses_and_doubles_nothing(ledger):
    log = MemoryLog()
    log.add(reading(0), reading(1))
    sync(ledger, log, START + timedelta(seconds=2))
    log.add(reading(-86_400), reading(-86_399))
    yesterday = START - timedelta(days=1)
    assert sync(ledger, log, yesterday + timedelta(seconds=2)).written == 2
    assert sync(ledger, log, yesterday + timedelta(seconds=70)).written == 0
    assert sync(ledger, log, yesterday + timedelta(seconds=140)).read == 0
    assert counts(ledger)["readings"] == 4


def test_a_clock_that_steps_back_keeps_nothing_unsettled_for_as_long_as_it_stepped(ledger):
    log = MemoryLog()
    log.add(reading(-86_400))
    for seconds, read in ((-86_399, 1), (-2 * 86_400, 1), (-2 * 86_400 + 61, 0)):
        assert sync(ledger, log, START + timedelta(seconds=seconds)).read == read


def test_of_two_entries_about_the_same_the_first_in_the_log_counts_even_if_it_appears_later(ledger):
    log = MemoryLog()
    log.add(reading(0, "missed"), reading(0, "met"))
    log.hidden = {1}
    sync(ledger, log, START + timedelta(seconds=1))
    log.hidden = set()
    sync(ledger, log, START + timedelta(seconds=2))
    followed = rows(ledger)
    rebuild(ledger, log, NOW)
    assert rows(ledger) == followed
    assert followed["readings"][0][3] == "missed"


def test_a_log_that_lost_its_tail_is_told_and_followed(ledger):
    log = generated(4)
    sync(ledger, log, NOW, batch=2)
    before = counts(ledger)["readings"]
    log.lose(10)
    done = sync(ledger, log, NOW)
    lost = {change.kind: str(change) for change in done.changes}
    assert lost["check_evaluation"] == (
        "the event log no longer has the check_evaluation 28 that was read last (it ends at 22: it lost its tail or was reset); went on from event 20"
    )
    log.add(reading(1e6))
    assert sync(ledger, log, NOW).changes == ()
    assert counts(ledger)["readings"] == before + 1


def test_new_events_under_the_ids_of_lost_ones_are_not_taken_for_them(ledger):
    log = MemoryLog()
    log.add(reading(0), reading(1), reading(2))
    sync(ledger, log, NOW)
    log.lose(2)
    log.add(reading(10), reading(11), reading(12))
    done = sync(ledger, log, NOW)
    assert [str(change) for change in done.changes] == [
        "the event log no longer has the check_evaluation 3 that was read last (events were deleted or replaced); went on from its beginning"
    ]
    assert counts(ledger)["readings"] == 6


def test_a_log_begun_anew_is_read_from_its_beginning(ledger):
    sync(ledger, generated(3), NOW)
    other = MemoryLog()
    other.add(reading(1e6, run="run-new"))
    done = sync(ledger, other, NOW)
    assert {change.resumed_after for change in done.changes} == {0}
    assert counts(ledger)["readings"] == 7


def test_events_moved_to_another_storage_under_other_ids_stay_one_row_each(ledger):
    log = generated(3)
    sync(ledger, log, NOW)
    before = rows(ledger, without=("log_id",))
    moved = MemoryLog([replace(event, log_id=event.log_id + 1000) for event in log.events])
    assert sync(ledger, moved, NOW).changes != ()
    assert rows(ledger, without=("log_id",)) == before


def test_the_ledger_goes_back_no_further_than_the_log_changed(ledger):
    log = generated(80)
    sync(ledger, log, NOW, batch=5)
    log.lose(4)
    (change,) = [change for change in sync(ledger, log, NOW).changes if change.kind == "run_start"] or [None]
    assert change is None
    log.lose(8)
    (change,) = [change for change in sync(ledger, log, NOW).changes if change.kind == "run_start"]
    assert change.resumed_after > log.end() - 5 * 8 - 8


@pytest.mark.slow
def test_marks_do_not_pile_up(ledger):
    sync(ledger, generated(80), NOW, batch=1)
    with ledger.reading() as connection:
        found = connection.exec_driver_sql("select kind, count(*) from marks group by kind").all()
    assert max(count for _, count in found) <= MOST_KEPT


def test_a_rebuilt_ledger_has_the_same_rows(ledger):
    log = generated(20)
    sync(ledger, log, NOW, batch=3)
    before = rows(ledger)
    assert rebuild(ledger, log, NOW).changes == ()
    assert rows(ledger) == before


def test_a_ledger_is_not_rebuilt_from_a_log_that_lost_events(ledger):
    log = generated(3)
    sync(ledger, log, NOW)
    before = rows(ledger)
    log.lose(3)
    with pytest.raises(HistoryWouldBeLost, match="not rebuilt: the event log no longer has the"):
        rebuild(ledger, log, NOW)
    assert rows(ledger) == before


def test_a_failing_batch_leaves_cursor_and_rows_as_they_were(ledger):
    class Failing(MemoryLog):
        def after(self, kind, log_id, limit):
            if log_id >= 10:
                raise ConnectionError("the log is away")
            return super().after(kind, log_id, limit)

    log = generated(10)
    with pytest.raises(ConnectionError):
        sync(ledger, Failing(log.events), NOW, batch=2)
    sync(ledger, log, NOW)
    after = rows(ledger)
    rebuild(ledger, log, NOW)
    assert rows(ledger) == after


CUTS = st.lists(st.tuples(st.lists(EVENTS, max_size=8), st.integers(1, 7), st.integers(-90, 90)), min_size=1, max_size=5)


def follow(ledger, cuts):
    """Append events, sync with some batch size at some time, and so on; gives the log."""
    log, now = MemoryLog(), START + timedelta(hours=1)
    for events, batch, seconds in cuts:
        log.add(*events)
        now += timedelta(seconds=seconds)
        sync(ledger, log, now, batch)
    return log


def incremental_equals_rebuilt(new_ledger, cuts):
    ledger, fresh = new_ledger(), new_ledger()
    log = follow(ledger, cuts)
    rebuild(fresh, log, NOW)
    assert rows(ledger) == rows(fresh)
    before = rows(ledger)
    rebuild(ledger, log, NOW)
    assert rows(ledger) == before
    assert sync(ledger, log, NOW).written == 0
    ledger.close(), fresh.close()


@pytest.mark.slow
@settings(max_examples=80)
@given(CUTS)
def test_a_ledger_rebuilt_from_nothing_equals_one_that_followed(sqlite_ledgers, cuts):
    incremental_equals_rebuilt(sqlite_ledgers.new, cuts)


# Every event has a time of its own here, so that no two of them are the same.
LOSSES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12), st.integers(1, 7), st.integers(1, 200)), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=12)
@given(LOSSES)
@example([(3, 0, 2, 5), (3, 4, 2, 5), (0, 2, 1, 5)])
def test_what_was_once_in_the_log_stays_in_the_ledger_once(sqlite_ledgers, losses):
    ledger, log, now = sqlite_ledgers.new(), MemoryLog(), START
    times, seen = itertools.count(), {}
    for added, lost, batch, seconds in losses:
        log.lose(lost)
        log.add(*(make(next(times)) for _, make in zip(range(added), itertools.cycle((reading, numbered_publication, started_alone)))))
        now += timedelta(seconds=seconds)
        sync(ledger, log, now, batch)
        seen |= {event.identity: event for event in log.events}
    kinds = [type(event.what).__name__ for event in seen.values()]
    expected = {"readings": kinds.count("Checked"), "publications": kinds.count("Materialised"), "runs": kinds.count("RunStarted")}
    assert {name: count for name, count in counts(ledger).items() if name != "checks"} == {n: c for n, c in expected.items() if c}
    ledger.close()


def numbered_publication(seconds):
    return publication(seconds, f"v{seconds}")


def started_alone(seconds):
    return started(seconds, f"run-{seconds}")


@pytest.mark.slow
@settings(max_examples=15)
@given(CUTS)
def test_on_postgresql_too_a_ledger_rebuilt_equals_one_that_followed(postgres_ledgers, cuts):
    incremental_equals_rebuilt(postgres_ledgers, cuts)


@pytest.mark.slow
def test_on_postgresql_the_rows_are_the_same_as_in_sqlite(ledger, postgres_ledger):
    log = generated(30)
    sync(ledger, log, NOW)
    sync(postgres_ledger, log, NOW, batch=7)
    assert rows(postgres_ledger) == rows(ledger)


@pytest.mark.slow
def test_on_postgresql_a_log_that_lost_its_tail_is_told_and_followed(postgres_ledger):
    log = generated(4)
    sync(postgres_ledger, log, NOW)
    log.lose(8)
    log.add(reading(1e6), ended(1e6, run="run-late"))
    assert sync(postgres_ledger, log, NOW).changes != ()
    assert counts(postgres_ledger) | {"checks": 0} == {
        "checks": 0,
        "readings": 9,
        "publications": 4,
        "input_states": 4,
        "scorecards": 4,
        "freshness_states": 4,
        "runs": 5,
    }


@pytest.fixture(scope="session")
def postgres_ledgers(postgres_server):
    from tests.ledger.ledgers import new_database

    return lambda: open_ledger(new_database(postgres_server))
