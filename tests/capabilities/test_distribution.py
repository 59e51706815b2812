"""The dimension `distribution`: outliers, shares of categories, entities that fall silent; on a real DuckDB."""

import pytest
from pydantic import ValidationError

from platform_resources.capabilities.dimensions.distribution import CAPABILITY
from platform_resources.capabilities.measures import Subject
from platform_resources.spec.components import DataSet
from tests.capabilities.judging import HERE, Warehouse, subject

ABOUT = subject(x="double", kind="varchar", made="timestamp", id="bigint")


@pytest.fixture
def warehouse():
    return Warehouse()


def usual(at_most=1, **form):
    return {"column": "x", "outside_usual": form, "at_most": at_most}


HUNDRED = "select i as id, cast(i as double) as x from range(1, 101) as t(i)"
OUTSIDE = [
    (HUNDRED, usual(iqr=1.5), "met", "x lies outside of the usual -48.5 to 149.5 in 0 % of 100 filled rows; at most 1 % promised"),
    (
        f"{HUNDRED} union all select 101, 1000 union all select 102, -1000",
        usual(iqr=1.5),
        "missed",
        "x lies outside of the usual -50.5 to 151.5 in 2 % of 102 filled rows; at most 1 % promised",
    ),
    (
        f"{HUNDRED} union all select 101, 'nan' union all select 102, 'inf' union all select 103, '-inf' union all select 104, null",
        usual(iqr=1.5, at_most=2),
        "missed",
        "x lies outside of the usual -48.5 to 149.5 in 3 % of 103 filled rows; at most 2 % promised",
    ),
    (
        HUNDRED,
        usual(deviations=1, at_most=50),
        "met",
        "x lies outside of the usual 21.6339 to 79.3661 in 42 % of 100 filled rows; at most 50 % promised",
    ),
    (
        HUNDRED,
        usual(deviations=1, at_most=41.9),
        "missed",
        "x lies outside of the usual 21.6339 to 79.3661 in 42 % of 100 filled rows; at most 41.9 % promised",
    ),
    (
        "select 0.1::double as x from range(10)",
        usual(deviations=3),
        "met",
        "x lies outside of the usual 0.1 to 0.1 in 0 % of 10 filled rows; at most 1 % promised",
    ),
    (
        "select 0.1::decimal(9,2) as x from range(10)",
        usual(iqr=1.5),
        "met",
        "x lies outside of the usual 0.1 to 0.1 in 0 % of 10 filled rows; at most 1 % promised",
    ),
    ("select 7 as x", usual(deviations=3), "met", "x lies outside of the usual 7 to 7 in 0 % of 1 filled row; at most 1 % promised"),
    (f"{HUNDRED} limit 0", usual(iqr=1.5), "unknown", "there are no rows, so nothing can be said"),
    ("select null::double as x from range(3)", usual(iqr=1.5), "unknown", "x is empty in every row, so nothing can be said"),
    ("select 'nan'::double as x from range(3)", usual(iqr=1.5), "unknown", "there are no values to tell what is usual"),
]


@pytest.mark.parametrize(("table", "written", "verdict", "reason"), OUTSIDE, ids=[str(n) for n, _ in enumerate(OUTSIDE)])
def test_values_outside_of_the_usual_range_are_counted(warehouse, table, written, verdict, reason):
    warehouse.here(table)
    assert warehouse.verdict("distribution", written, ABOUT) == (verdict, reason)


def test_a_reference_says_what_is_usual(warehouse):
    warehouse.there("select cast(i as decimal(9,2)) as amount from range(0, 101) as t(i)")
    warehouse.here("select cast(i as double) as x from range(0, 101) as t(i)")
    written = usual(quantiles=[0.01, 0.99], input="there", column="amount", at_most=2)
    expected = "x lies outside of the usual 1 to 99 in 2 % of 101 filled rows; at most 2 % promised"
    assert warehouse.verdict("distribution", written, ABOUT) == ("met", expected)
    warehouse.here("select cast(i as double) + 2 as x from range(0, 101) as t(i)")
    assert warehouse.judged("distribution", written, ABOUT).verdict == "missed"
    warehouse.there("select 1.0 as amount limit 0")
    assert warehouse.verdict("distribution", written, ABOUT) == ("unknown", "there are no values to tell what is usual")


def test_the_rows_shown_are_those_outside(warehouse):
    warehouse.here(f"{HUNDRED} union all select 101, 1000 union all select 102, 'inf'")
    judgement = warehouse.judged("distribution", usual(iqr=1.5), ABOUT)
    assert (judgement.failing, judgement.failing_rows, judgement.value, judgement.shown) == ("above", 2, pytest.approx(200 / 102), "2 %")
    assert warehouse.failing("distribution", usual(iqr=1.5), ABOUT, ["id"]) == [(101,), (102,)]


