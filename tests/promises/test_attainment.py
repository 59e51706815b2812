"""Attainment, error budget and its alerts."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.attainment import Budget, attainment, budget_alerts, exact
from platform_resources.promises.slices import Share
from platform_resources.spec.indicators import ServiceLevelIndicator
from tests.promises.moments import DAY, LONG_AGO, all_states, few, methods, shares, slices, targets

ATTAINED = [
    ("gggggggggggggggggbbb", 80, "met", 85.0),
    ("ggggggggggggggggbbbbp", 80, "met", 80.0),
    ("gggggggggggggggbbbbb", 80, "missed", 75.0),
    ("", 80, "no data", None),
    ("eeep", 80, "no data", None),
    ("uuuu", 80, "no data", None),
    ("gbeee", 80, "missed", 50.0),
    ("guu", 80, "insufficient data", 100.0),
    ("gu", 80, "met", 100.0),
    ("mmm", 80, "insufficient data", 0.0),
    ("gggmb", 50, "met", 60.0),
    ("gb", None, "no target", 50.0),
    ("gggb", 100, "missed", 75.0),
    ("b", 0, "met", 0.0),
]


@pytest.mark.parametrize(("written", "target", "state", "percent"), ATTAINED)
def test_attainment_is_good_of_good_and_bad(written, target, state, percent):
    found = attainment(slices(written), target)
    assert (found.state, found.percent) == (state, percent)


def test_what_was_measured_is_always_told_and_excluded_and_pending_slices_are_in_no_total():
    found = attainment(slices("ggbmuuep"), 90)
    counts = (found.good, found.bad, found.unknown, found.excluded, found.pending, found.known, found.total)
    assert counts == (2, 2, 2, 1, 1, 3, 6)
    assert found.next_deadline == LONG_AGO + 8 * DAY


HOURS = [shares(100), shares(98), shares(50), None, shares(0, 300)]
METHODS = [
    ("timeslices", None, 40.0),
    ("ratio-timeslices", 98, 60.0),
    ("ratio-timeslices", 98.1, 40.0),
    ("ratio-timeslices", None, 69.6),
    ("occurrences", None, 100 * 248 / 600),
]


@pytest.mark.parametrize(("method", "slice_target", "percent"), METHODS)
def test_the_budgeting_methods_weigh_slices_good_shares_or_events(method, slice_target, percent):
    assert attainment(slices("gbbgb", shares=HOURS), 90, method, slice_target).percent == pytest.approx(percent)


def test_among_occurrences_an_unmeasured_slice_counts_as_bad_with_as_many_events_as_the_others_have():
    assert attainment(slices("ggm", shares=[shares(30, 30), shares(10, 10)]), 90, "occurrences").percent == pytest.approx(100 * 40 / 60)


def test_the_error_budget_is_what_the_target_leaves_of_the_valid_slices():
    assert attainment(slices("g" * 18 + "bb" + "ue"), 80).budget == Budget(4.0, 2.0, 2.0)
    assert attainment(slices("g" * 5 + "bb"), 80).budget == Budget(pytest.approx(1.4), 2.0, pytest.approx(-0.6))
    assert attainment(slices("uu"), 80).budget is None


ALERTS = [
    (4, 0, ()),
    (4, 1, ()),
    (4, 2, (50,)),
    (4, 3, (50, 75)),
    (4, 4, (50, 75, 100)),
    (4, 9, (50, 75, 100)),
    (0, 1, (50, 75, 100)),
    (0, 0, ()),
]


@pytest.mark.parametrize(("total", "spent", "levels"), ALERTS)
def test_consumed_budget_alerts_at_half_three_quarters_and_all_of_it(total, spent, levels):
    assert budget_alerts(Budget(total, spent, total - spent)) == levels


def test_targets_are_the_decimals_that_are_written():
    assert exact(99.9) == Fraction(999, 1000)
    assert attainment(slices("g" * 999 + "b"), 99.9).state == "met"


def test_a_hundred_percent_is_shown_only_if_nothing_was_bad():
    found = attainment(slices("b", shares=[Share(10**18 - 1, 10**18)]), 99, "occurrences")
    assert found.percent < 100


ALLOWED = [(80, 20, 4), (95, 20, 1), (99.9, 20, Fraction(2, 100)), (99.9, 1000, 1), (100, 20, 0), (None, 20, None)]


@pytest.mark.parametrize(("target", "days", "allowed"), ALLOWED)
def test_a_budget_under_one_interval_is_worth_a_warning(target, days, allowed):
    indicator = ServiceLevelIndicator(service_level_name="Refreshed daily", window=days * DAY, target=target)
    assert indicator.allowed_bad_intervals == allowed
    assert bool(indicator.budget_warning) == (allowed is not None and allowed < 1)


@few
@given(all_states, targets, methods, st.none() | targets)
def test_no_data_never_gives_a_hundred_percent(written, target, method, slice_target):
    found = attainment(slices(written.replace("g", "u")), target, method, slice_target)
    assert found.percent in (None, 0.0)
    assert (found.state == "no data") == (found.percent is None)


@few
@given(all_states.filter(bool), targets, st.data())
def test_the_consumed_budget_never_falls_when_a_slice_turns_bad(written, target, data):
    at = data.draw(st.integers(0, len(written) - 1))
    before, after = (attainment(slices(text), target).budget for text in (written, written[:at] + "b" + written[at + 1 :]))
    assert before is None or after.consumed >= before.consumed or math.isclose(after.consumed, before.consumed)


@few
@given(all_states, targets, methods)
def test_what_is_left_of_the_budget_tells_whether_the_target_is_met(written, target, method):
    found = attainment(slices(written, shares=[Share(i % 7, 7) for i in range(40)]), target, method)
    if found.state in ("met", "missed"):
        assert (found.budget.left >= 0) == (found.state == "met")


@few
@given(all_states, targets, methods, st.randoms(use_true_random=False))
def test_the_order_of_slices_changes_nothing(written, target, method, random):
    found = slices(written)
    shuffled = random.sample(found, len(found))
    assert attainment(found, target, method) == attainment(shuffled, target, method)
