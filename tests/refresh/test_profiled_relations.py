"""Profiles on a real DuckDB: what is told of each kind of column, what is not shown, and what a scan of a version costs no verdict."""

import json
import math
from dataclasses import replace

import duckdb
import pytest

from platform_resources.capabilities.measures import CountIf, Minimum, Relation
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn, profiled_columns
from platform_resources.measuring.version_profiles import ColumnProfile, Histogram, Profile, profile_data, profile_of
from platform_resources.refresh import profiled_relations
from platform_resources.refresh.profiled_relations import ProfiledDataSet, alone
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.duckdb import samples
from platform_resources.warehouses.duckdb.product_database import MEMORY, DuckDBDatabase
from platform_resources.warehouses.measured_queries import measure

VISITS = Relation("internal", "visits")
PART = Relation("temp", "mesh_sample_part")


@pytest.fixture
def database():
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
    connection.execute(f"create table {MEMORY} (topic varchar, name varchar, record varchar, primary key (topic, name))")
    return DuckDBDatabase(connection)


def subject(database, **classes):
    """The data set as described: every column is public, unless its classification is given; None leaves it out."""
    columns = database.columns(VISITS)
    described = [
        {"name": name, "type": "varchar", "classification": classes.get(name, "public")}
        for name in columns
        if classes.get(name, "public") is not None
    ]
    return ProfiledDataSet("visits", VISITS, profiled_columns(columns, DataSet.model_validate({"columns": described})))


def profiled(database, values, kind, **classes):
    """The profile of one column `c` with these SQL values."""
    database.execute(f"create or replace table internal.visits (c {kind})")
    if values:
        database.execute(f"insert into internal.visits values {', '.join(f'({value})' for value in values)}")
    found = alone(database, subject(database, **classes))
    assert profile_of(json.loads(json.dumps(profile_data(found), allow_nan=False))) == found
    return found.columns[0]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (
            "integer",
            ["1", "2", "2", "null", "5"],
            ColumnProfile(
                "c", "integer", 1, 3, 1, 5, 2.5, math.sqrt(3), None, (1, 1, 2, 2, 5), (("2", 2),), Histogram(1, 5, (1, 0, 0, 2, *[0] * 7, 1))
            ),
        ),
        (
            "double",
            ["1", "3", "'nan'", "'inf'", "'-inf'", "1e300", "null"],
            ColumnProfile(
                "c", "double", 1, 6, 1, 3, 2, math.sqrt(2), 4, (1, 1, 1, 3, 3), (), Histogram(1, 3, (1, *[0] * 10, 1))
            ),
        ),
        ("double", ["'nan'"], ColumnProfile("c", "double", 0, 1, not_numbers=1)),
        (
            "decimal(6,2)",
            ["0.50", "0.50"],
            ColumnProfile("c", "decimal(6,2)", 0, 1, 0.5, 0.5, 0.5, 0.0, None, (0.5,) * 5, (("0.50", 2),)),
        ),
        (
            "hugeint",
            ["170141183460469231731687303715884105727"] * 2,
            ColumnProfile(
                "c", "hugeint", 0, 1, 2**127 - 1, 2**127 - 1, 2.0**127, 0.0, None, (2.0**127,) * 5, ((str(2**127 - 1), 2),)
            ),
        ),
        (
            "date",
            ["'0044-03-15 (BC)'", "'2024-02-29'", "'infinity'"],
            ColumnProfile(
                "c", "date", 0, 3, "0044-03-15 (BC)", "infinity", quantiles=("0044-03-15 (BC)", "0044-03-15 (BC)", "2024-02-29", "infinity", "infinity")
            ),
        ),
        ("varchar", ["'b'", "'a'", "'b'", "null"], ColumnProfile("c", "varchar", 1, 2, "a", "b", top=(("b", 2),))),
        ("varchar", ["repeat('x', 100)"], ColumnProfile("c", "varchar", 0, 1, "x" * 60, "x" * 60)),
        ("boolean", ["true", "true", "false"], ColumnProfile("c", "boolean", 0, 2, top=(("true", 2),))),
        ("integer[]", ["[1]", "null"], ColumnProfile("c", "integer[]", 1)),
        ("struct(a integer)", ["{'a': 1}", "null"], ColumnProfile("c", "struct(a integer)", 1)),
        ("json", ["'{}'", "null"], ColumnProfile("c", "json", 1)),
        ("blob", ["'a'::blob"], ColumnProfile("c", "blob", 0)),
        ("integer", ["null", "null"], ColumnProfile("c", "integer", 2, 0)),
        ("integer", [], ColumnProfile("c", "integer", 0, 0)),
        ("varchar", [], ColumnProfile("c", "varchar", 0, 0)),
    ],
)  # fmt: skip
def test_each_kind_of_column_has_what_can_be_told_of_it(database, kind, values, expected):
    found = profiled(database, values, kind)
    assert replace(found, mean=None, deviation=None) == replace(expected, mean=None, deviation=None)
    assert (found.mean, found.deviation) == pytest.approx((expected.mean, expected.deviation))


