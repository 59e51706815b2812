"""Learned thresholds on top of what dimensions promise: what becomes of a verdict, whatever kind of number it is about."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.capabilities.judgements import History, Judgement, Moment, Past, Refreshes, Spent, ToLearn
from platform_resources.capabilities.measures import Reading
from platform_resources.promises.judgement import judged
from platform_resources.promises.learned.learning import Measured, learned_number, learns_of, points_of, settings_of, with_learned
from tests.capabilities.customers import PLAIN, POPULATION, REFERENCE, SUBJECT, configured, dimension

NOW = datetime(2026, 6, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = ("count", "share", "duration", "bytes", "number")


def past(values, failing=None):
    """One reading a day, the last of them yesterday."""
    first = NOW - len(values) * DAY
    return tuple(Past(first + number * DAY, value, failing) for number, value in enumerate(values))


def noisy(count, level, spread, seed=1):
    chance = random.Random(seed)
    return [level + chance.uniform(-spread, spread) for _ in range(count)]


def judgement(name, written, readings, history=None, subject=SUBJECT, **moment):
    found = {key: Reading(value) for key, value in readings.items()}
    return judged(dimension(name), configured(name, written), found, subject, Moment(NOW, history=history or History(), **moment))


LEARNED = {"learned": True}
ROWS = History(past(noisy(40, 1000, 20)))
CASES = [
    ("as usual", LEARNED, 1010, ROWS, "met"),
    ("too few", LEARNED, 700, ROWS, "missed"),
    ("too many", LEARNED, 1400, ROWS, "missed"),
    ("none", LEARNED, 0, ROWS, "missed"),
    ("13 points", LEARNED, 1000, History(ROWS.past[-13:]), "unknown"),
    ("no points", LEARNED, 1000, History(), "unknown"),
    ("a smaller change than asked for", {"learned": {"minimum_effect": 50}}, 1400, ROWS, "met"),
    ("less sensitive", {"learned": {"sensitivity": 8, "minimum_effect": 0}}, 1050, ROWS, "met"),
    ("more sensitive", {"learned": {"sensitivity": 1.5, "minimum_effect": 0}}, 1050, ROWS, "missed"),
    ("a bound that is broken", {**LEARNED, "at_least": 2000}, 1000, ROWS, "missed"),
    ("a bound that is broken is known while it learns", {**LEARNED, "at_least": 2000}, 1000, History(), "missed"),
    ("a bound that is kept is not all", {**LEARNED, "at_least": 500}, 1000, History(), "unknown"),
    ("both kept", {**LEARNED, "at_least": 500}, 1000, ROWS, "met"),
]


@pytest.mark.parametrize(("written", "rows", "history", "verdict"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_a_number_of_rows_is_held_against_what_was_usual(written, rows, history, verdict):
    assert judgement("volume", written, {"rows": rows}, history).verdict == verdict


def test_the_reason_says_what_is_usual():
    history = History(past([1000.0] * 20))
    found = judgement("volume", {**LEARNED, "at_least": 500}, {"rows": 1200}, history)
    assert (found.reason, found.threshold, found.value) == (
        "1,200 rows; at least 500 promised; 1,200 is above 950 to 1,050, usual on Mondays by 20 points; expected 1,000",
        "at least 500 rows, as usual",
        1200,
    )
    found = judgement("volume", LEARNED, {"rows": 1200}, History(past([1000.0] * 3)))
    assert (found.verdict, found.reason) == ("unknown", "1,200 rows; learning: 3 of 14 points, so nothing can be judged yet")


def test_a_ledger_that_cannot_be_asked_is_unknown_and_no_learning():
    found = judgement("volume", LEARNED, {"rows": 1000}, History(error="the ledger did not answer in 30 s"))
    assert (found.verdict, found.reason) == ("unknown", "1,000 rows; what is usual is not known: the ledger did not answer in 30 s")


@given(st.sampled_from(KINDS), st.floats(0, 1), st.lists(st.floats(0, 1), max_size=13))
def test_nothing_is_met_before_14_points(kind, value, before):
    told = Judgement("met", "so", learn=ToLearn(kind, value, 2.8, rows=100))
    assert with_learned(told, Moment(NOW, history=History(past(before)))).verdict == "unknown"


@given(st.sampled_from(KINDS), st.floats(0, 1), st.lists(st.floats(0, 1), min_size=14, max_size=30))
def test_what_was_missed_stays_missed_and_what_was_unknown_is_never_met(kind, value, before):
    moment = Moment(NOW, history=History(past(before)))
    told = Judgement("missed", "so", learn=ToLearn(kind, value, 2.8, rows=100))
    assert with_learned(told, moment).verdict == "missed"
    assert with_learned(replace(told, verdict="unknown"), moment).verdict in ("unknown", "missed")


def test_without_anything_to_learn_nothing_changes():
    told = Judgement("met", "so")
    assert with_learned(told, Moment(NOW, history=ROWS)) is told


NULLS = {"columns": ["age_band"], **LEARNED}


def filled(rows, nulls):
    return {"rows": rows, "nulls in age_band": nulls}


COMPLETE = [
    ("as usual", NULLS, filled(10_000, 205), [98.0] * 20, "met"),
    ("more nulls", NULLS, filled(10_000, 600), [98.0] * 20, "missed"),
    ("no nulls any more", NULLS, filled(10_000, 0), [98.0] * 20, "missed"),
    ("first nulls", NULLS, filled(10_000, 300), [100.0] * 20, "missed"),
    ("within a percentage point", NULLS, filled(10_000, 90), [100.0] * 20, "met"),
    ("few rows vary", NULLS, filled(20, 2), [98.0] * 20, "met"),
    ("usual, but less than promised", {**NULLS, "at_least": 99}, filled(10_000, 200), [98.0] * 20, "missed"),
    ("usual and promised", {**NULLS, "at_least": 97}, filled(10_000, 200), [98.0] * 20, "met"),
    ("no rows", NULLS, filled(0, 0), [98.0] * 20, "unknown"),
    ("learning", NULLS, filled(10_000, 200), [98.0] * 5, "unknown"),
]


@pytest.mark.parametrize(("written", "readings", "before", "verdict"), [pytest.param(*case, id=name) for name, *case in COMPLETE])
def test_a_share_of_nulls_is_held_against_what_was_usual(written, readings, before, verdict):
    assert judgement("completeness", written, readings, History(past(before))).verdict == verdict


def test_nulls_are_told_as_what_is_missing():
    found = judgement("completeness", NULLS, filled(10_000, 600), History(past([98.0] * 56, failing=200)))
    assert found.reason == (
        "age_band is filled in 94 % of 10,000 rows; missing: 6 % is above 1 % to 3 %, usual on Mondays by 56 points; expected 2 %"
    )
    assert (found.value, found.threshold, found.failing, found.failing_rows) == (94.0, "as usual", "nulls in age_band", 600)


def test_the_exact_share_is_remembered_so_that_it_can_be_learned_from():
    assert judgement("completeness", NULLS, filled(3, 1)).value == pytest.approx(100 * 2 / 3)


def test_learning_begins_with_the_shares_as_they_were_and_not_as_they_were_told():
    nulls = [3 + number % 6 for number in range(40)]
    told = [judgement("completeness", {"columns": ["age_band"]}, filled(100_000, each)) for each in nulls]
    days = [NOW - (40 - number) * DAY for number in range(40)]
    history = History(tuple(Past(at, each.value, each.failing_rows) for at, each in zip(days, told, strict=True)))
    written = {"columns": ["age_band"], "learned": {"minimum_effect": 0.01}}
    found = judgement("completeness", written, filled(100_000, 5), history)
    assert found.verdict == "met", found.reason
    assert "missing: 0.005 % is within 0 % to 0.0" in found.reason
    assert judgement("completeness", written, filled(100_000, 60), history).verdict == "missed"


VALID = {"column": "id", "min": 0}
SHARES = [
    ("validity", VALID, {"rows": 12_000, "nulls": 2000}, "invalid", "id is at least 0 in 94 % of 10,000 filled rows; invalid: 6 % is"),
    ("uniqueness", {}, {"rows": 10_000}, "duplicates", "id is unique in 94 % of 10,000 rows; duplicates: 6 % is"),
    (
        "referential-consistency",
        REFERENCE,
        {"rows": 12_000, "keyless": 2000},
        "orphans",
        "id is found in customers for 94 % of 10,000 rows; not found: 6 % is",
    ),
]


@pytest.mark.parametrize(("name", "written", "readings", "failing", "reason"), SHARES, ids=lambda each: str(each)[:20])
def test_every_share_of_rows_can_be_held_against_what_was_usual(name, written, readings, failing, reason):
    history = History(past([98.0] * 56, failing=200))
    found = judgement(name, {**written, **LEARNED}, {**readings, failing: 600}, history)
    assert (found.verdict, found.threshold) == ("missed", "as usual")
    assert found.reason.startswith(f"{reason} above 1 % to 3 %")
    assert judgement(name, {**written, **LEARNED}, {**readings, failing: 200}, history).verdict == "met"
    assert judgement(name, {**written, **LEARNED, "at_least": 99}, {**readings, failing: 200}, history).verdict == "missed"
    assert judgement(name, {**written, **LEARNED}, {**readings, failing: 200}).verdict == "unknown", "it is still learning"
    nothing = judgement(name, {**written, **LEARNED}, {**dict.fromkeys(readings, 0), failing: 0}, history)
    assert (nothing.reason, nothing.threshold) == ("there are no rows, so nothing can be said", "as usual")


IMPOSSIBLE = [
    ("share", float("nan"), "nan is not a share from 0 to 1"),
    ("share", 1.5, "1.5 is not a share from 0 to 1"),
    ("count", -1.0, "-1 is not a number of rows"),
    ("bytes", 1e301, "1e+301 is not a number of bytes"),
    ("duration", float("inf"), "inf is not a number of seconds"),
    ("number", float("-inf"), "-inf is not a finite number"),
]


@pytest.mark.parametrize(("kind", "value", "why"), IMPOSSIBLE)
def test_a_number_that_cannot_be_of_its_kind_is_unknown_with_the_reason(kind, value, why):
    told = Judgement("met", "so", learn=ToLearn(kind, value, 2.8, rows=100))
    found = with_learned(told, Moment(NOW, history=ROWS))
    assert (found.verdict, found.reason) == ("unknown", f"so; {why}, so it cannot be held against what was usual")


@pytest.mark.parametrize(("kind", "value", "failing"), [("count", 1e305, None), ("share", 1e-300, 10**18), ("share", 0.5, -3)])
def test_a_past_that_cannot_be_is_no_error(kind, value, failing):
    points = points_of(kind, past([value] * 20, failing), rows=10)
    assert len(points) in (0, 20)


def test_the_share_of_a_population_is_learned_too():
    history = History(past([98.0] * 20))
    assert judgement("completeness", {**POPULATION, **LEARNED}, {"population": 10_000, "missing": 200}, history).verdict == "met"
    assert judgement("completeness", {**POPULATION, **LEARNED}, {"population": 10_000, "missing": 900}, history).verdict == "missed"


KPI = {"metric": "sum(id)", **LEARNED}
NUMBERS = [
    ("as usual", KPI, 31.5, noisy(30, 31.4, 0.5), "met"),
    ("off", KPI, 36.0, noisy(30, 31.4, 0.5), "missed"),
    ("a small rate", KPI, 0.05, noisy(30, 0.05, 0.002), "met"),
    ("a small rate that doubled", KPI, 0.1, noisy(30, 0.05, 0.002), "missed"),
    ("a loss as usual", KPI, -1000.0, noisy(30, -1000, 30), "met"),
    ("a greater loss", KPI, -2000.0, noisy(30, -1000, 30), "missed"),
    ("a gain after losses", KPI, 1000.0, noisy(30, -1000, 30), "missed"),
    ("always the same", KPI, 5.0, [5.0] * 20, "met"),
    ("no longer the same", KPI, 5.3, [5.0] * 20, "missed"),
    ("within 5 percent", KPI, 5.2, [5.0] * 20, "met"),
    ("always zero", KPI, 0.0, [0.0] * 20, "met"),
    ("no longer zero", KPI, 0.1, [0.0] * 20, "missed"),
]


@pytest.mark.parametrize(("written", "value", "before", "verdict"), [pytest.param(*case, id=name) for name, *case in NUMBERS])
def test_any_number_is_held_against_what_was_usual(written, value, before, verdict):
    assert judgement("business-kpi", written, {"value": value}, History(past(before))).verdict == verdict


CHANGE = {"metric": "sum(id)", "change_at_most": 10}
CHANGES = [
    ("first", 5, (), "met", "the value is 5; first version, so there is nothing to compare with"),
    ("as far as promised", 110, (1.0, 100.0), "met", "the value is 110; 10 % change from 100, at most 10 % promised"),
    ("too far", 110.2, (100.0,), "missed", "the value is 110.2; 10.2 % change from 100, at most 10 % promised"),
    ("too far down", 89, (100.0,), "missed", "the value is 89; -11 % change from 100, at most 10 % promised"),
    ("of a loss", -89, (-100.0,), "missed", "the value is -89; 11 % change from -100, at most 10 % promised"),
    ("from nothing", 5, (0.0,), "unknown", "the value is 5; it was 0 before, so the change has no percentage"),
    ("nothing as before", 0, (0.0,), "met", "the value is 0; 0 % change from 0, at most 10 % promised"),
]


@pytest.mark.parametrize(("value", "before", "verdict", "reason"), [pytest.param(*case, id=name) for name, *case in CHANGES])
def test_a_metric_is_compared_with_its_last_value(value, before, verdict, reason):
    found = judgement("business-kpi", CHANGE, {"value": value}, History(past(before)))
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_last_value_that_is_not_known_is_no_first_version():
    found = judgement("business-kpi", CHANGE, {"value": 5}, History(error="the ledger cannot be opened"))
    assert (found.verdict, found.reason) == ("unknown", "the value is 5; the last value is not known: the ledger cannot be opened")


def runs(seconds, size=1_000_000, last=None):
    """One whole refresh a day, the last of them an hour ago; `last` is what that one took."""
    found = [Spent(NOW - timedelta(hours=1) - (len(seconds) - number) * DAY, each, size, True) for number, each in enumerate(seconds)]
    return tuple(found) if last is None else (*found, Spent(NOW - timedelta(hours=1), last, size, True))


def duration(spent, written=LEARNED, running=None):
    refreshes = Refreshes(tuple(run.seconds for run in spent if run.whole), running)
    return judgement("duration", written, {}, subject=PLAIN, refreshes=refreshes, spent=spent)


def test_a_refresh_that_is_slower_than_usual_misses_and_a_faster_one_does_not():
    usual = noisy(30, 60, 3)
    assert duration(runs(usual, last=62.0)).verdict == "met"
    assert duration(runs(usual, last=120.0)).verdict == "missed"
    assert duration(runs(usual, last=1.0)).verdict == "met"
    assert duration(runs(usual[:10], last=62.0)).verdict == "unknown"
    assert duration(runs(usual, last=62.0), {**LEARNED, "at_most": "1m"}).verdict == "missed"


def test_a_refresh_that_goes_on_misses_once_it_has_taken_longer_than_usual():
    usual = runs(noisy(30, 60, 3))
    assert duration(usual, running=61.0).reason.startswith("the last refresh took")
    assert duration(usual, running=66.0).verdict == "met"
    found = duration(usual, running=300.0)
    assert found.verdict == "missed" and found.reason.startswith(
        "the refresh that goes on has taken 5 min; 5 min is longer than usual: up to "
    )


def test_runs_of_a_part_and_failed_ones_teach_nothing_about_durations():
    short = tuple(replace(run, seconds=1.0, whole=False, at=run.at + timedelta(hours=2)) for run in runs([1.0] * 30))
    assert duration((*short, *runs(noisy(30, 60, 3), last=61.0))).verdict == "met"


@given(st.sampled_from(KINDS), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30))
def test_points_of_every_kind_can_be_made_of_any_finite_readings(kind, values):
    points = points_of(kind, past(values), rows=10)
    if points:
        assert learns_of(kind)(points, points[-1], settings_of(kind), []).state in ("learning", "within", "outside", "unknown")


def test_a_share_is_of_as_many_rows_as_its_failing_ones_tell():
    one, other, third = points_of("share", [Past(NOW, 0.02, 40), Past(NOW + DAY, 0.0, 0), Past(NOW + 2 * DAY, 0.5, 1)])
    assert [one.rows, other.rows, third.rows] == [2000, 2000, 2]
    assert points_of("share", [Past(NOW, 0.0, 0)], rows=77)[0].rows == 77


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_current_number_never_moves_its_own_bounds(one, other):
    history = [Measured(each.at, each.value) for each in past(noisy(30, 10, 2))]
    found = [learned_number([*history, Measured(NOW, value)], Measured(NOW, value)) for value in (one, other)]
    assert (found[0].low, found[0].high) == (found[1].low, found[1].high)


def test_what_is_excluded_teaches_nothing():
    broken = (*noisy(20, 1000, 20), *[100.0] * 10)
    start, end = NOW - 10 * DAY, NOW - timedelta(hours=1)
    assert judgement("volume", LEARNED, {"rows": 1000}, History(past(broken))).verdict == "missed"
    assert judgement("volume", LEARNED, {"rows": 1000}, History(past(broken), ((start, end),))).verdict == "met"


def test_a_new_level_is_accepted_after_eight_points():
    values = [*noisy(30, 1000, 20), *noisy(8, 2000, 20, seed=2)]
    assert judgement("volume", LEARNED, {"rows": 2000}, History(past(values[:37]))).verdict == "missed"
    assert judgement("volume", LEARNED, {"rows": 2000}, History(past(values))).verdict == "met"


def test_durations_that_jump_about_have_bounds_beyond_all_times_and_words_for_them():
    values = [0.0, 710.0, 0.0, 1.0, 1.0, 1.0, 1e9, 0.0, 0.0, 1.0, 0.0, 1e9, 1e9, 0.0, 1.0, 710.0, 0.0, 0.0]
    found = learns_of("duration")(points_of("duration", past(values)), points_of("duration", past(values))[-1], settings_of("duration"), [])
    assert found.state == "within" and "is as usual: up to 2.3e+51 s" in found.reason, found