def test_values_that_are_no_numbers_are_unknown(warehouse):
    warehouse.here("select {'a': 1} as x from range(3)")
    verdict, reason = warehouse.verdict("distribution", usual(iqr=1.5), ABOUT)
    assert verdict == "unknown" and "low could not be measured: Conversion Error" in reason
    warehouse.here("select 1e308 * (case when i % 2 = 0 then 1 else -1 end) as x from range(4) as t(i)")
    expected = ("unknown", "the values are too large to tell what is usual")
    assert warehouse.verdict("distribution", usual(deviations=3), ABOUT) == expected


# Shares


def kinds(**counts):
    return " union all ".join(f"select {kind!r} as kind from range({rows})" for kind, rows in counts.items())


def shares(others="allow", **bounds):
    return {"column": "kind", "shares": bounds, "other_categories": others}


BOTH = {"online": {"min": 20, "max": 60}, "store": {"min": 40}}
SHARES = [
    (kinds(online=60, store=40), shares(**BOTH), "met", "every category has its share of 100 filled rows"),
    (
        kinds(online=61, store=39),
        shares(**BOTH),
        "missed",
        "online has 61 %, 20 to 60 % promised; store has 39 %, at least 40 % promised (of 100 filled rows)",
    ),
    (kinds(online=2, store=8), shares(online={"max": 19.9}), "missed", "online has 20 %, at most 19.9 % promised (of 10 filled rows)"),
    (kinds(store=10), shares(online={"min": 1}), "missed", "online has 0 %, at least 1 % promised (of 10 filled rows)"),
    (
        f"{kinds(online=1, store=2)} union all select null",
        shares(online={"min": 33.3}),
        "met",
        "every category has its share of 3 filled rows",
    ),
    (kinds(online=5, store=4, fax=1), shares(**BOTH), "met", "every category has its share of 10 filled rows"),
    (
        kinds(online=5, store=4, fax=1),
        shares("forbid", **BOTH),
        "missed",
        "1 row is of another category, which is forbidden (of 10 filled rows)",
    ),
    ("select null::varchar as kind from range(3)", shares(**BOTH), "unknown", "kind is empty in every row, so nothing can be said"),
    (f"{kinds(online=1)} limit 0", shares("forbid", **BOTH), "unknown", "there are no rows, so nothing can be said"),
]


@pytest.mark.parametrize(("table", "written", "verdict", "reason"), SHARES, ids=[case[3] for case in SHARES])
def test_each_category_has_its_share(warehouse, table, written, verdict, reason):
    warehouse.here(table)
    assert warehouse.verdict("distribution", written, ABOUT) == (verdict, reason)


@pytest.mark.parametrize(
    ("values", "category"),
    [("it''s", "it's"), ("größe", "größe"), ("null", "null"), ("select", "select"), ("", " ")],
)
def test_a_category_may_be_any_text(warehouse, values, category):
    warehouse.here(f"select '{values}' as kind from range(2)")
    met = "missed" if category == " " else "met"
    assert warehouse.verdict("distribution", shares(**{category: {"min": 100}}), ABOUT)[0] == met


def test_categories_of_other_types_are_compared_as_well(warehouse):
    warehouse.here("select i % 2 as kind from range(4) as t(i)")
    assert warehouse.verdict("distribution", shares(**{"1": {"min": 50, "max": 50}}), subject(kind="integer"))[0] == "met"
    warehouse.here("select i % 2 = 0 as kind from range(4) as t(i)")
    assert warehouse.verdict("distribution", shares("forbid", true={"min": 50}, false={"min": 50}), subject(kind="boolean"))[0] == "met"
    warehouse.here("select [i % 2] as kind from range(4) as t(i)")
    assert warehouse.verdict("distribution", shares(**{"[1]": {"min": 50}}), subject(kind="integer[]"))[0] == "met"


def test_rows_of_a_forbidden_category_are_shown(warehouse):
    warehouse.here("select i as id, case when i = 3 then 'fax' else 'store' end as kind from range(5) as t(i)")
    assert warehouse.failing("distribution", shares("forbid", store={"min": 1}), ABOUT, ["id"]) == [(3,)]


# Entities that fall silent

QUIET = {"entities": ["id"], "event_time": "made", "quiet_for": "7d", "active_within": "30d", "at_least_events": 2}
REPORTS = "select i % 4 as id, timestamp '2026-05-31 00:00:00' - interval 1 day * (i // 4) as made from range(160) as t(i)"


def silent(at_most=10, **changes):
    return {"quiet_entities": {**QUIET, **changes}, "at_most": at_most}


