"""Laws of incidents: never two for one cause, none lost, none for what was accepted, whatever happens in which order."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from platform_resources.incidents.board import Board, changed, tended, watching, with_reading
from platform_resources.incidents.life_cycle import NO_TROUBLE, acknowledged, reopened, resolved, started
from platform_resources.incidents.root_cause import causes
from platform_resources.plan.incident_rules import Rule
from tests.promises.moments import HOUR, NOON, few

# orders and customers feed revenue; revenue feeds the report; stock stands alone.
UPSTREAM = {"orders": (), "customers": (), "revenue": ("orders", "customers"), "report": ("revenue",), "stock": ()}
products, checks = st.sampled_from(sorted(UPSTREAM)), st.sampled_from(["fresh", "nulls"])
both = st.tuples(products, checks)


@st.composite
def mornings_and_evenings(draw):
    """Readings of a morning and of an evening, at most one of each check, and the evening's in another order."""
    morning, evening = (draw(st.dictionaries(both, st.sampled_from(["met", "missed"]))) for _ in range(2))
    return morning, evening, dict(draw(st.permutations(sorted(evening.items()))))


@few
@given(mornings_and_evenings(), products)
def test_the_order_of_readings_at_one_time_does_not_matter(days, accepted):
    morning, evening, shuffled = days

    def board_after(*readings):
        board, told = Board(), []
        for hour, some in enumerate(readings):
            for (product, check), verdict in some.items():
                board = with_reading(board, product, check, verdict, NOON + hour * HOUR, Rule())
            board, events = tended(board, UPSTREAM, NOON + hour * HOUR, lambda _: Rule())
            told += events
            if hour == 0 and accepted in board.incidents:
                board, _ = changed(board, accepted, lambda incident: resolved(incident, "expected", NOON, "ana"))
        return board, told

    assert board_after(morning, evening) == board_after(morning, shuffled)


