"""Measures day by day on a real DuckDB: merged they say what one scan of everything says, and unchanged days are not scanned."""

import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.capabilities.measures import (
    CountIf,
    DuplicateRows,
    Maximum,
    Minimum,
    NullCount,
    OutOfRange,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.measuring.merging import mergings
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn, profile_asked, profile_mergings
from platform_resources.warehouses.duckdb.partitions import forget, merged
from platform_resources.warehouses.duckdb.product_database import MEMORY, DuckDBDatabase
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import Days

SALES = Relation("internal", "sales")
COLUMNS = {"day": "date", "x": "integer", "f": "double", "s": "varchar", "t": "timestamp"}
PROFILED = [ProfiledColumn(name, kind, True) for name, kind in COLUMNS.items()]
MEASURES = (
    RowCount(),
    NullCount("x"),
    Minimum("x"),
    Maximum("x"),
    Minimum("f"),
    Maximum("f"),
    Minimum("s"),
    Maximum("t"),
    OutOfRange("x", "-2", "2"),
    OutOfRange("s", "'b'"),
    OutOfRange("f", high="1.5"),
    CountIf("x > 1 or s is null"),
    CountIf("regexp_matches(s, 'a')"),
)


def database():
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set threads = 1; create schema internal; create schema inputs")
    connection.execute(f"create table {MEMORY} (topic varchar, name varchar, record varchar, primary key (topic, name))")
    connection.execute(f"create table internal.sales ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    return DuckDBDatabase(connection)


def asked(*measures):
    return [Asked(f"{number}", SALES, each) for number, each in enumerate(measures)]


ASKED = asked(*MEASURES)
EXTRA = profile_asked(SALES, PROFILED)


def both_ways(found, by="day"):
    """Everything that can be merged, from days and by scanning all."""
    known = merged(found, SALES, by, {**profile_mergings(SALES, PROFILED), **mergings(ASKED)})
    return known.days, measure(ASKED, _not_to_be_asked, (), known.answers), known, measure(ASKED, found.execute, EXTRA)


def _not_to_be_asked(sql):
    raise AssertionError(f"this was to be known from the days: {sql}")


ROWS = st.tuples(
    st.sampled_from([None, "2024-01-01", "2024-01-02", "2024-02-29", "-infinity"]),
    st.sampled_from([None, -3, 0, 1, 2, 7]),
    st.sampled_from([None, 0.0, -0.5, 1.25, 1e9, 1e300, math.inf, -math.inf, math.nan]),
    st.sampled_from([None, "", "a", "b", "Ä"]),
    st.sampled_from([None, "2024-01-01 10:00:00", "infinity"]),
)
CHANGES = st.one_of(
    st.tuples(st.just("insert"), st.lists(ROWS, min_size=1, max_size=4)),
    st.tuples(st.just("delete"), st.sampled_from(["2024-01-01", "2024-01-02", "2024-02-29"])),
    st.tuples(st.just("update"), st.sampled_from(["2024-01-01", "2024-01-02", "2024-02-29"])),
    st.tuples(st.just("move"), st.sampled_from(["2024-01-01", "2024-01-02", "2024-02-29"])),
    st.tuples(st.just("double"), st.sampled_from(["2024-01-01", "2024-01-02", "2024-02-29"])),
)


def apply(found, change):
    match change:
        case ("insert", rows):
            found.connection.executemany("insert into internal.sales values (?, ?, ?, ?, ?)", rows)
        case ("delete", day):
            found.connection.execute("delete from internal.sales where day = ?", [day])
        case ("update", day):
            found.connection.execute("update internal.sales set x = coalesce(x, 0) + 1, s = null where day = ?", [day])
        case ("move", day):
            found.connection.execute("update internal.sales set day = '2024-03-01' where day = ? and x > 0", [day])
        case ("double", day):
            found.connection.execute("insert into internal.sales select * from internal.sales where day = ?", [day])


def same(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other


@settings(max_examples=15, deadline=None)
@given(changes=st.lists(CHANGES, max_size=5), by=st.sampled_from(["day", "t"]))
def test_days_merged_say_what_a_scan_of_everything_says_after_any_changes(changes, by):
    found = database()
    for change in [None, *changes]:
        if change is not None:
            apply(found, change)
        _, from_days, known, in_full = both_ways(found, by)
        for each in ASKED:
            assert same(from_days[each.id].value, in_full[each.id].value), (each.measure, changes)
        profiled = measure((), found.execute, EXTRA, known.answers)
        for each in EXTRA:
            if "approx" not in repr(each.measure):
                assert same(profiled[each.id].value, in_full[each.id].value), (each.measure, changes)
    found.connection.close()


def filled(days=10, rows=20):
    found = database()
    found.execute(
        f"insert into internal.sales select date '2024-01-01' + (i // {rows})::integer, i, i / 7, 's' || i, timestamp '2024-01-01' "
        f"+ interval (i) hour from range({days * rows}) as numbers(i)"
    )
    return found


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ("select 1", Days(10, 0)),
        ("update internal.sales set x = -1 where x = 45", Days(10, 1)),
        ("update internal.sales set f = f + 1e-9 where x = 45", Days(10, 1)),
        ("delete from internal.sales where x = 45", Days(10, 1)),
        ("delete from internal.sales where day = '2024-01-03'", Days(9, 0)),
        ("insert into internal.sales (day) values ('2030-01-01')", Days(11, 1)),
        ("insert into internal.sales (day) values (null)", Days(11, 1)),
        ("update internal.sales set day = '2024-01-02' where x = 45", Days(10, 2)),
        ("create or replace table internal.sales as select * from internal.sales order by random()", Days(10, 0)),
        ("alter table internal.sales add column new integer", Days(10, 10)),
        ("alter table internal.sales alter f type float", Days(10, 10)),
    ],
)
def test_only_days_that_changed_are_scanned(change, days):
    found = filled()
    assert both_ways(found)[0] == Days(10, 10)
    found.connection.execute(change)
    assert both_ways(found)[0] == days


def test_two_equal_rows_replaced_by_two_others_are_a_change():
    found = database()
    twice = "insert into internal.sales (day, x) values ('2024-01-01', {0}), ('2024-01-01', {0})"
    found.execute(twice.format(1))
    both_ways(found)
    found.execute("delete from internal.sales")
    found.execute(twice.format(2))
    days, from_days, _, in_full = both_ways(found)
    assert days == Days(1, 1) and from_days == {each.id: in_full[each.id] for each in ASKED}


def test_measures_that_are_new_have_every_day_scanned():
    found = filled()
    merged(found, SALES, "day", mergings(asked(RowCount())))
    assert merged(found, SALES, "day", mergings(asked(RowCount(), Minimum("x")))).days == Days(10, 10)


def test_what_is_forgotten_is_scanned_anew():
    found = filled()
    both_ways(found)
    forget(found)
    assert both_ways(found)[0] == Days(10, 10)


@pytest.mark.parametrize(
    "predicate",
    [
        "day > current_date",
        'day > "Current_Date"',
        "t < now() - interval 1 day",
        "day < today()",
        "age(t) > interval 1 day",
        "random() > 0.5",
        "x in (select x from internal.sales)",
        "exists (select 1)",
        "x > getvariable('bound')",
        "x > (select max(x) from internal.sales)",
        "no_such_function(x)",
        "no_such_column > 1",
        "not a predicate at all",
    ],
)
def test_what_depends_on_more_than_the_rows_is_measured_in_full(predicate):
    known = merged(filled(), SALES, "day", mergings(asked(RowCount(), CountIf(predicate))))
    assert [metric.sql for metric in known.answers] == ["count(*)"]


def test_distinct_values_duplicates_and_free_expressions_are_measured_in_full():
    assert mergings(asked(DuplicateRows(("x",)), Scalar("count(distinct x)"))) == {}


def test_a_measure_that_breaks_leaves_everything_to_be_measured_in_full():
    found = filled()
    wanted = asked(RowCount(), CountIf("cast(s as integer) > 1"))
    known = merged(found, SALES, "day", mergings(wanted))
    assert (known.answers, known.days) == ({}, None)
    readings = measure(wanted, found.execute, (), known.answers)
    assert readings["0"].value == 200 and "Could not convert string 's0' to INT32" in readings["1"].error


def test_a_column_that_is_not_there_leaves_everything_to_be_measured_in_full():
    assert merged(filled(), SALES, "weekday", mergings(ASKED)).answers == {}


def test_a_view_is_kept_by_day_too():
    found = filled()
    found.execute("alter table internal.sales rename to kept")
    found.execute("create view internal.sales as select * from internal.kept where x % 2 = 0")
    assert both_ways(found)[0] == Days(10, 10)
    found.execute("update internal.kept set x = 1000 where x = 44")
    days, from_days, _, in_full = both_ways(found)
    assert days == Days(10, 1) and from_days == {each.id: in_full[each.id] for each in ASKED}


def test_columns_may_be_called_as_what_is_kept_of_days():
    found, names = filled(), {"day": "p0", "x": "digest", "f": "row_count", "s": "here.day", "t": "größe (€)"}
    for old, new in names.items():
        found.execute(f"alter table internal.sales rename column {old} to {quoted(new)}")
    found.execute('alter table internal.sales rename column "here.day" to "day"')
    wanted = asked(
        RowCount(), NullCount("day"), Minimum("digest"), Maximum("row_count"), CountIf("digest > 3"), CountIf('"größe (€)" is null')
    )
    known = merged(found, SALES, "p0", mergings(wanted))
    assert known.days == Days(10, 10)
    assert measure(wanted, _not_to_be_asked, (), known.answers) == measure(wanted, found.execute)
    found.execute("update internal.sales set digest = 1000 where digest = 44")
    changed = merged(found, SALES, "p0", mergings(wanted))
    assert changed.days == Days(10, 1)
    assert measure(wanted, _not_to_be_asked, (), changed.answers) == measure(wanted, found.execute)
