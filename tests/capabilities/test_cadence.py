"""The dimension `cadence`: the next version comes when it usually does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from platform_resources.capabilities.judgements import History, Moment
from platform_resources.promises.judgement import judged
from tests.capabilities.customers import PLAIN, configured, dimension

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 6, 1, 5, tzinfo=UTC)


def weekdays(weeks, start=MONDAY):
    """At the same time of every day from Monday to Friday."""
    return tuple(start + week * 7 * DAY + day * DAY for week in range(weeks) for day in range(5))


def judgement(publications, now, written=None, zone=UTC, excluded=()):
    moment = Moment(now, publications=tuple(publications), zone=zone, history=History(excluded=tuple(excluded)))
    return judged(dimension("cadence"), configured("cadence", written or {"learned": True}), {}, PLAIN, moment)


def test_before_the_first_version_nothing_is_known():
    found = judgement((), MONDAY)
    assert (found.verdict, found.reason) == ("unknown", "no version was published yet")


def test_it_is_learning_under_fourteen_gaps():
    times = [MONDAY + day * DAY for day in range(14)]
    found = judgement(times, times[-1] + 9 * DAY)
    assert (
        found.verdict == "unknown"
        and found.reason == "the newest data was published 9 days ago; learning: 13 of 14 points, so nothing can be judged yet"
    )


CASES = [
    ("on the next day in time", 4, timedelta(hours=24), "met"),
    ("on the next day not in time", 4, timedelta(hours=34), "missed"),
    ("on a weekend nothing is late", 5, timedelta(days=2, hours=20), "met"),
    ("on Monday it is", 5, timedelta(days=3, hours=10), "missed"),
]


@pytest.mark.parametrize(("what", "days", "after", "verdict"), CASES, ids=[case[0] for case in CASES])
def test_a_source_that_rests_at_weekends_is_late_on_weekdays_only(what, days, after, verdict):
    times = (*weekdays(6), *weekdays(1, MONDAY + 42 * DAY)[:days])
    found = judgement(times, times[-1] + after)
    assert found.verdict == verdict, found.reason
    assert found.threshold == "as usual" and found.value == after.total_seconds()


def test_the_reason_says_what_was_usual():
    found = judgement(weekdays(6), weekdays(6)[-1] + 4 * DAY)
    assert (
        found.reason
        == "the newest data was published 4 days ago; 4 days is longer than usual: up to 3 days 10 h by 29 points; expected 3 days"
    )


def test_days_are_those_of_the_products_zone():
    """At five in the morning in Berlin, also after clocks went forward: a gap of 23 hours, and then of 24 again."""
    times = [datetime(2026, 3, day, 5, tzinfo=BERLIN).astimezone(UTC) for day in range(1, 31)]
    assert times[29] - times[27] < 2 * DAY
    late = times[-1] + timedelta(hours=25, minutes=20)
    assert judgement(times, late, zone=BERLIN).verdict == "missed"
    assert judgement(times, times[-1] + timedelta(hours=24, minutes=20), zone=BERLIN).verdict == "met"


def test_gaps_of_a_time_that_was_broken_and_mended_teach_nothing():
    times = [MONDAY + day * DAY for day in range(40) if day not in range(20, 26)]
    broken = (times[19] + 30 * HOUR, times[20])
    usual = judgement(times, times[-1] + 26 * HOUR, excluded=[broken])
    assert usual.verdict == "missed" and "by 32 points" in usual.reason


def test_what_is_published_twice_at_one_time_is_one_version():
    times = weekdays(6)
    assert judgement((*times, *times), times[-1] + 4 * DAY) == judgement(times, times[-1] + 4 * DAY)


def test_a_cadence_that_is_not_learned_is_refused():
    with pytest.raises(
        ValidationError, match="a cadence is always learned; write learned: true, or promise an age with dimension: freshness"
    ):
        configured("cadence", {"learned": False})
