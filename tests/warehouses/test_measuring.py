"""Measures run on a real DuckDB: what comes out, what breaks alone, and which rows fail."""

import math
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_resources.capabilities.measures import (
    CategoryCounts,
    Columns,
    Compared,
    CountIf,
    DistinctKeys,
    DuplicateRows,
    Elsewhere,
    Maximum,
    Minimum,
    MissingKeys,
    NullCount,
    OrphanRows,
    OutOfRange,
    PresentNulls,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.warehouses.measured_queries import measure

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")


class Warehouse:
    """An in-memory database that remembers what it was asked to run."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
        self.ran = []

    def run(self, sql):
        return self.connection.execute(sql).fetchall()

    def execute(self, sql):
        if not sql.startswith("explain"):  # which reads no row
            self.ran.append(sql)
        return self.connection.execute(sql).fetchone()

    def readings(self, *measures, relation=CUSTOMERS):
        return list(measure([Asked(f"{i}", relation, m) for i, m in enumerate(measures)], self.execute).values())

    def values(self, *measures, relation=CUSTOMERS):
        found = self.readings(*measures, relation=relation)
        assert [reading.error for reading in found] == [None] * len(found)
        return [reading.value for reading in found]


@pytest.fixture
def warehouse():
    return Warehouse()


ALL = (
    RowCount(),
    NullCount("x"),
    Minimum("x"),
    Maximum("x"),
    OutOfRange("x", "0", "10"),
    CountIf("x > 5"),
    DuplicateRows(("x",)),
    OrphanRows(("x",), ORDERS, ("k",)),
    MissingKeys(("x",), ORDERS, ("k",)),
    DistinctKeys(ORDERS, ("k",)),
    Scalar("sum(x)"),
)


def with_numbers(warehouse, *values, type="integer"):
    warehouse.run(f"create or replace table internal.customers (x {type})")
    warehouse.run("create or replace table inputs.orders as select * from (values (1), (1), (2), (null)) as t(k)")
    if values:
        warehouse.connection.executemany("insert into internal.customers values (?)", [[value] for value in values])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ((1, 1, 7, 20, None, None), [6, 2, 1, 20, 1, 2, 2, 2, 1, 2, 29]),
        ((), [0, 0, None, None, 0, 0, 0, 0, 2, 2, None]),
        ((None, None), [2, 2, None, None, 0, 0, 1, 0, 2, 2, None]),
    ],
    ids=["mixed", "empty", "all null"],
)
def test_every_measure_reads_what_it_says(warehouse, data, expected):
    with_numbers(warehouse, *data)
    assert warehouse.values(*ALL) == expected


def test_a_kept_range_costs_no_count_of_violations(warehouse):
    with_numbers(warehouse, 1, 2)
    assert warehouse.values(OutOfRange("x", "0", "10")) == [0]
    assert len(warehouse.ran) == 1


def test_not_a_number_is_above_every_bound(warehouse):
    with_numbers(warehouse, 1.0, math.nan, math.inf, type="double")
    assert warehouse.values(OutOfRange("x", high="10"), OutOfRange("x", low="0"), OutOfRange("x", "0", "10")) == [2, 0, 2]
    with_numbers(warehouse, 1.0, math.nan, type="double")
    assert warehouse.values(OutOfRange("x", "0", "'infinity'")) == [1]


def test_a_range_over_decimals_is_exact(warehouse):
    with_numbers(warehouse, Decimal("0.10"), Decimal("0.30"), type="decimal(18,2)")
    assert warehouse.values(OutOfRange("x", "0.1", "0.3"), OutOfRange("x", "0.11", "0.29")) == [0, 2]


def test_a_range_over_dates_takes_dates_as_text(warehouse):
    with_numbers(warehouse, date(2024, 1, 1), date(2025, 1, 1), type="date")
    assert warehouse.values(OutOfRange("x", "'2024-01-01'", "'2024-12-31'")) == [1]


def test_an_enumeration_is_compared_row_by_row_because_it_sorts_otherwise(warehouse):
    with_numbers(warehouse, "z", "b", "a", type="enum('z', 'b', 'a')")
    alone = warehouse.run("select count_if(x < 'b' or x > 'y') from internal.customers")[0][0]
    assert warehouse.values(OutOfRange("x", "'b'", "'y'")) == [alone]


@pytest.mark.parametrize("name", ["select", "größe", 'a"b', "a b", "here", "there", "keys", "count"])
def test_names_may_be_anything(warehouse, name):
    there, here = Relation("inputs", name), Relation("internal", name)
    for relation in (there, here):
        warehouse.run(f"create table {relation_sql(relation)} as select i as {quoted(name)} from range(3) as t(i)")
    keys = (name,)
    measures = (NullCount(name), Maximum(name), OutOfRange(name, "1"), DuplicateRows(keys), OrphanRows(keys, there, keys))
    assert warehouse.values(*measures, MissingKeys(keys, there, keys), DistinctKeys(there, keys), relation=here) == [
        0,
        2,
        1,
        0,
        0,
        0,
        3,
    ]


BROKEN = {
    CountIf("cast(t as integer) > 1"): "Conversion Error",
    CountIf("10 // (x - x) > 1"): "Division by zero",
    CountIf("missing > 1"): 'column "missing" not found',
    CountIf("x >"): "Parser Error",
    Scalar("x"): "must appear in the GROUP BY clause",
    OutOfRange("t", "5"): "Cannot compare values",
    NullCount("missing"): 'column "missing" not found',
    DuplicateRows(("missing",)): 'column "missing" not found',
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.items(), ids=lambda value: str(value)[:40])
def test_a_broken_measure_breaks_only_its_own_reading(warehouse, broken, message):
    warehouse.run("create table internal.customers as select i as x, 'text' as t from range(4) as t(i)")
    first, failed, last = warehouse.readings(RowCount(), broken, OutOfRange("x", "1", "2"))
    assert (first, last) == (Reading(4), Reading(2))
    assert failed.value is None and message in failed.error and "\n" not in failed.error


def test_all_broken_measures_are_named_each_with_its_own_reason(warehouse):
    warehouse.run("create table internal.customers as select i as x, 'text' as t from range(4) as t(i)")
    found = warehouse.readings(*BROKEN, RowCount())
    assert all(message in reading.error for message, reading in zip(BROKEN.values(), found, strict=False))
    assert found[-1] == Reading(4)


def test_a_missing_relation_is_an_error_of_every_reading(warehouse):
    found = warehouse.readings(RowCount(), Minimum("x"))
    assert all("customers does not exist" in reading.error for reading in found)


# --- the law: merging changes no reading ---

numbers = st.sampled_from(["-3", "0", "1", "2.5", "7"])
columns = st.sampled_from(["a", "b", "c", "select"])
bounds = st.one_of(st.none(), numbers)
measures = st.one_of(
    st.just(RowCount()),
    st.builds(NullCount, columns),
    st.builds(Minimum, columns),
    st.builds(Maximum, columns),
    st.builds(OutOfRange, columns, bounds, bounds),
    st.builds(lambda c, n: CountIf(f"{quoted(c)} > {n}"), columns, numbers),
    st.sampled_from([CountIf("1 // a > 0"), CountIf("nothing = 1"), CountIf("c >"), CountIf("b is null -- odd"), CountIf("null")]),
    st.sampled_from([Scalar("sum(a)"), Scalar("1"), Scalar("a"), Scalar("avg(b) / 0"), Scalar("count(distinct c)")]),
    st.builds(lambda c: DuplicateRows(tuple(c)), st.lists(columns, min_size=1, max_size=2, unique=True)),
    st.builds(lambda c: OrphanRows((c,), ORDERS, ("k",)), columns),
    st.builds(lambda c: MissingKeys((c,), ORDERS, ("k",)), columns),
    st.builds(DistinctKeys, st.just(ORDERS), st.just(("k",))),
    st.builds(PresentNulls, st.sampled_from(["a", "B", "select", "gone"])),
    st.builds(Compared, columns, st.sampled_from(["<", "<=", ">"]), st.sampled_from(["max(k)", "avg(k)", "max(gone)"]), st.just(ORDERS)),
    st.builds(Elsewhere, st.sampled_from([RowCount(), NullCount("k"), Scalar("sum(k)"), CountIf("k > 1"), Columns()]), st.just(ORDERS)),
    st.builds(CategoryCounts, columns, st.just(ORDERS), st.just("k"), st.integers(1, 3), st.booleans()),
)
values = st.one_of(st.none(), st.integers(-4, 8))
floats = st.one_of(values, st.sampled_from([math.nan, math.inf, -math.inf, 2.5]))
texts = st.one_of(st.none(), st.sampled_from(["", "1", "10", "9", "ü"]))
rows = st.lists(st.tuples(values, floats, texts, values), max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(measures, min_size=1, max_size=8), data=rows)
def test_merging_changes_no_reading(warehouse, asked, data):
    warehouse.run('create or replace table internal.customers (a integer, b double, c varchar, "select" decimal(9,2))')
    warehouse.run("create or replace table inputs.orders as select * from (values (1), (2), (null)) as t(k)")
    if data:
        warehouse.connection.executemany("insert into internal.customers values (?, ?, ?, ?)", [list(row) for row in data])
    merged = warehouse.readings(*asked)
    alone = [warehouse.readings(each)[0] for each in asked]
    assert [repr(reading) for reading in merged] == [repr(reading) for reading in alone]
    for each, reading in zip(asked, alone, strict=True):
        if isinstance(each, OutOfRange) and reading.error is None:
            assert reading.value == violations(warehouse, each)


def violations(warehouse, each):
    """Counted directly, without the detour over the least and greatest value."""
    tests = [
        f"{quoted(each.column)} < {each.low}" if each.low else "",
        f"{quoted(each.column)} > {each.high}" if each.high else "",
    ]
    where = " or ".join(test for test in tests if test) or "false"
    return warehouse.run(f"select count(*) from internal.customers where {where}")[0][0]


FAILING = [
    (CountIf("x > 5 -- big"), [(7,), (20,)]),
    (OutOfRange("x", "2", "10"), [(1,), (1,), (20,)]),
    (OutOfRange("x"), []),
    (NullCount("x"), [(None,), (None,)]),
    (DuplicateRows(("x",)), [(1,), (1,), (None,), (None,)]),
    (OrphanRows(("x",), ORDERS, ("k",)), [(7,), (20,)]),
    (MissingKeys(("x",), ORDERS, ("k",)), [(2,)]),
]


@pytest.mark.parametrize(("failing", "expected"), FAILING, ids=lambda value: type(value).__name__)
def test_failing_rows_are_exactly_those_that_fail(warehouse, failing, expected):
    with_numbers(warehouse, 1, 1, 7, 20, None, None)
    found = warehouse.run(failing_rows_sql(failing, CUSTOMERS, ["x"], 100))
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert len(warehouse.run(failing_rows_sql(failing, CUSTOMERS, ["x"], 1))) == min(1, len(expected))
