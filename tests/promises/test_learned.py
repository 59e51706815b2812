"""What is usual, learned from history: counts, durations, shares, gaps."""

import math
import random
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.promises.learned.backtest import backtested
from platform_resources.promises.learned.points import NotYet, Point, Settings, Usual
from platform_resources.promises.learned.points import judged as judged_by
from platform_resources.promises.learned.usual_counts import COUNTS, learned_count, usual_count
from platform_resources.promises.learned.usual_durations import DURATIONS, learned_duration
from platform_resources.promises.learned.usual_gaps import GAPS, learned_gap, next_due
from platform_resources.promises.learned.usual_shares import SHARES, FailingShare, binomial_bounds, learned_share
from platform_resources.promises.periods import Period
from platform_resources.spec.values.durations import length_text

MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
quick = settings(max_examples=20, deadline=None)


def series(values, start=MONDAY, step=DAY):
    return [Point(start + number * step, value) for number, value in enumerate(values)]


def noisy(days, rows=10_000.0, noise=0.03, week=(1,) * 7, growth=0.0, seed=1):
    chance = random.Random(seed)
    return [round(rows * week[day % 7] * (1 + growth) ** (day / 7) * math.exp(chance.gauss(0, noise))) for day in range(days)]


def judged(values, current, **changed):
    return learned_count(series(values), Point(MONDAY + len(values) * DAY, current), Settings(**changed))


def alerts(values, since=28):
    """The days from `since` on that would have been alerts."""
    found = backtested(series(values), learned_count, COUNTS).judged
    return [day for day, one in enumerate(found) if one.learned.state == "outside" and day >= since]


histories = st.lists(st.integers(0, 10**6), min_size=0, max_size=40)


@quick
@given(st.lists(st.integers(0, 10**6), max_size=13), st.integers(0, 10**6))
def test_under_14_points_the_state_is_learning_whatever_they_are(values, current):
    learned = judged(values, current)
    assert (learned.state, learned.points, learned.low) == ("learning", len(values), None)
    assert learned.reason == f"learning: {len(values)} of 14 points, so nothing can be judged yet"


@quick
@given(histories, st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_current_point_never_moves_its_bounds(values, one, other):
    points, at = series(values), MONDAY + len(values) * DAY
    results = [learned_count([*points, Point(at, value), Point(at + DAY, value)], Point(at, value)) for value in (one, other)]
    assert (results[0].low, results[0].high, results[0].expected) == (results[1].low, results[1].high, results[1].expected)
    assert results[0].points == len(values)


@quick
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_history_does_not_matter(values, chance):
    points, at = [*series(values), *series(values[:5])], MONDAY + len(values) * DAY
    shuffled = list(points)
    chance.shuffle(shuffled)
    assert usual_count(points, at) == usual_count(shuffled, at)


@quick
@given(st.lists(st.integers(0, 10**6), min_size=14, max_size=40), st.integers(0, 10**6))
def test_outside_means_outside_the_bounds_that_are_told(values, current):
    learned = judged(values, current)
    if learned.low is None:  # nearly all days were empty
        assert learned.state == "learning"
    else:
        assert 0 <= learned.low <= learned.high
        assert learned.state == ("within" if learned.low <= current <= learned.high else "outside")


@quick
@given(st.integers(0, 1000), st.sampled_from([10, 1000, 1e5]))
def test_a_hundred_times_the_rows_have_a_hundred_times_the_bounds(seed, times):
    values = noisy(40, rows=1e6, noise=0.1, week=(1, 1, 1, 1, 1, 0.3, 0.3), seed=seed)
    one, other = judged(values, 1), judged([value * times for value in values], 1)
    assert other.low == pytest.approx(one.low * times, rel=1e-3)
    assert other.high == pytest.approx(one.high * times, rel=1e-3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, 10**400])
