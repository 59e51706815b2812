"""Which names stand in SQL, as sqlglot reads it."""

import pytest

from platform_resources.capabilities.support.sql_text import names_in

CASES = [
    ("sum(revenue) / sum(orders)", [("sum",), ("revenue",), ("sum",), ("orders",)]),
    ("orders.purchase_orders", [("orders", "purchase_orders")]),
    ('"orders" . "Purchase Orders".price', [("orders", "Purchase Orders", "price")]),
    ("date > '2026-01-01'", [("date",)]),
    ("'orders.price' /* stock.level */ -- prices.net", []),
    ('"5"" x"', [('5" x',)]),
    ("price.1", [("price",)]),
    ("f(price).net", [("f",), ("price",), ("net",)]),
    ("straße.hausnummer", [("straße", "hausnummer")]),
    ("$$ stock.level $$", []),
    ("it's", []),
    ("", []),
]


@pytest.mark.parametrize(("sql", "names"), CASES, ids=[sql for sql, _ in CASES])
def test_names_are_those_outside_of_values_and_comments(sql, names):
    assert list(names_in(sql)) == names
