"""Counting with the help of DuckDB's statistics: the same counts, and fewer rows read."""

import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.capabilities.measures import CountIf, NullCount, OutOfRange, Relation, RowCount
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.query_plan import MANY
from platform_resources.warehouses.duckdb.product_database import translated
from platform_resources.warehouses.duckdb.statistics import LARGE, ruled_out_by
from platform_resources.warehouses.measured_queries import measure


class Warehouse:
    """A database in memory with a large table `rows` (and what is made of it) that remembers what it was asked to run."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.ran = []
        self.run("create schema internal")
        self.run(
            f"create table internal.rows as select range as id, range % 100 as age, nullif(range % 7, 3) as day, 'x' as word "
            f"from range({LARGE})"
        )

    def run(self, sql):
        with translated():
            return self.connection.execute(sql).fetchall()

    def execute(self, sql):
        self.ran.append(sql)
        return self.run(sql)[0]

    def counted(self, *measures, relation="rows"):
        self.ran.clear()
        asked = [Asked(f"{n}", Relation("internal", relation), m) for n, m in enumerate(measures)]
        found = measure(asked, self.execute, ruled_out=ruled_out_by(self.execute)).values()
        return [reading.error or reading.value for reading in found]

    def scans(self):
        return [sql for sql in self.ran if not sql.startswith("explain")]


@pytest.fixture(scope="module")
def warehouse():
    return Warehouse()


MEASURES = (
    RowCount(),
    NullCount("id"),
    NullCount("day"),
    OutOfRange("age", "0", "99"),
    OutOfRange("age", "0", "120"),
    OutOfRange("age", "0", "97"),
    OutOfRange("age", "-5", "200"),
)
COUNTS = [LARGE, 0, LARGE // 7, 0, 0, LARGE // 50, 0]


def test_what_statistics_rule_out_is_not_in_the_scan(warehouse):
    assert warehouse.counted(*MEASURES) == COUNTS
    sure, scan = warehouse.scans()
    assert sure.startswith('select count(*) from "internal"."rows" where ') and '"id" is null' in sure
    assert scan == (
        'select\n  count(*),\n  count(*) - count("day"),\n  count_if("age" < 0 or "age" > 97)\nfrom "internal"."rows"\nhaving count(*) >= 0'
    )


@pytest.mark.parametrize(
    "view",
    [
        "select here.*, there.k from internal.rows as here left join (select range as k from range(7)) as there on there.k = here.day",
        "select * from internal.rows union all by name select * from internal.rows where false",
        "select id + 0 as id, age, day from internal.rows order by word",
        "select any_value(id) as id, any_value(age) as age, any_value(day) as day from internal.rows group by rowid",
    ],
    ids=["a join", "a union", "calculated", "grouped"],
)
def test_views_come_to_the_same_counts(warehouse, view):
    warehouse.run(f"create or replace view internal.seen as {view}")
    assert warehouse.counted(*MEASURES, relation="seen") == COUNTS


def test_rows_of_the_other_side_of_a_full_join_are_not_forgotten(warehouse):
    """The plan starts at a side without rows, and rows come from the other: what statistics seem to say is made sure of."""
    warehouse.run(
        "create or replace view internal.seen as select here.id, there.age from (select * from internal.rows where false) as here "
        "full join internal.rows as there on there.id = here.id"
    )
    expected = [LARGE, LARGE, 0, LARGE // 100]
    measures = (RowCount(), NullCount("id"), NullCount("age"), OutOfRange("age", "1", None))
    assert warehouse.counted(*measures, relation="seen") == expected


def test_what_breaks_where_statistics_are_made_sure_of_takes_no_other_measure_with_it(warehouse):
    """The other side of the join is read although no row is asked for, and cannot be converted."""
    warehouse.run("create or replace table internal.texts as select 'z' as text")
    warehouse.run(
        "create or replace view internal.seen as select here.* from internal.rows as here "
        "left join (select cast(text as integer) as number from internal.texts) as there on there.number = here.id and here.word = 'x'"
    )
    assert ruled_out_by(warehouse.execute)(Relation("internal", "seen"), '"id" is null')
    nulls, outside, others = warehouse.counted(NullCount("id"), OutOfRange("age", "0", "120"), CountIf("age > 98"), relation="seen")
    assert all("Could not convert string 'z'" in str(error) for error in (nulls, outside, others))


def test_a_large_other_side_of_a_join_is_not_read_to_make_sure(warehouse):
    view = "select here.* from internal.rows as here left join internal.rows as there on there.id = here.id"
    warehouse.run(f"create or replace view internal.seen as {view}")
    assert not ruled_out_by(warehouse.execute)(Relation("internal", "seen"), '"id" is null')
    assert warehouse.counted(*MEASURES, relation="seen") == COUNTS


def test_statistics_that_are_wrong_change_no_count(warehouse):
    """Statistics are asked of one table, and the counts made on another."""

    class Mistaken(Warehouse):
        def execute(self, sql):
            return super().execute(sql.replace("rows", "filled") if sql.startswith("explain") else sql)

    mistaken = Mistaken()
    mistaken.run(f"create table internal.filled as select 1 as id, 1 as age, 1 as day from range({LARGE})")
    assert mistaken.counted(*MEASURES) == COUNTS


def test_small_relations_are_not_asked_about(warehouse):
    warehouse.run("create or replace table internal.small as select * from internal.rows limit 10")
    assert warehouse.counted(NullCount("id"), OutOfRange("age", "0", "5"), relation="small") == [0, 4]
    assert [sql for sql in warehouse.ran if sql.startswith("explain")] == ['explain (format json) select * from "internal"."small"']


def test_what_cannot_be_planned_is_an_error_of_its_own_measure(warehouse):
    missing, *others = warehouse.counted(NullCount("nowhere"), OutOfRange("age", "0", "97"), OutOfRange("word", "current_date"))
    assert '"nowhere" not found' in missing and others[0] == LARGE // 50
    assert "Conversion Error" in others[1] or "Cannot compare" in others[1]


def test_a_relation_that_is_not_there_is_an_error_of_every_measure(warehouse):
    assert all("does not exist" in error for error in warehouse.counted(NullCount("id"), OutOfRange("age", "0"), relation="gone"))


def test_a_question_about_a_condition_is_answered_by_the_plan(warehouse):
    ruled_out = ruled_out_by(warehouse.execute)
    rows = Relation("internal", "rows")
    assert ruled_out(rows, "age > 99") and not ruled_out(rows, "age > 98") and not ruled_out(rows, "no_such_column > 1")


VALUES = st.lists(st.sampled_from(["a", "A", "á", "", None, "b c", "ß", "SS"]), max_size=30)
FLOATS = st.lists(st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, None]), max_size=30)


@settings(max_examples=40, deadline=None)
@given(texts=VALUES, floats=FLOATS, collation=st.sampled_from(["", "collate nocase", "collate noaccent"]))
def test_counts_made_from_values_are_those_made_from_rows(texts, floats, collation):
    with duckdb.connect() as connection:
        connection.execute(f"create schema internal; create table internal.t (word varchar {collation}, number double)")
        size = max(len(texts), len(floats))
        for row in zip([*texts, *[None] * (size - len(texts))], [*floats, *[None] * (size - len(floats))], strict=True):
            connection.execute("insert into internal.t values (?, ?)", row)
        words = [f'case "word" when \'{w}\' then false else "word" is not null end' for w in ("a", "A", "ss", "", "b c")]
        numbers = [f'"number" not in ({n})' for n in ("0", "1.5, 0", "'nan'", "'infinity', -0.0")]
        few = [*(CountIf(p, "word") for p in words), *(CountIf(p, "number") for p in numbers)]
        assert len(few) >= MANY
        relation = Relation("internal", "t")
        found = [
            list(
                measure(
                    [Asked(f"{n}", relation, m) for n, m in enumerate(measures)], lambda sql: connection.execute(sql).fetchall()[0]
                ).values()
            )
            for measures in (few, [CountIf(each.predicate) for each in few])
        ]
    assert found[0] == found[1] and all(reading.error is None for reading in found[0])
