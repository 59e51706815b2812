"""The dimension `duration`: refreshes against a bound, and against those before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from platform_resources.capabilities.judgements import Moment, Refreshes
from platform_resources.promises.judgement import judged
from tests.capabilities.customers import NOW, PLAIN, configured, dimension

BOUND, USUAL = {"at_most": "10m"}, {"slower_than_usual": 2}
STEADY = (60.0,) * 14


def judgement(written, seconds=(), running=None):
    moment = Moment(NOW, refreshes=Refreshes(tuple(seconds), running))
    return judged(dimension("duration"), configured("duration", written), {}, PLAIN, moment)


CASES = [
    ("nothing yet", BOUND, (), None, "unknown", "no refresh has ended well yet"),
    ("in time", BOUND, (600,), None, "met", "the last refresh took 10 min; at most 10m promised"),
    ("hardly too long", BOUND, (600.2,), None, "missed", "the last refresh took 10 min 1 s; at most 10m promised"),
    ("only the last counts", BOUND, (9000, 5.04), None, "met", "the last refresh took 5.1 s; at most 10m promised"),
    ("one goes on", BOUND, (5,), 599, "met", "the last refresh took 5 s; at most 10m promised"),
    ("one goes on too long", BOUND, (5,), 7500, "missed", "the refresh that goes on has taken 2 h 5 min; at most 10m promised"),
    ("the first goes on too long", BOUND, (), 601, "missed", "the refresh that goes on has taken 10 min 1 s; at most 10m promised"),
    ("the first goes on", BOUND, (), 599, "unknown", "no refresh has ended well yet"),
    (
        "learning",
        USUAL,
        (60,) * 14,
        None,
        "unknown",
        "the last refresh took 1 min; learning what is usual: 13 of 14 refreshes before it",
    ),
    (
        "as usual",
        USUAL,
        (*STEADY, 120),
        None,
        "met",
        "the last refresh took 2 min; at most 2 times the usual 1 min promised",
    ),
    (
        "slower than usual",
        USUAL,
        (*STEADY, 121),
        None,
        "missed",
        "the last refresh took 2 min 1 s; at most 2 times the usual 1 min promised",
    ),
    (
        "what goes on is slower than usual",
        USUAL,
        STEADY,
        121,
        "missed",
        "the refresh that goes on has taken 2 min 1 s; at most 2 times the usual 1 min promised",
    ),
    (
        "a bound that is kept does not make up for what is not known",
        {**BOUND, **USUAL},
        (60,),
        None,
        "unknown",
        "the last refresh took 1 min; learning what is usual: 0 of 14 refreshes before it",
    ),
    (
        "a bound that is broken is known at once",
        {**BOUND, **USUAL},
        (601,),
        None,
        "missed",
        "the last refresh took 10 min 1 s; at most 10m promised",
    ),
]


@pytest.mark.parametrize(("written", "seconds", "running", "verdict", "reason"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_a_refresh_is_judged_by_its_duration(written, seconds, running, verdict, reason):
    found = judgement(written, seconds, running)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_only_so_many_refreshes_make_what_is_usual():
    slow_long_ago = (*(600.0,) * 30, *STEADY, 121.0)
    assert judgement({**USUAL, "runs": 14}, slow_long_ago).verdict == "missed"
    assert judgement({**USUAL, "runs": 40}, slow_long_ago).verdict == "met"


def test_one_odd_refresh_does_not_move_what_is_usual():
    assert judgement(USUAL, (*STEADY[:7], 10_000, *STEADY[7:], 121)).verdict == "missed"


@given(st.lists(st.floats(0, 10_000), max_size=14), st.none() | st.floats(0, 10_000))
def test_nothing_is_as_usual_without_enough_history(seconds, running):
    assert judgement({**USUAL, "at_most": "4h"}, seconds, running).verdict != "met"


@pytest.mark.parametrize("written", [{}, {"at_most": "10m", "runs": 20}, {"slower_than_usual": 1}, {"slower_than_usual": 2, "runs": 13}])
def test_a_promise_about_nothing_is_refused(written):
    with pytest.raises(ValidationError):
        configured("duration", written)
