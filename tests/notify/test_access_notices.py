"""Messages about grants: who hears of what, once, and not of what holds no longer."""

from dataclasses import replace
from datetime import timedelta

from platform_resources.notify.access_notices import GrantStanding, access_notices
from platform_resources.notify.facts import About
from platform_resources.plan.routes import RoutePlan
from tests.access.agreed import NOW, grant

DAY = timedelta(days=1)
CUSTOMERS = About(
    "customers", "Customers", "crm", owners=("lead@example.com", "team:crm"), routes=(RoutePlan("crm.alerts", "owner", "low", None),)
)
REVENUE = About("revenue", "Revenue", "finance", routes=(RoutePlan("finance.alerts", "owner", "low", None),))
ABOUTS = {about.name: about for about in (CUSTOMERS, REVENUE)}


def due(*grants, known=None, now=NOW, about=CUSTOMERS):
    standings = [GrantStanding(each, about, 30 * DAY) for each in grants]
    return access_notices(standings, ABOUTS, known or {}, now, now - 7 * DAY)


def told(found):
    return {(message.channel, message.subject) for message in found.queue}


def test_owners_hear_of_a_request_with_what_decides():
    found = due(grant(last="requested", requested_by="ana@example.com"))
    assert told(found) == {("crm.alerts", "Customers: product:revenue asks for role analyst")}
    assert "`mesh access approve g1` or `mesh access reject g1` decides." in found.queue[0].body


def test_without_a_channel_the_owners_addresses_hear():
    found = due(grant(last="requested"), about=replace(CUSTOMERS, routes=()))
    assert [message.channel for message in found.queue] == ["lead@example.com"]


def test_whoever_asked_and_whoever_has_it_hear_what_was_decided():
    for act, words in (("approved", "is approved until 2027-11-29"), ("rejected", "is rejected"), ("revoked", "is revoked")):
        until = NOW + 365 * DAY if act == "approved" else None
        found = due(grant(last=act, requested_by="ana@example.com", why="Because.", until=until))
        assert told(found) == {
            (channel, f"Customers: role analyst of product:revenue {words}") for channel in ("ana@example.com", "finance.alerts")
        }
        assert all("ben: Because." in message.body for message in found.queue)


def test_an_end_is_told_before_it_comes_and_when_it_has_come():
    one = grant(until=NOW + 20 * DAY, last_at=NOW - 300 * DAY)
    assert told(due(one)) == {
        (channel, f"Customers: role analyst of product:revenue ends on {one.until:%Y-%m-%d}")
        for channel in ("crm.alerts", "finance.alerts")
    }
    assert told(due(one, now=NOW - 20 * DAY)) == set()
    assert told(due(one, now=NOW + 21 * DAY)) == {
        (channel, "Customers: role analyst of product:revenue has ended") for channel in ("crm.alerts", "finance.alerts")
    }
    assert told(due(one, now=NOW + 60 * DAY)) == set()


def test_each_is_told_once_and_what_was_decided_meanwhile_is_withdrawn():
    asked = grant(last="requested")
    (message,) = due(asked).queue
    assert due(asked, known={message.key: "sent"}).queue == ()
    found = due(grant(requested_by="ana@example.com"), known={message.key: "waiting"})
    assert message.key in found.withdraw and message.key not in {each.key for each in found.queue}


def test_what_people_write_is_no_markup_of_a_message():
    found = due(grant(last="requested", purpose="[click](http://evil) **now**\n\n# big"))
    assert "](http://evil)" not in found.queue[0].body and "\n# big" not in found.queue[0].body
