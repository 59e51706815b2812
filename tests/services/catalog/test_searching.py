"""Search: what is found, in which order, why, and how it is narrowed down."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.plan.plan import MeshPlan
from platform_resources.services.catalog.search_index import search_index
from platform_resources.services.catalog.search_results import result_data
from platform_resources.services.catalog.search_words import marked
from platform_resources.services.catalog.searching import ProductSignals, reputation, search


@pytest.fixture(scope="module")
def index(plan):
    return search_index(plan)


def found(index, text, **more):
    known = more.pop("signals", {})
    return search(index, text, reputation(index, known), **more)


def names(result):
    return [hit.product.name for hit in result.products]


def shown(reason):
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in reason.pieces)


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("stock", "stock"),
        ("logistics", "stock"),
        ("runs out in time", "stock"),
        ("article", "stock"),
        ("pieces", "stock"),
        ("levels_sql", "stock"),
        ("lovelace", "stock"),
        ("stock-data", "stock"),
        ("uberblick", "stock"),
        ("LÄDEN", "stock"),
        ("plant dashboard", "summary"),
        ("warmest first", "readings"),
        ("never deleted", "readings"),
    ],
)
def test_a_product_is_found_by_each_of_its_texts(index, text, product):
    result = found(index, text)
    assert names(result) == [product]
    assert result.products[0].reasons, "nobody is shown a product without being told why"
    assert any(piece.marked for reason in result.products[0].reasons for piece in reason.pieces)


def test_the_words_of_a_search_may_stand_in_different_places_of_a_product(index):
    assert names(found(index, "logistics article_id ada")) == ["stock"]


def test_a_beginning_and_other_forms_of_a_word_are_found(index):
    assert (
        names(found(index, "temper"))
        == names(found(index, "temperatures"))
        == names(found(index, "temperature"))
        == ["readings", "summary"]
    )


@pytest.mark.parametrize(
    ("typed", "taken"), [("temperture", "temperature"), ("snesor", "sensor"), ("lovelase", "lovelace"), ("artcle", "article")]
)
def test_a_typing_error_is_told_and_what_is_nearest_is_found(index, typed, taken):
    result = found(index, typed)
    assert [(correction.typed, correction.taken) for correction in result.corrections] == [(typed, taken)]
    assert names(result) == names(found(index, taken)) != []


def test_a_word_that_is_near_to_nothing_finds_nothing(index):
    result = found(index, "xylophone")
    assert (result.corrections, result.products, result.parts, result.product_count) == ((), (), (), 0)


def test_where_nothing_has_all_words_what_has_some_is_shown_and_said(index):
    result = found(index, "lovelace dashboard")
    assert not result.every_word
    assert sorted(names(result)) == ["stock", "summary"]
    assert found(index, "lovelace").every_word


def test_sql_words_of_a_query_are_not_found_but_the_names_in_it_are(index):
    assert names(found(index, "order")) == ["stock"], "its purpose says order; a query with order by is none"
    assert "order" not in {shown(r) for hit in found(index, "order").parts for r in hit.reasons if r.field == "words"}
    assert names(found(index, "degrees")) == ["readings"]


def test_what_is_called_so_comes_before_what_is_more_trusted(index):
    trusted = {"summary": ProductSignals("healthy", 500), "readings": ProductSignals("unhealthy", 0)}
    for text in ("readings", "Sensor readings", "sensor-readings"):
        result = found(index, text, signals=trusted)
        assert names(result)[0] == "readings"
        assert [hit.exact for hit in result.products] == [True, *[False] * (len(result.products) - 1)]


def test_relevance_comes_before_trust(index):
    trusted = {"stock": ProductSignals("healthy", 500), "readings": ProductSignals("unhealthy", 0)}
    assert names(found(index, "sensor sent", signals=trusted))[0] == "readings"


def twins(plan, **differences) -> MeshPlan:
    """The product stock many times, under names of equal length."""
    stock = plan.product("stock")
    made = [
        dataclasses.replace(stock, name=f"twin_{letter}", title="Twin", info=stock.info.model_copy(update=difference))
        for letter, difference in differences.items()
    ]
    return MeshPlan(tuple(made), ())


def test_trust_and_use_decide_between_equals(plan):
    index = search_index(twins(plan, a={"certified": False}, b={"certified": True}, c={"certified": True}, d={"certified": True}))
    signals = {"twin_b": ProductSignals("unhealthy", 900), "twin_c": ProductSignals("healthy", 1), "twin_d": ProductSignals("healthy", 7)}
    assert names(found(index, "stores", signals=signals)) == ["twin_d", "twin_c", "twin_b", "twin_a"]
    assert names(found(index, "", signals=signals)) == ["twin_d", "twin_c", "twin_b", "twin_a"]


def test_pages_follow_each_other_without_a_gap(plan):
    index = search_index(twins(plan, **{f"{number:03}": {} for number in range(50)}))
    pages = [names(found(index, "stores", first=first, most=20)) for first in (0, 20, 40, 60)]
    assert [len(page) for page in pages] == [20, 20, 10, 0]
    every = [name for page in pages for name in page]
    assert every == sorted(every) and found(index, "stores").product_count == 50


def test_facets_count_what_was_found_and_what_is_chosen_does_not_narrow_its_own_facet(index):
    signals = {"stock": ProductSignals("healthy"), "readings": ProductSignals("unhealthy"), "summary": ProductSignals("healthy")}

    def counts(result):
        return {facet.name: {value.value: value.count for value in facet.values} for facet in result.facets}

    every = counts(found(index, "sensor", signals=signals))
    assert every["domain"] == {"office": 1, "plant": 1, "warehouse": 1}
    assert every["health"] == {"healthy": 2, "unhealthy": 1}
    assert every["certified"] == {"no": 2, "yes": 1}
    assert every["archetype"] == {"aggregate": 2, "source-aligned": 1}
    assert every["tags"] == {"logistics": 1, "sensors": 1}
    narrowed = found(index, "sensor", signals=signals, chosen={"health": ["healthy"], "domain": ["office", "plant"]})
    assert names(narrowed) == ["summary"]
    assert counts(narrowed)["domain"] == {"office": 1, "warehouse": 1, "plant": 0}
    assert counts(narrowed)["health"] == {"healthy": 1, "unhealthy": 1}
    assert counts(narrowed)["class"] == {"building-block": 1}
    assert {hit.product.name for hit in narrowed.parts} == {"summary"}


def test_parts_are_listed_the_ones_that_are_called_so_first(index):
    parts = [(hit.part.kind, hit.product.name, hit.part.name, hit.exact) for hit in found(index, "sensor").parts]
    assert [(kind, name, exact) for kind, _, name, exact in parts if exact] == [("column", "sensor", True)] * 3
    assert parts[:3] == [part for part in parts if part[3]]
    assert ("data set", "summary", "sensors", False) in parts
    assert [hit.part.title for hit in found(index, "articles to order").parts] == ["Articles to order"]


def test_a_column_is_why_a_product_was_found(index):
    reasons = found(index, "article_id").products[0].reasons
    assert next((reason.part.kind, reason.field, shown(reason)) for reason in reasons if reason.part) == (
        "column",
        "name",
        "[article]_[id]",
    )


def test_text_of_teams_is_given_as_it_is_and_only_the_word_is_marked(index):
    (reason,) = found(index, "now").parts[0].reasons
    assert shown(reason) == "How many are there, <b>[now]</b>."


def test_a_long_text_is_cut_around_what_was_found():
    text = "first words " * 30 + "the needle " + "last words " * 30
    pieces = marked(text, {"needle"})
    passage = "".join(piece.text for piece in pieces)
    assert [piece.text for piece in pieces if piece.marked] == ["needle"]
    assert len(passage) < 220 and passage.startswith("…") and passage.endswith("…")
    assert passage.strip("…").strip() in text
    assert marked(text, {"nothing"}) == ()


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '""',
        "'",
        "*",
        "a*",
        '"*"',
        "AND",
        "OR NOT",
        "NEAR(",
        "NEAR(a b, 2)",
        "name:",
        "{name}: x",
        "^a",
        "a + b",
        "-",
        "(",
        ")",
        "\0",
        "\x02\x03",
        "\ud800",
        "%",
        "\\",
    ]
    + [
        "売上 データ",
        "продажи",
        "हिन्दी",
        "مبيعات",
        "🙂",
        "ﬁle",
        "İ",
        "ß",
        "x" * 100_000,
        "word " * 10_000,
        "",
        "   ",
        "select * from products; drop table products",
    ],
)
def test_nothing_that_is_typed_is_an_error(index, text):
    result = found(index, text)
    assert result.product_count >= len(result.products)
    assert names(found(index, "stock")) == ["stock"]


@given(st.text(max_size=80))
def test_no_text_at_all_is_an_error(index, text):
    result = found(index, text)
    assert all(hit.reasons for hit in result.products) == bool(result.words) or not result.products


def test_a_result_as_plain_values_names_products_parts_and_facets(index):
    data = result_data(found(index, "articel"))
    assert data["corrections"] == [{"typed": "articel", "taken": "article"}]
    assert [product["name"] for product in data["products"]] == ["stock"]
    assert {part["kind"] for part in data["parts"]} <= {"column", "query", "data set"}
    assert data["facets"]["domain"] == [{"value": "warehouse", "count": 1, "chosen": False}]
