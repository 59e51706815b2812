"""Repairs of values that break a promise are proposed from the data, with how many rows each would mend; nothing is applied."""

import json

import pytest

from platform_resources.capabilities.repairs.text_repairs import accepted_repairs
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import mesh, mesh_json, running

COLUMNS = """
primary_key: [order_id]
columns:
  - {name: order_id, type: bigint, classification: public}
  - {name: status, type: varchar, classification: internal}
  - {name: carrier, type: varchar, nullable: true, classification: personal}
  - {name: postcode, type: varchar, classification: internal}
  - {name: amount, type: double, classification: internal}
  - {name: paid_by, type: varchar, classification: internal}
"""
SPEC = product_yaml(
    "orders",
    "sales",
    component(
        "ledger",
        "input-port",
        "interface: python\nextractor: extract:ledger\ncolumns: [{name: payer, type: varchar, nullable: true, hidden: true}]",
    ),
    component("orders", "data-set", COLUMNS),
    component("orders_sql", "output-port", "interface: sql"),
    component("Known states", "service-level-asset", "dimension: validity\ncolumn: status\naccepted_values: [Paid, Open, Cancelled]"),
    component("Known carriers", "service-level-asset", "dimension: validity\ncolumn: carrier\naccepted_values: [Hermes, Post]"),
    component("Postcodes", "service-level-asset", 'dimension: validity\ncolumn: postcode\npattern: "[0-9]{5}"'),
    component(
        "As in the ledger",
        "service-level-asset",
        "dimension: accuracy\nreference: {input: ledger, columns: [number]}\nkeys: [order_id]\ncompare: {amount: {reference: total, tolerance: 0.01}}",
    ),
    component(
        "Payers",
        "service-level-asset",
        "dimension: accuracy\nreference: {input: ledger, columns: [number]}\nkeys: [order_id]\ncompare: {paid_by: {reference: payer}}",
    ),
)
EXTRACT = """
def ledger(extraction):
    return extraction.connection.sql("select range as number, range * 1.5 as total, 'Ada Lovelace' as payer from range(1, 7)")
"""
ROWS = """
select cast(order_id as bigint) as order_id, cast(status as varchar) as status, cast(carrier as varchar) as carrier,
       cast(postcode as varchar) as postcode, cast(l.total + off as double) as amount, 'cash' as paid_by
from (values (1, 'Paid', 'Hermes', '12345', 0), (2, ' Paid', 'Hermess', '1234 5', 0), (3, 'OPEN', 'Post', 'D-54321', 0),
             (4, 'Canceled', 'Pigeon', '1', 7), (5, '???', 'Hremes', '99999', 0.001), (6, 'Open', null, '99999', -1))
     as t(order_id, status, carrier, postcode, off)
join {{ source('orders', 'ledger') }} as l on l.number = t.order_id
"""
MESH = {
    product_file("sales", "orders"): SPEC,
    "dataproducts/sales/orders/extract.py": EXTRACT,
    model_file("sales", "orders", "orders"): ROWS,
}


@pytest.mark.slow
def test_each_repair_says_how_many_rows_it_would_mend_and_applies_nothing(tmp_path):
    root = write_mesh(tmp_path, MESH)
    with running(root) as shop:
        shop.refresh("orders")
        before = shop.rows("orders", "select * from orders order by order_id")
        told = {name: shop.check("orders", ("orders",), name).description for name in ("known_states", "postcodes", "as_in_the_ledger")}
    assert told["known_states"].endswith("; 3 rows could be mended, see `mesh repairs orders`"), told
    assert told["postcodes"].endswith("; 2 rows could be mended, see `mesh repairs orders`"), told
    assert told["as_in_the_ledger"].endswith("; 2 rows could be mended, see `mesh repairs orders`"), told
    found = mesh_json(root, "repairs", "orders")
    assert [(each["objective"], each["column"], each["what"], each["rows"]) for each in found] == [
        ("Known states", "status", "blanks around it are taken away", 1),
        ("Known states", "status", "it is written as the accepted value, with its capitals", 2),
        ("Known states", "status", "it becomes the nearest accepted value", 3),
        ("Known carriers", "carrier", "it becomes the nearest accepted value", 2),
        ("Postcodes", "postcode", "blanks in it are taken away", 1),
        ("Postcodes", "postcode", "everything but digits is taken away", 2),
        ("As in the ledger", "amount", "it becomes the value of ledger", 2),
        ("Payers", "paid_by", "it becomes the value of ledger", 6),
    ]
    states, carriers, ledger, payers = found[2], found[3], found[-2], found[-1]
    assert payers["examples"] == [] and "Ada Lovelace" not in json.dumps(found), "values of a hidden column of the reference are nowhere"
    assert "there.reference_value as mended" in payers["sql"] and "the values of paid_by are not shown here" in payers["withheld"]
    mended = [(row["order_id"], row["was"], row["mended"]) for row in states["examples"]]
    assert sorted(mended) == [(2, " Paid", "Paid"), (3, "OPEN", "Open"), (4, "Canceled", "Cancelled")]
    assert (carriers["sql"], carriers["examples"]) == ("", []), "values of a personal column are nowhere"
    assert "Hremes" not in json.dumps(found) and "the values of carrier are not shown here" in carriers["withheld"]
    assert [(row["order_id"], float(row["mended"])) for row in ledger["examples"]] == [(4, 6.0), (6, 9.0)]
    text = mesh(root, "repairs", "orders").stdout
    assert "Known states: 3 rows of orders would be mended if it becomes the nearest accepted value (status)" in text
    assert "when 'Canceled' then 'Cancelled'" in text and "Hremes" not in text
    with running(root) as shop:
        assert shop.rows("orders", "select * from orders order by order_id") == before, "nothing was applied"
        # Once the data are right nothing is proposed.
        edited(
            root,
            model_file("sales", "orders", "orders"),
            "(2, ' Paid', 'Hermess', '1234 5', 0), (3, 'OPEN', 'Post', 'D-54321', 0),\n             (4, 'Canceled', 'Pigeon', '1', 7), (5, '???', 'Hremes', '99999', 0.001), (6, 'Open', null, '99999', -1)",
            "(6, 'Open', null, '99999', 0)",
        )
        edited(root, model_file("sales", "orders", "orders"), "'cash' as paid_by", "l.payer as paid_by")
        shop.refresh("orders")
        assert shop.check("orders", ("orders",), "known_states").passed
    assert mesh_json(root, "repairs", "orders") == []


NEAR = {
    "Canceled": "Cancelled",
    "paidd": "Paid",
    "Opne": "Open",
    "???": None,
    "x": None,
    "Payed": None,
}


@pytest.mark.parametrize("value", NEAR)
def test_a_slip_is_mended_and_another_word_is_not(value):
    repairs = {each.what: each for each in accepted_repairs("status", ["Paid", "Open", "Cancelled"], [value])}
    nearest = repairs.get("it becomes the nearest accepted value")
    assert (f"when '{value}' then '{NEAR[value]}'" in nearest.value if nearest is not None else None) == (True if NEAR[value] else None)


def test_a_value_as_near_to_two_accepted_ones_is_left_alone():
    assert "it becomes the nearest accepted value" not in {each.what for each in accepted_repairs("size", ["S-1", "S-2"], ["S-3"])}
