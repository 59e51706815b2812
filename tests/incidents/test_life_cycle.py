"""One incident's transitions, and when something counts as failing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platform_resources.incidents.life_cycle import (
    IllegalTransition,
    acknowledged,
    attached,
    moved,
    noticed,
    opened,
    reopened,
    resolved,
    started,
)
from platform_resources.incidents.signals import Condition, Signal, condition, heard
from platform_resources.plan.incident_rules import Rule
from platform_resources.spec.values.clocks import Clock
from tests.promises.moments import DAY, HOUR, NOON


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
    ([seen], seen, "orders#1 is acknowledged since Mon 15 Jun, 15:00 CEST and cannot be acknowledged; only an incident that is open can"),
    ([begun], begun, "orders#1 is in progress since Mon 15 Jun, 16:00 CEST and cannot be started; only an incident that is open, acknowledged can"),
    ([fixed], seen, "orders#1 is resolved as fixed since Mon 15 Jun, 17:00 CEST and cannot be acknowledged; only an incident that is open can"),
    ([fixed], fixed, "orders#1 is resolved as fixed since Mon 15 Jun, 17:00 CEST; it can be resolved in another way, or reopened"),
    ([], again, "orders#1 is open since Mon 15 Jun, 14:00 CEST and cannot be reopened; only an incident that is resolved can"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "act", "message"), ILLEGAL)
def test_what_does_not_fit_the_state_is_refused_in_clear_words_and_times_of_the_product(before, act, message):
    with pytest.raises(IllegalTransition) as refused:
        act(done(new(), *before))
    assert refused.value.told(Clock("Europe/Berlin", NOON).moment) == message


def test_a_clock_that_goes_back_does_not_turn_the_order_of_events():
    incident = resolved(done(new(), seen), "fixed", NOON - DAY)[0]
    assert incident.resolved_at == NOON + HOUR


def test_trouble_cannot_begin_after_it_was_noticed():
    assert opened("orders", NOON + HOUR, NOON)[0].began_at == NOON


def test_products_are_attached_once():
    incident, events = attached(new(), ["revenue", "customers", "orders"], NOON)
    assert (incident.impacted, [event.note for event in events]) == (("customers", "revenue"), ["customers", "revenue"])
    assert attached(incident, ["revenue"], NOON) == (incident, ())


def test_failing_checks_are_noticed_once_and_leave_the_status_alone():
    incident = done(opened("orders", NOON, NOON, checks=["rows", "fresh", "rows"])[0], seen)
    changed, events = noticed(incident, ["nulls", "fresh"], NOON + 2 * HOUR)
    assert (incident.checks, changed.checks, changed.status) == (("fresh", "rows"), ("fresh", "nulls", "rows"), "acknowledged")
    assert [(event.kind, event.note, event.by, event.at) for event in events] == [("noticed", "nulls", "platform", NOON + 2 * HOUR)]
    assert noticed(changed, ["nulls"], NOON + 3 * HOUR) == (changed, ())


def test_what_is_noticed_by_a_clock_that_went_back_is_no_earlier_than_the_last_event():
    assert noticed(done(new(), seen), ["nulls"], NOON)[1][0].at == NOON + HOUR


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


def test_a_signal_keeps_the_reason_of_its_newest_bad_reading():
    signal = heard(Signal(), "missed", NOON, Rule(), "31 % null")
    signal = heard(signal, "missed", NOON + HOUR, Rule(), "30 % null")
    assert signal.reason == "30 % null"
    assert heard(signal, "met", NOON + 2 * HOUR, Rule(), "0 % null").reason == "30 % null"
    assert heard(signal, "unknown", NOON + 2 * HOUR, Rule(), "no reading").reason == "30 % null"


def test_what_is_accepted_stays_so_until_it_recovers():
    rule = Rule(good=2)
    signal = replace(heard(Signal(), "missed", NOON, rule), accepted=True)
    found = []
    for hours, verdict in enumerate(["missed", "met", "unknown", "missed", "met", "met", "missed"], start=1):
        signal = heard(signal, verdict, NOON + hours * HOUR, rule)
        found.append((signal.failing, signal.accepted, signal.counts))
    assert found == [(True, True, False)] * 5 + [(False, False, False), (True, False, True)]


def ill(since, last=None, accepted=False):
    return Signal(failing_since=NOON + since * HOUR, last_bad_at=NOON + (last or since) * HOUR, accepted=accepted)


def well(since):
    return Signal(last_bad_at=NOON + DAY, well_since=NOON + since * HOUR)


CONDITIONS = [
    ([], (None, None, None)),
    ([Signal()], (None, None, None)),
    ([ill(1, 4), ill(2, 5), ill(0, 9, accepted=True)], (1, 5, None)),
    ([ill(0, 9, accepted=True)], (None, None, None)),
    ([well(1), well(3), ill(2)], (2, 2, 3)),
    ([well(1), well(3), ill(2, accepted=True)], (None, None, 3)),
]


@pytest.mark.parametrize(("signals", "expected"), CONDITIONS)
def test_a_product_fails_as_long_as_a_check_fails_that_nobody_accepted(signals, expected):
    times = [None if hours is None else NOON + hours * HOUR for hours in expected]
    assert condition(signals) == Condition(*times)
    assert condition(signals).failing == (expected[0] is not None)


def test_an_incident_that_moved_is_acted_on_where_it_moved_to():
    incident = moved(new(), ["stock"], NOON + HOUR)[0]
    for act in (seen, fixed, again):
        with pytest.raises(IllegalTransition, match="orders#1 has moved to stock: its cause is there, act on that incident"):
            act(incident)


def test_how_it_was_resolved_can_be_said_again_and_only_fixed_ends_it_now():
    incident = done(new(), fixed)
    expected, (event,) = resolved(incident, "expected", NOON + 9 * HOUR, "ben", "known since May")
    assert (expected.resolution, expected.resolved_at) == ("expected", incident.resolved_at)
    assert (event.kind, event.by, event.note) == ("resolved", "ben", "expected: known since May")
    assert resolved(expected, "fixed", NOON + 10 * HOUR, "ben")[0].resolved_at == NOON + 10 * HOUR
