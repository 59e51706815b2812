"""Rules over the rows of a data set and those of another that share their keys, on a real DuckDB."""

from dataclasses import replace

import pytest

from platform_resources.capabilities.judgements import Moment
from platform_resources.capabilities.registry import installed_registry
from tests.capabilities.judging import HERE, NOW, THERE, Warehouse, subject

ORDERS = subject(order_id="bigint", total="decimal(10,2)", status="varchar")
LINES = {"there": {"input": "there", "columns": ["order_number"]}, "keys": ["order_id"]}
TOTALS = "total <> sum(there.amount) or count(there.line) = 0"


@pytest.fixture
def shop():
    made = Warehouse()
    made.here("select * from (values (1, 30.00, 'paid'), (2, 5.50, 'open'), (3, 7.00, 'paid')) as t(order_id, total, status)")
    lines = "(1, 1, 10.00, 'paid'), (1, 2, 20.00, 'paid'), (2, 1, 5.50, 'open'), (3, 1, 7.00, 'paid'), (null, 9, 1.00, '')"
    made.there(f"select * from (values {lines}) as t(order_number, line, amount, status)")
    return made


CASES = {
    "kept": (TOTALS, "select 1", "met", "0 of 3 rows break the rule with there; at most 0 rows promised", []),
    "another amount": (TOTALS, "update inputs.there set amount = 6 where order_number = 2", "missed", "1 of 3 rows breaks the rule with there; at most 0 rows promised", [(2,)]),
    "no line": (TOTALS, "delete from inputs.there where order_number = 3", "missed", "1 of 3 rows breaks the rule with there; at most 0 rows promised", [(3,)]),
    "nobody there": ("there.order_number is null", "delete from inputs.there where order_number = 1", "missed", "1 of 3 rows breaks the rule with there; at most 0 rows promised", [(1,)]),
    "nothing to compare with": ("total <> sum(there.amount)", "delete from inputs.there", "unknown", "the rule is null for all 3 rows, as where there has no row with their keys, so nothing can be said", None),
    "nothing there, and counted": (TOTALS, "delete from inputs.there", "missed", "3 of 3 rows break the rule with there; at most 0 rows promised", [(1,), (2,), (3,)]),
    "both sides": ("max(there.status) <> status and status = 'paid'", "update inputs.there set status = 'open' where order_number = 1", "missed", "1 of 3 rows breaks the rule with there; at most 0 rows promised", [(1,)]),
    "one value of several": ("there.status <> status", "select 1", "unknown", "1 row has a key that there has several times, so there is no one value to compare with; write an aggregate such as max(there.…)", None),
    "one value each": ("there.status <> status", "delete from inputs.there where order_number = 1 and line = 2; update inputs.there set status = 'lost' where order_number = 3", "missed", "1 of 3 rows breaks the rule with there; at most 0 rows promised", [(3,)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rows_are_held_against_those_of_the_other_data_set(shop, case):
    rule, change, verdict, reason, failing = CASES[case]
    shop.connection.execute(change)
    written = {"failing_rows": rule, **LINES}
    assert shop.verdict("custom-sql", written, ORDERS) == (verdict, reason)
    if failing is not None and verdict == "missed":
        assert shop.failing("custom-sql", written, ORDERS, ["order_id"]) == failing


def test_some_rows_may_break_it(shop):
    shop.connection.execute("update inputs.there set amount = 6 where order_number = 2")
    assert shop.verdict("custom-sql", {"failing_rows": TOTALS, "at_most_percent": 40, **LINES}, ORDERS)[0] == "met"


PROBLEMS = {
    "total <> sum(amount)": "SUM(amount) looks at many rows, and only rows of there can be many",
    "total < 0": "the rule says nothing of there",
    "totl <> sum(there.amount)": 'no column "totl" in the data set; known: order_id, status, total',
    "total <> sum(there.amont)": 'no column "amont" in there; known: amount, line, order_number, status',
    "total > (select 1) + there.amount": "a rule over two data sets has no subquery and no window",
    "total >": "not a valid SQL expression",
}


@pytest.mark.parametrize("rule", PROBLEMS)
def test_a_rule_that_cannot_be_is_told(rule):
    capability = installed_registry().dimensions()["custom-sql"]
    about = replace(ORDERS, declared={THERE: ("order_number", "line", "amount", "status")})
    settings = capability.config.model_validate({"failing_rows": rule, **LINES})
    messages = [message for _, message, _ in capability.problems(settings, about)]
    assert any(PROBLEMS[rule] in message for message in messages), messages


def test_the_other_data_set_and_the_keys_go_together():
    config = installed_registry().dimensions()["custom-sql"].config
    for written in ({"failing_rows": "true", "keys": ["order_id"]}, {"scalar": "sum(total)", "min": 1, **LINES}):
        with pytest.raises(ValueError, match="there"):
            config.model_validate(written)


DELIVERIES = {
    "enough": ({"at_least": 2, "per": "delivery"}, {"there": 3}, None, "met", "3 rows in the newest delivery of there; at least 2 promised"),
    "too few": ({"at_least": 4, "per": "delivery", "input": "there"}, {"there": 3}, None, "missed", "3 rows in the newest delivery of there; at least 4 promised"),
    "not noted yet": ({"at_least": 4, "per": "delivery"}, {}, None, "unknown", "how many rows the newest delivery of there brought is not known; it is from its next one on"),
    "a version adds": ({"at_most": 1, "per": "version"}, {}, 1, "missed", "2 rows more than in the version before; at most 1 promised"),
    "the first version": ({"at_least": 3, "per": "version"}, {}, None, "met", "3 rows in all; at least 3 promised"),
    "fewer than before": ({"at_least": 0, "per": "version"}, {}, 5, "missed", "-2 rows more than in the version before; at least 0 promised"),
}  # fmt: skip


@pytest.mark.parametrize("case", DELIVERIES)
def test_a_delivery_brings_as_many_rows_as_promised(shop, case):
    written, delivered, before, verdict, reason = DELIVERIES[case]
    judgement = shop.judged("volume", written, ORDERS, Moment(NOW, previous_rows=before, delivered=delivered))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_what_a_delivery_brings_is_learned_as_any_number(shop):
    learned = shop.judged("volume", {"learned": True, "per": "delivery"}, ORDERS, Moment(NOW, delivered={"there": 3}))
    assert (learned.verdict, learned.learning, learned.value) == ("unknown", True, 3)
    capability = installed_registry().dimensions()["volume"]
    about = replace(ORDERS, inputs={"there": THERE, "others": HERE})
    told = [
        next(capability.problems(capability.config(**{"at_least": 1, "per": "delivery", **more}), about))[1]
        for more in ({}, {"input": "other"})
    ]
    assert told == ["input is missing: the product has 2 input ports", 'unknown input port "other"; known: others, there']
    for wrong in ({"per": "delivery", "never_decreases": True}, {"at_least": 1, "input": "there"}):
        with pytest.raises(ValueError, match="delivery"):
            capability.config.model_validate(wrong)