def test_what_no_count_can_be_is_refused(value):
    with pytest.raises(ValueError) as refused:
        Point(MONDAY, value)
    assert str(refused.value) == (f"{value} at 2026-01-05T06:00:00+00:00 is not a number of rows or seconds; allowed: finite, at least 0")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sensitivity": 0}, "sensitivity 0 is not possible; allowed: above 0, at most 8 standard deviations"),
        ({"sensitivity": math.nan}, "sensitivity nan is not possible; allowed: above 0, at most 8 standard deviations"),
        ({"min_change": -1}, "a minimum effect of -1 or 5.0 is not possible; allowed: finite, at least 0"),
        ({"min_amount": math.inf}, "a minimum effect of 0.05 or inf is not possible; allowed: finite, at least 0"),
        ({"level_points": 1}, "level_points 1 must be at least 3, at_least 56 at least 14"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changed, message):
    with pytest.raises(ValueError) as refused:
        Settings(**changed)
    assert str(refused.value) == message


def test_the_reason_tells_the_value_the_bounds_and_the_weekday():
    learned = judged(noisy(56, noise=0), 5_000)
    assert learned.reason == "5,000 is below 9,500 to 10,500, usual on Mondays by 56 points; expected 10,000"
    assert judged([10_000] * 56, 10_400).reason == "10,400 is within 9,500 to 10,500, usual on Mondays by 56 points; expected 10,000"


def test_each_weekday_has_its_own_bounds():
    values = noisy(61, week=(1, 1, 1, 1, 1, 0.3, 0.2))  # the next is a Saturday
    assert judged(values, 3_000).state == "within"
    assert judged(values, 10_000).state == "outside"


def test_weekdays_are_those_of_the_time_zone():
    late = [Point(MONDAY - timedelta(hours=7) + number * DAY, 300 if number % 7 == 6 else 10_000) for number in range(56)]  # 23:00 UTC
    told = learned_count(late, Point(MONDAY - timedelta(hours=7) + 62 * DAY, 300), Settings(zone=ZoneInfo("Europe/Berlin")))
    assert told.state == "within"
    assert " on Sundays by " in told.reason


@pytest.mark.parametrize("noise", [0.02, 0.4])
def test_no_rows_are_always_outside_once_there_were_some(noise):
    assert judged(noisy(30, rows=2_000, noise=noise), 0).state == "outside"
    assert judged([3, 2, 1, 4] * 5, 0).state == "outside"


def test_only_too_many_rows_are_outside_if_so_chosen_and_none():
    assert [judged([1_000] * 30, rows, sides="upper").state for rows in (0, 1, 1_000, 2_000)] == ["outside", "within", "within", "outside"]


def test_a_day_that_usually_has_no_rows_may_have_none():
    values = noisy(55, week=(1, 1, 1, 1, 1, 0.5, 0), seed=2)
    assert judged(values[:41], 0).state == "within"
    assert judged(values[:41], 3).state == "within"
    assert judged(values[:41], 10_000).state == "outside"
    assert judged(values[:40], 0).state == "outside"
    assert alerts(values, 14) == []


def test_a_tiny_change_is_never_outside_however_steady_the_history():
    assert judged([12] * 30, 8).state == "within"
    assert judged([12] * 30, 6).state == "outside"
    assert judged([1_000_000] * 30, 960_000).state == "within"
    assert judged([1_000_000] * 30, 900_000).state == "outside"


def test_growth_of_some_percent_a_week_is_usual():
    assert alerts(noisy(140, noise=0.02, growth=0.05)) == []
    assert alerts(noisy(140, noise=0.02, growth=-0.05)) == []


def test_a_shift_of_the_level_is_taken_over_after_8_points():
    assert alerts(noisy(56, noise=0.02) + noisy(42, rows=16_000, noise=0.02, seed=6)) == list(range(56, 64))


@pytest.mark.parametrize("factor", [0.0, 0.2, 3])
def test_a_holiday_does_not_change_what_is_usual_afterwards(factor):
    values = noisy(90, noise=0.02, week=(1, 1, 1, 1, 1, 0.3, 0.3), seed=2)
    values[60] = round(values[60] * factor)
    assert alerts(values) == [60]


def test_a_holiday_in_the_first_weeks_makes_bounds_wide_but_not_wrong():
    values = noisy(28, noise=0.02)
    values[9] = 1_000
    assert alerts(values, 14) == []


