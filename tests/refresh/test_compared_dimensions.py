"""Accuracy, bias and business KPIs on a real DuckDB: corrupted data flips the verdict, and hostile data breaks nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from platform_resources.capabilities.judgements import History, Moment, Past
from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.promises.judgement import judged
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.measured_queries import measure

ORDERS, LEDGER = Relation("internal", "orders"), Relation("inputs", "ledger")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
COLUMNS = {
    "id": "bigint",
    "amount": "decimal(18,2)",
    "rate": "double",
    "status": "varchar",
    "select": "bigint",
    "from": "varchar",
    "approved": "boolean",
    "flag": "integer",
    "deserved": "boolean",
}
CLASSIFIED = {"select": "sensitive"}


DATA_SET = DataSet.model_validate(
    {
        "primary_key": ["id"],
        "columns": [{"name": name, "type": kind, "classification": CLASSIFIED.get(name, "internal")} for name, kind in COLUMNS.items()],
    }
)
SUBJECT = Subject(DATA_SET, ORDERS, {"ledger": LEDGER}, {"orders": ORDERS})
TABLES = """
create or replace table internal.orders as
select i as id, cast(i * 1.25 as decimal(18, 2)) as amount, cast(i * 0.1 as double) as rate, 's' || (i % 3) as status, i % 2 as "select",
       case when i % 2 = 0 then 'Süd "1"' else 'Nord' end as "from", i % 10 < 6 as approved, cast(i % 10 < 6 as integer) as flag,
       i % 10 < 8 as deserved
