"""Messages about error budgets, changed schemas and the day: to whom, when, and once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.incidents.messages import Statement
from platform_resources.notify.due_messages import DueMessages
from platform_resources.notify.facts import BudgetStanding, Day, LostCertificate, PortEnding, ProductLine, SchemaChange, Subscriber
from platform_resources.notify.notice_wording import digest_words
from platform_resources.notify.notices import budget_notices, certificate_notices, digest_notices, ending_notices, schema_notices
from platform_resources.plan.routes import DigestPlan, RoutePlan
from platform_resources.promises.attainment import Budget
from platform_resources.promises.schema_difference import SchemaDifference, TypeChange, schema_difference
from tests.notify.troubles import ANALYST, BERLIN, DAY, FIVE, HOUR, MINUTE, NIGHT, ORDERS, REPORT, REVENUE, sent, told

BUYER = Subscriber("purchase_orders", "buyer@example.com", "low")


def standing(*levels, below=None, about=ORDERS):
    reached = max(levels, default=0)
    budget = Budget(4, reached / 25, 4 - reached / 25)
    below_at = {} if below is None else dict.fromkeys((50, 75, 100), below)
    return BudgetStanding(about, "fresh_on_most_days", "Fresh on most days", 80, 85, budget, 20 * DAY, levels, below_at)


def budgets(known, *standings, now=FIVE):
    return budget_notices(standings, (BUYER,), known, now)


def test_a_level_is_told_once_to_owners_and_to_consumers_only_when_nothing_is_left():
    half = budgets({}, standing(50))
    assert told(half) == [("budget", "sales.alerts", "Purchase orders: 50 % of its error budget is used up (Fresh on most days)")]
    assert budgets(sent(half, "given up"), standing(50), now=FIVE + 30 * DAY) == DueMessages()
    spent = budgets(sent(half), standing(50, 75, 100))
    assert [message.channel for message in spent.queue] == ["buyer@example.com", "sales.alerts"]


def test_a_budget_that_gets_better_is_no_news_and_one_that_was_below_a_level_and_reaches_it_anew_is():
    known = sent(budgets({}, standing(50, 75, 100, below=FIVE - DAY)))
    assert budgets(known, standing(50, 75, below=FIVE - DAY)) == DueMessages()
    assert budgets(known, standing(below=FIVE + DAY)) == DueMessages()
    again = budgets(known, standing(50, below=FIVE + 3 * DAY))
    assert [message.key for message in again.queue] == ["budget/purchase_orders/fresh_on_most_days/50@20260618T030000.000000Z/sales.alerts"]
    assert budgets(known | sent(again), standing(50, below=FIVE + 3 * DAY), now=FIVE + 60 * DAY) == DueMessages()


def test_what_was_told_while_more_was_known_of_the_past_is_not_told_again():
    assert budgets(sent(budgets({}, standing(50, below=FIVE))), standing(50)) == DueMessages()


def test_a_budget_waits_for_the_end_of_quiet_hours():
    about = replace(ORDERS, routes=(RoutePlan("sales.alerts", "owner", "low", NIGHT),))
    due = budgets({}, standing(50, about=about), now=FIVE + DAY)
    assert [message.not_before for message in due.queue] == [FIVE + DAY + 2 * HOUR]


# Schemas


DIFFERENCES = [
    ({"a": "int"}, {"a": "INT"}, SchemaDifference(), False),
    ({"a": "int"}, {"b": "text", "a": "int"}, SchemaDifference(added=(("b", "text"),)), False),
    ({"a": "int", "b": "text"}, {"a": "int"}, SchemaDifference(removed=(("b", "text"),)), True),
    ({"a": "int"}, {"a": "bigint"}, SchemaDifference(changed=(TypeChange("a", "int", "bigint"),)), True),
    ({"was_x": "int"}, {"x": "int"}, SchemaDifference(renamed=(("was_x", "x"),)), True),
    ({"was_x": "int"}, {"x": "text"}, SchemaDifference(changed=(TypeChange("x", "int", "text"),), renamed=(("was_x", "x"),)), True),
    ({"was_x": "int"}, {"was_x": "int", "x": "int"}, SchemaDifference(added=(("x", "int"),)), False),
]


@pytest.mark.parametrize(("before", "after", "difference", "breaking"), DIFFERENCES)
def test_a_column_that_is_gone_or_of_another_type_is_breaking_and_a_new_one_is_not(before, after, difference, breaking):
    found = schema_difference(before, after, {"x": ("was_w", "was_x")})
    assert (found, found.breaking, bool(found)) == (difference, breaking, difference != SchemaDifference())


@given(*[st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["int", "text"]))] * 2)
def test_there_and_back_again_adds_what_was_removed(before, after):
    there, back = schema_difference(before, after), schema_difference(after, before)
    assert (set(there.added), set(there.removed)) == (set(back.removed), set(back.added))
    assert not schema_difference(before, before)


def change(after, **more):
    ports = {"orders_sql": schema_difference({"a": "int"}, after), "orders_file": schema_difference({"a": "int"}, {"a": "int"})}
    return replace(SchemaChange(ORDERS, "v2", ports, (REVENUE, REPORT)), **more)


def test_consumers_of_the_product_and_everybody_downstream_hear_of_a_changed_schema_once():
    due = schema_notices(change({}), (BUYER, ANALYST), {}, FIVE)
    assert told(due) == [
        ("schema", channel, "Breaking: Purchase orders has lost or changed columns")
        for channel in ("analyst@example.com", "buyer@example.com", "cfo@example.com", "finance.alerts", "sales.alerts")
    ]
    assert "You read it in **Revenue** and **Board report**." in due.queue[3].body and "orders_file" not in due.queue[3].body
    assert schema_notices(change({}), (BUYER, ANALYST), sent(due), FIVE + DAY) == DueMessages()


def test_new_columns_are_of_low_severity_and_no_change_is_no_message():
    grown = change({"a": "int", "b": "int"})
    assert [message.channel for message in schema_notices(grown, (), {}, FIVE).queue] == ["finance.alerts"]
    assert schema_notices(change({"a": "int"}), (BUYER,), {}, FIVE) == DueMessages()


@pytest.mark.parametrize("state", ["waiting", "failing"])
def test_what_was_not_sent_yet_of_a_budget_says_what_holds_now_or_is_withdrawn(state):
    known = sent(budgets({}, standing(50)), state)
    same = budgets(known, replace(standing(50), percent=81.5))
    assert {message.key for message in same.queue} == known.keys() and "81.5 %" in same.queue[0].body and not same.withdraw
    assert budgets(known).withdraw.keys() == known.keys()
    more = budgets(known, standing(50, 75))
    assert more.withdraw.keys() == known.keys() and told(more)[0][2].startswith("Purchase orders: 75 %")
    assert budgets(dict.fromkeys(known, "withdrawn"), standing(50)).queue, "it is reached again before anybody was told"


# Digest


def day(at=time(8), zone=BERLIN):
    return Day("sales", "Sales", DigestPlan("sales.alerts", at, zone), (ProductLine("Purchase orders", "healthy"),))


def test_the_digest_comes_once_a_day_at_its_time_and_not_before():
    assert digest_notices(day(), {}, FIVE + 3 * HOUR - MINUTE) == DueMessages()
    due = digest_notices(day(), {}, FIVE + 3 * HOUR)
    assert [(message.key, message.not_before) for message in due.queue] == [("digest/sales/2026-06-15/sales.alerts", FIVE + 3 * HOUR)]
    assert digest_notices(day(), sent(due), FIVE + 12 * HOUR) == DueMessages()
    assert [message.key for message in digest_notices(day(), sent(due), FIVE + 27 * HOUR).queue] == ["digest/sales/2026-06-16/sales.alerts"]


@pytest.mark.parametrize("state", ["waiting", "failing"])
def test_a_digest_that_was_not_sent_yet_says_what_holds_now_and_goes_with_the_day(state):
    eight = FIVE + 3 * HOUR
    lines = tuple(
        ProductLine(name.title(), status, product=name) for name, status in [("a", "healthy"), ("b", "not run"), ("c", "unknown")]
    )
    due = digest_notices(replace(day(), products=lines), {}, eight)
    assert due.queue[0].says == (Statement("a", "healthy"), Statement("c", "unknown"))
    later = digest_notices(replace(day(), products=(replace(lines[0], status="unhealthy"),)), sent(due, state), eight + HOUR)
    assert (later.queue[0].key, later.queue[0].says) == (due.queue[0].key, (Statement("a", "unhealthy"),))
    tomorrow = digest_notices(day(), sent(due, state), eight + DAY)
    assert tomorrow.withdraw.keys() == {due.queue[0].key} and len(tomorrow.queue) == 1


CLOCK_CHANGES = [
    (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), 0),
    (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), 1),
    (datetime(2026, 10, 25, 0, 29, tzinfo=UTC), 0),
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1),
]


@pytest.mark.parametrize(("now", "count"), CLOCK_CHANGES)
def test_half_past_two_comes_on_the_days_when_clocks_change(now, count):
    assert len(digest_notices(day(time(2, 30)), {}, now).queue) == count


@given(st.integers(0, 10 * 24 * 60))
def test_the_digests_date_is_that_of_the_zone(minutes):
    now = FIVE + minutes * MINUTE
    for message in digest_notices(day(time(0), "Pacific/Auckland"), {}, now).queue:
        assert message.not_before <= now < message.not_before + DAY


# Ports that end


def ending(**more):
    told_of = {
        "end_date": date(2026, 9, 30),
        "readers": ("ana@example.com", "revenue"),
        "below": (REVENUE,),
        "addresses": ("ana@example.com",),
        "version": "1.4.0",
    }
    return PortEnding(ORDERS, "orders_sql", "it keeps its promises as version 1.4.0 until 2026-09-30", **{**told_of, **more})


def test_whoever_reads_a_port_that_ends_hears_of_it_once_and_again_shortly_before():
    first = ending_notices((ending(),), (BUYER,), {}, FIVE)
    assert [message.channel for message in first.queue] == ["ana@example.com", "buyer@example.com", "finance.alerts", "sales.alerts"]
    assert told(first)[0] == ("schema", "ana@example.com", "Purchase orders: output port orders_sql ends on 2026-09-30")
    assert "`mesh release switched purchase_orders orders_sql`" in first.queue[0].body
    named = [message.channel for message in first.queue if "You read it in **Revenue**." in message.body]
    assert named == ["finance.alerts"] == [message.channel for message in first.queue if "Revenue" in message.body]
    assert ending_notices((ending(),), (BUYER,), sent(first), FIVE + 30 * DAY) == DueMessages()
    again = ending_notices((ending(),), (BUYER,), sent(first), datetime(2026, 9, 20, tzinfo=UTC))
    assert {message.channel for message in again.queue} >= {"ana@example.com", "finance.alerts", "buyer@example.com"}


@pytest.mark.parametrize(
    ("more", "now", "said"),
    [
        ({"readers": (), "below": (), "addresses": ()}, FIVE, "ends on 2026-09-30. Nobody is known to read it."),
        ({}, datetime(2026, 10, 1, tzinfo=UTC), "has come to its end. It is still read by ana(at)example.com and revenue."),
    ],
)
def test_only_the_owners_hear_that_a_port_may_be_taken_away(more, now, said):
    due = ending_notices((ending(**more),), (BUYER,), {}, now)
    assert [message.channel for message in due.queue] == ["sales.alerts"]
    assert said in due.queue[0].body and "`mesh release end purchase_orders orders_sql --write`" in due.queue[0].body


def test_what_was_not_sent_of_a_port_that_ends_says_what_holds_now_or_is_withdrawn():
    waiting = sent(ending_notices((ending(),), (), {}, FIVE), "failing") | {"schema/purchase_orders/20260601/sales.alerts": "failing"}
    two = ending_notices((ending(below=(REVENUE, REPORT)),), (), waiting, FIVE)
    assert ["You read it in **Revenue**" in message.body for message in two.queue if message.channel == "finance.alerts"] == [True]
    moved = ending_notices((ending(readers=("ana@example.com",), below=()),), (), waiting, FIVE)
    assert [message.channel for message in moved.queue] == ["ana@example.com", "sales.alerts"]
    assert [key.rpartition("/")[2] for key in moved.withdraw] == ["finance.alerts"]
    of_the_end = set(waiting) - {"schema/purchase_orders/20260601/sales.alerts"}
    gone = ending_notices((), (), waiting, FIVE)
    assert (gone.queue, set(gone.withdraw)) == ((), of_the_end)
    back = ending_notices((ending(),), (), dict.fromkeys(waiting, "withdrawn"), FIVE)
    assert {message.key for message in back.queue} == of_the_end


def test_a_digest_says_who_is_still_on_a_port_that_ends():
    day = Day("sales", "Sales", DigestPlan("sales.alerts", time(7), BERLIN), (), endings=(ending(),))
    assert "**Ports that end**" in digest_words(day, date(2026, 6, 15), FIVE).body
    assert (
        "`orders_sql` of version `1.4.0`, ends on 2026-09-30: still read by ana(at)example.com and revenue"
        in digest_words(day, date(2026, 6, 15), FIVE).body
    )


# Certificates


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("its promise Complete is missed", "The certificate was lost on 2026-06-15: its promise Complete is missed."),
        ("", "The certificate ended on 2026-06-15."),
    ],
)
def test_a_lost_certificate_is_told_once_to_owners_and_subscribers_with_its_reason(because, said):
    lost = LostCertificate(ORDERS, "grace@example.com", FIVE - 30 * DAY, FIVE, because)
    due = certificate_notices((lost,), (BUYER,), {}, FIVE)
    assert told(due) == [
        ("certificate", channel, "Purchase orders is certified no more") for channel in ("buyer@example.com", "sales.alerts")
    ]
    assert all(said in message.body and "grace(at)example.com had vouched" in message.body for message in due.queue)
    assert ["mesh certify" in message.body for message in due.queue] == [False, True]
    assert certificate_notices((lost,), (BUYER,), sent(due), FIVE + DAY) == DueMessages()
    assert certificate_notices((), (BUYER,), sent(due, "waiting"), FIVE).withdraw.keys() == sent(due).keys(), "it is certified again"
