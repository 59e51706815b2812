"""Which messages about an incident are due: to whom, when, once, and taken back when they no longer hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from platform_resources.incidents.messages import Statement
from platform_resources.incidents.severity import rank
from platform_resources.notify.due_messages import REWRITTEN, DueMessages, announcements
from platform_resources.notify.facts import NewFault, Subscriber
from platform_resources.notify.keys import incident_keys
from platform_resources.notify.recipients import Recipient
from platform_resources.notify.wording import recovery_words
from platform_resources.plan.routes import Patience, RoutePlan
from tests.notify.troubles import (
    ANALYST,
    DAY,
    FIVE,
    HOUR,
    MINUTE,
    NIGHT,
    ORDERS,
    REPORT,
    REVENUE,
    STALE,
    impact,
    incident,
    over,
    sent,
    told,
    trouble,
)

OPENED = FIVE + 5 * MINUTE
DUE_AT = OPENED + 20 * MINUTE
LOUD = replace(ORDERS, routes=(RoutePlan("sales.alerts", "owner", "low"),))
QUIET = replace(ORDERS, routes=(RoutePlan("sales.alerts", "owner", "low", NIGHT),))


def channels(due):
    return [message.channel for message in due.queue]


def test_owners_of_the_root_consumers_of_it_and_everybody_at_impacted_products_hear_of_it_once():
    due = announcements(trouble("high", (impact(), impact(REPORT))), (ANALYST,), {}, DUE_AT)
    assert told(due) == [
        ("incident", "analyst@example.com", "Revenue is unhealthy: Purchase orders is not fresh"),
        ("incident", "cfo@example.com", "Revenue is unhealthy: Purchase orders is not fresh"),
        ("incident", "finance.alerts", "Revenue and Board report are unhealthy: Purchase orders is not fresh"),
        ("incident", "sales.alerts", "[high] Purchase orders is not fresh (purchase_orders#3)"),
    ]
    assert {(message.product, message.domain, message.incident) for message in due.queue} == {
        ("purchase_orders", "sales", "purchase_orders#3")
    }


def test_a_channel_that_is_owner_and_consumer_gets_one_message_with_the_consumers_part_above():
    body = announcements(trouble(), (), {}, DUE_AT).queue[0].body
    assert body.index("What still works") < body.index("---") < body.index("`orders:refreshed_daily`")


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("low", ["finance.alerts", "sales.alerts"]), ("medium", ["finance.alerts", "sales.alerts"]),
     ("high", ["cfo@example.com", "finance.alerts", "sales.alerts"])],
)  # fmt: skip
def test_a_routes_severity_is_a_minimum(severity, expected):
    due = announcements(trouble(severity, (impact(),)), (), {}, DUE_AT)
    assert channels(due) == expected
    assert ("What still works" in due.queue[-1].body) == (severity != "low")


def test_nothing_is_said_before_the_wait_is_over():
    assert not announcements(trouble(), (), {}, DUE_AT - timedelta(seconds=1)).queue
    assert channels(announcements(trouble(), (), {}, DUE_AT)) == ["sales.alerts"]


def test_what_is_critical_is_told_at_once_with_what_is_known():
    assert told(announcements(trouble("critical"), (), {}, OPENED)) == [
        ("incident", "sales.alerts", "[critical] Purchase orders is not fresh (purchase_orders#3)")
    ]


def moved_here(severity):
    """The incident at the root, to which one of the revenue that was critical has moved just now."""
    former = replace(incident(1), cause="revenue", status="resolved", resolution="moved", moved_to=("purchase_orders",), impacted=())
    root = replace(ORDERS, routes=(RoutePlan("sales.alerts", "owner", "low"),))
    below = replace(REVENUE, routes=(RoutePlan("finance.alerts", "owner", "critical"), RoutePlan("ceo@example.com", "owner", "critical")))
    known = {"incident/revenue#1/0/first/critical@20260615T030000.000000Z/finance.alerts": "sent"}
    return replace(trouble(severity, (impact(below),)), root=root, moved_from=(former,)), known


@pytest.mark.parametrize("severity", ["low", "critical"])
def test_a_cause_that_shows_up_later_is_told_at_once_as_an_update_to_whoever_heard_of_the_effect(severity):
    found, known = moved_here(severity)
    due = announcements(found, (), known, OPENED)
    updates = [message for message in due.queue if message.kind == "update"]
    assert [(message.channel, message.subject) for message in updates] == [
        ("finance.alerts", "Update: Revenue is unhealthy: Purchase orders is not fresh")
    ]
    assert "This takes over from `revenue#1`: the cause was found further upstream." in updates[0].body
    others = [] if severity == "low" else ["ceo@example.com", "sales.alerts"]
    assert [message.channel for message in due.queue if message.kind == "incident"] == others, "nobody else has heard of anything yet"
    after = announcements(found, (), known | sent(due), OPENED + MINUTE)
    assert not [message for message in after.queue if message.channel == "finance.alerts"]


def test_whoever_heard_of_the_effect_hears_the_end_of_the_cause():
    found, known = moved_here("low")
    known |= sent(announcements(found, (), known, OPENED))
    ended = replace(found, incident=over().incident)
    assert "finance.alerts" in channels(announcements(ended, (), known, OPENED + HOUR))


@pytest.mark.parametrize("status", ["open", "acknowledged", "in progress"])
@pytest.mark.parametrize("kind", ["gate", "refresh", "differs"])
def test_a_refresh_that_is_stopped_while_an_incident_is_open_is_told_once_to_all_who_hear_of_the_product(status, kind):
    known = sent(announcements(trouble("medium", (impact(),)), (), {}, DUE_AT))
    failure = replace(STALE, check="refresh", dimension="") if kind != "gate" else replace(STALE, held_back=True, gate=True)
    found = trouble(
        "medium", (impact(),), (STALE, failure), status=status, new_faults=(NewFault(failure, OPENED + HOUR, kind == "differs"),)
    )
    due = announcements(found, (), known, OPENED + HOUR)
    assert channels(due) == ["sales.alerts"]
    what = {
        "gate": "held back its new version",
        "refresh": "could not be refreshed",
        "differs": "could not be refreshed for another reason than before",
    }[kind]
    assert f"New: **Purchase orders** {what}." in due.queue[0].body
    assert ("mesh ack" in due.queue[0].body) == (status == "open"), "whoever has acknowledged it is not asked to"
    assert announcements(found, (), known | sent(due), OPENED + 2 * HOUR).queue == ()


def test_another_broken_promise_is_told_once_after_the_wait_and_named_to_owners():
    gaps = replace(STALE, check="orders:filled", title="Every order has a quantity", dimension="completeness", since=FIVE + HOUR)
    known = sent(announcements(trouble(), (), {}, DUE_AT))
    found = trouble(failures=(STALE, gaps), status="acknowledged", new_faults=(NewFault(gaps, OPENED + HOUR),))
    assert announcements(found, (), known, OPENED + HOUR).queue == ()
    due = announcements(found, (), known, OPENED + 2 * HOUR)
    assert channels(due) == ["sales.alerts"]
    assert "New: **Purchase orders** has gaps (Every order has a quantity)." in due.queue[0].body
    assert announcements(found, (), known | sent(due), OPENED + 9 * HOUR).queue == ()


def test_the_same_trouble_is_told_once_whatever_became_of_the_message():
    due = announcements(trouble("high", (impact(),)), (), {}, DUE_AT)
    for state in ("sending", "sent", "given up"):
        again = announcements(trouble("high", (impact(),)), (), sent(due, state), DUE_AT + HOUR)
        assert again == DueMessages()
    for state in ("waiting", "failing", "withdrawn"):
        again = announcements(trouble("high", (impact(),)), (), sent(due, state), DUE_AT + HOUR)
        assert [message.key for message in again.queue] == [message.key for message in due.queue], "the same message, as it is now"
        assert not again.withdraw


@pytest.mark.parametrize("state", ["waiting", "failing"])
def test_what_was_not_sent_yet_is_rewritten_or_withdrawn_when_it_holds_no_longer(state):
    both = trouble("high", (impact(), impact(REPORT)))
    known = sent(announcements(both, (), {}, DUE_AT), state)
    one = announcements(trouble("high", (impact(),)), (), known, DUE_AT + MINUTE)
    assert told(one)[1] == ("incident", "finance.alerts", "Revenue is unhealthy: Purchase orders is not fresh")
    assert {message.key for message in one.queue} == known.keys()
    mild = announcements(trouble("low", (impact(),)), (), known, DUE_AT + MINUTE)
    assert channels(mild) == ["finance.alerts", "sales.alerts"], "the other route takes high severity only"
    assert set(mild.withdraw.values()) == {REWRITTEN} and mild.withdraw.keys() == known.keys()
    back = announcements(trouble("high", (impact(),)), (), dict.fromkeys(known, "withdrawn"), DUE_AT + 2 * MINUTE)
    assert len(back.queue) == 3, "a message that was taken back is written again when it holds again"


def test_what_could_be_told_before_the_night_is_told_in_it():
    evening, night = datetime(2026, 6, 15, 17, 50, tzinfo=UTC), datetime(2026, 6, 15, 20, tzinfo=UTC)
    found = replace(trouble(opened_at=evening - HOUR, began_at=evening - HOUR), root=QUIET)
    known = sent(announcements(found, (), {}, evening), "failing")
    assert known and [message.key for message in announcements(found, (), known, night).queue] == list(known)


def test_an_incident_that_needs_more_good_readings_to_end_is_not_told_as_if_it_failed_now():
    found = trouble("high", (impact(),), failures=(), recovering=True)
    assert announcements(found, (), {}, DUE_AT) == DueMessages()
    known = sent(announcements(trouble("high"), (), {}, DUE_AT), "waiting")
    assert announcements(found, (), known, DUE_AT + MINUTE) == DueMessages()


def test_a_message_keeps_what_it_says_of_products():
    report = replace(REPORT, status="use with care")
    found = trouble("high", (impact(replace(REVENUE, status="unhealthy")), impact(report)), (replace(STALE, shown=True), STALE))
    root = Statement("purchase_orders", "", ("orders:refreshed_daily",))
    below = (Statement("revenue", "unhealthy"), Statement("board_report", "use with care"))
    due = announcements(found, (), {}, DUE_AT)
    assert {message.channel: message.says for message in due.queue} == {
        "cfo@example.com": (root, below[0]),
        "finance.alerts": (root, *below),
        "sales.alerts": (root, *below),
    }
    assert told(due)[1][2] == 'Revenue is unhealthy, Board report is "use with care": Purchase orders is not fresh'


@pytest.mark.parametrize(
    ("status", "subject", "body"),
    [
        ("healthy", "Purchase orders is well again", "**Purchase orders** is well again."),
        ("unhealthy", "Closed: Purchase orders (auto-recovered); it is unhealthy", "**Purchase orders** is unhealthy: duplicates."),
        ("unknown", "Closed: Purchase orders (auto-recovered); it is of unknown health", "**Purchase orders** is of unknown health"),
    ],
)
def test_well_again_is_said_only_of_what_is_well(status, subject, body):
    known = sent(announcements(trouble(), (), {}, DUE_AT))
    found = replace(over(), root=replace(ORDERS, status=status, because="" if status == "healthy" else "duplicates"))
    (message,) = announcements(found, (), known, FIVE + 3 * HOUR).queue
    assert message.subject == subject and body in message.body
    assert message.says == (Statement("purchase_orders", status),)
    assert ("well again" in message.subject + message.body) == (status == "healthy")


def test_why_a_closed_incident_leaves_a_product_unwell_is_for_its_owners_and_consumers_read_what_still_works():
    found = replace(over(), root=replace(ORDERS, status="unhealthy", because="One row per order: 3 of 9 rows", good_as_of=FIVE))
    owner, consumer = (
        recovery_words(found, to, FIVE + 3 * HOUR).body for to in (Recipient("a", owner=True), Recipient("b", consumer=True))
    )
    assert "**Purchase orders** is unhealthy: One row per order: 3 of 9 rows." in owner
    assert "**Purchase orders** is unhealthy. What still works: the last published version, as of " in consumer
    assert "One row per order" not in consumer


def test_of_products_below_only_those_that_are_well_are_said_to_be_well():
    below = [impact(replace(REVENUE, name=name, title=name.title(), status=status), until=until)
             for name, status, until in [("a", "healthy", FIVE), ("b", "unhealthy", None), ("c", "unhealthy", FIVE)]]  # fmt: skip
    known = sent(announcements(trouble(impacts=below), (), {}, DUE_AT))
    due = announcements(over(impacts=below), (), known, FIVE + 3 * HOUR)
    (body,) = [message.body for message in due.queue if message.channel == "finance.alerts"]
    assert (
        "**A** is well again too. **B** is unhealthy, and will follow with the next refresh. "
        "**C** is unhealthy, but no longer because of Purchase orders."
    ) in body


def test_a_product_that_is_impacted_later_is_told_to_channels_that_do_not_know_yet_and_as_an_update_to_its_own():
    known = sent(announcements(trouble(impacts=(impact(),)), (), {}, DUE_AT))
    later = trouble(impacts=(impact(), impact(REPORT, since=OPENED + HOUR), impact(replace(REPORT, name="x", routes=()), OPENED + HOUR)))
    reader = Subscriber("board_report", "board@example.com", "low")
    due = announcements(later, (reader,), known, OPENED + HOUR)
    assert told(due) == [
        ("incident", "board@example.com", "Board report is unhealthy: Purchase orders is not fresh"),
        ("update", "finance.alerts", "Update: Revenue and Board report are unhealthy: Purchase orders is not fresh"),
    ]
    assert "Now also: **Board report** is unhealthy." in due.queue[1].body
    assert announcements(later, (reader,), known | sent(due), OPENED + 2 * HOUR) == DueMessages()


def test_a_risen_severity_is_an_update_and_a_fallen_one_is_not():
    known = sent(announcements(trouble("medium"), (), {}, DUE_AT))
    due = announcements(trouble("high"), (), known, OPENED + HOUR)
    assert told(due) == [("update", "sales.alerts", "Update: [high] Purchase orders is not fresh (purchase_orders#3)")]
    assert "The severity has risen from medium to **high**." in due.queue[0].body
    known |= sent(due)
    for severity in ("low", "medium", "high"):
        assert announcements(trouble(severity), (), known, OPENED + HOUR) == DueMessages()


def test_a_product_that_is_well_again_is_told_to_nobody_new():
    due = announcements(trouble(impacts=(impact(until=OPENED + MINUTE),)), (ANALYST,), {}, DUE_AT)
    assert channels(due) == ["sales.alerts"]


# Quiet hours


EVENING = datetime(2026, 6, 15, 19, tzinfo=UTC)
MORNING = datetime(2026, 6, 16, 5, tzinfo=UTC)


def at_night(severity="medium", root=QUIET, **more):
    return replace(trouble(severity, opened_at=EVENING, began_at=EVENING, **more), root=root)


def test_quiet_hours_put_it_off_to_their_end_unless_it_is_critical():
    assert announcements(at_night(), (), {}, EVENING + 21 * MINUTE) == DueMessages()
    assert announcements(at_night(), (), {}, MORNING - MINUTE) == DueMessages()
    assert [message.not_before for message in announcements(at_night(), (), {}, MORNING).queue] == [MORNING]
    assert channels(announcements(at_night("critical"), (), {}, EVENING + 21 * MINUTE)) == ["sales.alerts"]


def test_a_channel_with_a_way_that_is_not_quiet_hears_at_once():
    root = replace(QUIET, routes=(*QUIET.routes, RoutePlan("sales.alerts", "subscriber", "medium")))
    assert channels(announcements(at_night("medium", root), (), {}, EVENING + 21 * MINUTE)) == ["sales.alerts"]
    assert channels(announcements(at_night("low", root), (), {}, EVENING + 21 * MINUTE)) == []


def test_what_began_and_ended_in_quiet_hours_disturbs_nobody():
    ended = replace(over(), incident=replace(over().incident, opened_at=EVENING, resolved_at=MORNING - HOUR), root=QUIET)
    assert announcements(ended, (), {}, MORNING) == DueMessages()


def test_the_morning_hears_what_holds_in_the_morning_in_one_message():
    grown = replace(at_night("high"), impacts=(impact(replace(REVENUE, routes=QUIET.routes), MORNING - HOUR),))
    due = announcements(grown, (), {}, MORNING)
    assert [message.kind for message in due.queue] == ["incident"] and "Revenue" in due.queue[0].body


# Withdrawing


def test_what_was_not_sent_before_the_end_is_withdrawn_and_the_end_is_not_told():
    known = sent(announcements(trouble(), (), {}, DUE_AT), "waiting")
    due = announcements(over(), (), known, FIVE + 3 * HOUR)
    assert due == DueMessages((), dict.fromkeys(known, "purchase_orders#3 was resolved as auto-recovered before this was sent"))


def test_what_has_moved_is_withdrawn_and_the_new_root_says_so():
    known = sent(announcements(trouble(), (), {}, DUE_AT), "waiting")
    gone = over(resolution="moved", moved_to=("stores",))
    due = announcements(gone, (), known, FIVE + 3 * HOUR)
    assert due == DueMessages((), dict.fromkeys(known, "purchase_orders#3 moved to stores before this was sent"))
    assert announcements(gone, (), dict.fromkeys(known, "sent"), FIVE + 3 * HOUR) == DueMessages()
    here = replace(trouble(cause="stores"), moved_from=(gone.incident,))
    assert "This takes over from `purchase_orders#3`" in announcements(here, (), dict.fromkeys(known, "sent"), DUE_AT).queue[0].body
    for unheard in ({}, known, dict.fromkeys(known, "withdrawn")):
        assert "takes over" not in announcements(here, (), unheard, DUE_AT).queue[0].body


@pytest.mark.parametrize("state", ["sending", "sent", "given up", "withdrawn"])
def test_only_what_waits_is_withdrawn(state):
    known = sent(announcements(trouble(), (), {}, DUE_AT), state)
    assert announcements(over(), (), known, FIVE + 3 * HOUR).withdraw == {}


# Recovery


@pytest.mark.parametrize(("state", "expected"), [("sent", 1), ("sending", 1), ("failing", 1), ("given up", 0), ("withdrawn", 0)])
def test_the_end_is_told_once_to_those_who_were_told_the_beginning(state, expected):
    known = sent(announcements(trouble(), (), {}, DUE_AT), state)
    due = announcements(over(), (ANALYST,), known, FIVE + 3 * HOUR)
    assert told(due) == [("recovery", "sales.alerts", "Purchase orders is well again")] * expected
    assert announcements(over(), (ANALYST,), known | sent(due), FIVE + 9 * HOUR).queue == ()


def test_the_end_is_told_also_where_no_route_leads_any_more():
    known = sent(announcements(trouble(impacts=(impact(),)), (ANALYST,), {}, DUE_AT))
    due = announcements(over(impacts=(impact(until=FIVE + HOUR),)), (), known, FIVE + 3 * HOUR)
    assert ("recovery", "analyst@example.com", "Purchase orders is well again") in told(due)


def test_whoever_heard_of_an_incident_that_moved_here_hears_the_end_here():
    former = replace(incident(1), cause="revenue", status="resolved", resolution="moved", moved_to=("purchase_orders",))
    known = sent(announcements(replace(trouble(), incident=replace(former, status="open"), root=REVENUE), (), {}, DUE_AT))
    mended = impact(replace(REVENUE, status="healthy"), until=FIVE + HOUR)
    due = announcements(replace(over(impacts=(mended,)), moved_from=(former,)), (), known, FIVE + 3 * HOUR)
    assert told(due) == [("recovery", "finance.alerts", "Revenue is well again")]


def test_a_reopened_incident_is_told_anew_and_its_former_end_no_more():
    first = sent(announcements(trouble(), (), {}, DUE_AT))
    ended = sent(announcements(over(), (), first, FIVE + 3 * HOUR), "waiting")
    again = trouble(reopened=1, reopened_at=FIVE + 4 * HOUR)
    due = announcements(again, (), first | ended, FIVE + 4 * HOUR + 20 * MINUTE)
    assert told(due) == [("incident", "sales.alerts", "[medium] Purchase orders is not fresh (purchase_orders#3)")]
    assert due.withdraw == dict.fromkeys(ended, "purchase_orders#3 was reopened before this was sent")
    finally_over = replace(over(10 * HOUR, reopened=1), reopened_at=again.reopened_at)
    assert told(announcements(finally_over, (), first | ended | sent(due), FIVE + 11 * HOUR))[0][0] == "recovery"


# Reminders


def reminders(now, known, **more):
    due = announcements(replace(trouble(**more), root=LOUD), (), known, now)
    return [message.key.rpartition("reminder/")[2] for message in due.queue if message.kind == "reminder"]


def test_owners_are_reminded_of_what_nobody_acknowledged():
    known = sent(announcements(replace(trouble(), root=LOUD), (), {}, DUE_AT))
    assert reminders(DUE_AT + DAY - MINUTE, known) == []
    assert reminders(DUE_AT + DAY, known) == ["1/sales.alerts"]
    assert reminders(DUE_AT + 3 * DAY + HOUR, known) == ["3/sales.alerts"]
    assert reminders(DUE_AT + 3 * DAY, known, status="acknowledged") == []
    assert reminders(DUE_AT + 3 * DAY, dict.fromkeys(known, "waiting")) == []
    never = replace(trouble(), root=replace(LOUD, patience=Patience(20 * MINUTE, None)))
    assert announcements(never, (), known, DUE_AT + 9 * DAY) == DueMessages()


def test_consumers_are_not_reminded():
    root = replace(ORDERS, routes=(RoutePlan("sales.alerts", "subscriber", "low"),))
    known = sent(announcements(replace(trouble(), root=root), (), {}, DUE_AT))
    assert announcements(replace(trouble(), root=root), (), known, DUE_AT + 5 * DAY) == DueMessages()


def test_days_count_from_the_end_of_the_quiet_hours_in_which_the_first_message_fell():
    known = sent(announcements(at_night(), (), {}, MORNING))
    assert announcements(at_night(), (), known, MORNING + DAY - MINUTE) == DueMessages()
    assert [message.kind for message in announcements(at_night(), (), known, MORNING + DAY).queue] == ["reminder"]


def test_a_reminder_that_waits_is_withdrawn_once_somebody_has_acknowledged():
    known = sent(announcements(replace(trouble(), root=LOUD), (), {}, DUE_AT))
    waiting = sent(announcements(replace(trouble(), root=LOUD), (), known, DUE_AT + DAY), "waiting")
    seen = replace(trouble(status="acknowledged"), root=LOUD)
    assert announcements(seen, (), known | waiting, DUE_AT + DAY).withdraw == dict.fromkeys(
        waiting, "purchase_orders#3 was acknowledged before this was sent"
    )


# Laws


SEVERITIES = st.sampled_from(["low", "medium", "high", "critical"])
CHANNELS = st.sampled_from(["sales.alerts", "finance.alerts", "ana@example.com", "a/b@example.com"])
ROUTES = st.lists(
    st.builds(RoutePlan, CHANNELS, st.sampled_from(["owner", "subscriber"]), SEVERITIES, st.sampled_from([None, NIGHT])), max_size=4
).map(tuple)
SUBSCRIPTIONS = st.lists(st.builds(Subscriber, st.sampled_from(["purchase_orders", "revenue", "p1"]), CHANNELS, SEVERITIES), max_size=3)


class Announced(RuleBasedStateMachine):
    """An incident with an outbox: time passes, products fail and recover, severity changes, messages are sent or not."""

    @initialize(routes=ROUTES, subscriptions=SUBSCRIPTIONS)
    def begin(self, routes, subscriptions):
        self.now, self.subscriptions, self.known, self.final = OPENED, subscriptions, {}, {}
        self.trouble = replace(trouble(), root=replace(ORDERS, routes=routes))

    @rule(by=st.sampled_from([MINUTE, 20 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY]))
    def pass_time(self, by):
        self.now += by

    @rule(severity=SEVERITIES)
    def judge(self, severity):
        self.trouble = replace(self.trouble, severity=severity)

    @rule(routes=ROUTES, name=st.sampled_from(["revenue", "p1", "p2"]))
    def impact(self, routes, name):
        others = tuple(each for each in self.trouble.impacts if each.about.name != name)
        new = impact(replace(REVENUE, name=name, routes=routes), self.now)
        self.trouble = replace(self.trouble, impacts=(*others, new))

    @precondition(lambda self: self.trouble.incident.live)
    @rule(resolution=st.sampled_from(["auto-recovered", "fixed", "expected", "moved"]))
    def end(self, resolution):
        told = replace(self.trouble.incident, status="resolved", resolution=resolution, resolved_at=self.now, moved_to=("stores",))
        self.trouble = replace(self.trouble, incident=told)

    @precondition(lambda self: not self.trouble.incident.live)
    @rule()
    def reopen(self):
        before = self.trouble.incident
        told = replace(before, status="open", resolution=None, resolved_at=None, reopened=before.reopened + 1)
        self.trouble = replace(self.trouble, incident=told, reopened_at=self.now, impacts=())

    @precondition(lambda self: self.trouble.incident.status == "open")
    @rule()
    def acknowledge(self):
        told = replace(self.trouble.incident, status="acknowledged", acknowledged_at=self.now)
        self.trouble = replace(self.trouble, incident=told)

    @rule(state=st.sampled_from(["sending", "sent", "failing", "given up"]), channel=CHANNELS)
    def deliver(self, state, channel):
        open_ = {key for key, known in self.known.items() if known not in ("sent", "given up", "withdrawn") and key.endswith(channel)}
        self.known |= dict.fromkeys(open_, state)

    @rule()
    def announce(self):
        due = announcements(self.trouble, self.subscriptions, self.known, self.now)
        assert all(self.known.get(message.key, "waiting") in ("waiting", "failing", "withdrawn") for message in due.queue)
        assert all(self.known[key] in ("waiting", "failing") for key in due.withdraw)
        assert all(message.not_before <= self.now for message in due.queue)
        for message in due.queue:
            assert message.kind == "recovery" or self.lowest(message.channel) <= rank(self.trouble.severity)
        new = {message.key: "waiting" for message in due.queue if self.known.get(message.key) != "failing"}
        self.known |= new | dict.fromkeys(due.withdraw, "withdrawn")
        again = announcements(self.trouble, self.subscriptions, self.known, self.now)
        assert {message.key for message in again.queue} <= {message.key for message in due.queue} and not again.withdraw

    def lowest(self, channel):
        abouts = [self.trouble.root, *(each.about for each in self.trouble.impacts)]
        routes = [route for about in abouts for route in about.routes]
        return min(rank(each.severity) for each in (*routes, *self.subscriptions) if each.channel == channel)

    @invariant()
    def no_channel_is_told_the_beginning_or_the_end_of_a_phase_twice(self):
        known = getattr(self, "known", {})
        keys = [key for key in incident_keys(known, incident()) if key.about in ("first", "recovery") and known[key.key] != "withdrawn"]
        assert len({(key.phase, key.about, key.channel) for key in keys}) == len(keys)

    @invariant()
    def what_is_sent_stays(self):
        known = getattr(self, "known", {})
        assert all(known[key] == state for key, state in getattr(self, "final", {}).items())
        self.final = {key: state for key, state in known.items() if state == "sent"}


Announced.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestAnnounced = Announced.TestCase


@given(SEVERITIES, ROUTES, ROUTES, SUBSCRIPTIONS, st.randoms())
def test_the_order_of_routes_impacts_and_subscriptions_makes_no_difference(severity, routes, others, subscriptions, random):
    def due(shuffle):
        mixed = [list(each) for each in (routes, others, subscriptions)]
        for each in mixed if shuffle else ():
            random.shuffle(each)
        root, below = replace(ORDERS, routes=tuple(mixed[0])), replace(REVENUE, routes=tuple(mixed[1]))
        return announcements(replace(trouble(severity, (impact(below),)), root=root), mixed[2], {}, DUE_AT)

    assert due(True) == due(False)
