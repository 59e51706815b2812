"""The dimension `drift`: the statistics by hand and by law, and verdicts on a real DuckDB."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from platform_resources.capabilities.dimensions.drift import CAPABILITY, STATISTICS
from platform_resources.capabilities.measures import CountIf
from platform_resources.capabilities.support.drift_statistics import (
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
    total_variation,
)
from tests.capabilities.judging import Warehouse, subject

ABOUT = subject(x="double", kind="varchar")


@pytest.fixture
def warehouse():
    return Warehouse()


# Statistics

HALVES, TILTED, APART = [0.5, 0.5], [0.25, 0.75], ([1.0, 0.0], [0.0, 1.0])


@pytest.mark.parametrize(
    ("statistic", "before", "now", "expected"),
    [
        (population_stability_index, HALVES, TILTED, -0.25 * math.log(0.5) + 0.25 * math.log(1.5)),
        (population_stability_index, *APART, 2 * (1 - 0.0001) * math.log(10_000)),
        (jensen_shannon_distance, *APART, 1.0),
        (
            jensen_shannon_distance,
            HALVES,
            [1.0, 0.0],
            math.sqrt((0.5 * math.log2(0.5 / 0.75) + 0.5 * math.log2(2) + math.log2(1 / 0.75)) / 2),
        ),
        (kolmogorov_smirnov, [0.2, 0.3, 0.5], [0.5, 0.3, 0.2], 0.3),
        (kolmogorov_smirnov, *APART, 1.0),
        (total_variation, [0.2, 0.3, 0.5], [0.5, 0.3, 0.2], 0.3),
        (total_variation, *APART, 1.0),
    ],
)
def test_a_statistic_is_what_a_calculation_by_hand_gives(statistic, before, now, expected):
    assert statistic(before, now) == pytest.approx(expected)


counts = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=12).filter(
    lambda pairs: sum(b for b, _ in pairs) and sum(n for _, n in pairs)
)


@given(counts)
def test_statistics_are_symmetric_never_negative_and_zero_for_the_same(pairs):
    before, now = ([each / sum(side) for each in side] for side in zip(*pairs, strict=True))
    for name, statistic in STATISTICS.items():
        assert statistic(before, before) == pytest.approx(0, abs=1e-6)
        assert statistic(before, now) == pytest.approx(statistic(now, before))
        assert 0 <= statistic(before, now) <= (math.inf if name == "psi" else 1 + 1e-9)


@given(counts)
def test_the_distances_are_ordered_as_they_must_be(pairs):
    before, now = ([each / sum(side) for each in side] for side in zip(*pairs, strict=True))
    assert kolmogorov_smirnov(before, now) <= total_variation(before, now) + 1e-9
    assert jensen_shannon_distance(before, now) ** 2 <= total_variation(before, now) + 1e-9


# Frozen bins of numbers

UNIFORM = "select i % 100 + 0.5 as x, case when i % 5 < 2 then 'online' else 'store' end as kind from range({rows}) as t(i)"
FROZEN = {"column": "x", "reference": {"edges": [25, 50, 75], "shares": [25, 25, 25, 25]}}


def test_bins_ride_in_the_scan_of_the_other_checks():
    measures = CAPABILITY.measures(CAPABILITY.config.model_validate(FROZEN), ABOUT)
    assert measures["up to 25.0"] == CountIf('cast("x" as double) <= 25.0')
    assert list(measures) == ["rows", "nulls", "up to 25.0", "up to 50.0", "up to 75.0"]


NUMBERS = [
    (UNIFORM.format(rows=200), {}, "met", "psi of x is 0.000 over 4 bins of 200 filled rows; at most 0.25 promised"),
    (
        f"select x * 0.7 as x from ({UNIFORM.format(rows=200)})",
        {},
        "missed",
        "psi of x is 2.035 over 4 bins of 200 filled rows; at most 0.25 promised; most moved: above 75, 25.0 % before and 0.0 % now",
    ),
    (
        f"select x * 0.7 as x from ({UNIFORM.format(rows=200)})",
        {"method": "kolmogorov-smirnov"},
        "missed",
        "kolmogorov-smirnov of x is 0.250 over 4 bins of 200 filled rows; at most 0.1 promised; most moved: above 75, 25.0 % before and 0.0 % now",
    ),
    (UNIFORM.format(rows=99), {}, "unknown", "x has 99 filled rows; at least 100 are needed to tell drift from chance"),
    (UNIFORM.format(rows=0), {}, "unknown", "x has 0 filled rows; at least 100 are needed to tell drift from chance"),
    (
        f"select null::double as x from ({UNIFORM.format(rows=500)})",
        {},
        "unknown",
        "x has 0 filled rows; at least 100 are needed to tell drift from chance",
    ),
    (
        f"{UNIFORM.format(rows=100)} union all select 'nan', null from range(100)",
        {"method": "total-variation"},
        "missed",
        "total-variation of x is 0.375 over 4 bins of 200 filled rows; at most 0.1 promised; most moved: above 75, 25.0 % before and 62.5 % now",
    ),
    (
        f"{UNIFORM.format(rows=100)} union all select '-inf', null from range(100)",
        {"method": "total-variation"},
        "missed",
        "total-variation of x is 0.375 over 4 bins of 200 filled rows; at most 0.1 promised; most moved: up to 25, 25.0 % before and 62.5 % now",
    ),
    (
        f"select x::decimal(9,2) as x from ({UNIFORM.format(rows=200)})",
        {},
        "met",
        "psi of x is 0.000 over 4 bins of 200 filled rows; at most 0.25 promised",
    ),
]


@pytest.mark.parametrize(("table", "changes", "verdict", "reason"), NUMBERS, ids=[case[3][:60] for case in NUMBERS])
def test_numbers_are_compared_with_frozen_bins(warehouse, table, changes, verdict, reason):
    warehouse.here(table)
    assert warehouse.verdict("drift", {**FROZEN, **changes}, ABOUT) == (verdict, reason)


def test_the_number_shown_is_on_its_side_of_the_promise(warehouse):
    warehouse.here("select case when i < 3501 then 1 else 99 end as x from range(10000) as t(i)")
    written = {"column": "x", "reference": {"edges": [50], "shares": [25, 75]}, "method": "total-variation"}
    assert "is 0.1001 over" in warehouse.verdict("drift", written, ABOUT)[1]


# Categories

AGREED = {"column": "kind", "reference": {"categories": {"online": 40, "store": 60}}, "method": "total-variation"}
CATEGORIES = [
    (UNIFORM.format(rows=100), "met", "total-variation of kind is 0.000 over 2 bins of 100 filled rows; at most 0.1 promised"),
    (
        f"{UNIFORM.format(rows=100)} union all select 0, 'fax' from range(25)",
        "missed",
        "total-variation of kind is 0.200 over 3 bins of 125 filled rows; at most 0.1 promised; most moved: others, 0.0 % before and 20.0 % now",
    ),
    (
        "select 'store' as kind from range(100)",
        "missed",
        "total-variation of kind is 0.400 over 2 bins of 100 filled rows; at most 0.1 promised; most moved: online, 40.0 % before and 0.0 % now",
    ),
]


@pytest.mark.parametrize(("table", "verdict", "reason"), CATEGORIES, ids=[case[2][:60] for case in CATEGORIES])
def test_categories_are_compared_with_frozen_shares(warehouse, table, verdict, reason):
    warehouse.here(table)
    assert warehouse.verdict("drift", AGREED, ABOUT) == (verdict, reason)


def test_a_rest_that_is_not_written_is_the_share_of_all_others(warehouse):
    warehouse.here(f"{UNIFORM.format(rows=80)} union all select 0, 'fax' || i from range(20) as t(i)")
    written = {"column": "kind", "reference": {"categories": {"online": 32, "store": 48}}, "method": "jensen-shannon"}
    assert warehouse.verdict("drift", written, ABOUT) == (
        "met",
        "jensen-shannon of kind is 0.000 over 3 bins of 100 filled rows; at most 0.1 promised",
    )


# A reference in another relation

ELSEWHERE = [
    ({"input": "there", "bins": 4}, "psi"),
    ({"input": "there", "bins": 10}, "kolmogorov-smirnov"),
    ({"input": "there", "edges": [10, 50, 90]}, "jensen-shannon"),
]


@pytest.mark.parametrize(("reference", "method"), ELSEWHERE, ids=str)
def test_numbers_are_compared_with_another_relation(warehouse, reference, method):
    warehouse.there(UNIFORM.format(rows=1000))
    warehouse.here(UNIFORM.format(rows=300))
    written = {"column": "x", "reference": reference, "method": method}
    assert warehouse.verdict("drift", written, ABOUT)[0] == "met"
    warehouse.connection.execute("update internal.here set x = x / 2")
    assert warehouse.verdict("drift", written, ABOUT)[0] == "missed"
    warehouse.there(UNIFORM.format(rows=0))
    assert warehouse.verdict("drift", written, ABOUT) == ("unknown", "there has no values to compare with")


def test_quantiles_that_fall_together_make_empty_bins_and_no_drift(warehouse):
    constant = "select case when i % 10 = 0 then i else 7 end as x from range(1000) as t(i)"
    warehouse.there(constant)
    warehouse.here(constant)
    judgement = warehouse.judged("drift", {"column": "x", "reference": {"input": "there", "bins": 10}}, ABOUT)
    assert (judgement.verdict, judgement.value) == ("met", 0)


def test_a_reference_without_a_finite_number_is_unknown(warehouse):
    warehouse.here(UNIFORM.format(rows=300))
    warehouse.there("select 'nan'::double as x from range(300)")
    written = {"column": "x", "reference": {"input": "there", "bins": 4}}
    assert warehouse.verdict("drift", written, ABOUT) == ("unknown", "there has no values to compare with")


def test_categories_are_compared_with_another_relation_whatever_their_text(warehouse):
    odd = "select case i % 4 when 0 then 'it''s' when 1 then 'größe' when 2 then chr(30) || 'a' || chr(31) else '' end as \"select\" from range(400) as t(i)"
    warehouse.there(odd)
    warehouse.here('select "select" as kind from (' + odd + ")")
    written = {"column": "kind", "reference": {"input": "there", "column": "select"}}
    assert warehouse.verdict("drift", written, ABOUT) == (
        "met",
        "psi of kind is 0.000 over 4 bins of 400 filled rows; at most 0.25 promised",
    )
    warehouse.connection.execute("update internal.here set kind = 'größe' where kind = ''")
    assert warehouse.verdict("drift", written, ABOUT)[1].endswith("; most moved: value 1, 25.0 % before and 0.0 % now")
    warehouse.connection.execute("update internal.here set kind = 'it''s'")
    assert warehouse.verdict("drift", written, ABOUT)[1].endswith("; most moved: it's, 25.0 % before and 100.0 % now")


def test_values_of_a_personal_column_are_not_told(warehouse):
    personal = [column.model_copy(update={"classification": "personal"}) for column in ABOUT.data_set.columns]
    about = replace(ABOUT, data_set=ABOUT.data_set.model_copy(update={"columns": tuple(personal)}))
    warehouse.there("select case when i < 60 then 'Ann' when i < 80 then 'Bob' else 'Cid' end as kind from range(100) as t(i)")
    warehouse.here("select case when i < 50 then 'Bob' else 'Cid' end as kind from range(100) as t(i)")
    verdict, reason = warehouse.verdict("drift", {"column": "kind", "reference": {"input": "there"}}, about)
    assert verdict == "missed" and reason.endswith("; most moved: value 1, 60.0 % before and 0.0 % now")
    measures = CAPABILITY.measures(CAPABILITY.config.model_validate({"column": "kind", "reference": {"input": "there"}}), about)
    assert measures["categories"].named is False


def test_the_hundred_most_frequent_categories_have_a_bin_and_all_others_one(warehouse):
    warehouse.there("select 'k' || (i % 150) as kind from range(1500) as t(i)")
    warehouse.here("select 'k' || (i % 150) as kind from range(1500) as t(i)")
    written = {"column": "kind", "reference": {"input": "there"}}
    assert warehouse.verdict("drift", written, ABOUT) == (
        "met",
        "psi of kind is 0.000 over 101 bins of 1,500 filled rows; at most 0.25 promised",
    )


def test_nested_values_are_compared_as_text_and_not_as_numbers(warehouse):
    nested = "select [i % 2] as kind, {'a': i} as x from range(200) as t(i)"
    warehouse.there(nested)
    warehouse.here(nested)
    assert warehouse.verdict("drift", {"column": "kind", "reference": {"input": "there"}}, ABOUT)[0] == "met"
    verdict, reason = warehouse.verdict("drift", FROZEN, ABOUT)
    assert verdict == "unknown" and reason.startswith("up to 25.0 could not be measured: Conversion Error")


REFUSED = [
    ({"column": "x"}, "Field required"),
    ({"column": "x", "reference": {}}, "write one of: edges with shares, categories, input: <input port>, data_set: <data set>"),
    ({"column": "x", "reference": {"edges": [1]}}, "write one of"),
    ({"column": "x", "reference": {"input": "a", "data_set": "b"}}, "write one of"),
    ({"column": "x", "reference": {"input": "a", "categories": {"b": 100}}}, "write one of"),
    ({"column": "x", "reference": {"categories": {"b": 100}, "bins": 4}}, "column and bins belong to input or data_set"),
    ({"column": "x", "reference": {"input": "a", "bins": 4, "edges": [1]}}, "edges go with shares, or with input or data_set"),
    ({"column": "x", "reference": {"edges": [2, 1], "shares": [10, 10, 80]}}, "edges must rise from one to the next"),
    (
        {"column": "x", "reference": {"edges": [1], "shares": [100]}},
        "1 share for 2 bins (up to the first edge, between the edges, above the last); write one share for each",
    ),
    ({"column": "x", "reference": {"shares": [50, 50]}}, "shares belong to edges"),
    ({"column": "x", "reference": {"edges": [1], "shares": [0.5, 0.5]}}, "the shares sum up to 1 %; they are percentages, 100 in all"),
    ({"column": "x", "reference": {"categories": {"a": 60, "b": 60}}}, "the shares sum up to 120 %"),
    ({"column": "x", "reference": {"input": "a", "bins": 1}}, "greater than or equal to 2"),
    ({"column": "x", "reference": {"edges": [float("nan")], "shares": [50, 50]}}, "finite number"),
    ({**FROZEN, "method": "jensen-shannon", "at_most": 1.5}, "at_most is 1.5, but jensen-shannon is never above 1"),
    ({**FROZEN, "at_most": 0}, "greater than 0"),
    ({**AGREED, "method": "kolmogorov-smirnov"}, "kolmogorov-smirnov compares numbers"),
    ({**FROZEN, "method": "wasserstein"}, "Input should be 'psi'"),
]


@pytest.mark.parametrize(("written", "message"), REFUSED, ids=[case[1] for case in REFUSED])
def test_a_comparison_that_cannot_be_made_is_refused(written, message):
    with pytest.raises(ValidationError) as refused:
        CAPABILITY.config.model_validate(written)
    assert message in str(refused.value)


def problems(written):
    return list(CAPABILITY.problems(CAPABILITY.config.model_validate(written), ABOUT))


def test_problems_say_where_what_and_what_was_meant():
    assert problems(FROZEN) == problems(AGREED) == []
    unknown = {"column": "x", "reference": {"input": "ther"}}
    assert problems(unknown) == [("reference", 'unknown input port "ther"; known: there', 'did you mean "there"?')]
    assert problems({**FROZEN, "column": "kind"}) == [("column", "kind is varchar, which is not a number", "name a column of numbers")]