def test_what_lies_in_an_excluded_period_teaches_nothing():
    incident = Period(MONDAY + 40 * DAY, MONDAY + 56 * DAY)
    values = noisy(40, noise=0.02) + [20_000] * 16
    at = Point(MONDAY + 56 * DAY, 10_000)
    assert learned_count(series(values), at).state == "outside"
    assert learned_count(series(values), at, excluded=[incident]).state == "within"
    assert learned_count(series(values), at, excluded=[incident]) == learned_count(series(values[:40]), at)


def test_weekly_and_monthly_series_have_no_weekdays():
    weekly = learned_count(series(noisy(20), step=WEEK), Point(MONDAY + 20 * WEEK + DAY, 10_000))
    monthly = learned_count(series(noisy(20), step=31 * DAY), Point(MONDAY + 620 * DAY, 10_000))
    assert (weekly.state, weekly.points, monthly.state, monthly.points) == ("within", 20, "within", 20)


def test_a_weekday_that_was_hardly_ever_seen_is_not_judged():
    workdays = [point for point in series(noisy(40)) if point.at.weekday() < 5]
    learned = learned_count(workdays, Point(MONDAY + 40 * DAY, 1))  # a Saturday
    assert learned.state == "learning"
    assert learned.reason == "learning: 0 of 2 points on Saturdays, so nothing can be judged there yet"


def test_hours_of_the_week_can_be_the_season():
    values = [round(1_000 * (1 + hour % 24)) for hour in range(24 * 21)]
    points = series(values, start=MONDAY - timedelta(hours=6), step=timedelta(hours=1))
    night = Point(points[-1].at + timedelta(hours=1), 1_000)
    assert learned_count(points, night, Settings(season="hour-of-week")).state == "within"
    assert learned_count(points, Point(night.at, 12_000), Settings(season="hour-of-week")).state == "outside"


def test_a_refresh_that_takes_much_longer_is_outside_and_a_shorter_one_is_not():
    history = series(noisy(40, rows=300, noise=0.1))
    at = MONDAY + 40 * DAY
    assert learned_duration(history, Point(at, 1)).state == "within"
    assert learned_duration(history, Point(at, 330)).state == "within"
    assert learned_duration(history, Point(at, 900)).state == "outside"
    assert learned_duration(history, Point(at, 1), Settings(min_amount=10)).state == "outside"
    assert learned_duration(series([2.0] * 40), Point(at, 9)).state == "within"
    assert learned_duration(series([300.0] * 40), Point(at, 400)).reason == (
        "6 min 40 s is longer than usual: up to 6 min on Saturdays by 40 points; expected 5 min"
    )


DAYS = 86_400
WORDS = [
    (0, "0 s"),
    (12.34, "12.4 s"),
    (60, "1 min"),
    (299.5, "5 min"),
    (3723, "1 h 3 min"),
    (82_801, "23 h 1 min"),
    (DAYS, "24 h"),
    (DAYS + 1, "24 h 1 min"),
    (2 * DAYS, "2 days"),
    (7 * DAYS + 30_240, "7 days 9 h"),
    (140 * DAYS, "140 days"),
    (1e14, "1e+14 s"),
]


@pytest.mark.parametrize(("seconds", "text"), WORDS)
def test_long_times_are_told_in_two_units(seconds, text):
    assert length_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (350.0, "5 min 50 s is as usual: up to 6 min on Saturdays by 40 points; expected 5 min"),
        (360.5, "6 min 1 s is longer than usual: up to 6 min on Saturdays by 40 points; expected 5 min"),
    ],
)
def test_a_duration_without_a_lower_bound_is_told_by_its_upper_one(seconds, said):
    assert learned_duration(series([300.0] * 40), Point(MONDAY + 40 * DAY, seconds)).reason == said


def test_what_is_over_its_bound_by_less_than_is_told_says_so():
    usual = Usual(0.0, 3600.1, 3000.0, 40)
    assert judged_by(3601.0, usual, length_text, "longer").reason == (
        "1 h 1 min is a little longer than usual: up to 1 h 1 min by 40 points; expected 50 min"
    )


