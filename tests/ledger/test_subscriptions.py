"""Who wants to hear about which product."""

from datetime import timedelta

import pytest

from platform_resources.ledger.people.subscriptions import Subscription, subscribe, subscriptions, unsubscribe
from tests.ledger.event_logs import START

LATER = START + timedelta(days=1)


@pytest.fixture
def told(either):
    """Gives what the ledger answers after these acts, in one transaction."""

    def answer(*acts, product=None):
        with either.writing() as connection:
            done = [act(connection, *arguments) for act, *arguments in acts]
            return [each for each in done if each is not None], subscriptions(connection, product)

    return answer


def test_a_subscription_is_of_a_product_a_person_and_a_channel(told):
    _, found = told(
        (subscribe, "orders", "ana", "sales.ops", "high", START),
        (subscribe, "orders", "ana", "ana@example.com", "low", START),
        (subscribe, "prices", "ben", "sales.ops", "critical", START),
    )
    assert found == (
        Subscription("orders", "ana", "ana@example.com", "low", START),
        Subscription("orders", "ana", "sales.ops", "high", START),
        Subscription("prices", "ben", "sales.ops", "critical", START),
    )
    assert told(product="prices")[1] == found[2:]
    assert told(product="stock")[1] == ()


def test_subscribing_twice_changes_only_the_severity(told):
    twice = [(subscribe, "orders", "ana", "sales.ops", severity, at) for severity, at in (("high", START), ("low", LATER))]
    assert told(*twice)[1] == (Subscription("orders", "ana", "sales.ops", "low", START),)


def test_a_subscription_ends_once_and_may_begin_again(told):
    end = (unsubscribe, "orders", "ana", "sales.ops", START)
    done, found = told((subscribe, "orders", "ana", "sales.ops", "high", START), end, end)
    assert (done, found) == ([True, False], ())
    assert told((subscribe, "orders", "ana", "sales.ops", "low", LATER))[1] == (Subscription("orders", "ana", "sales.ops", "low", LATER),)


def test_only_what_is_named_ends(told):
    begun = [(subscribe, "orders", "ana", "sales.ops", "high", START), (subscribe, "orders", "ben", "sales.ops", "high", START)]
    others = [
        (unsubscribe, *each, START) for each in (("prices", "ana", "sales.ops"), ("orders", "ana", "x.y"), ("orders", "cy", "sales.ops"))
    ]
    done, found = told(*begun, *others)
    assert (done, len(found)) == ([False, False, False], 2)
