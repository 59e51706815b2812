"""Grants in both databases: rows are only ever added, and of two who decide at once one decides first."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from platform_resources.access.grants import NotAllowed, decided, requested
from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.people.grant_store import NoSuchGrant, decide, events_of_grant, grants_of, grants_of_reader, request
from platform_resources.ledger.people_tables import grant_events, grants
from tests.access.agreed import NOW, YEAR

ATTRIBUTES = (("region", "E'U \x00"), ("zone", "1"))
ASKED = requested("", "customers", "analyst", "product:revenue", "Größe '; drop table grants --", ATTRIBUTES[1:], "ana", NOW)


def act(ledger, name, what, by="ben", at=NOW):
    return decide(ledger, name, lambda grant: decided(grant, what, by, "because", at, YEAR))


def all_rows(ledger):
    with ledger.reading() as connection:
        return [tuple(row) for table in (grants, grant_events) for row in connection.execute(select(table).order_by(table.c.id))]


def test_what_was_asked_and_decided_is_told_as_it_was(either):
    asked = request(either, ASKED)
    assert asked == replace(ASKED, name=asked.name)
    approved = act(either, asked.name, "approved")
    with either.reading() as connection:
        assert (
            grants_of(connection) == grants_of(connection, "customers") == grants_of(connection, subject="product:revenue") == (approved,)
        )
        assert grants_of(connection, "orders") == ()
        (event,) = events_of_grant(connection, asked.name)
    assert (event.act, event.by, event.why, event.at, event.until) == ("approved", "ben", "because", NOW, NOW + YEAR)


def test_the_grants_of_a_reader_are_theirs_and_those_of_their_groups_whatever_capitals(either):
    asked = {subject: request(either, replace(ASKED, subject=subject)) for subject in ("Ana", "team:CRM", "ANASTASIA", "straße", "O'Neil")}
    approved = act(either, asked["team:CRM"].name, "approved")
    with either.reading() as connection:
        assert grants_of_reader(connection, Reader("ANA", groups=("team:crm",))) == (asked["Ana"], approved)
        assert grants_of_reader(connection, Reader("STRASSE")) == (asked["straße"],)
        assert grants_of_reader(connection, Reader("o'neil")) == (asked["O'Neil"],)
        assert grants_of_reader(connection, Reader("nobody", groups=("",))) == ()


def test_what_was_written_is_never_changed(either):
    name = request(either, ASKED).name
    before = all_rows(either)
    for n, what in enumerate(("approved", "renewed", "revoked")):
        act(either, name, what, at=NOW + timedelta(days=n))
        assert all(row in all_rows(either) for row in before)
        before = all_rows(either)
    assert len(before) == 4


def test_the_second_who_decides_sees_what_the_first_decided(ledger):
    name = request(ledger, ASKED).name
    act(ledger, name, "rejected")
    with pytest.raises(NotAllowed, match="is rejected, and cannot be approved"):
        act(ledger, name, "approved", by="cy")
    with ledger.reading() as connection:
        assert [event.act for event in events_of_grant(connection, name)] == ["rejected"]


@pytest.mark.parametrize("name", ["g2", "2", "g-1", "customers/internal_use/1", "g1; drop table grants", "", "g" + "9" * 30])
def test_what_is_no_grant_of_the_ledger_is_refused(ledger, name):
    request(ledger, ASKED)
    with pytest.raises(NoSuchGrant):
        act(ledger, name, "approved")
