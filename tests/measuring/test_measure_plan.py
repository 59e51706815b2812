"""Which queries the measure planner makes of what was asked."""

import random

import pytest

from platform_resources.capabilities.measures import (
    CountIf,
    DistinctKeys,
    DuplicateRows,
    Maximum,
    Minimum,
    MissingKeys,
    NullCount,
    OrphanRows,
    OutOfRange,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.measure_plan import first_queries, follow_ups, readings
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.measuring.query_plan import halves

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")
EVERYTHING = (
    RowCount(),
    NullCount("age"),
    Minimum("age"),
    Maximum("age"),
    OutOfRange("age", "0", "120"),
    CountIf("age > 3"),
    Scalar("sum(age)"),
    DuplicateRows(("id",)),
    OrphanRows(("id",), ORDERS, ("customer",)),
    MissingKeys(("id",), ORDERS, ("customer",)),
    DistinctKeys(ORDERS, ("customer",)),
)


def asked(*measures, relation=CUSTOMERS):
    return [Asked(f"{i}", relation, measure) for i, measure in enumerate(measures)]


def test_everything_that_fits_into_one_scan_is_one_query():
    (query,) = first_queries(asked(*EVERYTHING[:7]))
    assert query.sql == (
        "select\n"
        "  (sum(age)),\n"
        "  count(*),\n"
        '  count(*) - count("age"),\n'
        "  count_if(age > 3),\n"
        '  max("age"),\n'
        '  max("age") > 120,\n'
        '  min("age"),\n'
        '  min("age") < 0\n'
        'from "internal"."customers"\n'
        "having count(*) >= 0"
    )


def test_duplicates_orphans_and_populations_have_queries_of_their_own():
    sqls = {query.sql for query in first_queries(asked(*EVERYTHING[7:]))}
    there = 'select distinct "customer" from "inputs"."orders" where "customer" is not null'
    assert sqls == {
        'select\n  count(*)\nfrom "internal"."customers"\nhaving count(*) >= 0',
        'select count(*) from (select distinct "id" from "internal"."customers") as keys',
        (
            'select count(*) from "internal"."customers" as here where here."id" is not null and not exists '
            '(select 1 from "inputs"."orders" as there where there."customer" = here."id")'
        ),
        (
            f"select count(*) from ({there}) as here where not exists "
            '(select 1 from "internal"."customers" as there where there."id" = here."customer")'
        ),
        f"select count(*) from ({there}) as keys",
    }


def test_the_plan_ignores_the_order_asked():
    shuffled = asked(*EVERYTHING) + asked(RowCount(), NullCount("x"), relation=ORDERS)
    expected = first_queries(shuffled)
    random.Random(1).shuffle(shuffled)
    assert first_queries(shuffled) == expected


def test_what_is_asked_twice_is_measured_once():
    (query,) = first_queries(asked(RowCount(), RowCount(), OutOfRange("a", "1"), Minimum("a"), OutOfRange("a", "1", "2")))
    assert [metric.sql for metric in query.metrics] == ["count(*)", 'max("a") > 2', 'min("a")', 'min("a") < 1']


def test_each_relation_has_its_own_query():
    queries = first_queries([*asked(RowCount()), Asked("other", ORDERS, RowCount())])
    assert [query.relation for query in queries] == [ORDERS, CUSTOMERS]


def test_nothing_asked_needs_no_query():
    assert first_queries([]) == () and follow_ups([], {}) == () and readings([], {}) == {}


def range_answers(least, below, above):
    named = {'min("a")': least, 'min("a") < 0': below, 'max("a") > 9': above}
    return {Metric(CUSTOMERS, sql): value if isinstance(value, Reading) else Reading(value) for sql, value in named.items()}


@pytest.mark.parametrize(
    ("answers", "counted"),
    [
        (range_answers(1, False, False), False),
        (range_answers(None, None, None), False),
        (range_answers(-1, True, False), True),
        (range_answers(1, False, True), True),
        (range_answers("1", False, False), True),
        (range_answers(1, Reading(error="no"), False), False),
    ],
    ids=["kept", "all null", "below", "above", "text", "error"],
)
def test_only_a_range_that_may_be_broken_gets_its_violations_counted(answers, counted):
    queries = follow_ups(asked(OutOfRange("a", "0", "9")), answers)
    assert [m.sql for q in queries for m in q.metrics] == (['count_if("a" < 0 or "a" > 9)'] if counted else [])


def test_broken_ranges_of_one_relation_are_counted_in_one_query():
    both = asked(OutOfRange("a", "0", "9"), OutOfRange("b", "0"))
    answers = range_answers(-1, True, False)
    answers |= {Metric(CUSTOMERS, 'min("b")'): Reading(-1), Metric(CUSTOMERS, 'min("b") < 0'): Reading(True)}
    assert len(follow_ups(both, answers)) == 1


def test_a_kept_range_reads_zero_violations_and_a_failed_one_its_error():
    kept = asked(OutOfRange("a", "0", "9"))
    assert readings(kept, range_answers(1, False, False)) == {"0": Reading(0)}
    assert readings(kept, range_answers(1, Reading(error="no"), False)) == {"0": Reading(error="no")}


def test_a_query_halves_until_each_metric_is_alone():
    (query,) = first_queries(asked(RowCount(), Minimum("a"), Maximum("a")))
    first, second = halves(query)
    assert first.metrics + second.metrics == query.metrics
    assert halves(first) == ()


@pytest.mark.parametrize(("name", "sql"), [("select", '"select"'), ("größe", '"größe"'), ('a"b', '"a""b"'), ("a b", '"a b"')])
def test_names_are_always_quoted(name, sql):
    assert relation_sql(Relation("inputs", name)) == f'"inputs".{sql}'
    assert f"min({sql})" in first_queries(asked(Minimum(name)))[0].sql


def test_a_comment_at_the_end_of_a_predicate_swallows_nothing():
    (query,) = first_queries(asked(CountIf("a > 1 -- one")))
    assert "count_if(a > 1 -- one\n)" in query.sql


@pytest.mark.parametrize("measure", [RowCount(), Minimum("age"), Maximum("age"), Scalar("sum(age)"), DistinctKeys(ORDERS, ("customer",))])
def test_measures_that_count_no_failures_have_no_failing_rows(measure):
    assert failing_rows_sql(measure, CUSTOMERS, ["id"], 5) is None


def test_no_column_to_show_shows_no_rows():
    assert failing_rows_sql(NullCount("age"), CUSTOMERS, [], 5) is None
    assert failing_rows_sql(MissingKeys(("id",), ORDERS, ("customer",)), CUSTOMERS, ["age"], 5) is None
