"""Counts about columns of few values: made from the values, not from the rows, once there are many."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.capabilities.measures import CountIf, Relation, RowCount
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.measuring.dialects import translated
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.query_plan import MANY, halves, narrowed

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")


def of_values(count, column="state", relation=CUSTOMERS, start=0):
    return [Asked(f"{relation.name} {column} {n}", relation, CountIf(f"{column} <> '{n}'", column)) for n in range(start, start + count)]


def test_few_such_counts_ride_with_the_others():
    (query,) = first_queries([*of_values(MANY - 1), Asked("rows", CUSTOMERS, RowCount())])
    assert query.sql.count("count_if") == MANY - 1 and "group by" not in query.sql


def test_many_are_made_from_the_values_of_their_columns_in_one_scan():
    rows, values = first_queries([*of_values(3), *of_values(2, column="kind"), Asked("rows", CUSTOMERS, RowCount())])
    assert rows.sql == 'select\n  count(*)\nfrom "internal"."customers"\nhaving count(*) >= 0'
    assert values.sql == (
        "select\n"
        '  coalesce(sum(case when "not by 1" = 0 and (kind <> \'0\') then "rows 1" end), 0),\n'
        '  coalesce(sum(case when "not by 1" = 0 and (kind <> \'1\') then "rows 1" end), 0),\n'
        '  coalesce(sum(case when "not by 2" = 0 and (state <> \'0\') then "rows 1" end), 0),\n'
        '  coalesce(sum(case when "not by 2" = 0 and (state <> \'1\') then "rows 1" end), 0),\n'
        '  coalesce(sum(case when "not by 2" = 0 and (state <> \'2\') then "rows 1" end), 0)\n'
        "from (\n"
        '  select "kind", "state", grouping("kind") as "not by 1", grouping("state") as "not by 2", count(*) as "rows 1"\n'
        '  from "internal"."customers"\n'
        '  group by grouping sets (("kind"), ("state"))\n'
        ") as made"
    )


def test_each_relation_is_grouped_for_itself():
    queries = first_queries([*of_values(MANY), *of_values(MANY, relation=ORDERS)])
    assert [(query.relation, len(query.metrics)) for query in queries] == [(ORDERS, MANY), (CUSTOMERS, MANY)]


def test_few_counts_of_one_relation_do_not_join_many_of_another():
    few, many = first_queries([*of_values(MANY), *of_values(MANY - 1, relation=ORDERS)])
    assert "group by" not in few.sql and "group by" in many.sql


def test_its_halves_are_counted_row_by_row():
    (query,) = first_queries(of_values(MANY + 1))
    parts = halves(query)
    assert [len(part.metrics) for part in parts] == [3, 3]
    assert all(part.sql.count("count_if") == 3 and "group by" not in part.sql for part in parts)


def test_snowflake_groups_by_the_same_sets():
    (query,) = first_queries([*of_values(3), *of_values(2, column="kind")])
    sql = " ".join(translated(query.sql, "snowflake").split())
    assert 'GROUP BY GROUPING SETS ( ( "KIND" ), ( "STATE" ) )' in sql and 'GROUPING("KIND") AS "not by 1"' in sql


NAMES = st.lists(
    st.one_of(
        st.sampled_from(["rows 1", "Rows 2", "not by 1", "NOT BY 2", "made", "count", "grouping", "a' -- b", "größe"]),
        st.text("nN b1'\"y-", min_size=1),
    ),
    min_size=1,
    max_size=5,
    unique_by=str.casefold,
)


@pytest.mark.slow
@given(names=NAMES, values=st.lists(st.sampled_from(["x", "y", None]), min_size=5, max_size=15))
def test_whatever_columns_are_called_their_values_are_counted(names, values):
    rows = [[values[(at + shift) % len(values)] for shift in range(len(names))] for at in range(len(values))]
    predicates = [(name, value) for name in names for value in ("x", "y", "w", "v", "u")]
    asked = [Asked(f"{n}", CUSTOMERS, CountIf(f"{quoted(c)} = {literal(v)}", c)) for n, (c, v) in enumerate(predicates)]
    (query,) = first_queries(asked)
    assert "group by" in query.sql
    with duckdb.connect() as connection:
        connection.execute(
            f"create schema internal; create table internal.customers ({', '.join(f'{quoted(name)} varchar' for name in names)})"
        )
        connection.executemany(f"insert into internal.customers values ({', '.join('?' * len(names))})", rows)
        counts = dict(zip(query.metrics, connection.execute(query.sql).fetchone(), strict=True))
    told = {metric.condition: count for metric, count in counts.items()}
    column = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    assert [told[f"{quoted(c)} = {literal(v)}"] for c, v in predicates] == [column[c].count(v) for c, v in predicates]


def test_the_same_count_asked_in_two_ways_is_planned_in_one_way():
    """A condition that somebody wrote, and the same one about a column of few values."""
    few = of_values(MANY)
    plain = [Asked(f"plain {each.id}", CUSTOMERS, CountIf(each.measure.predicate)) for each in few]
    (query,) = first_queries([*few, *plain])
    assert "grouping sets" in query.sql and first_queries([*plain, *few]) == (query,)


def test_what_is_left_of_many_is_still_made_from_values():
    (query,) = first_queries(of_values(MANY + 1))
    (rest,) = narrowed(query, query.metrics[:MANY])
    assert "grouping sets" in rest.sql and rest.metrics == query.metrics[:MANY]
    (few,) = narrowed(query, query.metrics[:2])
    assert "group by" not in few.sql
