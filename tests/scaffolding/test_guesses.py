"""What is guessed of columns and promised of them: from names and measurements alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.detection.name_words import name_words
from platform_resources.measuring.version_profiles import ColumnProfile
from platform_resources.scaffolding.column_guesses import COMMA_NUMBER, classifications, unit, updated_at
from platform_resources.scaffolding.key_guesses import combined_candidates, key, single_candidates
from platform_resources.scaffolding.product_files import product_names, promised_type
from platform_resources.scaffolding.source_columns import SourceColumn, SourceFacts
from platform_resources.scaffolding.suggested_objectives import filled_at_least, suggestions
from platform_resources.spec.values.column_names import column_name, folded_column


def column(name, kind="bigint", *, nulls=0, distinct=100, low=None, high=None, **facts):
    return SourceColumn(name, kind, ColumnProfile(name, kind, nulls, distinct, low, high), **facts)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customerEMail", ("customer", "e", "mail")),
        ("Kunden-Nr.", ("kunden", "nr")),
        ("GRÖSSE_cm", ("groesse", "cm")),
        ("orderID2", ("order", "id", "2")),
        ("学校", ("学校",)),
        ("!?", ()),
    ],
)
def test_words_of_a_name(name, words):
    assert name_words(name) == words


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("amount_eur", "decimal(18,2)", ("EUR", "medium")),
        ("Umsatz (€)", "double", ("EUR", "high")),
        ("Gewicht [kg]", "double", ("kg", "high")),
        ("discount_pct", "bigint", ("%", "medium")),
        ("amount_eur", "varchar", None),
        ("eur_rows", "bigint", None),
    ],
)
def test_units_are_guessed_from_names_of_numbers(name, kind, expected):
    found = unit(column(name, kind))
    assert (found and (found.value, found.confidence)) == expected


@pytest.mark.parametrize(
    ("name", "kind", "looks", "expected"),
    [
        ("contact", "varchar", {"an e-mail address": 0.6}, ("personal", "high")),
        ("contact", "varchar", {"an e-mail address": 0.4}, None),
        ("amount", "varchar", {COMMA_NUMBER: 1.0}, None),
        ("E-Mail", "varchar", {}, ("personal", "medium")),
        ("Geburtsdatum", "date", {}, ("personal", "medium")),
        ("monthlySalary", "bigint", {}, ("sensitive", "high")),
        ("employee_count", "bigint", {}, None),
        ("email", "boolean", {}, None),
        ("city", "varchar", {}, None),
    ],
)
def test_data_about_people_are_told_by_names_and_values(name, kind, looks, expected):
    found = classifications([column(name, kind, looks=looks)]).get(name)
    assert (found and (found.value, found.confidence)) == expected


def test_what_is_personal_only_beside_a_person_is_hidden_there():
    assert classifications([column("city", "varchar"), column("vorname", "varchar")])["city"].confidence == "low"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([column("day", "date"), column("created_at", "timestamp"), column("Updated At", "timestamptz")], ("Updated At", "high")),
        ([column("erstellt", "timestamp")], ("erstellt", "medium")),
        ([column("updated_at", "timestamp", nulls=1)], None),
        ([column("updated_at", "timestamp", future=1)], None),
        ([column("updated_at", "varchar"), column("day", "date")], None),
    ],
)
def test_a_column_dates_rows_by_type_name_and_values(columns, expected):
    found = updated_at(columns)
    assert (found and (found.value, found.confidence)) == expected


@pytest.mark.parametrize(
    ("rows", "unique", "expected"),
    [
        (100, [("order_id",)], "high"),
        (100, [("word",)], "medium"),
        (4, [("order_id",)], "medium"),
        (4, [("word",)], "low"),
        (1, [("order_id",)], "low"),
        (4, [("order_id", "day")], "medium"),
        (100, [], None),
    ],
)
def test_a_key_is_as_sure_as_its_name_and_its_rows(rows, unique, expected):
    columns = (column("order_id"), column("word", "varchar"), column("day", "date"))
    found = key(SourceFacts(rows, columns, True, tuple(unique)))
    assert (found and found[1].confidence) == expected


def test_only_what_may_be_unique_is_measured():
    columns = (
        column("price", "double"),
        column("word", "varchar"),
        column("gap_id", nulls=1),
        column("few_id", distinct=3),
        column("order_number"),
    )
    assert single_candidates(SourceFacts(100, columns, True)) == (("order_number",), ("word",))
    assert single_candidates(SourceFacts(120, columns, False))[0] == ("order_number",), "approximate counts may be too small"


def test_combinations_are_tried_with_two_columns_first_and_without_values_alone():
    columns = (column("visitors", distinct=4), column("store_id", distinct=2), column("day", "date", distinct=2))
    assert list(combined_candidates(SourceFacts(4, columns, True))) == [
        ("store_id", "day"),
        ("visitors", "store_id"),
        ("visitors", "store_id", "day"),
    ]


@pytest.mark.parametrize(("rows", "nulls", "least"), [(4, 1, 29), (4, 0, 50), (400, 0, 99), (1_000_000, 676_000, 31), (100, 100, 0)])
def test_completeness_is_promised_by_the_lower_binomial_bound(rows, nulls, least):
    assert filled_at_least(rows, nulls) == least


@given(st.integers(1, 10**7), st.floats(0, 1))
def test_no_completeness_is_promised_that_the_data_miss(rows, share):
    nulls = int(rows * share)
    assert filled_at_least(rows, nulls) <= 100 * (rows - nulls) / rows


@pytest.mark.parametrize(
    ("name", "low", "high", "expected"),
    [
        ("visitors", 893, 1204, (0, 2000)),
        ("amount", 0.5, 6.5, (0, 20)),
        ("degrees", -3.2, 21.0, (-30, 50)),
        ("balance", -500, -20, (-1000, 0)),
        ("share_pct", 2, 98, (0, 100)),
        ("ratio", 0.001, 0.004, (0, 0.007)),
        ("constant", 5, 5, None),
        ("order_id", 1, 500, None),
        ("huge", 0, 10**18, None),
    ],
)
def test_ranges_have_as_much_room_again(name, low, high, expected):
    source = SourceFacts(100, (column(name, "double" if name != "order_id" else "bigint", low=low, high=high),), True)
    found = [each.fields for each in suggestions(source, "t", (), ()) if each.fields["dimension"] == "validity"]
    assert [(fields["min"], fields["max"]) for fields in found] == ([expected] if expected else [])


@given(st.floats(-1e14, 1e14), st.floats(0, 1e14))
def test_no_range_is_promised_that_the_data_miss(low, span):
    source = SourceFacts(100, (column("number", "double", low=low, high=low + span),), True)
    for each in suggestions(source, "t", (), ()):
        if each.fields["dimension"] == "validity":
            assert each.fields["min"] <= low <= low + span <= each.fields["max"]


def test_nothing_is_said_of_the_values_of_people_or_of_few_rows():
    columns = (column("name", "varchar", values=(("Ada", 50), ("Ben", 50))), column("age", low=1, high=99))
    source = SourceFacts(100, columns, True)
    assert {each.fields["dimension"] for each in suggestions(source, "t", (), ("name", "age"))} == {"volume", "completeness"}
    few = replace(source, rows=19, columns=(column("age", low=1, high=99),))
    assert {each.fields["dimension"] for each in suggestions(few, "t", (), ())} == {"volume", "completeness"}


def test_promises_about_columns_of_like_names_have_names_of_their_own():
    columns = tuple(column(name, "double", low=0, high=9) for name in ("a b", "a_b", "学校", "город"))
    names = [each.name for each in suggestions(SourceFacts(1000, columns, True), "t", (), ()) if each.fields["dimension"] == "validity"]
    assert names == ["a b is in its range", "a_b is in its range (2)", "学校 is in its range", "город is in its range (2)"]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12, unique=True))
def test_columns_get_names_that_a_product_may_have_and_no_two_the_same(names):
    found = product_names(names)
    assert len({folded_column(name) for name in found}) == len(names)
    for name in found:
        column_name(name)


def test_a_name_that_a_column_may_have_stays():
    assert product_names(["order id", "Größe", 'say "hi"', "{{ x }}", "GRÖSSE", " a ", "a"]) == (
        "order id",
        "Größe",
        "say_hi",
        "x",
        "GRÖSSE_2",
        "a_2",
        "a",
    )


@pytest.mark.parametrize(
    ("kind", "promised"),
    [
        ("bigint", "bigint"),
        ("struct(a integer)", "json"),
        ("map(varchar, integer)", "json"),
        ("struct(a integer)[]", "json"),
        ("integer[3]", "json"),
        ("enum('a')", "varchar"),
        ("time_ns", "varchar"),
    ],
)
def test_types_without_a_name_in_a_specification(kind, promised):
    assert promised_type(kind) == promised