def parts(shares, rows=10_000):
    return [FailingShare(MONDAY + number * DAY, round(share * rows), rows) for number, share in enumerate(shares)]


def share(history, part, rows, **changed):
    return learned_share(history, FailingShare(MONDAY + len(history) * DAY, part, rows), Settings(**({"min_change": 0.01} | changed)))


def test_nulls_where_there_never_were_any_are_outside():
    assert share(parts([0.0] * 30), 2_000, 10_000).state == "outside"
    assert share(parts([0.0] * 30), 90, 10_000).state == "within"  # under a percentage point
    assert share(parts([0.0] * 30), 3, 20).state == "within"  # under 5 rows
    assert share(parts([1.0] * 30), 0, 10_000).state == "outside"


def test_few_rows_have_wide_bounds():
    history = parts([0.1] * 30)
    assert share(history, 15, 100).state == "within"
    assert share(history, 1_500, 10_000).state == "outside"
    assert share(history, 1_500, 10_000).reason == "15 % is above 8.45 % to 11.66 %, usual on Wednesdays by 30 points; expected 10 %"


def test_shares_that_always_varied_may_vary():
    chance = random.Random(3)
    restless = share(parts([0.1 * math.exp(chance.gauss(0, 0.3)) for _ in range(40)]), 1_400, 10_000)
    steady = share(parts([0.1] * 40), 1_400, 10_000)
    assert (restless.state, steady.state) == ("within", "outside")
    assert restless.high - restless.expected > 4 * (steady.high - steady.expected)


def test_no_rows_have_no_share():
    learned = share(parts([0.1] * 30), 0, 0)
    assert (learned.state, learned.reason) == ("unknown", "there are no rows, so there is no share of them")
    assert share([*parts([0.1] * 13), FailingShare(MONDAY + 13 * DAY, 0, 0)], 1, 10).points == 13


@pytest.mark.parametrize(("part", "rows"), [(2, 1), (-1, 5), (math.nan, 5), (1, math.inf)])
def test_more_than_all_is_no_share(part, rows):
    with pytest.raises(ValueError) as refused:
        FailingShare(MONDAY, part, rows)
    assert str(refused.value) == (f"{part} of {rows} rows at 2026-01-05T06:00:00+00:00 is no share; allowed: 0 <= part <= rows, finite")


@given(st.floats(0, 1), st.floats(1, 1e9), st.floats(0.1, 8))
def test_bounds_of_a_share_hold_it_and_are_shares(expected, rows, deviations):
    low, high = binomial_bounds(expected, rows, deviations)
    assert 0 <= low <= expected <= high <= 1


def published(weeks, hours, jitter=2.0, seed=1, weekdays=range(7), zone=UTC):
    """Publication times: at these hours of these weekdays, up to some minutes late."""
    chance, first = random.Random(seed), MONDAY.replace(hour=0, tzinfo=zone)
    days = [first + number * DAY for number in range(weeks * 7) if number % 7 in weekdays]
    return [(day + timedelta(hours=hour, minutes=chance.uniform(0, jitter))).astimezone(UTC) for day in days for hour in hours]


def overdue(times, **changed):
    due = next_due(times, times[-1] + timedelta(minutes=1), Settings(**({"min_amount": 1800, "sides": "upper"} | changed)))
    return (due.overdue_at - times[-1]) / timedelta(hours=1)


def test_the_next_daily_publication_is_overdue_half_an_hour_after_its_time():
    times = published(4, [6])
    due = next_due(times, times[-1] + timedelta(hours=24.2))
    assert due.learned.state == "within"
    assert abs(due.expected_at - times[-1] - DAY) < timedelta(minutes=5)
    assert timedelta(hours=24.4) < due.overdue_at - times[-1] < timedelta(hours=25.5)
    assert next_due(times, times[-1] + timedelta(hours=26)).learned.state == "outside"


def test_a_weekend_without_publications_is_not_overdue():
    assert 72 < overdue(published(5, [6], weekdays=range(5))) < 76
    assert 24 < overdue(published(5, [6], weekdays=range(5))[:-1]) < 26