def test_entities_that_fall_silent_are_counted_of_those_that_were_active(warehouse):
    warehouse.here(REPORTS)
    assert warehouse.verdict("distribution", silent(), ABOUT) == (
        "met",
        "id had no event for 7d in 0 % of 4 that were active; at most 10 % promised",
    )
    warehouse.connection.execute("delete from internal.here where id = 2 and made >= timestamp '2026-05-24'")
    assert warehouse.verdict("distribution", silent(), ABOUT) == (
        "missed",
        "id had no event for 7d in 25 % of 4 that were active; at most 10 % promised",
    )
    assert warehouse.failing("distribution", silent(), ABOUT, ["id"]) == [(2,)]
    assert warehouse.verdict("distribution", silent(25), ABOUT)[0] == "met"


def test_an_entity_is_quiet_for_exactly_as_long_only_after_it(warehouse):
    warehouse.here(f"{REPORTS} union all select 9, timestamp '2026-05-24' - interval 1 second * i from range(0, 3) as t(i)")
    assert warehouse.judged("distribution", silent(), ABOUT).failing_rows == 0
    warehouse.connection.execute("update internal.here set made = made - interval 1 second where id = 9")
    assert warehouse.judged("distribution", silent(), ABOUT).failing_rows == 1


def test_entities_with_too_few_events_or_none_in_the_window_were_never_active(warehouse):
    warehouse.here(
        f"{REPORTS} union all select 8, timestamp '2026-05-01' union all select 9, timestamp '2020-01-01' from range(9) union all select null, timestamp '2026-05-01' from range(9)"
    )
    assert (
        warehouse.verdict("distribution", silent(), ABOUT)[1]
        == "id had no event for 7d in 0 % of 4 that were active; at most 10 % promised"
    )


def test_impossible_times_do_not_move_the_clock(warehouse):
    odd = "select 1, timestamp '2999-01-01' union all select 1, timestamp 'infinity' union all select 1, timestamp '-infinity' union all select 1, null"
    warehouse.here(f"{REPORTS} union all {odd}")
    assert warehouse.judged("distribution", silent(), ABOUT).failing_rows == 0


def test_time_may_be_counted_back_from_now(warehouse):
    warehouse.here(
        "select i as id, (now() at time zone 'UTC') - interval 10 day as made from range(3) as t(i) union all select 1, (now() at time zone 'UTC') - interval 11 day"
    )
    assert warehouse.verdict("distribution", silent(at_least_events=1), ABOUT)[0] == "unknown"
    assert warehouse.judged("distribution", silent(at_least_events=1, until="now"), ABOUT).failing_rows == 3


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz", "timestamp_ns"])
def test_times_of_every_type_are_counted_back(warehouse, kind):
    about = subject(id="bigint", made="timestamptz" if kind == "timestamptz" else "timestamp")
    warehouse.here(f"select id, cast(made as {kind}) as made from ({REPORTS}) where id <> 2 or made < timestamp '2026-05-20'")
    assert warehouse.judged("distribution", silent(), about).failing_rows == 1


def test_several_columns_may_name_an_entity_also_keywords(warehouse):
    about = Subject(DataSet(), HERE)
    warehouse.here(f'select id as "select", id as "until", made as "order" from ({REPORTS})')
    written = silent(entities=["select", "until"], event_time="order")
    assert (
        warehouse.verdict("distribution", written, about)[1]
        == "select, until had no event for 7d in 0 % of 4 that were active; at most 10 % promised"
    )


def test_no_active_entity_is_unknown(warehouse):
    warehouse.here(f"{REPORTS} limit 0")
    assert warehouse.verdict("distribution", silent(), ABOUT) == ("unknown", "no id was active: none had 2 events within 30d")


def test_a_time_that_is_text_is_unknown(warehouse):
    warehouse.here("select 1 as id, 'yesterday' as made")
    verdict, reason = warehouse.verdict("distribution", silent(), ABOUT)
    assert verdict == "unknown" and reason.startswith("active could not be measured: ")


