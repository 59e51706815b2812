"""Mutation of every dimension on a real DuckDB: clean data keeps the promise, corrupted data flips the verdict."""

from datetime import UTC, datetime

import duckdb
import pytest

from platform_resources.capabilities.judgements import Moment
from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.promises.judgement import judged
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.measured_queries import measure

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
        yield connection


TABLE = """
create or replace table internal.customers as
select i as id, 'k' || (i % 3) as kind, cast(i as decimal(9,2)) as revenue, timestamp '2024-06-01 06:00:00' as made_at
from range(1, 11) as t(i);
create or replace table inputs.orders as select i as customer from range(1, 11) as t(i)
"""
MUTATIONS = [
    ("freshness", {"max_age": "24h"}, "update internal.customers set made_at = made_at - interval 3 day"),
    ("volume", {"at_least": 10}, "delete from internal.customers where id = 1"),
    ("volume", {"at_most": 10}, "insert into internal.customers select * from internal.customers"),
    ("volume", {"never_decreases": True}, "delete from internal.customers where id = 1"),
    ("volume", {"change_at_most": 5}, "delete from internal.customers where id = 1"),
    ("completeness", {"columns": ["id", "kind"]}, "update internal.customers set kind = null where id = 1"),
    ("completeness", {"columns": ["kind"], "at_least": 90}, "update internal.customers set kind = null where id < 3"),
    (
        "completeness",
        {"population": {"input": "orders", "columns": ["customer"]}, "keys": ["id"]},
        "delete from internal.customers where id = 1",
    ),
    (
        "validity",
        {"column": "kind", "accepted_values": ["k0", "k1", "k2"]},
        "update internal.customers set kind = 'x' where id = 1",
    ),
    ("validity", {"column": "revenue", "min": 0}, "update internal.customers set revenue = -0.01 where id = 1"),
    ("validity", {"column": "revenue", "max": 10.5}, "update internal.customers set revenue = 10.51 where id = 1"),
    ("validity", {"column": "made_at", "min": "2024-01-01"}, "update internal.customers set made_at = '2023-12-31' where id = 1"),
    ("validity", {"column": "kind", "pattern": "k[0-9]"}, "update internal.customers set kind = 'k1 ' where id = 1"),
    (
        "validity",
        {"column": "made_at", "not_in_future": True},
        "update internal.customers set made_at = '2999-01-01' where id = 1",
    ),
    ("uniqueness", {}, "update internal.customers set id = 2 where id = 1"),
    ("uniqueness", {"columns": ["id", "kind"]}, "insert into internal.customers select * from internal.customers where id = 1"),
    (
        "referential-consistency",
        {"columns": ["id"], "references": {"input": "orders", "columns": ["customer"]}},
        "update internal.customers set id = 99 where id = 1",
    ),
    ("custom-sql", {"failing_rows": "revenue > id"}, "update internal.customers set revenue = 50 where id = 1"),
    (
        "custom-sql",
        {"failing_rows": "revenue > id", "at_most_percent": 9.9},
        "update internal.customers set revenue = 50 where id = 1",
    ),
    ("custom-sql", {"scalar": "sum(revenue)", "min": 55, "max": 55}, "update internal.customers set revenue = 50 where id = 1"),
]
SUBJECT = Subject(DataSet(primary_key=("id",), updated_at="made_at"), CUSTOMERS, {"orders": ORDERS}, {"customers": CUSTOMERS})
MOMENT = Moment(NOW, previous_rows=10)


def judgement(warehouse, dimension_name, written):
    dimension = installed_registry().dimensions()[dimension_name]
    config = dimension.config.model_validate(written)
    assert list(dimension.problems(config, SUBJECT)) == []
    asked = [Asked(name, CUSTOMERS, each) for name, each in dimension.measures(config, SUBJECT).items()]
    return judged(dimension, config, measure(asked, lambda sql: warehouse.execute(sql).fetchone()), SUBJECT, MOMENT)


@pytest.mark.parametrize(("dimension", "written", "corruption"), MUTATIONS, ids=lambda value: str(value)[:50])
def test_corrupted_data_flips_the_verdict(warehouse, dimension, written, corruption):
    warehouse.execute(TABLE)
    assert judgement(warehouse, dimension, written).verdict == "met"
    warehouse.execute(corruption)
    assert judgement(warehouse, dimension, written).verdict == "missed"


@pytest.mark.parametrize(("dimension", "written", "corruption"), MUTATIONS, ids=lambda value: str(value)[:50])
def test_an_empty_table_never_keeps_a_promise_about_its_rows(warehouse, dimension, written, corruption):
    warehouse.execute(TABLE + "; delete from internal.customers")
    verdict = judgement(warehouse, dimension, written).verdict
    if dimension == "volume":
        assert verdict == ("met" if "at_most" in written else "missed")
    else:
        assert verdict == ("missed" if "population" in written else "unknown")


def test_a_failing_check_names_rows_that_can_be_shown(warehouse):
    dimension = installed_registry().dimensions()["validity"]
    config = dimension.config.model_validate({"column": "revenue", "min": 0})
    warehouse.execute(TABLE + "; update internal.customers set revenue = -1 where id in (2, 5)")
    result = judgement(warehouse, "validity", {"column": "revenue", "min": 0})
    assert (result.failing, result.failing_rows, result.value) == ("invalid", 2, 80.0)
    sql = failing_rows_sql(dimension.measures(config, SUBJECT)[result.failing], CUSTOMERS, ["id"], 10)
    assert sorted(warehouse.execute(sql).fetchall()) == [(2,), (5,)]


def test_age_is_measured_from_times_with_zones_too(warehouse):
    warehouse.execute(TABLE)
    warehouse.execute("alter table internal.customers alter made_at type timestamptz using timestamptz '2024-06-01 12:00:00+02:00'")
    result = judgement(warehouse, "freshness", {"max_age": "3h"})
    assert (result.value, result.shown) == (7200.0, "2 h")
