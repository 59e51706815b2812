"""The dimension `cost`: what runs published and took, against a budget and against what was usual."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.capabilities.judgements import Moment, Spent
from platform_resources.capabilities.registry import installed_registry
from platform_resources.promises.judgement import judged
from tests.capabilities.customers import PLAIN, configured, dimension

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MB = 1_000_000


def run(days_ago, seconds=60.0, size=5 * MB, whole=True, credits=None):
    return Spent(NOW - days_ago * DAY, seconds, size, whole, credits)


def judgement(written, *spent, now=NOW):
    return judged(dimension("cost"), configured("cost", written), {}, PLAIN, Moment(now, spent=tuple(spent)))


def budget(measure="bytes", **written):
    return {"measure": measure, "budget": written}


def test_bytes_that_no_warehouse_tells_keep_no_budget():
    found = judgement(budget(per_refresh="5 MB"), run(2), run(1, size=None))
    assert (found.verdict, found.reason) == ("unknown", "the warehouse does not tell how many bytes a version has")
    assert judgement(budget("seconds", per_refresh="2m"), run(1, size=None)).verdict == "met"


USUAL = tuple(run(days) for days in range(30, 0, -1))
CASES = [
    ("nothing yet", budget(per_refresh="5 MB"), (), "unknown", "no refresh has ended well yet"),
    ("nothing well yet", budget(per_refresh="5 MB"), (run(1, whole=False),), "unknown", "no refresh has ended well yet"),
    ("in the budget", budget(per_refresh="5 MB"), (run(1),), "met", "the last refresh published 5.0 MB; at most 5 MB promised"),
    (
        "over the budget",
        budget(per_refresh="4.9 MB"),
        (run(2, size=1), run(1)),
        "missed",
        "the last refresh published 5.0 MB; at most 4.9 MB promised",
    ),
    ("a plain number", budget(per_refresh=5 * MB - 1), (run(1),), "missed", "the last refresh published 5.0 MB; at most 4999999 promised"),
    ("seconds", budget("seconds", per_refresh="1m"), (run(1),), "met", "the last refresh took 1 min; at most 1m promised"),
    ("too many seconds", budget("seconds", per_refresh=59), (run(1),), "missed", "the last refresh took 1 min; at most 59 promised"),
    (
        "the month",
        budget("seconds", per_month="2m"),
        (run(20), run(3), run(2)),
        "met",
        "2 min since the first of the month; at most 2m promised",
    ),
    (
        "failed runs cost too",
        budget("seconds", per_month="2m"),
        (run(3), run(2), run(1, 0.5, whole=False)),
        "missed",
        "2 min 1 s since the first of the month; at most 2m promised",
    ),
    (
        "a month without runs",
        budget("seconds", per_month="2m"),
        (run(40),),
        "met",
        "0 s since the first of the month; at most 2m promised",
    ),
    (
        "both",
        budget(per_refresh="1 GB", per_month="9 MB"),
        (run(2), run(1)),
        "missed",
        "10.0 MB since the first of the month; at most 9 MB promised",
    ),
    (
        "a month of failures, and a refresh that never was",
        budget("seconds", per_refresh="1m", per_month="2m"),
        (run(1, whole=False),),
        "unknown",
        "no refresh has ended well yet",
    ),
    ("credits", budget("credits", per_month=5), (run(1),), "unknown", "credits are counted by Snowflake, and there is no reading of them"),
    (
        "credits of the last refresh that is billed",
        budget("credits", per_refresh="0.5"),
        (run(3, credits=0.25), run(2, credits=0.75), run(1)),
        "missed",
        "the last refresh took 0.75 credits; at most 0.5 promised",
    ),
    (
        "credits of the month, also of what failed",
        budget("credits", per_month="2"),
        (run(20, credits=4.0), run(3, credits=1.5), run(2, whole=False, credits=0.5), run(1)),
        "met",
        "2 credits since the first of the month; at most 2 promised",
    ),
]


@pytest.mark.parametrize(("written", "spent", "verdict", "reason"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_what_was_spent_is_held_against_the_budget(written, spent, verdict, reason):
    found = judgement(written, *spent)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_the_month_begins_in_utc():
    first = datetime(2026, 6, 1, tzinfo=UTC)
    spent = Spent(first, 60.0, 0, True), Spent(first - timedelta(seconds=1), 60.0, 0, True)
    assert judgement(budget("seconds", per_month=60), *spent).value == 60.0


def test_more_than_usual_misses_and_less_does_not():
    learned = {"measure": "bytes", "learned": True}
    assert judgement(learned, *USUAL, run(0)).verdict == "met"
    assert judgement(learned, *USUAL, run(0, size=1)).verdict == "met"
    found = judgement(learned, *USUAL, run(0, size=9 * MB))
    assert (found.verdict, found.reason, found.threshold, found.value) == (
        "missed",
        "the last refresh published 9.0 MB; the last refresh: 9.0 MB is more than usual: up to 6.0 MB on Mondays by 30 points; "
        "expected 5.0 MB",
        "as usual",
        9 * MB,
    )
    assert judgement(learned, *USUAL[:13], run(0)).verdict == "unknown"
    assert judgement({"measure": "seconds", "learned": True}, *USUAL, run(0, seconds=200.0)).verdict == "missed"


def test_it_is_measured_from_history_and_asks_the_data_for_nothing():
    cost = installed_registry().dimensions()["cost"]
    assert (cost.measured_by, cost.measures(configured("cost", budget(per_month=5)), PLAIN)) == ("history", {})
