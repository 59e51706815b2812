"""Who misses which deadline if an input stays late."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from platform_resources.plan.graph import ProductGraph
from platform_resources.promises.forecast import LateInput, NextPromise, impacts
from tests.promises.moments import DAY, HOUR, MIDNIGHT, NOON

# orders feed revenue directly and through baskets; the report reads revenue.
GRAPH = ProductGraph({"orders": (), "baskets": ("orders",), "revenue": ("orders", "baskets"), "report": ("revenue",), "stock": ()})
PROMISES = {
    "orders": NextPromise(MIDNIGHT + DAY, DAY, HOUR),
    "baskets": NextPromise(None, usual_refresh=2 * HOUR),
    "revenue": NextPromise(MIDNIGHT + 19 * HOUR, DAY, HOUR, ("Sales dashboard",)),
    "report": NextPromise(MIDNIGHT + 16 * HOUR, 12 * HOUR, 3 * HOUR),
    "stock": NextPromise(MIDNIGHT, DAY, HOUR),
}
LATE = LateInput("orders", MIDNIGHT - 12 * HOUR)


def told(late, now=NOON):
    found = impacts(late, GRAPH, PROMISES, now)
    return [(one.product, (one.deadline - MIDNIGHT) / HOUR, (one.needed_by - MIDNIGHT) / HOUR, one.certain) for one in found]


def test_the_longest_way_decides_by_when_the_input_must_arrive():
    assert told(LATE) == [("report", 16, 9, True), ("revenue", 19, 15, False), ("orders", 24, 23, False)]
    assert impacts(LATE, GRAPH, PROMISES, NOON)[0].via == ("orders", "baskets", "revenue", "report")
    assert impacts(LATE, GRAPH, PROMISES, NOON)[1].consumers == ("Sales dashboard",)


def test_what_arrives_in_time_for_a_deadline_does_not_break_it():
    assert told(LateInput("orders", LATE.known_until, MIDNIGHT + 15 * HOUR)) == [("report", 16, 9, True)]
    assert told(LateInput("orders", LATE.known_until, MIDNIGHT + 9 * HOUR)) == []


def test_a_deadline_is_not_at_risk_where_what_is_there_is_newer_than_what_was_published():
    """Revenue is published as of 19:00 of the day before: what is as of that very moment would bring it nothing."""
    same = MIDNIGHT - 5 * HOUR
    assert told(LateInput("orders", same)) == [("report", 16, 9, True), ("revenue", 19, 15, False), ("orders", 24, 23, False)]
    assert told(LateInput("orders", same + timedelta(seconds=1))) == [("report", 16, 9, True), ("orders", 24, 23, False)]


def test_products_without_a_promise_are_passed_through_and_others_are_not_touched():
    assert told(LateInput("baskets", LATE.known_until)) == [("report", 16, 10, True), ("revenue", 19, 16, False)]


def test_a_circle_does_no_harm():
    circle = {"a": ("c",), "b": ("a",), "c": ("b",)}
    promises = {name: NextPromise(NOON, timedelta(), HOUR) for name in "abc"}
    assert {one.product for one in impacts(LateInput("a", MIDNIGHT), ProductGraph(circle), promises, NOON)} == {"a", "b", "c"}


@given(st.timedeltas(timedelta(), 2 * DAY), st.timedeltas(timedelta(), 2 * DAY))
def test_arriving_later_never_breaks_fewer_promises(one, other):
    early, late = (
        impacts(LateInput("orders", LATE.known_until, MIDNIGHT + after), GRAPH, PROMISES, NOON) for after in sorted((one, other))
    )
    assert set(early) <= set(late)