class IncidentMachine(RuleBasedStateMachine):
    """Readings, people, and time in any order, a clock that goes back and checks that nobody watches any more included."""

    def __init__(self):
        super().__init__()
        self.board, self.at, self.open, self.accepted = Board(), NOON, {}, set()
        self.rule = Rule()

    @initialize(numbers=st.sampled_from([(1, 1, 1), (2, 3, 2)]))
    def begins(self, numbers):
        self.rule = Rule(*numbers, cooldown=5 * HOUR, settle=3 * HOUR)

    def tended(self):
        return tended(self.board, UPSTREAM, self.at, lambda _: self.rule)

    def told(self, events):
        """Every opening is of a cause without an open incident; every end is of one that has it."""
        for event in events:
            cause = event.incident.split("#")[0]
            if event.kind in ("opened", "reopened"):
                assert cause not in self.open, event
                self.open[cause] = event.incident
            elif event.kind == "resolved":
                assert self.open.pop(cause) == event.incident
            elif event.kind == "noticed":
                assert self.open[cause] == event.incident
                assert (cause, event.note) not in self.accepted
                assert event.note in self.board.incidents[cause].checks
            elif event.kind != "attached":
                assert self.open[cause] == event.incident

    def unexplained(self):
        """The failing products of which nobody is told: no live incident, no root that has an incident."""
        for product, found in causes(UPSTREAM, self.board.failing).items():
            own = self.board.incidents.get(product)
            if not (own is not None and own.live) and not (found != (product,) and any(root in self.board.incidents for root in found)):
                yield product, own

    @rule(both=both, verdict=st.sampled_from(["met", "missed", "missed", "unknown"]), minutes=st.integers(-30, 240))
    def reads(self, both, verdict, minutes):
        self.at += timedelta(minutes=minutes)
        self.board = with_reading(self.board, *both, verdict, self.at, self.rule)
        if not self.board.signals[both].failing:
            self.accepted.discard(both)

    @rule(product=products, watched=st.sets(checks))
    def watches(self, product, watched):
        self.board = watching(self.board, {product: watched})
        self.accepted -= {(one, check) for one, check in self.accepted if one == product and check not in watched}

    @rule()
    def tends(self):
        before = self.board
        self.board, events = self.tended()
        self.told(events)
        assert self.board.signals == before.signals
        assert self.tended() == (self.board, ())
        for event in events:
            if event.kind == "opened":
                product = event.incident.split("#")[0]
                opening = self.board.failing_checks(product)
                assert opening
                assert self.board.incidents[product].checks == opening
                assert not {(product, check) for check in opening} & self.accepted

    @rule()
    def is_at_the_root(self):
        self.tends()
        for product, found in causes(UPSTREAM, self.board.failing).items():
            own = self.board.incidents.get(product)
            if found != (product,) and any(root in self.board.incidents for root in found):
                assert own is None or not own.live
                assert all(product in self.board.incidents[root].impacted for root in found if root in self.board.incidents)

    @rule()
    def is_live_with_a_failing_check_only(self):
        self.tends()
        for incident in self.board.live:
            failing = set(self.board.failing_checks(incident.cause))
            assert failing
            assert failing <= set(incident.checks)

    @rule()
    def loses_no_failure(self):
        """Whatever fails is told of, once those who may be catching up have had their time; only what was called fixed waits for a reading."""
        self.at = max([self.at, *(signal.last_at for signal in self.board.signals.values() if signal.last_at)]) + self.rule.settle
        self.tends()
        for product, own in self.unexplained():
            assert own.resolution == "fixed"
            assert set(self.board.failing_checks(product)) <= set(own.checks)

    @rule(product=products, act=st.sampled_from(["acknowledge", "start", "fixed", *NO_TROUBLE]))
    def acts(self, product, act):
        if product in self.open:
            person = {"acknowledge": acknowledged, "start": started}.get(act)
            if act == "acknowledge" and self.board.incidents[product].status != "open":
                return
            if act == "start" and self.board.incidents[product].status == "in progress":
                return
            do = (lambda i: person(i, self.at, "ana")) if person else (lambda i: resolved(i, act, self.at, "ana"))
            if act in NO_TROUBLE:
                failing = {(product, check) for check in self.board.failing_checks(product)}
                self.accepted |= failing & {(product, check) for check in self.board.incidents[product].checks}
            self.board, events = changed(self.board, product, do)
            self.told(events)

    @rule(product=products)
    def has_second_thoughts(self, product):
        incident = self.board.incidents.get(product)
        if incident is not None and not incident.live and not incident.moved_to:
            self.accepted -= {(product, check) for check in incident.checks}
            self.board, events = changed(self.board, product, lambda i: reopened(i, self.at, "ana"))
            self.told(events)

    @rule(product=products, resolution=st.sampled_from(["fixed", *NO_TROUBLE]))
    def is_resolved_again_in_another_way(self, product, resolution):
        incident = self.board.incidents.get(product)
        if incident is None or incident.live or incident.resolution in ("moved", resolution):
            return
        failing = {(product, check) for check in incident.checks if self.failing((product, check))}
        self.accepted = self.accepted | failing if resolution in NO_TROUBLE else self.accepted - failing
        self.board, (event,) = changed(self.board, product, lambda i: resolved(i, resolution, self.at, "ana"))
        assert (event.kind, event.incident) == ("resolved", incident.name)

    def failing(self, both):
        return both in self.board.signals and self.board.signals[both].failing

    @invariant()
    def live_incidents_are_those_told_of(self):
        assert {incident.cause: incident.name for incident in self.board.live} == self.open

    @invariant()
    def only_what_people_accepted_is_accepted(self):
        assert {key for key, signal in self.board.signals.items() if signal.accepted} == self.accepted


TestNeverTwoIncidentsForOneCause = IncidentMachine.TestCase
TestNeverTwoIncidentsForOneCause.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
