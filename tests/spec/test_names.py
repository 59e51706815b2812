"""Names, and when two are one to a warehouse."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.spec.values.names import LONGEST_NAME, any_case, fold, is_name, slug, title_of_name

NAMES = {
    "orders": True,
    "a1_b": True,
    "Orders": False,
    "1a": False,
    "_a": False,
    "a-b": False,
    "a b": False,
    "": False,
    "ä": False,
    "a\n": False,
}
SLUGS = [
    ("JDBC-Port of DP x", "jdbc_port_of_dp_x"),
    ("Refreshed daily!", "refreshed_daily"),
    ("24 hours", "n_24_hours"),
    ("  -- ", ""),
    ("Größe", "gr_e"),
]
TOGETHER = [("a-b", "a_b"), ("a_b", "A_b"), ("a b", "a.b"), ("Orders", "ORDERS")]
APART = [("ab", "a_b"), ("a__b", "a_b"), ("a_b", "a_b_")]


@pytest.mark.parametrize(("text", "expected"), NAMES.items())
def test_a_name_is_lower_snake_case(text, expected):
    assert is_name(text) == expected


def test_a_name_has_a_longest_length():
    assert is_name("a" * LONGEST_NAME)
    assert not is_name("a" * (LONGEST_NAME + 1))


@pytest.mark.parametrize(("text", "name"), SLUGS)
def test_free_text_becomes_the_nearest_name(text, name):
    assert slug(text) == name


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_names_that_a_warehouse_cannot_tell_apart_fold_together(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_that_a_warehouse_tells_apart_do_not(one, other):
    assert fold(one) != fold(other)


@given(st.text(max_size=50))
def test_a_slug_is_a_name_or_nothing_and_is_its_own_slug(text):
    assert slug(text) == "" or is_name(slug(text))
    assert slug(slug(text)) == slug(text)


@given(st.from_regex(r"\A[a-z][a-z0-9_]{0,30}\Z"))
def test_a_name_is_its_own_folded_form(name):
    assert fold(name) == name


@pytest.mark.parametrize("written", ["source-aligned", "Source Aligned", " SOURCE_ALIGNED "])
def test_a_word_is_matched_in_any_case(written):
    assert re.search(any_case("aggregate", "source-aligned"), written)
    assert not re.search(any_case("aggregate", "source-aligned"), "source-aligned-too")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("sales_eu", "Sales EU"),
        ("customer_360", "Customer 360"),
        ("customer_ids", "Customer ids"),
        ("about_us", "About us"),
        ("hr", "HR"),
        ("crm-contacts", "CRM contacts"),
        ("orders", "Orders"),
    ],
)
def test_a_name_becomes_a_title(name, title):
    assert title_of_name(name) == title
