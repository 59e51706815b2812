"""What a column may be called."""

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.components import DataSet
from platform_resources.spec.values.column_names import LONGEST_COLUMN, PATTERN, RESERVED, column_name, folded_column, needs_quotes

GOOD = [
    "order_id",
    "größe",
    "order date",
    "Umsatz (€)",
    "select",
    "Order ID",
    "a'b",
    "50 %",
    "{{ x }}",
    "-- x",
    "数量",
    "1",
    "€",
    "x" * 255,
]
BAD = [
    ("", "write at least one letter, digit or sign"),
    (" ", "write at least one letter, digit or sign"),
    (" größe", "take the blank before or behind it away"),
    ("größe\u00a0", "take the blank before or behind it away"),
    ("order\ndate", "it has a line break, tab or other control character in it"),
    ("order\tdate", "it has a line break, tab or other control character in it"),
    ("order\x00", "it has a line break, tab or other control character in it"),
    ("order\u2028date", "it has a line break, tab or other control character in it"),
    ('5" screen', "dbt cannot put a name with a double quote in it in quotes; take the quote away"),
    ("x" * (LONGEST_COLUMN + 1), "it has 256 characters, and 255 are allowed"),
]


@pytest.mark.parametrize("name", GOOD)
def test_any_name_that_warehouses_take_in_quotes_is_allowed(name):
    assert column_name(name) == name
    assert re.search(PATTERN, name)


@pytest.mark.parametrize(("name", "why"), BAD)
def test_other_names_are_refused_with_the_reason(name, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        column_name(name)
    assert not re.search(PATTERN, name)


@given(st.text(max_size=300))
def test_editors_take_the_names_that_the_reader_takes(name):
    try:
        taken = column_name(name) == name
    except ValueError:
        taken = False
    assert (re.fullmatch(PATTERN, name) is not None) == taken


@pytest.mark.slow
@given(st.text(min_size=1, max_size=40))
def test_what_is_allowed_is_a_column_of_duckdb(name):
    try:
        column_name(name)
    except ValueError:
        return
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({quoted(name)} integer)")
        assert connection.execute("describe t").fetchall()[0][0] == name


@pytest.mark.parametrize(
    ("one", "other"), [("Größe", "GRÖSSE"), ("Order ID", "order id"), ("ÄNDERUNG", "änderung"), ("Gro\u0308ße", "größe"), ("a", "A")]
)
def test_names_that_fold_together_are_one_column_too_many(one, other):
    with pytest.raises(ValidationError, match="a column is given twice; capitals make no difference to a warehouse"):
        DataSet.model_validate({"columns": [{"name": one, "type": "date"}, {"name": other, "type": "date"}]})
    assert folded_column(one) == folded_column(other)


def test_names_stay_apart_that_only_look_alike_to_ascii():
    names = ["größe", "grösse x", "gr_e", "gr e", "gr-e"]
    found = DataSet.model_validate({"columns": [{"name": name, "type": "date"} for name in names]})
    assert [column.name for column in found.columns] == names


def test_duckdbs_own_words_are_known_to_need_quotes():
    words = "select keyword_name from duckdb_keywords() where keyword_category in ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        assert {word for (word,) in connection.execute(words).fetchall()} - RESERVED == set()


@pytest.mark.parametrize(
    ("name", "needed"), [("order_id", False), ("OrderId", False), ("select", True), ("Order", True), ("größe", True), ("1st", True)]
)
def test_only_names_that_sql_would_not_take_as_they_are_stand_in_quotes(name, needed):
    assert needs_quotes(name) == needed