from range(1, 2001) as t(i);
create or replace table inputs.ledger as
select id as "order", cast(amount as double) as "Betrag in €", rate, status from internal.orders
"""


@dataclass
class Warehouse:
    connection: duckdb.DuckDBPyConnection
    ran: list[str]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def _execute(self, sql: str) -> Any:
        self.ran.append(sql)
        return self.connection.execute(sql).fetchone()

    def judgement(self, name: str, written: dict[str, Any], history: History | None = None) -> Any:
        dimension = installed_registry().dimensions()[name]
        settings = dimension.config.model_validate(written)
        assert list(dimension.problems(settings, SUBJECT)) == []
        self.ran.clear()
        asked = [Asked(each, ORDERS, wanted) for each, wanted in dimension.measures(settings, SUBJECT).items()]
        return judged(dimension, settings, measure(asked, self._execute), SUBJECT, Moment(NOW, history=history or History()))


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
        connection.execute(TABLES)
        yield Warehouse(connection, [])


MATCHED = {"reference": {"input": "ledger", "columns": ["order"]}, "keys": ["id"]}
AMOUNT = {"reference": "Betrag in €"}
PARITY = {"group": "select", "outcome": "approved"}
MUTATIONS = [
    ("accuracy", MATCHED, 'delete from inputs.ledger where "order" = 7'),
    ("accuracy", {**MATCHED, "matched_at_least": 99.9}, 'delete from inputs.ledger where "order" <= 3'),
    ("accuracy", {**MATCHED, "compare": {"status": {}}}, "update internal.orders set status = null where id = 7"),
    ("accuracy", {**MATCHED, "compare": {"status": {}}}, "update inputs.ledger set status = null where \"order\" = 7"),
    ("accuracy", {**MATCHED, "compare": {"amount": AMOUNT}}, "update internal.orders set amount = amount + 0.01 where id = 7"),
    (
        "accuracy",
        {**MATCHED, "compare": {"amount": {**AMOUNT, "tolerance": 0.05}}},
        "update internal.orders set amount = amount - 0.06 where id = 7",
    ),
    (
        "accuracy",
        {**MATCHED, "compare": {"amount": {**AMOUNT, "tolerance": "1 %"}}},
        "update internal.orders set amount = amount * 1.02 where id = 700",
    ),
    ("accuracy", {"reference": {"input": "ledger"}, "sums": {"amount": AMOUNT}}, "delete from internal.orders where id = 1"),
    (
        "accuracy",
        {"reference": {"input": "ledger"}, "sums": {"amount": {**AMOUNT, "tolerance": "0.5 %"}}},
        "delete from internal.orders where id > 1990",
    ),
    ("accuracy", {"reference": {"input": "ledger"}, "rows": 0}, "insert into internal.orders select * from internal.orders where id = 1"),
    ("accuracy", {"reference": {"input": "ledger"}, "rows": "1 %"}, "delete from internal.orders where id > 1979"),
    ("bias", PARITY, 'update internal.orders set approved = false where "select" = 1 and id % 3 > 0'),
    ("bias", {**PARITY, "outcome": "flag"}, 'update internal.orders set flag = 0 where "select" = 1 and id % 3 > 0'),
    ("bias", {"group": "from", "condition": "amount > 0"}, "update internal.orders set amount = -1 where \"from\" = 'Nord' and id % 4 > 0"),
    (
        "bias",
        {**PARITY, "ratio_at_least": 0, "difference_at_most": 0.1},
        'update internal.orders set approved = true where "select" = 1',
    ),
    (
        "bias",
        {**PARITY, "ratio_at_least": 0, "label": "deserved", "opportunity_difference_at_most": 0.2},
        'update internal.orders set approved = deserved where "select" = 1',
    ),
    ("business-kpi", {"metric": "sum(amount) / count(*)", "min": 1250.6}, "delete from internal.orders where id = 2000"),
    ("business-kpi", {"metric": "sum(amount)", "max": 2501250}, "update internal.orders set amount = amount + 0.01 where id = 1"),
    ("business-kpi", {"metric": "count(distinct status)", "change_at_most": 10}, "update internal.orders set status = 's0'"),
]  # fmt: skip


@pytest.mark.parametrize(("dimension", "written", "corruption"), MUTATIONS, ids=lambda value: str(value)[:60])
def test_corrupted_data_flips_the_verdict(warehouse, dimension, written, corruption):
    history = History((Past(NOW, 3),))
    assert warehouse.judgement(dimension, written, history).verdict == "met"
    warehouse.run(corruption)
    found = warehouse.judgement(dimension, written, history)
    assert found.verdict == "missed", found.reason


@pytest.mark.parametrize(("dimension", "written", "corruption"), MUTATIONS, ids=lambda value: str(value)[:60])
def test_an_empty_table_never_keeps_a_promise(warehouse, dimension, written, corruption):
    warehouse.run("delete from internal.orders")
    found = warehouse.judgement(dimension, written)
    if dimension == "business-kpi" and written["metric"].startswith("count"):
        assert found.value == 0  # a number of rows is known
        return
    assert found.verdict == ("missed" if "sums" in written or "rows" in written else "unknown"), found.reason


@pytest.mark.parametrize(("dimension", "written", "corruption"), MUTATIONS, ids=lambda value: str(value)[:60])
def test_columns_without_any_value_never_keep_a_promise(warehouse, dimension, written, corruption):
    if "rows" in written:
        return
    nulls = ", ".join(f'"{name}" = null' for name in COLUMNS)
    warehouse.run(f"update internal.orders set {nulls}")
    found = warehouse.judgement(dimension, written)
    assert found.verdict == ("missed" if "sums" in written else "unknown") or found.value == 0, found.reason


def test_both_empty_say_nothing(warehouse):
    warehouse.run("delete from internal.orders; delete from inputs.ledger")
    found = warehouse.judgement("accuracy", {"reference": {"input": "ledger"}, "sums": {"amount": AMOUNT}})
    assert (found.verdict, found.reason) == ("unknown", "the sum of amount has no value, neither here nor in ledger")


def test_every_row_is_compared_in_one_query(warehouse):
    compare = {"amount": AMOUNT, "status": {}, "rate": {"tolerance": "1 %"}}
    found = warehouse.judgement("accuracy", {**MATCHED, "compare": compare, "sums": {"amount": AMOUNT, "rate": {}}, "rows": 0})
    assert found.verdict == "met"
    assert len(warehouse.ran) == 3, "the pairs, the totals here, the totals there"


def test_rows_that_disagree_can_be_shown(warehouse):
    warehouse.run("update internal.orders set status = 'x' where id in (3, 5)")
    dimension = installed_registry().dimensions()["accuracy"]
    settings = dimension.config.model_validate({**MATCHED, "compare": {"status": {}}})
    found = warehouse.judgement("accuracy", {**MATCHED, "compare": {"status": {}}})
    assert (found.failing, found.failing_rows, found.value) == ("disagreeing status", 2, 99.9)
    assert (found.rows, found.shown) == (2000, "99.9 %")
    sql = failing_rows_sql(dimension.measures(settings, SUBJECT)[found.failing], ORDERS, ["id"], 5)
    assert sorted(warehouse.run(sql)) == [(3,), (5,)]


def test_rows_without_a_key_are_left_out(warehouse):
    warehouse.run("update internal.orders set id = null where id <= 1000")
    found = warehouse.judgement("accuracy", MATCHED)
    assert (found.verdict, found.reason) == ("met", "id is found in ledger for 100 % of 1,000 rows; 100 % promised")


def test_a_key_that_the_reference_has_twice_cannot_be_compared(warehouse):
    warehouse.run('insert into inputs.ledger select * from inputs.ledger where "order" = 7')
    found = warehouse.judgement("accuracy", {**MATCHED, "compare": {"status": {}}})
    assert (found.verdict, found.reason) == (
        "unknown",
        "1 row has a key that ledger has several times, so values cannot be compared",
    )
    assert warehouse.judgement("accuracy", MATCHED).verdict == "met"


ODD = [
    ("'nan'", "'nan'", "0", "met"),
    ("'nan'", "1", "0", "missed"),
    ("'nan'", "1", "50 %", "missed"),
    ("'infinity'", "'infinity'", "1 %", "met"),
    ("1", "'infinity'", "1 %", "missed"),
    ("'infinity'", "1", "1 %", "missed"),
    ("'-infinity'", "'infinity'", "1 %", "missed"),
    ("0", "0", "1 %", "met"),
    ("1", "0", "1 %", "missed"),
    ("null", "null", "1", "met"),
    ("null", "0", "1", "missed"),
    ("-1", "-1.005", "1 %", "met"),
]


@pytest.mark.parametrize(("here", "there", "tolerance", "verdict"), ODD)
def test_odd_numbers_agree_only_with_what_they_are(warehouse, here, there, tolerance, verdict):
    warehouse.run(f"update internal.orders set rate = cast({here} as double) where id = 7")
    warehouse.run(f'update inputs.ledger set rate = cast({there} as double) where "order" = 7')
    found = warehouse.judgement("accuracy", {**MATCHED, "compare": {"rate": {"tolerance": tolerance}}})
    assert found.verdict == verdict, found.reason


def test_unsigned_numbers_can_be_less_than_their_reference(warehouse):
    warehouse.run(
        "alter table internal.orders alter rate type utinyint using 3; alter table inputs.ledger alter rate type utinyint using 5"
    )
    assert warehouse.judgement("accuracy", {**MATCHED, "compare": {"rate": {"tolerance": 2}}}).verdict == "met"
    assert warehouse.judgement("accuracy", {**MATCHED, "compare": {"rate": {"tolerance": 1}}}).verdict == "missed"


def test_a_sum_that_is_no_number_cannot_be_compared(warehouse):
    warehouse.run("update internal.orders set rate = 'nan' where id = 7")
    found = warehouse.judgement("accuracy", {"reference": {"input": "ledger"}, "sums": {"rate": {"tolerance": "1 %"}}})
    assert found.verdict == "unknown"
    assert found.reason == "the sum of rate is nan here and 200100.0 in ledger, which cannot be compared"


def test_sums_are_told_apart_whatever_columns_are_called(warehouse):
    warehouse.run(
        'alter table internal.orders add column "rate there" integer default 1; alter table inputs.ledger add column one integer default 1'
    )
    found = warehouse.judgement(
        "accuracy", {"reference": {"input": "ledger"}, "sums": {"rate": {"tolerance": "1 %"}, "rate there": {"reference": "one"}}}
    )
    assert found.verdict == "met", found.reason


def test_against_a_sum_of_nothing_only_nothing_is_near(warehouse):
    warehouse.run("update inputs.ledger set rate = 0")
    found = warehouse.judgement("accuracy", {"reference": {"input": "ledger"}, "sums": {"rate": {"tolerance": "50 %"}}})
    assert found.reason == "the sum of rate is 200,100 here and 0 in ledger; at most 50 % apart promised"
    assert found.verdict == "missed"


def test_a_reference_that_lacks_a_column_is_unknown_and_says_why(warehouse):
    found = warehouse.judgement("accuracy", {**MATCHED, "compare": {"amount": {"reference": "nowhere"}}})
    assert found.verdict == "unknown"
    assert "could not be measured" in found.reason and "nowhere" in found.reason


def test_groups_of_a_classified_column_are_numbered_and_never_named(warehouse):
    warehouse.run("""update internal.orders set "select" = 987654 where "select" = 1""")
    found = warehouse.judgement("bias", PARITY)
    assert found.reason == (
        "from 60.0 % of 1,000 rows (group 1) to 60.0 % of 1,000 rows (group 2): ratio 1, at most 1 by 95 % intervals; at least 0.8 promised"
    )
    assert "987654" not in repr(found)
    assert found.failing is None
    assert "987654" in repr(warehouse.run('select distinct "select" from internal.orders'))


def test_other_groups_have_their_names_whatever_is_in_them(warehouse):
    warehouse.run("""update internal.orders set "from" = 'A' || chr(30) || 'B' || chr(31) || 'C' where "from" = 'Nord'""")
    found = warehouse.judgement("bias", {"group": "from", "outcome": "approved"})
    assert f"A B{chr(31)}C" in found.reason and 'Süd "1"' in found.reason


def test_small_groups_are_counted_and_not_judged(warehouse):
    warehouse.run("""update internal.orders set "from" = 'rare', approved = false where id <= 20""")
    found = warehouse.judgement("bias", {"group": "from", "outcome": "approved"})
    assert found.verdict == "met" and found.reason.endswith("; 20 rows in smaller groups are not judged")
    found = warehouse.judgement("bias", {"group": "from", "outcome": "approved", "minimum_group_size": 20})
    assert found.verdict == "missed" and "(rare)" in found.reason


def test_few_rows_do_not_show_a_bias(warehouse):
    warehouse.run("delete from internal.orders where id > 80; update internal.orders set approved = false where id % 6 = 0")
    found = warehouse.judgement("bias", {"group": "from", "outcome": "approved"})
    assert found.verdict == "met" and found.value < 0.8


def test_a_single_group_and_no_good_outcome_cannot_be_compared(warehouse):
    warehouse.run("""update internal.orders set approved = false""")
    found = warehouse.judgement("bias", PARITY)
    assert (found.verdict, found.reason) == ("unknown", "the outcome is true in no row, so nothing can be compared")
    warehouse.run("""update internal.orders set "select" = 5""")
    found = warehouse.judgement("bias", PARITY)
    assert (found.verdict, found.reason) == ("unknown", "only 1 group has enough rows (at least 30), so nothing can be compared")


def test_an_outcome_that_is_neither_0_nor_1_is_unknown(warehouse):
    warehouse.run("update internal.orders set flag = 2 where id <= 3")
    found = warehouse.judgement("bias", {**PARITY, "outcome": "flag"})
    assert (found.verdict, found.reason) == ("unknown", "flag is neither 0 nor 1 in 3 rows, so nothing can be compared")


def test_more_groups_than_anybody_could_compare_are_unknown(warehouse):
    found = warehouse.judgement("bias", {"group": "id", "outcome": "approved", "minimum_group_size": 1})
    assert (found.verdict, found.reason) == ("unknown", "there are more than 1,000 groups, so nothing can be compared")


NO_NUMBERS = ["sum(rate) / 0.0", "max(status)", "sum(amount) / (count(*) - count(*))", "max(cast('nan' as double))", "bool_or(approved)"]


@pytest.mark.parametrize("metric", NO_NUMBERS)
def test_a_metric_without_a_finite_number_is_unknown(warehouse, metric):
    assert warehouse.judgement("business-kpi", {"metric": metric, "min": 0}).verdict == "unknown"


def test_a_metric_that_is_no_column_of_the_table_is_unknown_and_says_why(warehouse):
    warehouse.run("alter table internal.orders drop column rate")
    found = warehouse.judgement("business-kpi", {"metric": "sum(rate)", "min": 0})
    assert found.verdict == "unknown" and found.reason.startswith("value could not be measured: Binder Error")