@pytest.mark.parametrize("classification", ["personal", "sensitive", None])
@pytest.mark.parametrize(("kind", "value"), [("integer", "4711"), ("varchar", "'4711'"), ("date", "'4711-01-01'"), ("double", "4711.5")])
def test_no_value_of_a_personal_or_undescribed_column_is_in_a_profile(database, classification, kind, value):
    found = profiled(database, [value, value, "null"], kind, c=classification)
    assert found == ColumnProfile("c", kind, 1, 1, hidden=True)
    assert "4711" not in json.dumps(profile_data(Profile(3, 3, (found,))))
    asked = subject(database, c=classification).asked
    assert not any("min(" in metric.sql or "avg(" in metric.sql for query in first_queries(asked) for metric in query.metrics)


def test_a_column_is_described_in_whatever_capitals(database):
    database.execute("create table internal.visits as select 1 as Amount")
    columns = profiled_columns(database.columns(VISITS), DataSet.model_validate({"columns": [{"name": "amount", "type": "integer"}]}))
    assert [column.shown for column in columns] == [True]


def test_of_many_rows_a_sample_tells_quantiles_and_values(database, monkeypatch):
    monkeypatch.setattr(samples, "SAMPLE_ROWS", 20_000)
    database.execute("create table internal.visits as select i as c, i % 4 as d from range(100000) as numbers(i)")
    found = alone(database, subject(database))
    assert (found.rows, found.exact) == (100_000, False)
    assert found.sampled == pytest.approx(20_000, rel=0.1)
    number, quarter = found.columns
    assert (number.minimum, number.maximum, number.mean) == (0, 99_999, 49_999.5)
    assert number.quantiles == pytest.approx((5_000, 25_000, 50_000, 75_000, 95_000), abs=2_500)
    assert number.distinct == pytest.approx(100_000, rel=0.15) and quarter.distinct == 4
    assert number.deviation == pytest.approx(100_000 / math.sqrt(12), rel=0.05)
    assert sum(rows for _, rows in quarter.top) == sum(number.histogram.counts) == found.sampled


def test_objectives_and_profile_are_measured_in_one_scan(database):
    database.execute("create table internal.visits as select i as c, i::varchar as d from range(10) as numbers(i)")
    asked = [Asked("a", VISITS, Minimum("c")), Asked("b", VISITS, CountIf("c > 3"))]
    ran = []
    readings = measure(asked, lambda sql: ran.append(sql) or database.execute(sql), subject(database).asked)
    (scan,) = [sql for sql in ran if not sql.startswith("explain")]
    assert scan.count('min("c")') == 1
    assert (readings["a"].value, readings["b"].value) == (0, 6)


def test_an_objective_that_breaks_leaves_the_profile_whole(database):
    database.execute("create table internal.visits as select 'x' as c")
    asked = [Asked("bad", VISITS, CountIf("c::integer > 3"))]
    wanted = subject(database)
    readings = measure(asked, database.execute, wanted.asked)
    assert readings["bad"].error == "Conversion Error: Could not convert string 'x' to INT32 when casting from source column c"
    assert profiled_relations.profile(database, wanted, readings).columns[0].minimum == "x"


def test_a_profile_that_cannot_be_taken_says_why_and_raises_nothing(database):
    database.execute("create table internal.visits as select 'x' as c")
    database.execute("create view internal.broken as select c::integer as c from internal.visits")
    columns = profiled_columns({"c": "integer"}, DataSet.model_validate({"columns": [{"name": "c", "type": "integer"}]}))
    found = alone(database, ProfiledDataSet("broken", Relation("internal", "broken"), columns))
    assert found.rows == 1 and found.columns[0].minimum is None
    assert found.columns[0].error.startswith("Conversion Error: Could not convert string 'x' to INT32")


def test_a_column_may_be_named_as_it_likes(database):
    database.execute('create table internal.visits as select 1 as "select", 2 as "a ""b"" {0}", 3 as "bin"')
    columns = tuple(ProfiledColumn(name, kind, True) for name, kind in database.columns(VISITS).items())
    found = alone(database, ProfiledDataSet("visits", VISITS, columns))
    assert [(column.name, column.maximum, column.error) for column in found.columns] == [
        ("select", 1, ""),
        ('a "b" {0}', 2, ""),
        ("bin", 3, ""),
    ]


def test_a_wide_table_is_profiled_column_by_column_and_leaves_nothing_behind(database):
    width = 2 * samples.PART_COLUMNS + 1
    listed = ", ".join(f"i + {number} as c{number}" for number in range(width))
    database.execute(f"create table internal.visits as select {listed} from (values (0), (0), (1)) as t(i)")
    found = alone(database, subject(database))
    told = [(column.name, column.distinct, column.top, column.quantiles) for column in found.columns]
    assert told == [(f"c{n}", 2, ((str(n), 2),), (n, n, n, n + 1, n + 1)) for n in range(width)]
    assert database.execute("select count(*) from duckdb_tables() where temporary") == (0,)


class Watched(DuckDBDatabase):
    """Notes how many columns the part of the sample has that a statement reads."""

    def __init__(self, connection):
        super().__init__(connection)
        self.read = []

    def within_limits(self, sql):
        if sql.endswith("from temp.mesh_sample_part"):
            self.read.append(len(self.columns(PART)))
        return super().within_limits(sql)


def test_statements_about_one_column_read_tables_of_few_columns(database):
    """What a statement costs grows with the columns of its table."""
    watched = Watched(database.connection)
    watched.execute(f"create table internal.visits as select {', '.join(f'{n} as c{n}' for n in range(3 * samples.PART_COLUMNS))}")
    alone(watched, subject(watched))
    assert len(watched.read) == 3
    assert set(watched.read) == {samples.PART_COLUMNS}