def test_each_hour_of_business_has_its_own_gap():
    times = published(4, range(9, 19), weekdays=range(5))
    assert 63 < overdue(times) < 67  # Friday 18:00 to Monday 9:00
    assert 1 < overdue(times[:-1]) < 2


def test_a_daily_publication_comes_an_hour_of_absolute_time_sooner_when_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    times = [time for time in published(13, [6], jitter=0, zone=berlin) if time < datetime(2026, 3, 28, 12, tzinfo=UTC)]
    due = next_due(times, times[-1] + timedelta(minutes=1), Settings(min_amount=1800, sides="upper", zone=berlin))
    assert due.expected_at - times[-1] == timedelta(hours=23)


def test_a_source_that_comes_by_chance_is_given_time():
    chance, times = random.Random(5), [MONDAY]
    for _ in range(60):
        times.append(times[-1] + timedelta(hours=chance.expovariate(1 / 5)))
    assert overdue(times) > 20


def test_a_gap_during_an_incident_teaches_nothing():
    times = published(4, [6])
    broken = times[:20] + times[26:]
    incident = [Period(times[19] + timedelta(hours=30), times[26])]
    assert next_due(broken, times[-1], GAPS, incident).learned.points == len(broken) - 2


def test_without_publications_nothing_is_known_to_be_due():
    assert next_due([], MONDAY).learned.reason == "learning: 0 of 14 points, so nothing can be judged yet"
    few = next_due([MONDAY, MONDAY + DAY], MONDAY + 2 * DAY)
    assert (few.learned.state, few.expected_at, few.overdue_at) == ("learning", None, None)


def test_a_backtest_tells_alerts_how_many_in_30_days_and_how_long_it_learned():
    values = noisy(74, noise=0.02)
    values[30] = values[60] = 0
    found = backtested(series(values), learned_count, COUNTS)
    assert [(one.at - MONDAY) / DAY for one in found.alerts] == [30, 60]
    assert found.learning == 14 * DAY
    assert found.alerts_per_30_days == pytest.approx(2 * 30 / 59)


def test_a_backtest_judges_an_incident_but_does_not_learn_from_it():
    values = noisy(40, noise=0.02) + [20_000] * 16 + noisy(10, noise=0.02)
    incident = [Period(MONDAY + 40 * DAY, MONDAY + 56 * DAY)]
    found = backtested(series(values), learned_count, COUNTS, incident)
    assert [(one.at - MONDAY) / DAY for one in found.alerts] == list(range(40, 56))


@pytest.mark.parametrize(
    ("learns", "points", "chosen"),
    [
        (learned_count, series(noisy(20)), COUNTS),
        (learned_duration, series(noisy(20)), DURATIONS),
        (learned_share, parts([0.1] * 20), SHARES),
        (learned_gap, series([86_400.0] * 20), GAPS),
    ],
)
def test_every_kind_can_be_backtested(learns, points, chosen):
    found = backtested(reversed(points), learns, chosen)
    assert [one.learned.state for one in found.judged] == ["learning"] * 14 + ["within"] * 6


def test_a_backtest_of_too_little_has_no_rate_of_alerts():
    assert backtested([], learned_count, COUNTS).alerts_per_30_days is None
    little = backtested(series([1, 0, 1]), learned_count, COUNTS)
    assert (little.alerts, little.learning, little.alerts_per_30_days) == ((), 2 * DAY, None)


@quick
@given(st.lists(st.integers(0, 10**6), min_size=15, max_size=30))
def test_each_point_of_a_backtest_is_judged_as_if_the_later_ones_were_not_there(values):
    whole, cut = (backtested(series(some), partial(learned_count), COUNTS).judged for some in (values, values[:-1]))
    assert whole[:-1] == cut


def test_what_is_usual_before_14_points_is_not_yet_known():
    assert usual_count(series([5] * 13), MONDAY + 13 * DAY) == NotYet(13, "learning: 13 of 14 points, so nothing can be judged yet")
