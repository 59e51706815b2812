"""One incident's transitions, and when something counts as failing."""

from datetime import timedelta

import pytest

from platform_resources.objectives.incidents import IllegalTransition, acknowledged, attached, moved, opened, reopened, resolved, started
from platform_resources.objectives.signals import Rule, Signal, heard
from tests.objectives.moments import DAY, HOUR, NOON


def new():
    return opened("orders", NOON - HOUR, NOON)[0]


def done(incident, *acts):
    for act in acts:
        incident, _ = act(incident)
    return incident


def seen(incident):
    return acknowledged(incident, NOON + HOUR, "ana")


def begun(incident):
    return started(incident, NOON + 2 * HOUR, "ana")


def fixed(incident):
    return resolved(incident, "fixed", NOON + 3 * HOUR, "ana", "the disk was full")


def again(incident):
    return reopened(incident, NOON + 4 * HOUR)


def test_an_incident_from_its_opening_to_its_end():
    incident = done(new(), seen, begun, fixed)
    assert (incident.status, incident.resolution, incident.live) == ("resolved", "fixed", False)
    times = (incident.began_at, incident.opened_at, incident.acknowledged_at, incident.started_at, incident.resolved_at)
    assert [(time - NOON) / HOUR for time in times] == [-1, 0, 1, 2, 3]


def test_every_transition_tells_what_happened():
    incident, told = new(), []
    for act in (seen, begun, fixed, again):
        incident, events = act(incident)
        told += [(event.incident, event.kind, event.by, event.note) for event in events]
    assert told == [
        ("orders#1", "acknowledged", "ana", ""),
        ("orders#1", "started", "ana", ""),
        ("orders#1", "resolved", "ana", "fixed: the disk was full"),
        ("orders#1", "reopened", "platform", ""),
    ]


def test_working_on_it_acknowledges_it():
    assert done(new(), begun).acknowledged_at == NOON + 2 * HOUR


def test_a_reopened_incident_has_to_be_acknowledged_again():
    incident = done(new(), seen, fixed, again)
    assert (incident.status, incident.acknowledged_at, incident.resolved_at, incident.reopened) == ("open", None, None, 1)


ILLEGAL = [
    ([seen], seen, "orders#1 is acknowledged since 2026-06-15 13:00 UTC and cannot be acknowledged; only an incident that is open can"),
    ([begun], begun, "orders#1 is in progress since 2026-06-15 14:00 UTC and cannot be started; only an incident that is open, acknowledged can"),
    ([fixed], seen, "orders#1 is resolved as fixed since 2026-06-15 15:00 UTC and cannot be acknowledged; only an incident that is open can"),
    ([fixed], fixed, "orders#1 is resolved as fixed since 2026-06-15 15:00 UTC and cannot be resolved; "
     "only an incident that is open, acknowledged, in progress can"),
    ([], again, "orders#1 is open since 2026-06-15 12:00 UTC and cannot be reopened; only an incident that is resolved can"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "act", "message"), ILLEGAL)
def test_what_does_not_fit_the_state_is_refused_in_clear_words(before, act, message):
    with pytest.raises(IllegalTransition) as refused:
        act(done(new(), *before))
    assert str(refused.value) == message


def test_a_clock_that_goes_back_does_not_turn_the_order_of_events():
    incident = resolved(done(new(), seen), "fixed", NOON - DAY)[0]
    assert incident.resolved_at == NOON + HOUR


def test_trouble_cannot_begin_after_it_was_noticed():
    assert opened("orders", NOON + HOUR, NOON)[0].began_at == NOON


def test_products_are_attached_once():
    incident, events = attached(new(), ["revenue", "customers", "orders"], NOON)
    assert (incident.impacted, [event.note for event in events]) == (("customers", "revenue"), ["customers", "revenue"])
    assert attached(incident, ["revenue"], NOON) == (incident, ())


def test_a_moved_incident_says_where_it_went():
    incident, (event,) = moved(new(), ["users", "orders_raw"], NOON)
    assert (incident.resolution, incident.moved_to, event.note) == ("moved", ("orders_raw", "users"), "moved: orders_raw, users")


SIGNALS = [
    (Rule(), "-", "!"),
    (Rule(), "+-+-", ".!.!"),
    (Rule(bad=2, of=3), "-+-+-", "..!.."),
    (Rule(bad=2, of=3), "-++-", "...."),
    (Rule(bad=3, of=5, good=2), "-+-+-+-++-", "....!!!!.."),
    (Rule(bad=1, of=1, good=3), "-++-+++", "!!!!!!."),
    (Rule(), "-???+", "!!!!."),
    (Rule(bad=2, of=2), "-?-", "..!"),
]
WORDS = {"+": "met", "-": "missed", "?": "unknown"}


@pytest.mark.parametrize(("rule", "verdicts", "expected"), SIGNALS)
def test_failing_begins_after_n_of_m_bad_and_ends_after_k_good(rule, verdicts, expected):
    signal, found = Signal(), ""
    for at, letter in enumerate(verdicts):
        signal = heard(signal, WORDS[letter], NOON + at * HOUR, rule)
        found += "!" if signal.failing else "."
    assert found == expected


def test_a_reading_heard_before_or_too_late_changes_nothing():
    signal = heard(Signal(), "missed", NOON, Rule())
    assert heard(signal, "met", NOON, Rule()) == signal
    assert heard(signal, "met", NOON - timedelta(seconds=1), Rule()) == signal


@pytest.mark.parametrize("numbers", [{"bad": 3, "of": 2}, {"bad": 0}, {"good": 0}])
def test_a_rule_that_can_never_be_is_refused(numbers):
    with pytest.raises(ValueError, match=r"can never be bad|at least 1 is needed"):
        Rule(**numbers)
