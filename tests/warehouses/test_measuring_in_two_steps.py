"""Measures that need another answer first, that are asked of another relation, or that group rows: on a real DuckDB."""

from datetime import timedelta

import duckdb
import pytest

from platform_resources.capabilities.measures import (
    CategoryCounts,
    Columns,
    Compared,
    CountIf,
    Elsewhere,
    Entities,
    NullCount,
    PresentNulls,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.packed import unpacked
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase
from platform_resources.warehouses.measured_queries import measure

HERE, THERE = Relation("internal", "here"), Relation("inputs", "there")
TENTH, NINE_TENTHS = "quantile_cont(x, 0.1)", "quantile_cont(x, 0.9)"


class Warehouse:
    """An in-memory database that remembers what it was asked to run."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
        self.ran = []

    def execute(self, sql):
        if not sql.startswith("explain"):  # which reads no row
            self.ran.append(sql)
        return self.connection.execute(sql).fetchone()

    def readings(self, *measures):
        self.ran.clear()
        return list(measure([Asked(f"{i}", HERE, m) for i, m in enumerate(measures)], self.execute).values())

    def values(self, *measures):
        found = self.readings(*measures)
        assert [reading.error for reading in found] == [None] * len(found)
        return [reading.value for reading in found]


@pytest.fixture
def warehouse():
    made = Warehouse()
    made.connection.execute("create table internal.here as select cast(i as double) as x, 'k' || (i % 3) as kind from range(101) as t(i)")
    made.connection.execute("create table inputs.there as select cast(i as double) as x, 'k' || (i % 2) as kind from range(11) as t(i)")
    return made


def test_rows_are_counted_beside_a_bound_that_was_measured(warehouse):
    below, up_to, above = (Compared("x", operator, NINE_TENTHS, HERE) for operator in ("<", "<=", ">"))
    assert warehouse.values(below, up_to, above) == [90, 91, 10]
    assert len(warehouse.ran) == 2
    assert warehouse.values(Compared("x", ">", "max(x)", THERE)) == [90]


def test_a_bound_is_measured_in_the_scan_of_other_checks_and_counted_in_one_scan_for_all(warehouse):
    low, high = (Compared("x", operator, bound, HERE) for operator, bound in (("<", TENTH), (">", NINE_TENTHS)))
    assert warehouse.values(RowCount(), NullCount("x"), Scalar(TENTH), low, high) == [101, 0, 10, 10, 10]
    assert len(warehouse.ran) == 2


def test_without_a_bound_nothing_is_counted(warehouse):
    warehouse.connection.execute("delete from inputs.there")
    assert warehouse.values(Compared("x", ">", "max(x)", THERE)) == [None]
    assert len(warehouse.ran) == 1


@pytest.mark.parametrize("bound", ["max(nothing)", "max(kind)", "max(x"])
def test_a_bound_that_breaks_is_the_error_of_its_own_reading(warehouse, bound):
    failed, rows = warehouse.readings(Compared("x", ">", bound, HERE), RowCount())
    assert failed.error is not None and failed.value is None and rows == Reading(101)


def test_nulls_are_counted_of_columns_that_are_there(warehouse):
    warehouse.connection.execute("update internal.here set kind = null where x < 3")
    assert warehouse.values(Columns(), PresentNulls("KIND"), PresentNulls("x"), PresentNulls("gone")) == [
        "DOUBLE\x1fx\x1eVARCHAR\x1fkind",
        3,
        0,
        None,
    ]
    assert len(warehouse.ran) == 2


def test_nulls_that_were_counted_already_are_not_counted_again(warehouse):
    assert warehouse.values(NullCount("kind"), PresentNulls("kind")) == [0, 0]
    assert len(warehouse.ran) == 2


def test_the_same_measure_elsewhere_is_fused_with_what_is_asked_there(warehouse):
    found = warehouse.values(
        RowCount(), Elsewhere(RowCount(), THERE), Elsewhere(CountIf("x > 5"), THERE), Elsewhere(Compared("x", "<=", "max(x)", THERE), THERE)
    )
    assert found == [101, 11, 5, 11]
    assert len(warehouse.ran) == 3


def test_entities_are_grouped_once_for_both_counts(warehouse):
    warehouse.connection.execute(
        "create or replace table internal.here as select i % 3 as id, timestamp '2026-05-01' + interval 1 day * (i // 3) as made from range(60) as t(i) "
        "where i % 3 < 2 or i < 30"
    )
    active = Entities(("id",), "made", 3 * 86_400, 30 * 86_400, 2)
    quiet = Entities(("id",), "made", 3 * 86_400, 30 * 86_400, 2, quiet=True)
    assert warehouse.values(active, quiet, RowCount()) == [3, 1, 50]
    assert len(warehouse.ran) == 2
    assert warehouse.connection.execute(failing_rows_sql(quiet, HERE, ["id"], 5)).fetchall() == [(2,)]
    assert failing_rows_sql(quiet, HERE, ["other"], 5) is None


def test_categories_are_counted_here_and_there(warehouse):
    (packed,) = warehouse.values(CategoryCounts("kind", THERE, "kind", 5, True))
    assert unpacked(packed, 3) == (("6", "34", "k0"), ("5", "34", "k1"))
    assert unpacked(warehouse.values(CategoryCounts("kind", THERE, "kind", 1, False))[0], 3) == (("6", "34", ""),)


def test_rows_beside_a_bound_are_shown(warehouse):
    sql = failing_rows_sql(Compared("x", ">", "max(x)", THERE), HERE, ["x"], 3)
    assert sorted(warehouse.connection.execute(sql).fetchall()) == [(11.0,), (12.0,), (13.0,)]


def test_a_query_that_takes_too_long_is_the_error_of_its_own_reading(warehouse):
    endless = "select a.i * b.i as x, 'k' as kind from range(10000000) as a(i), range(10000000) as b(i)"
    warehouse.connection.execute(f"drop table inputs.there; create view inputs.there as {endless}")
    database = DuckDBDatabase(warehouse.connection, timedelta(milliseconds=200))
    asked = {"slow": CategoryCounts("kind", THERE, "kind", 5, True), "bound": Compared("x", ">", "max(x)", THERE), "rows": RowCount()}
    found = measure([Asked(name, HERE, each) for name, each in asked.items()], database.within_limits)
    assert found["rows"] == Reading(101)
    assert {found["slow"].error, found["bound"].error} == {"broken off after 0.2s; MESH_AUDIT_TIMEOUT allows longer"}
