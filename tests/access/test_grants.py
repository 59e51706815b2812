"""The life of a grant: who may do what to it, and what it is worth when."""

from datetime import timedelta

import pytest

from platform_resources.access.grants import NotAllowed, decided, requested, told
from tests.access.agreed import NOW, YEAR, grant

ASKED = requested("g1", "customers", "analyst", "product:revenue", " Reporting. ", (), "ana", NOW)


def after(before, act, by="ben", why="because", now=NOW, duration=YEAR, until=None):
    return told(before, (decided(before, act, by, why, now, duration, until),))


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
