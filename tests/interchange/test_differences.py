"""What turns one piece of data into another can be kept and applied, and undoes no newer edit."""

from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.interchange.differences import applied, difference, same

NAMES = st.sampled_from(["a", "b", "c", "a#2"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | st.sampled_from(["", "x", "1"])
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3)
        | st.lists(st.builds(lambda name, value: {"name": name, "value": value}, NAMES, inner), max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, DATA, max_size=4)


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS, DOCUMENTS)
def test_the_difference_applied_to_the_one_is_the_other(before, after):
    assert same(applied(before, list(difference(before, after))), after)


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS)
def test_there_is_no_difference_between_a_thing_and_itself(data):
    assert list(difference(data, data)) == []


def test_a_change_finds_its_item_after_others_have_come_and_in_another_order():
    before = {"columns": [{"name": "id"}, {"name": "day"}]}
    changes = list(difference(before, {"columns": [{"name": "day", "label": "Day"}, {"name": "id"}]}))
    later = {"columns": [{"name": "new"}, {"name": "id"}, {"name": "day"}]}
    assert applied(later, changes) == {"columns": [{"name": "day", "label": "Day"}, {"name": "id"}, {"name": "new"}]}


def test_what_was_edited_since_is_not_undone():
    changes = list(difference({"type": "integer", "text": "old"}, {"type": "int", "text": "theirs"}))
    assert applied({"type": "integer", "text": "ours"}, changes) == {"type": "int", "text": "ours"}


def test_what_has_gone_does_not_come_back_in_part():
    changes = list(difference({"columns": [{"name": "id"}]}, {"columns": [{"name": "id", "label": "Id"}]}))
    assert applied({"columns": []}, changes) == {"columns": []}