REFUSED = [
    ({}, "write exactly one rule: outside_usual, shares or quiet_entities"),
    ({"column": "x", "at_most": 1}, "write exactly one rule"),
    ({**usual(iqr=1), "quiet_entities": QUIET}, "write exactly one rule"),
    ({"outside_usual": {"iqr": 1}, "at_most": 1}, "outside_usual and shares need column"),
    ({"column": "x", "quiet_entities": QUIET, "at_most": 1}, "quiet_entities names its own columns"),
    ({"column": "x", "outside_usual": {"iqr": 1}}, "need at_most: <percent>"),
    ({**shares(**BOTH), "at_most": 1}, "shares have bounds of their own"),
    ({**usual(iqr=1), "other_categories": "allow"}, "other_categories belongs to shares"),
    (usual(), "write exactly one of iqr: 1.5, deviations: 3, quantiles: [0.01, 0.99]"),
    (usual(iqr=1, deviations=3), "write exactly one of iqr"),
    (usual(iqr=0), "greater than 0"),
    (usual(iqr=float("inf")), "finite number"),
    (usual(quantiles=[0.01, 0.99]), "the same share lies outside whatever happens"),
    (usual(quantiles=[0.9, 0.1], input="there"), "the first quantile (0.9) must be below the second (0.1)"),
    (usual(iqr=1, input="a", data_set="b"), "write either input: <input port> or data_set: <data set>"),
    (shares(), "at least 1 item"),
    (shares(online={}), "write min, max or both"),
    (shares(online={"min": 5, "max": 4}), "min (5) is above max (4)"),
    (shares(online={"min": 60}, store={"min": 60}), "the least shares sum up to 120 %, which is more than all rows"),
    (
        shares("forbid", online={"max": 60}, store={"max": 30}),
        "the greatest shares sum up to 90 %, and the rest would be of other categories",
    ),
    (silent(quiet_for="soon"), '"soon" is not a duration'),
    (silent(at_least_events=0), "greater than or equal to 1"),
]


@pytest.mark.parametrize(("written", "message"), REFUSED, ids=[case[1] for case in REFUSED])
def test_a_promise_that_says_nothing_or_contradicts_itself_is_refused(written, message):
    with pytest.raises(ValidationError) as refused:
        CAPABILITY.config.model_validate(written)
    assert message in str(refused.value)


def problems(written, about=ABOUT):
    return list(CAPABILITY.problems(CAPABILITY.config.model_validate(written), about))


def test_problems_say_where_what_and_what_was_meant():
    assert problems(usual(iqr=1, input="ther")) == [("outside_usual", 'unknown input port "ther"; known: there', 'did you mean "there"?')]
    assert problems(usual(iqr=1, data_set="her")) == [("outside_usual", 'unknown data set "her"; known: here', 'did you mean "here"?')]
    text = {**usual(iqr=1), "column": "kind"}
    assert problems(text) == [("outside_usual", "kind is varchar, which is not a number", "name a column of numbers")]
    assert problems(usual(iqr=1)) == problems(shares(**BOTH)) == problems(silent()) == []


CATEGORIES = [
    ("varchar", "'1.10', '1.1', '1.10', null", {"1.10": {"max": 60}}, "1.10 has 66.7 %, at most 60 % promised (of 3 filled rows)"),
    ("varchar", "'no', '10:00', '007', '~'", {"no": {"max": 10}, "~": {"min": 30}}, "no has 25 %, at most 10 % promised; ~ has 25 %"),
    ("decimal(6,2)", "1.1, 2", {"1.1": {"max": 10}}, "1.1 has 50 %, at most 10 % promised"),
    ("double", "1.1, 1e20, 'nan', 'inf'", {"1.10": {"max": 10}, "NaN": {"max": 10}, "100000000000000000000": {"max": 10}}, "1.10 has 25 %"),
    ("float", "0.1, 2", {"0.1": {"max": 10}}, "0.1 has 50 %"),
    ("hugeint", "170141183460469231731687303715884105727, 1", {"170141183460469231731687303715884105727": {"max": 10}}, "has 50 %"),
    ("boolean", "true, false, true, null", {"yes": {"max": 60}, "no": {"max": 40}}, "yes has 66.7 %"),
    ("date", "'2024-01-05', '2024-01-06'", {"2024-01-05": {"max": 10}}, "2024-01-05 has 50 %"),
    (
        "timestamp",
        "'2024-01-05 10:00:00', '2024-01-06'",
        {"2024-01-05T10:00:00": {"max": 10}, "2024-01-06": {"max": 10}},
        "2024-01-06 has 50 %",
    ),
    ("timestamptz", "'2024-01-05 10:00:00+02', null", {"2024-01-05T08:00:00": {"max": 10}}, "has 100 %"),
]


@pytest.mark.parametrize(("kind", "values", "shares", "told"), CATEGORIES, ids=[f"{kind} {shares}" for kind, _, shares, _ in CATEGORIES])
def test_a_category_is_compared_as_what_the_column_holds(warehouse, kind, values, shares, told):
    rows = ", ".join(f"({value}::{kind})" for value in values.split(", "))
    warehouse.here(f"select x from (values {rows}) as v(x)")
    verdict, reason = warehouse.verdict("distribution", {"column": "x", "shares": shares}, subject(x=kind))
    assert verdict == "missed" and told in reason


def test_other_categories_are_those_of_another_value(warehouse):
    warehouse.here("select unnest([1.1, 2, 'nan'::double, null]) as x")
    shares = {"column": "x", "shares": {"1.10": {"max": 100}, "NaN": {"max": 100}}, "other_categories": "forbid"}
    assert warehouse.judged("distribution", shares, subject(x="double")).failing_rows == 1
