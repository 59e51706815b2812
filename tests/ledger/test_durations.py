"""How long refreshes took, from the events of their runs."""

from datetime import UTC, datetime, timedelta

from platform_resources.capabilities.judgements import Refreshes
from platform_resources.ledger.events import Event, Materialised, RunEnded, RunStarted
from platform_resources.ledger.queries.objective_history import refreshes
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import MemoryLog

FIRST = datetime(2026, 3, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)
JOB = "refresh_readings"


def started(day, product="readings", run=""):
    return Event(0, FIRST + day * DAY, run or f"run {day}", RunStarted(product, JOB))


def ended(day, seconds, status="succeeded", product="readings", whole=True):
    """The end of a day's run; a whole refresh has written its scorecard just before."""
    at = FIRST + day * DAY + timedelta(seconds=seconds)
    score = Event(0, at, f"run {day}", Materialised((product, "scorecard"), {"outcome": "published"}))
    return [*([score] if whole else []), Event(0, at, f"run {day}", RunEnded(status, product, JOB))]


def refresh(day, seconds, status="succeeded", product="readings", whole=True):
    return [started(day, product), *ended(day, seconds, status, product, whole)]


def asked(ledger, *events, at=30, count=100):
    log = MemoryLog()
    log.add(*[event for group in events for event in group])
    sync(ledger, log, FIRST + at * DAY)
    with ledger.reading() as connection:
        return refreshes(connection, "readings", FIRST + at * DAY, count)


def test_refreshes_that_ended_well_are_told_oldest_first(ledger):
    assert asked(ledger, refresh(0, 60), refresh(1, 90.5), refresh(2, 30)) == Refreshes((60.0, 90.5, 30.0))


def test_refreshes_that_failed_and_those_of_other_products_tell_nothing(ledger):
    found = asked(ledger, refresh(0, 60), refresh(1, 5, "failed"), refresh(2, 7, "canceled"), refresh(3, 9, product="summary"))
    assert found == Refreshes((60.0,))


def test_a_run_of_a_part_of_the_product_tells_nothing(ledger):
    assert asked(ledger, refresh(0, 60), refresh(1, 2, whole=False)) == Refreshes((60.0,))


def test_only_so_many_are_told(ledger):
    assert asked(ledger, *(refresh(day, day + 1) for day in range(10)), count=3) == Refreshes((8.0, 9.0, 10.0))


def test_what_came_later_had_not_happened(ledger):
    assert asked(ledger, refresh(0, 60), refresh(1, 90), at=0.5) == Refreshes((60.0,))


def test_the_refresh_that_goes_on_grows(ledger):
    assert asked(ledger, refresh(0, 60), [started(1)], at=1.25) == Refreshes((60.0,), 6 * 3600.0)


def test_a_killed_refresh_goes_on_only_until_the_next_begins(ledger):
    assert asked(ledger, [started(0)], refresh(1, 60), at=2) == Refreshes((60.0,))


def test_nothing_is_known_of_a_product_that_was_never_refreshed(ledger):
    assert asked(ledger) == Refreshes()
