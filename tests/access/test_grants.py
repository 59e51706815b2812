"""The life of a grant: who may do what to it, and what it is worth when."""

from datetime import UTC, date, datetime, timedelta

import pytest

from platform_resources.access.grants import NotAllowed, after_events, decided, in_code, requested
from platform_resources.spec.agreements import GrantedRole
from tests.access.agreed import NOW, YEAR, grant

ASKED = requested("g1", "customers", "analyst", "product:revenue", " Reporting. ", (), "ana", NOW)


def after(before, act, by="ben", why="because", now=NOW, duration=YEAR, until=None):
    return after_events(before, (decided(before, act, by, why, now, duration, until),))


def test_a_request_gives_nothing_before_somebody_else_approves_it():
    assert ASKED.state(NOW) == "requested"
    approved = after(ASKED, "approved")
    assert (approved.state(NOW), approved.last_by, approved.until) == ("approved", "ben", NOW + YEAR)


@pytest.mark.parametrize(("by", "subject"), [("ana", "product:revenue"), ("bob", "bob"), (" Ana", "product:revenue"), ("BOB ", "bob")])
def test_nobody_approves_or_renews_what_they_asked_for_or_would_have(by, subject):
    own = requested("g1", "customers", "analyst", subject, "Reporting.", (), "ana", NOW)
    with pytest.raises(NotAllowed, match="somebody else must decide: an owner of customers"):
        after(own, "approved", by=by)
    with pytest.raises(NotAllowed, match="somebody else must decide"):
        after(after(own, "approved"), "renewed", by=by)


def test_a_request_needs_a_purpose_and_a_refusal_a_reason():
    with pytest.raises(NotAllowed, match="needs a purpose"):
        requested("g1", "customers", "analyst", "bob", " ", (), "ana", NOW)
    with pytest.raises(NotAllowed, match="say why grant g1 is rejected"):
        after(ASKED, "rejected", why=" ")


@pytest.mark.parametrize(
    ("acts", "next_act", "allowed"),
    [
        ((), "approved", True),
        ((), "rejected", True),
        ((), "revoked", False),
        ((), "renewed", False),
        (("approved",), "revoked", True),
        (("approved",), "renewed", True),
        (("approved",), "approved", False),
        (("approved", "revoked"), "renewed", False),
        (("approved", "revoked"), "approved", False),
        (("rejected",), "approved", False),
    ],
)
def test_what_can_follow_what(acts, next_act, allowed):
    found = ASKED
    for act in acts:
        found = after(found, act)
    if allowed:
        assert after(found, next_act).last == next_act
    else:
        with pytest.raises(NotAllowed, match=f"cannot be {next_act}"):
            after(found, next_act)


def test_it_expires_by_itself_and_can_be_renewed():
    approved = after(ASKED, "approved", duration=timedelta(days=1))
    late = NOW + timedelta(days=1)
    assert approved.state(late) == "expired"
    assert after(approved, "renewed", now=late, duration=timedelta(days=1)).state(late) == "approved"


def test_it_lasts_no_longer_than_the_agreement_says():
    assert after(ASKED, "approved", until=NOW + timedelta(days=1)).until == NOW + timedelta(days=1)
    assert after(ASKED, "approved", until=NOW + 2 * YEAR).until == NOW + YEAR
    with pytest.raises(NotAllowed, match="is over already"):
        after(ASKED, "approved", until=NOW)


def test_what_stands_in_code_is_changed_there():
    with pytest.raises(NotAllowed, match=r"stands in the product\.yaml of customers"):
        after(grant(in_code=True), "revoked")


OWNERS = ("lead@example.com", "team:crm")


@pytest.mark.parametrize(
    ("act", "by", "allowed"),
    [
        ("approved", "lead@example.com", True),
        ("approved", "Team:CRM", True),
        ("approved", "ben", False),
        ("rejected", "ben", False),
        ("renewed", "ben", False),
        ("revoked", "ben", False),
        ("revoked", "ana", True),
        ("revoked", "product:revenue", True),
        ("rejected", "ana", False),
    ],
)
def test_owners_decide_and_whoever_asked_may_give_it_up(act, by, allowed):
    before = ASKED if act in ("approved", "rejected") else after(ASKED, "approved")
    if allowed:
        assert decided(before, act, by, "because", NOW, YEAR, deciders=OWNERS).by == by
    else:
        with pytest.raises(NotAllowed, match=f"{by} does not decide about customers; its owners do: lead@example.com, team:crm"):
            decided(before, act, by, "because", NOW, YEAR, deciders=OWNERS)


@pytest.mark.parametrize(
    ("since", "until", "duration", "ends"),
    [
        (date(2026, 1, 1), None, YEAR, datetime(2027, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), date(2026, 6, 1), YEAR, datetime(2026, 6, 1, tzinfo=UTC)),
        (date(2026, 1, 1), date(2030, 1, 1), YEAR, datetime(2027, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), date(2030, 1, 1), None, datetime(2030, 1, 1, tzinfo=UTC)),
        (None, None, YEAR, None),
    ],
)
def test_a_grant_in_code_lasts_no_longer_than_its_agreement_says(since, until, duration, ends):
    granted = GrantedRole(role="analyst", to="bob", purpose="Tests.", approved_by="lead", since=since, until=until)
    assert in_code("customers", "use", 1, granted, duration).until == ends
