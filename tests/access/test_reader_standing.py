"""What a reader is to a product: decided from its agreements, the grants and the time alone."""

from datetime import timedelta

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader, previewed, standing
from tests.access.agreed import NOW, grant, known, offers

REVENUE, NOTHING = Reader("product:revenue", "finance"), KnownGrants()


def sees(offered, reader=REVENUE, grants=NOTHING, now=NOW):
    return standing(offered, reader, grants, now).sees


@pytest.mark.parametrize(
    ("reader", "changes", "seen"),
    [
        (Reader("product:customers", "crm"), {"domain_access": False}, "all"),
        (Reader("lead@example.com"), {}, "all"),
        (Reader("product:leads", "crm"), {}, "all"),
        (Reader("product:leads", "crm"), {"domain_access": False}, "nothing"),
        (Reader("product:leads", "crm"), {"domain_access": False, "agreed": False}, "open"),
        (REVENUE, {"agreed": False}, "open"),
        (Reader("bob"), {"agreed": False}, "open"),
        (REVENUE, {}, "nothing"),
        (Reader("bob"), {}, "nothing"),
    ],
)
def test_what_applies_where_no_grant_says_anything(reader, changes, seen):
    assert sees(offers(**changes), reader) == seen


def test_a_grant_of_the_ledger_and_one_in_code_give_its_role():
    for offered, grants in ((offers(grant()), known()), (offers(), known(grant()))):
        found = standing(offered, REVENUE, grants, NOW)
        assert (found.sees, found.role, found.grant) == ("role", "analyst", "g1")
        assert found.why == "grant g1 of role analyst: Reporting."


@pytest.mark.parametrize(
    "other",
    [
        grant(subject="product:leads"),
        grant(product="orders"),
        grant(role="gone"),
        grant(last="requested"),
        grant(last="rejected"),
        grant(last="revoked"),
        grant(until=NOW),
        grant(since=NOW + timedelta(seconds=1)),
    ],
)
def test_no_other_grant_gives_anything(other):
    assert sees(offers(), grants=known(other)) == "nothing"


def test_a_grant_ends_by_itself_at_its_time():
    ending = known(grant(until=NOW))
    assert sees(offers(), grants=ending, now=NOW - timedelta(microseconds=1)) == "role"
    assert sees(offers(), grants=ending) == "nothing"


def test_a_refusal_says_what_there_was_what_to_ask_and_whom():
    refused = standing(offers(), REVENUE, known(grant(until=NOW - timedelta(days=1)), grant(name="g2", last="requested")), NOW).refused
    assert refused == (
        "product:revenue has no grant for a role of customers (grant g1 of role analyst is expired since 2026-11-28; "
        "grant g2 of role analyst is requested and not decided yet); "
        "ask for one: mesh access request customers --role analyst|crm --to product:revenue --purpose …; lead@example.com decides"
    )


def test_grants_that_are_not_known_count_for_nothing_and_are_told():
    refused = standing(offers(), REVENUE, KnownGrants(unknown="the ledger is locked"), NOW)
    assert refused.sees == "nothing"
    assert refused.refused.startswith("no grant of product:revenue is known for a role of customers; ")
    assert "the ledger's grants are not known: the ledger is locked" in refused.refused


def test_of_several_roles_the_reader_says_which():
    both = known(grant(), grant(role="crm", name="g2"))
    assert "has several roles of customers (analyst, crm)" in standing(offers(), REVENUE, both, NOW).refused
    assert standing(offers(), Reader("product:revenue", "finance", role="crm"), both, NOW).role == "crm"
    assert sees(offers(), Reader("product:revenue", "finance", role="crm"), known(grant())) == "nothing"


REGIONS = (("region", ("EU", "US")),)


def test_a_grant_whose_attributes_are_not_those_of_the_role_gives_nothing_and_stands_in_no_ones_way():
    former, other, now_valid = (
        grant(name=name, attributes=given) for name, given in (("g1", ()), ("g2", (("region", "DE"),)), ("g3", (("region", "EU"),)))
    )
    refused = standing(offers(attributes=REGIONS), REVENUE, known(former, other), NOW).refused
    assert "grant g1 of role analyst is of no use: the attributes of that role are others now, so ask for it anew" in refused
    assert standing(offers(attributes=REGIONS), REVENUE, known(former, other, now_valid), NOW).grant == "g3"


def test_of_several_grants_of_one_role_none_is_guessed():
    both = known(*(grant(name=name, attributes=(("region", region),)) for name, region in (("g1", "EU"), ("g2", "US"))))
    refused = standing(offers(attributes=REGIONS), REVENUE, both, NOW).refused
    assert refused == "product:revenue has grants of role analyst of customers with different attributes (g1, g2); all but one must go"


@pytest.mark.parametrize("given", [(), (("region", "DE"),), (("region", "EU"), ("land", "DE"))])
def test_a_role_is_looked_through_with_its_attributes(given):
    offered = offers(attributes=REGIONS)
    assert previewed(offered, "analyst", given).refused == (
        "say one value of each attribute of role analyst of customers, which are: region: EU, US"
    )
    assert previewed(offered, "analyst", (("region", "EU"),)).sees == "role"


def test_a_person_has_the_roles_of_the_groups():
    assert sees(offers(), Reader("bob", groups=("team:crm",)), known(grant(subject="team:crm"))) == "role"
    assert sees(offers(), Reader("bob"), known(grant(subject="team:crm"))) == "nothing"


def test_a_role_that_does_not_exist_cannot_be_looked_through():
    assert previewed(offers(), "../crm", ()).refused == 'customers has no role "../crm"; it has: analyst, crm'
