"""Which role lets somebody decide what."""

import pytest

from platform_resources.access.duties import Officers
from platform_resources.access.reader_standing import Reader

OFFICERS = Officers(platform=frozenset({"team:platform"}), governance=frozenset({"grace@example.com"}))
OWNERS = ("ada@example.com", "team:sales-data")
PEOPLE = {
    "an owner": (Reader("Ada@Example.com"), ("owner",), True, True, False),
    "a member of the owning team": (Reader("bob@example.com", groups=("team:sales-data",)), ("owner",), True, True, False),
    "who runs the platform": (Reader("pat@example.com", groups=("team:platform",)), ("platform",), True, False, False),
    "governance": (Reader("grace@example.com"), ("governance",), False, True, True),
    "everybody else": (Reader("eve@example.com", groups=("team:sales",)), ("consumer",), False, False, False),
    "nobody": (Reader(""), ("consumer",), False, False, False),
    "the user of this computer": (None, ("owner", "platform", "governance"), True, True, True),
}


@pytest.mark.parametrize(("reader", "roles", "incidents", "grants", "reviews"), PEOPLE.values(), ids=PEOPLE)
def test_roles_decide_who_may_do_what(reader, roles, incidents, grants, reviews):
    assert OFFICERS.roles(reader, OWNERS) == roles
    assert OFFICERS.may_act_on_incidents(reader, OWNERS) == incidents
    assert OFFICERS.may_decide_on_grants(reader, OWNERS) == grants
    assert OFFICERS.may_hide_reviews(reader) == reviews


def test_a_product_without_owners_is_decided_on_by_officers_only():
    assert not OFFICERS.may_decide_on_grants(Reader("ada@example.com"), ())
    assert not OFFICERS.may_decide_on_grants(Reader(""), ("",))
