"""Times to detect, respond and fix, with those that still wait."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.incidents.life_cycle import acknowledged, moved, opened, resolved
from platform_resources.incidents.response_times import HALF, NINE_TENTHS, Lasted, Times, quantile, response
from tests.promises.moments import HOUR, NOON


def lasted(text):
    """`1 2 3+`: hours; + has not ended."""
    return [Lasted(int(word.rstrip("+")) * HOUR, not word.endswith("+")) for word in text.split()]


# The last is the 6-MP arm of Freireich et al. 1963, the textbook example of the estimator, whose published median is 23 weeks.
LEUKAEMIA = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
QUANTILES = [
    ("", None, None),
    ("3", 3, 3),
    ("3+", None, None),
    ("1 2 3 4", 2, 4),
    ("1 2 3 4 5 6 7 8 9 10", 5, 9),
    ("1 2 9+", 2, None),
    ("1 9+ 9+", None, None),
    ("5+ 1 2 3", 2, None),
    ("1+ 1+ 2 3", 2, 3),
    (LEUKAEMIA, 23, None),
]


@pytest.mark.parametrize(("text", "median", "p90"), QUANTILES)
def test_quantiles_count_those_that_have_not_ended(text, median, p90):
    found = [quantile(lasted(text), share) for share in (HALF, NINE_TENTHS)]
    assert [None if time is None else time / HOUR for time in found] == [median, p90]


def incident(hours, seen=None, ended=None, resolution="fixed", began=1):
    found, _ = opened("orders", NOON + (hours - began) * HOUR, NOON + hours * HOUR)
    if seen is not None:
        found, _ = acknowledged(found, found.opened_at + seen * HOUR, "ana")
    if ended is not None:
        found, _ = resolved(found, resolution, found.opened_at + ended * HOUR)
    return found


def test_response_times_of_open_acknowledged_and_resolved_incidents():
    found = response(
        [
            incident(0, seen=1, ended=5),
            incident(10, seen=3, ended=4, began=3),
            incident(20, ended=2, resolution="auto-recovered"),
            incident(30, seen=2),
            incident(36),
            incident(50, seen=1, ended=1, resolution="false positive"),
        ],
        NOON + 40 * HOUR,
    )
    assert found.detect == Times(HOUR, 3 * HOUR, 6, 0)
    assert found.respond == Times(2 * HOUR, None, 6, 2)
    assert found.fix == Times(5 * HOUR, None, 5, 2)
    assert found.acknowledged == pytest.approx(4 / 6)


def test_a_moved_incident_counts_where_it_went_only():
    gone, _ = moved(incident(0), ["users"], NOON + HOUR)
    assert response([gone], NOON) == response([], NOON)
    assert response([], NOON).acknowledged is None


def test_an_open_incident_after_the_clock_went_back_has_waited_no_time():
    assert response([incident(5)], NOON).fix == Times(None, None, 1, 1)


spans = st.lists(st.builds(Lasted, st.timedeltas(timedelta(), timedelta(days=9)), st.booleans()), max_size=15)


@given(spans, st.integers(0, 14))
def test_leaving_one_open_never_makes_a_team_look_faster(found, at):
    if at < len(found):
        waiting = [*found[:at], Lasted(found[at].time, ended=False), *found[at + 1 :]]
        closed, opened_ = (quantile(some, HALF) for some in (found, waiting))
        assert opened_ is None or (closed is not None and opened_ >= closed)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.sampled_from([HALF, NINE_TENTHS]))
def test_without_open_ones_it_is_the_plain_quantile(hours, share):
    plain = sorted(hours)[-(-len(hours) * share.numerator // share.denominator) - 1]
    assert quantile([Lasted(h * HOUR) for h in hours], Fraction(share)) == plain * HOUR
