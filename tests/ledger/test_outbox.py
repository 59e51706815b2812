"""The outbox: written once, claimed by one, sent or accounted for, whatever the clock does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from platform_resources.incidents.messages import Message, Statement
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.outbox import OutboxEntry, claimed, failed, keys_about, keys_told, queue, sent, withdraw
from tests.ledger.event_logs import START

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def message(key="orders#1 opened > sales.ops", **changes):
    told = Message(key, "incident", "sales.ops", "orders", "sales", "orders#1", "Orders are late", "**Late** since *noon*.", START)
    return replace(told, **changes)


def queued(ledger, *told, now=START):
    with ledger.writing() as connection:
        return queue(connection, told or [message()], now)


def withdrawn(ledger, *keys, now=START, reason="resolved before anybody was told"):
    with ledger.writing() as connection:
        return withdraw(connection, keys or [message().key], now, reason)


def claim(ledger, now=START, who="a", channels=None, limit=10, **options):
    return claimed(ledger, who, channels, now, limit, **options)


def keys(claims):
    return [each.message.key for each in claims]


def entries(ledger, **options):
    with ledger.reading() as connection:
        return outbox.messages(connection, **options)


def entry(ledger):
    (found,) = entries(ledger)
    return found


def test_a_message_is_sent_once_and_stays_as_sent(either):
    assert queued(either) == 1
    (found,) = claim(either)
    assert (found.message, entry(either).state) == (message(), "sending")
    assert sent(either, found, START + MINUTE)
    assert entry(either) == OutboxEntry(message(), "sent", START, 1, "", None, START + MINUTE, "")
    assert claim(either, START + DAY) == ()
    assert not sent(either, found, START + DAY)


def test_each_key_is_written_once_however_often_it_is_decided(either):
    assert queued(either, message("a"), message("b"), message("a")) == 2
    assert queued(either, message("b"), message("c"), now=START + HOUR) == 1
    assert sorted((each.message.key, each.created_at) for each in entries(either)) == [("a", START), ("b", START), ("c", START + HOUR)]


def test_what_waits_gets_the_newest_text_and_time_and_what_is_being_sent_does_not(either):
    renewed = message(subject="Orders are very late", body="Since noon.", not_before=START + HOUR, channel="other.channel")
    queued(either)
    queued(either, renewed)
    assert entry(either).message == replace(renewed, channel="sales.ops")
    (found,) = claim(either, START + HOUR)
    queued(either, message(), now=START + HOUR)
    assert entry(either).message == found.message
    failed(either, found, START + HOUR, "no route to host")
    queued(either, message(), now=START + HOUR)
    assert (entry(either).message, entry(either).state, entry(either).attempts) == (message(), "failing", 1)


def test_what_was_sent_or_given_up_stays_so_when_it_is_queued_again(either):
    queued(either, message("sent"), message("given up"))
    for each in claim(either):
        if each.message.key == "sent":
            sent(either, each, START)
    given_up_at = give_up(either)
    before = entries(either)
    again = [message(key, subject="again") for key in ("sent", "given up")]
    assert queued(either, *again, now=given_up_at) == 0
    assert entries(either) == before
    assert {each.message.key: each.state for each in before} == {key: key for key in ("sent", "given up")}
    assert claim(either, given_up_at + DAY) == ()


def give_up(ledger):
    """Let everything fail that is not sent, until nothing is claimed any more; gives when that was."""
    now = START + 6 * MINUTE
    while any(each.state in ("waiting", "sending", "failing") for each in entries(ledger)):
        for each in claim(ledger, now):
            failed(ledger, each, now, "no route to host")
        now += 10 * MINUTE
    return now


def test_only_what_is_due_is_claimed_oldest_first_and_no_more_than_asked_for(either):
    queued(either, *[message(str(minute), not_before=START + minute * MINUTE) for minute in (3, 1, 2, 9)])
    assert keys(claim(either, START + 3 * MINUTE, limit=2)) == ["1", "2"]
    assert keys(claim(either, START + 3 * MINUTE)) == ["3"]


CHANNELS = [(None, ["a", "b"]), ((), []), (["sales.ops"], ["a"]), ({"sales.ops", "ana@example.com", "x.y"}, ["a", "b"])]


@pytest.mark.parametrize(("channels", "expected"), CHANNELS)
def test_a_sender_may_ask_for_some_channels_only(ledger, channels, expected):
    queued(ledger, message("a"), message("b", channel="ana@example.com"))
    assert keys(claim(ledger, channels=channels)) == expected


def test_a_claim_that_ran_out_may_be_taken_by_another_and_then_the_former_marks_nothing(either):
    queued(either)
    (first,) = claim(either, who="a")
    assert claim(either, START + 4 * MINUTE, who="b") == ()
    (second,) = claim(either, START + 5 * MINUTE, who="b")
    assert entry(either).last_error == "a did not report whether it was sent"
    assert not sent(either, first, START + 6 * MINUTE)
    assert not failed(either, first, START + 6 * MINUTE, "too late")
    assert (entry(either).state, entry(either).attempts) == ("sending", 2)
    assert sent(either, second, START + 6 * MINUTE)


def test_one_sender_that_takes_its_own_lost_claim_again_has_a_new_one(ledger):
    queued(ledger)
    (first,) = claim(ledger)
    (second,) = claim(ledger, START + 5 * MINUTE)
    assert not sent(ledger, first, START + 6 * MINUTE)
    assert sent(ledger, second, START + 6 * MINUTE)


def test_a_claim_that_ran_out_counts_until_another_takes_it(either):
    queued(either)
    (found,) = claim(either)
    assert sent(either, found, START + HOUR)
    assert claim(either, START + HOUR) == ()


def test_what_fails_is_tried_again_ever_later(either):
    queued(either)
    now, waits = START, []
    for number in range(9):
        (found,) = claim(either, now)
        assert failed(either, found, now, f"failure {number}")
        assert (entry(either).state, entry(either).last_error) == ("failing", f"failure {number}")
        wait = entry(either).next_at - now
        waits.append(wait // MINUTE)
        assert claim(either, now + wait - timedelta(microseconds=1)) == ()
        now += wait
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_after_three_days_of_trying_a_message_is_given_up_and_kept(either):
    queued(either)
    now = START
    while found := claim(either, now):
        failed(either, found[0], now, "no route to host")
        ended, now = now, entry(either).next_at
    assert ended - START >= 3 * DAY > ended - START - HOUR
    assert (entry(either).state, entry(either).last_error, entry(either).message) == ("given up", "no route to host", message())
    assert claim(either, now + 9 * DAY) == ()


def test_who_slept_for_three_days_has_not_tried_for_three_days(ledger):
    queued(ledger)
    for now in (START, START + 4 * DAY):
        (found,) = claim(ledger, now)
        failed(ledger, found, now, "no route to host")
    assert entry(ledger).state == "failing"


def test_a_message_over_which_every_sender_dies_is_given_up_too(either):
    queued(either)
    now = START
    while claim(either, now):
        now += HOUR
    assert (entry(either).state, entry(either).attempts) == ("given up", 72)
    assert entry(either).last_error == "a did not report whether it was sent"


def test_what_waits_can_be_withdrawn_and_is_sent_only_if_it_is_decided_anew(either):
    queued(either)
    assert withdrawn(either) == 1
    assert (entry(either).state, entry(either).reason) == ("withdrawn", "resolved before anybody was told")
    assert claim(either, START + DAY) == ()
    assert withdrawn(either, reason="again") == 0
    assert queued(either, message(subject="Again")) == 0
    assert (entry(either).state, entry(either).reason, entry(either).message.subject) == ("waiting", "", "Again")
    assert keys(claim(either, START + DAY)) == [message().key]


SAYS = (Statement("orders", "unhealthy", ("orders:fresh", "inputs/a:arrived")), Statement("revenue", "use with care"))


def test_a_message_keeps_what_it_says_of_products_and_what_it_says_anew(either):
    queued(either, message(says=SAYS))
    assert entry(either).message.says == SAYS
    queued(either, message(says=SAYS[1:]))
    assert claim(either)[0].message.says == SAYS[1:]


def test_what_does_not_hold_now_is_put_off_without_an_attempt_and_tried_again(either):
    queued(either)
    (found,) = claim(either)
    assert outbox.put_off(either, found, START, "orders is healthy now")
    told = entry(either)
    assert (told.state, told.attempts, told.last_error, told.next_at) == ("waiting", 0, "orders is healthy now", START + MINUTE)
    assert claim(either, START) == ()
    (again,) = claim(either, START + MINUTE)
    assert not outbox.put_off(either, replace(again, attempt=7), START, "of another claim")
    failed(either, again, START + MINUTE, "no route to host")
    (third,) = claim(either, START + HOUR)
    outbox.put_off(either, third, START + HOUR, "orders is healthy now")
    assert (entry(either).state, entry(either).attempts) == ("failing", 1), "the one attempt may have arrived"


def test_what_is_being_sent_or_was_sent_cannot_be_withdrawn(either):
    queued(either)
    (found,) = claim(either)
    assert withdrawn(either) == 0
    sent(either, found, START)
    assert withdrawn(either, now=START + DAY) == 0
    assert entry(either).state == "sent"


def test_what_fails_or_whose_sender_died_can_be_withdrawn(either):
    queued(either, message("fails"), message("lost"))
    lost, fails = sorted(claim(either), key=lambda each: each.message.key, reverse=True)
    failed(either, fails, START, "no route to host")
    assert withdrawn(either, "fails", "lost", "unheard of", now=START + 5 * MINUTE) == 2
    assert not sent(either, lost, START + 6 * MINUTE)
    assert {each.state for each in entries(either)} == {"withdrawn"}


def test_after_the_clock_stepped_back_a_dead_senders_message_waits_no_longer_than_its_claim(either):
    queued(either)
    (first,) = claim(either, START + 365 * DAY)
    assert claim(either, START, who="b") == ()
    assert claim(either, START + 4 * MINUTE, who="b") == ()
    (second,) = claim(either, START + 5 * MINUTE, who="b")
    assert not sent(either, first, START + 5 * MINUTE)
    assert sent(either, second, START + 5 * MINUTE)


def test_after_the_clock_stepped_back_a_living_sender_keeps_its_claim(either):
    queued(either)
    (found,) = claim(either, START + 365 * DAY)
    assert claim(either, START, who="b") == ()
    assert sent(either, found, START + MINUTE)
    assert claim(either, START + DAY, who="b") == ()


def test_after_the_clock_stepped_back_the_next_attempt_does_not_wait_for_the_future(either):
    queued(either)
    (found,) = claim(either, START + 365 * DAY)
    failed(either, found, START + 365 * DAY, "no route to host")
    assert keys(claim(either, START)) == [message().key]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["d", "b", "c", "a"]),
        ({"limit": 1}, ["d"]),
        ({"since": START + HOUR}, ["d", "b", "c"]),
        ({"state": "withdrawn"}, ["c"]),
        ({"state": "waiting"}, ["d", "a"]),
        ({"state": "sent"}, ["b"]),
        ({"state": "failing"}, []),
        ({"channel": "x.y"}, ["d"]),
        ({"channel": "sales.ops", "state": "waiting", "since": START + HOUR}, []),
    ],
)
def test_messages_are_shown_newest_first(ledger, options, expected):
    queued(ledger, message("a", not_before=START + DAY))
    queued(ledger, message("c"), message("b"), now=START + HOUR)
    queued(ledger, message("d", channel="x.y", not_before=START + DAY), now=START + 2 * HOUR)
    withdrawn(ledger, "c", now=START + HOUR)
    (found,) = claim(ledger, START + HOUR)
    sent(ledger, found, START + HOUR)
    assert keys(entries(ledger, **options)) == expected


def test_which_messages_about_an_incident_were_written_is_known_by_key(either):
    queued(either, message("b"), message("a"), message("c", incident=""), message("d", incident="orders#11"))
    withdrawn(either, "b")
    with either.reading() as connection:
        assert keys_told(connection, "orders#1") == {"a": "waiting", "b": "withdrawn"}
        assert keys_told(connection, "prices#1") == {}


def test_texts_are_kept_as_far_as_every_database_takes_them(either):
    queued(either, message(subject="Ünïcode ✓ \0", body="a\ud800b"))
    assert (entry(either).message.subject, entry(either).message.body) == ("Ünïcode ✓ \ufffd", "a?b")


STEPS = st.lists(
    st.tuples(
        st.integers(-120, 120),
        st.sampled_from(["queue", "claim", "claim", "claim", "sent", "failed", "forget", "withdraw"]),
        st.sampled_from("abc"),
    ),
    max_size=40,
)


@pytest.mark.slow
@given(STEPS)
@settings(max_examples=80)
def test_whatever_the_clock_does_no_message_is_lost_or_sent_by_two_who_hold_it(sqlite_ledgers, steps):
    """A sender that is neither dead nor late is the only one; and in the end each message has one of the three ends."""
    ledger = sqlite_ledgers.new()
    now, held, ended = START, {}, {}
    for minutes, act, key in steps:
        now += minutes * MINUTE
        if minutes > 0:
            held.clear()  # time may have passed: whoever held a message may be too late
        if act == "queue":
            queued(ledger, message(key), now=now)
            if ended.get(key) == "withdrawn":
                del ended[key]
        elif act == "claim":
            for each in claim(ledger, now, limit=1):
                assert each.message.key not in held and each.message.key not in ended
                held[each.message.key] = each
        elif act == "withdraw" and withdrawn(ledger, key, now=now):
            assert key not in held
            ended[key] = "withdrawn"
        elif key in held:
            each = held.pop(key)
            if act == "sent":
                assert sent(ledger, each, now)
                ended[key] = "sent"
            elif act == "failed":
                assert failed(ledger, each, now, "no route to host")
    known = {each.message.key for each in entries(ledger)}
    later = max(now, START) + 3 * HOUR
    for _ in range(2):  # claims and attempts of a clock that was ahead are first brought back
        for each in claim(ledger, later):
            assert sent(ledger, each, later)
            ended[each.message.key] = "sent"
        later += HOUR
    assert {each.message.key: each.state for each in entries(ledger)} == ended
    assert set(ended) == known
    ledger.close()


def test_what_was_said_about_products_is_found_by_kind_and_time(either):
    def about(product, kind="schema"):
        return message(f"{kind} of {product} > sales.ops", product=product, kind=kind)

    queued(either, about("orders"), about("stock"), about("orders", "budget"))
    queued(either, message("newer", product="orders", kind="schema"), now=START + DAY)
    with either.reading() as connection:
        assert set(keys_about(connection, "schema", ["orders"])) == {"schema of orders > sales.ops", "newer"}
        assert keys_about(connection, "schema", ["orders", "stock"], since=START + DAY) == {"newer": "waiting"}
        assert keys_about(connection, "budget", []) == {}


def test_old_messages_are_not_read_to_find_new_ones(ledger):
    """By the index: an outbox keeps every message that was ever written."""
    query = "select key from messages where kind = 'schema' and product in ('orders', 'stock') and created_at >= 0"
    with ledger.reading() as connection:
        (step, *_) = connection.execute(text(f"explain query plan {query}")).scalars(3)
    assert step == "SEARCH messages USING INDEX ix_messages_kind_product_created_at (kind=? AND product=? AND created_at>?)"
