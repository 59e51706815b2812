"""Freshness from publications: both forms, with late, missing, repeated and unordered events."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.exclusions import ExcludedPeriod
from platform_resources.promises.fresh_time import DatedVersion, by_deadline, fresh_time, goes_stale, next_deadline, time_weighted
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import Share, Slice, Window, window_slices
from tests.promises.moments import DAY, HOUR, LONG_AGO, MIDNIGHT, NOON, few, moments, states, utc

WINDOW = Window(3 * DAY)
HOURLY = Window(6 * HOUR, HOUR)
ages = st.timedeltas(timedelta(), timedelta(days=3))
publications = st.lists(st.builds(DatedVersion, moments, st.none() | moments), max_size=12)


def published(*texts):
    """`15T06:00` published then; `15T06:00/14T23:00` with a watermark; all in June 2026."""
    pairs = [text.split("/") for text in texts]
    return [DatedVersion(*(utc(f"2026-06-{part}") for part in pair)) for pair in pairs]


def daily(*texts, max_age=DAY, now=NOON, due_after=timedelta(), exclusions=(), since=LONG_AGO, window=WINDOW):
    return states(by_deadline(window_slices(window, now, since), window, published(*texts), max_age, now, due_after, exclusions))


DEADLINES = [
    ("refreshed every day", ["12T05:00", "13T05:00", "14T05:00"], {}, "gggp"),
    ("nothing ever published", [], {}, "bbbp"),
    ("a day left out", ["12T05:00", "14T05:00"], {}, "gbgp"),
    ("published exactly at midnight, the deadline", ["13T00:00", "14T00:00", "15T00:00"], {}, "gggp"),
    ("a moment late stays bad", ["12T05:00", "14T00:00:00.000001"], {}, "gbgp"),
    ("caught up late: yesterday stays bad", ["12T05:00", "15T03:00"], {}, "gbbp"),
    ("the watermark is older than the publication", ["12T05:00", "13T05:00/12T22:00", "14T05:00"], {}, "gbgp"),
    ("two days may pass", ["12T05:00", "14T05:00"], {"max_age": 2 * DAY}, "gggp"),
    ("in any order, and twice", ["14T05:00", "12T05:00", "13T05:00", "12T05:00"], {}, "gggp"),
    ("due at 7 the next day, with all of the day", ["13T06:00/13T00:00", "14T08:00/14T00:00"], {"max_age": timedelta(), "due_after": 7 * HOUR}, "gbbp"),
    ("not due yet", [], {"due_after": 13 * HOUR}, "bbpp"),
    ("not due yet, but there", ["15T00:00"], {"due_after": 13 * HOUR}, "bbgp"),
    ("a clock that is a little fast", ["12T05:00/12T05:04"], {}, "gbbp"),
    ("a version dated ahead is of no known time", ["12T05:00/30T00:00"], {}, "bbbp"),
    ("published after now by a clock that went wrong", ["12T05:00", "15T14:00/14T10:00"], {"due_after": 16 * HOUR}, "gbpp"),
    ("an older version afterwards takes nothing back", ["12T05:00", "13T05:00", "13T06:00/10T00:00", "14T05:00"], {}, "gggp"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "more", "expected"), [pytest.param(*case, id=name) for name, *case in DEADLINES])
def test_a_slice_is_good_if_a_version_that_covers_it_was_published_by_its_deadline(events, more, expected):
    assert daily(*events, **more) == expected


def test_a_holiday_counts_neither_good_nor_bad():
    holiday = ExcludedPeriod(Period(utc("2026-06-13T00:00"), utc("2026-06-14T00:00")), "Corpus Christi", "team:sales")
    assert daily("12T05:00", "14T05:00", exclusions=[holiday]) == "gegp"
    assert daily("12T05:00", "13T05:00", "14T05:00", exclusions=[holiday]) == "gegp"


def test_maintenance_at_the_deadline_excuses_the_slice_and_at_another_time_it_does_not():
    def with_maintenance(start, end):
        maintenance = ExcludedPeriod(Period(utc(f"2026-06-{start}"), utc(f"2026-06-{end}")), "Upgrade", "team:platform")
        return daily("12T05:00", "14T07:30", max_age=DAY, due_after=7 * HOUR, exclusions=[maintenance])

    assert with_maintenance("14T06:00", "14T08:00") == "gegp"
    assert with_maintenance("14T02:00", "14T06:00") == "gbgp"
    assert with_maintenance("14T07:00", "14T08:00") == "gbgp"


def test_a_day_of_25_hours_asks_for_no_more_than_any_other():
    window = Window(3 * DAY, DAY, ZoneInfo("Europe/Berlin"))
    nightly = [DatedVersion(datetime(2026, 10, day, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))) for day in (24, 25, 26)]
    now = utc("2026-10-27T12:00")
    assert states(by_deadline(window_slices(window, now, LONG_AGO), window, nightly, DAY, now)) == "gggp"


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Berlin", "2026-03-30"), ("America/New_York", "2026-03-09"), ("Australia/Lord_Howe", "2026-10-05")]
)
def test_a_deadline_at_seven_is_at_seven_on_the_local_clock_after_clocks_changed(zone, day):
    window = Window(DAY, DAY, ZoneInfo(zone))
    seven = datetime.fromisoformat(f"{day}T07:00").replace(tzinfo=ZoneInfo(zone))

    def judged(moment):
        return by_deadline(window_slices(window, seven + HOUR, LONG_AGO), window, [DatedVersion(moment)], DAY, seven + HOUR, 7 * HOUR)[
            0
        ].state

    # The publication covers the day before, which ended at midnight; only its time decides.
    assert judged(seven.astimezone(UTC)) == "good"
    assert judged(seven.astimezone(UTC) + timedelta(seconds=1)) == "bad"


TIMES = [
    ("fresh all the time", ["15T05:30"], 24 * HOUR, [60] * 6),
    ("nothing ever published", [], HOUR, [0] * 6),
    ("from its publication until it is too old", ["15T07:30"], 90 * HOUR / 60, [0, 30, 60, 0, 0, 0]),
    ("as old as its watermark when published", ["15T08:00/15T07:00"], 90 * HOUR / 60, [0, 0, 30, 0, 0, 0]),
    ("two versions, overlapping", ["15T06:00", "15T06:30"], HOUR, [60, 30, 0, 0, 0, 0]),
    ("a version replaced by an older one is stale at once", ["15T06:00", "15T06:15/15T01:00"], HOUR, [15, 0, 0, 0, 0, 0]),
    ("of two at one time the fresher counts", ["15T06:00/15T01:00", "15T06:00"], HOUR, [60, 0, 0, 0, 0, 0]),
]


@pytest.mark.parametrize(("events", "max_age", "minutes"), [pytest.param(*case, id=name) for name, *case in TIMES])
def test_the_fresh_share_of_time_is_exact(events, max_age, minutes):
    found = time_weighted(window_slices(HOURLY, NOON, LONG_AGO), published(*events), max_age, NOON)
    minute = 60_000_000
    assert [one.share for one in found[:-1]] == [Share(fresh * minute, 60 * minute) for fresh in minutes]
    assert states(found) == "".join("g" if fresh == 60 else "b" for fresh in minutes) + "p"


def test_time_that_is_excluded_is_in_neither_part_of_the_share():
    maintenance = [ExcludedPeriod(Period(utc("2026-06-15T06:45"), utc("2026-06-15T08:00")), "Upgrade", "team:platform")]
    found = time_weighted(window_slices(HOURLY, NOON, LONG_AGO), published("15T06:00"), HOUR / 2, NOON, maintenance)
    assert (found[0].share, found[1].state) == (Share(30 * 60_000_000, 45 * 60_000_000), "excluded")


@pytest.mark.parametrize(
    "naive", [{"published_at": NOON.replace(tzinfo=None)}, {"published_at": NOON, "watermark": NOON.replace(tzinfo=None)}]
)
def test_an_event_without_a_time_zone_is_refused(naive):
    with pytest.raises(ValueError, match="has no time zone"):
        DatedVersion(**naive)


def test_when_it_goes_stale_follows_from_the_newest_version():
    assert goes_stale(published("15T06:00/15T05:00", "14T06:00"), DAY, NOON) == utc("2026-06-16T05:00")
    assert goes_stale([], DAY, NOON) is None


NEXT = [
    (["15T06:00"], {}, "17T00:00"),
    (["14T06:00"], {}, "16T00:00"),
    ([], {}, "16T00:00"),
    (["15T06:00"], {"due_after": 7 * HOUR}, "17T07:00"),
    ([], {"due_after": 13 * HOUR}, "15T13:00"),
    (["15T06:00"], {"max_age": 5 * DAY}, "21T00:00"),
    (["15T06:00", "15T09:00/10T00:00"], {}, "17T00:00"),
]


@pytest.mark.parametrize(("events", "more", "expected"), NEXT)
def test_the_next_deadline_is_the_first_that_what_is_published_does_not_cover(events, more, expected):
    given_ = {"max_age": DAY, **more}
    assert next_deadline(WINDOW, published(*events), now=NOON, **given_) == utc(f"2026-06-{expected}")


@few
@given(publications, ages, st.sampled_from([DAY, HOUR]), st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_publishing_nothing_more_breaks_the_next_deadline_and_none_before(events, max_age, interval, zone):
    window = Window(200 * interval, interval, ZoneInfo(zone))
    deadline = next_deadline(window, events, max_age, NOON)
    found = by_deadline(window_slices(window, deadline, NOON), window, [e for e in events if e.published_at <= NOON], max_age, deadline)
    assert deadline > NOON
    assert [one.state for one in found if one.start >= NOON and one.end < deadline] == ["good"] * sum(
        one.start >= NOON and one.end < deadline for one in found
    )
    assert [one.state for one in found if one.end == deadline] == ["bad"]


@few
@given(publications, st.randoms(use_true_random=False), ages)
def test_order_and_repetition_of_events_change_nothing(events, random, max_age):
    shuffled = [*events, *events[:3]]
    random.shuffle(shuffled)
    for window in (WINDOW, HOURLY):
        whole = window_slices(window, NOON, LONG_AGO)
        assert by_deadline(whole, window, events, max_age, NOON) == by_deadline(whole, window, shuffled, max_age, NOON)
        assert time_weighted(whole, events, max_age, NOON) == time_weighted(whole, shuffled, max_age, NOON)


@few
@given(publications, ages, moments, moments, moments, st.lists(st.tuples(moments, moments), max_size=3))
def test_the_shares_of_neighbouring_slices_add_up_to_that_of_both_together(events, max_age, one, two, three, off):
    start, middle, end = sorted((one, two, three))
    exclusions = [ExcludedPeriod(Period(min(pair), max(pair)), "Upgrade", "team:platform") for pair in off]

    def share(first, last):
        found = time_weighted([Slice(first, last)], events, max_age, NOON + DAY, exclusions)[0].share
        return found or Share(0, 0)

    assert share(start, middle) + share(middle, end) == share(start, end)


@few
@given(publications, ages)
def test_the_fresh_time_is_what_stepping_through_the_watermark_gives(events, max_age):
    """Against the definition: at the middle of every stretch between two steps, is the newest version at most `max_age` old?"""
    fresh = fresh_time(events, max_age, NOON)
    edges = sorted({LONG_AGO, NOON, *(e.published_at for e in events), *(min(NOON, e.as_of + max_age) for e in events)})
    for start, end in itertools.pairwise(edges):
        middle = start + (end - start) / 2
        newest = max((e for e in events if e.published_at <= middle), key=lambda e: (e.published_at, e.as_of), default=None)
        expected = newest is not None and middle - newest.as_of <= max_age
        assert fresh.within(start, end) == (end - start if expected else timedelta()) or end - start < timedelta(microseconds=3)


@few
@given(publications, ages)
def test_without_a_publication_in_reach_nothing_is_fresh(events, max_age):
    late = [DatedVersion(event.published_at + 30 * DAY) for event in events]
    assert set(states(time_weighted(window_slices(WINDOW, MIDNIGHT, LONG_AGO), late, max_age, MIDNIGHT))) == {"b", "p"}
