"""Promises of each group, day or week: on real rows, that are broken one by one."""

import pytest

from platform_resources.capabilities.measures import Subject
from platform_resources.spec.components import DataSet
from tests.capabilities.judging import HERE, Warehouse

ROWS = """
select carrier, case when carrier = 'DHL' and i <= 2 then null else i end as weight, date '2026-06-01' + (i % 4)::int as day
from range(1, 11) t(i), (values ('DHL'), ('UPS')) c(carrier)
"""
COLUMNS = [
    {"name": "carrier", "type": "varchar", "classification": "public"},
    {"name": "weight", "type": "bigint"},
    {"name": "day", "type": "date"},
]
FILLED = {"columns": ["weight"], "at_least": 90, "group_by": "carrier"}
POSITIVE = {"column": "weight", "min": 1, "at_least": 90, "group_by": "carrier"}


def about(classification="public"):
    columns = [{**COLUMNS[0], "classification": classification}, *COLUMNS[1:]]
    return Subject(DataSet.model_validate({"columns": columns}), HERE, {}, {"here": HERE})


@pytest.fixture(scope="module")
def warehouse():
    return Warehouse()


CASES = [
    ("completeness", {**FILLED, "at_least": 80}, "", "met", "weight filled in 80 % of the rows in the worst of 2 groups of carrier"),
    ("completeness", FILLED, "", "missed", "1 of 2 groups of carrier breaks it: DHL 80 % of 10 rows"),
    ("completeness", {**FILLED, "at_least": 0, "groups": ["UPS", "GLS"]}, "", "missed", "no rows for GLS"),
    ("validity", POSITIVE, "", "met", "weight is at least 1 in 100 % of the rows in the worst of 2 groups"),
    ("validity", POSITIVE, "union all select 'GLS', 0, date '2026-06-01'", "missed", "1 of 3 groups of carrier breaks it: GLS 0 % of 1 row"),
    ("validity", {**POSITIVE, "min": None, "pattern": ".*"}, "", "met", "in 100 % of the rows"),
    ("volume", {"at_least": 10, "group_by": "carrier"}, "", "met", "2 groups of carrier have from 10 to 10 rows"),
    ("volume", {"at_least": 10, "group_by": "carrier"}, "union all select 'GLS', 1, null", "missed", "breaks it: GLS 1 row"),
    ("volume", {"at_most": 9, "group_by": "carrier"}, "", "missed", "2 of 2 groups of carrier break it: DHL 10 rows, UPS 10 rows"),
    ("volume", {"at_least": 1, "group_by": "day", "every": "1d"}, "", "met", "4 days of day have from 4 to 6 rows"),
    ("volume", {"at_least": 1, "group_by": "day", "every": "1d"}, "union all select 'UPS', 1, date '2026-06-07'", "missed", "no rows for 2026-06-05, 2026-06-06"),
    ("volume", {"at_least": 1, "group_by": "day", "every": "1w"}, "union all select 'UPS', 1, date '2026-06-20'", "missed", "no rows for 2026-06-08"),
    ("volume", {"at_least": 1, "group_by": "carrier"}, "union all select null, 1, null", "met", "1 row without a carrier is in no group"),
]  # fmt: skip


@pytest.mark.parametrize(("dimension", "written", "more", "verdict", "says"), CASES)
def test_each_group_has_to_keep_the_promise(warehouse, dimension, written, more, verdict, says):
    warehouse.here(f"{ROWS} {more}")
    judgement = warehouse.judged(dimension, written, about())
    assert (judgement.verdict, says in judgement.reason) == (verdict, True), judgement.reason


def test_groups_of_a_hidden_column_are_counted_and_not_named(warehouse):
    warehouse.here(ROWS)
    judgement = warehouse.judged("completeness", FILLED, about("personal"))
    assert judgement.verdict == "missed"
    assert "1 of 2 groups of carrier breaks it: 80 % of 10 rows" in judgement.reason
    assert "DHL" not in str(judgement)


@pytest.mark.parametrize(("rows", "says"), [("where false", "there are no rows in any group"), ("", "more than 1,000 groups")])
def test_over_no_rows_and_over_very_many_groups_nothing_is_known(warehouse, rows, says):
    warehouse.here(f"select i::varchar as carrier, i as weight from range(1001) t(i) {rows}")
    judgement = warehouse.judged("volume", {"at_least": 1, "group_by": "carrier"}, about())
    assert judgement.verdict == "unknown" and says in judgement.reason


@pytest.mark.parametrize("day", ["infinity", "-infinity", "12000-01-01", "0044-03-15 (BC)"])
def test_a_day_that_no_calendar_has_leaves_unknown_which_days_are_missing(warehouse, day):
    warehouse.here(f"{ROWS} union all select 'UPS', 1, date '{day}'")
    judgement = warehouse.judged("volume", {"at_least": 1, "group_by": "day", "every": "1d"}, about())
    assert (judgement.verdict, f"day holds {day}, which no calendar has" in judgement.reason) == ("unknown", True), judgement.reason


def test_the_value_is_that_of_the_worst_group_and_nothing_where_one_is_missing(warehouse):
    warehouse.here(ROWS)
    assert warehouse.judged("completeness", FILLED, about()).value == 80
    assert warehouse.judged("completeness", {**FILLED, "groups": ["GLS"]}, about()).value == 0
