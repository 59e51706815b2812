"""Burn rates: the published factors, which policies can fire, and what fires."""

from datetime import timedelta
from fractions import Fraction

import pytest

from platform_resources.promises.burn import POLICIES, burn_alerts, burn_rate, can_fire
from platform_resources.promises.slices import Window
from tests.promises.moments import DAY, HOUR, slices

PUBLISHED = [(30, (14.4, 6, 3, 1)), (28, (13.44, 5.6, 2.8, 0.9333))]
MINUTES = Window(30 * DAY, timedelta(minutes=5))


@pytest.mark.parametrize(("days", "factors"), PUBLISHED)
def test_the_published_factors_come_out(days, factors):
    assert [round(float(policy.factor(days * DAY)), 4) for policy in POLICIES] == list(factors)


def test_the_factors_are_exact():
    assert [policy.factor(30 * DAY) for policy in POLICIES] == [Fraction(72, 5), 6, 3, 1]
    assert [policy.factor(28 * DAY) for policy in POLICIES] == [Fraction(336, 25), Fraction(28, 5), Fraction(14, 5), Fraction(14, 15)]


def test_the_short_window_is_a_twelfth_of_the_long_one():
    assert [(policy.long / HOUR, policy.short / HOUR) for policy in POLICIES] == [(1, 1 / 12), (6, 0.5), (24, 2), (72, 6)]


FIRING = [
    (timedelta(minutes=5), 99.9, (1, 6, 24, 72)),
    (timedelta(minutes=15), 99.9, (6, 24, 72)),
    (HOUR, 99.9, (24, 72)),
    (6 * HOUR, 99.9, (72,)),
    (12 * HOUR, 99.9, ()),
    (DAY, 99.9, ()),
    (timedelta(minutes=5), 90, (6, 24, 72)),  # a burn rate of 14.4 would need 144 % bad
    (timedelta(minutes=5), 50, (72,)),
    (timedelta(minutes=5), 0, ()),
]


@pytest.mark.parametrize(("interval", "target", "hours"), FIRING)
def test_a_policy_is_used_only_where_it_can_fire(interval, target, hours):
    window = Window(30 * DAY, interval)
    assert tuple(policy.long / HOUR for policy in POLICIES if can_fire(policy, window, target)) == hours


def test_the_burn_rate_is_the_bad_share_over_what_the_target_leaves():
    assert burn_rate(slices("g" * 985 + "b" * 15), 99.5) == 3
    assert (burn_rate(slices("uuee"), 99), burn_rate(slices("b"), 100)) == (None, None)


BURNS = [
    ("all is well", "g" * 900, ()),
    ("an hour down, and still", "g" * 890 + "b" * 12, (1, 6, 24, 72)),
    ("a quarter of an hour down, and still", "g" * 899 + "b" * 3, (1, 6, 24, 72)),
    ("an hour down, over for 40 minutes", "g" * 890 + "b" * 12 + "g" * 8, (24, 72)),
    ("an hour down, over for a day", "g" * 600 + "b" * 12 + "g" * 300, ()),
    ("one bad of five minutes, a minute ago", "g" * 899 + "bp", (1, 6, 24, 72)),
    ("not measured", "g" * 800 + "u" * 100, ()),
    ("no history", "p", ()),
]


@pytest.mark.parametrize(("written", "hours"), [pytest.param(*case, id=name) for name, *case in BURNS])
def test_an_alert_fires_while_both_of_its_windows_burn(written, hours):
    found = burn_alerts(slices(written, timedelta(minutes=5)), MINUTES, 99.9)
    assert tuple(alert.policy.long / HOUR for alert in found if alert.fires) == hours


def test_a_window_without_a_valid_slice_has_no_rate_and_fires_nothing():
    found = burn_alerts(slices("b" * 288 + "u" * 73, timedelta(minutes=5)), MINUTES, 99.9)
    assert [(alert.long_rate is None, alert.short_rate is None, alert.fires) for alert in found] == [
        (True, True, False),
        (True, True, False),
        (False, True, False),
        (False, True, False),
    ]
