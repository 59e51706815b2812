"""The models of one product of the sample, customer_360, with edges found by hand."""

import yaml

from platform_resources.lineage.sql_columns import ReadTable, model_columns
from tests.meshes import REPOSITORY

MODELS = REPOSITORY / "dbt_project/models/customer/customer_360"
HOUSEHOLD_PURCHASES = ("household_id", "orders", "revenue", "last_purchase_at")


def columns_of(domain, product, data_set):
    document = yaml.safe_load((REPOSITORY / f"dataproducts/{domain}/{product}/product.yaml").read_text())
    found = next(each for each in document["spec"]["components"] if each["name"] == data_set and each["type"] == "data-set")
    return tuple(column["name"] for column in found["properties"]["columns"])


def compiled(model):
    """As dbt compiles it."""
    sql = (MODELS / f"{model}.sql").read_text().replace("{{ config(materialized='view') }}", "")
    for call, relation in {
        "{{ source('customer_360', 'orders') }}": '"customer_360"."inputs"."orders"',
        "{{ source('customer_360', 'profiles') }}": '"customer_360"."inputs"."profiles"',
        "{{ ref('household_purchases') }}": '"customer_360"."internal"."household_purchases"',
    }.items():
        sql = sql.replace(call, relation)
    return sql


def test_every_edge_of_a_sample_product_is_as_found_by_hand():
    orders = ReadTable("inputs/orders", "inputs", "orders", columns_of("sales", "purchase_orders", "orders"))
    profiles = ReadTable("inputs/profiles", "inputs", "profiles", columns_of("customer", "households", "households"))
    purchases = ReadTable("household_purchases", "internal", "household_purchases", HOUSEHOLD_PURCHASES)
    first = model_columns(compiled("household_purchases"), "duckdb", "customer_360", [orders], HOUSEHOLD_PURCHASES)
    assert edges(first) == {
        "household_id": {("inputs/orders", "household_id", "passed on")},
        "orders": set(),
        "revenue": {("inputs/orders", "net_sales", "computed")},
        "last_purchase_at": {("inputs/orders", "ordered_at", "computed")},
    }
    assert rows(first) == {("inputs/orders", "household_id")}
    names = columns_of("customer", "customer_360", "customers")
    second = model_columns(compiled("customers"), "duckdb", "customer_360", [purchases, profiles], names)
    both = {("household_purchases", "household_id", "computed"), ("inputs/profiles", "household_id", "computed")}
    assert edges(second) == {
        "household_id": both,
        "age_band": {("inputs/profiles", "age_band", "passed on")},
        "income_band": {("inputs/profiles", "income_band", "passed on")},
        "orders": {("household_purchases", "orders", "computed")},
        "revenue": {("household_purchases", "revenue", "computed")},
        "last_purchase_at": {("household_purchases", "last_purchase_at", "passed on")},
        "is_active": {("household_purchases", "last_purchase_at", "computed")},
        "processing_timestamp": set(),
    }
    assert rows(second) == {("household_purchases", "household_id"), ("inputs/profiles", "household_id")}


def edges(found):
    return {name: {(ref.place, ref.column, kind) for ref, kind in uses.items()} for name, uses in found.columns.items()}


def rows(found):
    return {(ref.place, ref.column) for ref in found.rows}
