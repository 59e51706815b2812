"""Incidents of a whole mesh: at the root, moved there, reopened, resolved, and never two for one cause."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from platform_resources.objectives.board import Board, changed, tended, with_reading
from platform_resources.objectives.incidents import acknowledged, resolved, started
from platform_resources.objectives.root_cause import causes, roots
from platform_resources.objectives.severity import severity
from platform_resources.objectives.signals import Rule
from tests.objectives.moments import DAY, HOUR, NOON

# orders and customers feed revenue; revenue feeds the report; stock stands alone.
UPSTREAM = {"orders": (), "customers": (), "revenue": ("orders", "customers"), "report": ("revenue",), "stock": ()}
RULE = Rule(cooldown=DAY, settle=6 * HOUR)

ROOTS = [
    ("report", {"report"}, ("report",)),
    ("report", {"report", "orders"}, ("orders",)),
    ("report", {"report", "revenue", "orders"}, ("orders",)),
    ("report", {"report", "revenue", "orders", "customers", "stock"}, ("customers", "orders")),
    ("orders", {"report", "revenue", "orders"}, ("orders",)),
]


@pytest.mark.parametrize(("product", "failing", "expected"), ROOTS)
def test_the_root_is_the_failing_ancestor_without_a_failing_ancestor(product, failing, expected):
    assert roots(product, UPSTREAM, failing) == expected


def test_in_a_circle_every_member_is_its_own_root_and_the_root_of_what_is_below():
    circle = {"a": ("b",), "b": ("a",), "c": ("b",)}
    assert causes(circle, "abc") == {"a": ("a",), "b": ("b",), "c": ("a", "b")}


def after(board, readings, hours, rule=RULE):
    """The board after some readings (`-orders +revenue`) at NOON + hours, tended."""
    at = NOON + hours * HOUR
    for word in readings.split():
        board = with_reading(board, word[1:], "met" if word[0] == "+" else "missed", at, rule)
    return tended(board, UPSTREAM, at, rule)


def story(*chapters, rule=RULE):
    board, told = Board(), []
    for hours, readings in chapters:
        board, events = after(board, readings, hours, rule)
        told += [f"{hours} {event.kind} {event.incident} {event.note}".strip() for event in events]
    return board, told


def test_what_fails_because_of_others_is_attached_to_theirs_and_has_no_incident_of_its_own():
    board, told = story((0, "-orders -revenue -report -stock"), (1, ""))
    assert told == ["0 opened orders#1", "0 opened stock#1", "0 attached orders#1 report", "0 attached orders#1 revenue"]
    assert [incident.cause for incident in board.live] == ["orders", "stock"]


def test_when_the_root_shows_up_later_the_incident_moves_there():
    board, told = story((0, "-report"), (1, "-revenue"), (2, "-orders"))
    assert told == [
        "0 opened report#1",
        "1 opened revenue#1",
        "1 attached revenue#1 report",
        "1 resolved report#1 moved: revenue",
        "2 opened orders#1",
        "2 attached orders#1 report",
        "2 attached orders#1 revenue",
        "2 resolved revenue#1 moved: orders",
    ]
    assert board.incidents["orders"].impacted == ("report", "revenue")


def test_with_several_roots_a_product_is_attached_to_all():
    _, told = story((0, "-report"), (1, "-orders -customers"))
    assert told[-3:] == ["1 attached customers#1 report", "1 attached orders#1 report", "1 resolved report#1 moved: customers, orders"]


def test_when_the_root_recovers_those_below_have_time_to_catch_up():
    _, told = story((0, "-orders -revenue"), (2, "+orders"), (3, "-revenue"), (5, "+revenue"))
    assert told[2:] == ["2 resolved orders#1 auto-recovered"]


def test_what_has_not_caught_up_in_time_fails_on_its_own_account():
    _, told = story((0, "-orders -revenue"), (2, "+orders"), (7, "-revenue"), (8, "-revenue"))
    assert told[2:] == ["2 resolved orders#1 auto-recovered", "8 opened revenue#1"]


def test_the_same_trouble_within_the_cooldown_reopens_the_incident_and_later_it_is_a_new_one():
    _, told = story((0, "-stock"), (1, "+stock"), (20, "-stock"), (21, "+stock"), (46, "-stock"))
    assert told == [
        "0 opened stock#1",
        "1 resolved stock#1 auto-recovered",
        "20 reopened stock#1",
        "21 resolved stock#1 auto-recovered",
        "46 opened stock#2",
    ]


def resolved_as(resolution, *chapters):
    """A failing product whose incident a person resolves after an hour, and what happens then."""
    board, _ = after(Board(), "-stock", 0)
    board, _ = changed(board, "stock", lambda incident: resolved(incident, resolution, NOON + HOUR, "ana"))
    told = []
    for hours, readings in chapters:
        board, events = after(board, readings, hours)
        told += [f"{hours} {event.kind}" for event in events]
    return told


SAID = [
    ("fixed", [(2, "")], []),
    ("fixed", [(2, ""), (3, "-stock")], ["3 reopened"]),
    ("fixed", [(3, "+stock")], []),
    ("expected", [(3, "-stock"), (90, "-stock")], []),
    ("false positive", [(3, "-stock"), (4, "+stock"), (5, "-stock")], ["5 reopened"]),
    ("no action", [(3, "+stock"), (90, "-stock")], ["90 opened"]),
]


@pytest.mark.parametrize(("resolution", "chapters", "told"), SAID)
def test_what_a_person_has_resolved_comes_back_only_with_new_trouble(resolution, chapters, told):
    assert resolved_as(resolution, *chapters) == told


def test_what_a_person_called_expected_still_explains_what_fails_below():
    board, _ = after(Board(), "-orders", 0)
    board, _ = changed(board, "orders", lambda incident: resolved(incident, "expected", NOON, "ana"))
    board, events = after(board, "-revenue", 1)
    assert [(event.kind, event.note) for event in events] == [("attached", "revenue")]
    assert after(board, "+orders", 2)[1] == ()


def test_nothing_is_known_of_a_cause_that_never_had_an_incident():
    with pytest.raises(KeyError):
        changed(Board(), "stock", lambda incident: acknowledged(incident, NOON, "ana"))


SEVERITIES = [
    (("low",), {}, "low"),
    (("medium",), {}, "medium"),
    (("low", ["high"]), {}, "high"),
    (("low", ["low"] * 4), {}, "low"),
    (("low", ["low"] * 4), {"consumers": 1}, "medium"),
    (("medium",), {"budget_consumed": 0.99}, "medium"),
    (("medium",), {"budget_consumed": 1.0}, "high"),
    (("high", ["high"] * 9), {"budget_consumed": 3.0, "consumers": 7}, "critical"),
]


@pytest.mark.parametrize(("given", "more", "expected"), SEVERITIES)
def test_severity_follows_from_who_depends_on_it_and_the_budget(given, more, expected):
    assert severity(*given, **more) == expected


products = st.sampled_from(sorted(UPSTREAM))


class IncidentMachine(RuleBasedStateMachine):
    """Readings, people, and time in any order, a clock that goes back included."""

    def __init__(self):
        super().__init__()
        self.board, self.at, self.rule, self.open = Board(), NOON, Rule(bad=2, of=3, good=2, cooldown=5 * HOUR, settle=3 * HOUR), {}

    def told(self, events):
        """Every opening is of a cause without an open incident; every end is of one that has it."""
        for event in events:
            cause = event.incident.split("#")[0]
            if event.kind in ("opened", "reopened"):
                assert cause not in self.open, event
                self.open[cause] = event.incident
            elif event.kind == "resolved":
                assert self.open.pop(cause) == event.incident
            elif event.kind != "attached":
                assert self.open[cause] == event.incident

    @rule(product=products, verdict=st.sampled_from(["met", "missed", "missed", "unknown"]), minutes=st.integers(-30, 240))
    def reads(self, product, verdict, minutes):
        self.at += timedelta(minutes=minutes)
        self.board = with_reading(self.board, product, verdict, self.at, self.rule)

    @rule()
    def tends(self):
        before = self.board
        self.board, events = tended(self.board, UPSTREAM, self.at, self.rule)
        self.told(events)
        assert self.board.signals == before.signals
        assert tended(self.board, UPSTREAM, self.at, self.rule) == (self.board, ())
        for product, found in causes(UPSTREAM, self.board.failing).items():
            own = self.board.incidents.get(product)
            if found != (product,) and any(root in self.board.incidents for root in found):
                assert own is None or not own.live
                assert all(product in self.board.incidents[root].impacted for root in found if root in self.board.incidents)
        assert all(incident.cause in self.board.failing for incident in self.board.live)

    @rule(product=products, act=st.sampled_from(["acknowledge", "start", "fixed", "expected"]))
    def acts(self, product, act):
        if product in self.open:
            person = {"acknowledge": acknowledged, "start": started}.get(act)
            if act == "acknowledge" and self.board.incidents[product].status != "open":
                return
            if act == "start" and self.board.incidents[product].status == "in progress":
                return
            do = (lambda i: person(i, self.at, "ana")) if person else (lambda i: resolved(i, act, self.at, "ana"))
            self.board, events = changed(self.board, product, do)
            self.told(events)

    @invariant()
    def live_incidents_are_those_told_of(self):
        assert {incident.cause: incident.name for incident in self.board.live} == self.open


TestNeverTwoIncidentsForOneCause = IncidentMachine.TestCase
TestNeverTwoIncidentsForOneCause.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
