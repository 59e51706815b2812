"""What each dimension says about its readings, word for word."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from platform_resources.capabilities.judgements import Moment, worst
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.shares import number_text, percent_text, share_text
from platform_resources.promises.judgement import judged
from platform_resources.spec.components import DataSet
from tests.capabilities.customers import NOW, PLAIN, POPULATION, REFERENCE, SUBJECT, configured, dimension


def judge(name, written, subject=SUBJECT, previous_rows=None, **values):
    given = {key.replace("_in_", " in "): Reading(value) for key, value in values.items()}
    return judged(dimension(name), configured(name, written), given, subject, Moment(NOW, previous_rows))


HOUR = timedelta(hours=1)
ROWS = {"rows": 9, "nulls": 0, "ahead": 0}
JUDGED = [
    ("freshness", {"max_age": "24h"}, {"newest": NOW - 24 * HOUR, **ROWS}, "met", "the newest made_at is 24 h old; at most 24h promised"),
    ("freshness", {}, {"newest": NOW - 24.01 * HOUR, **ROWS}, "missed", "the newest made_at is 24 h 1 min old; at most 24h promised"),
    ("freshness", {}, {"newest": datetime(2024, 6, 1, 11, 30), **ROWS}, "met", "the newest made_at is 30 min old; at most 24h promised"),
    ("freshness", {}, {"newest": date(2024, 5, 30), **ROWS}, "missed", "the newest made_at is 2 days 12 h old; at most 24h promised"),
    ("freshness", {}, {"newest": NOW + HOUR / 15, **ROWS}, "met", "the newest made_at is 0 min old; at most 24h promised"),
    (
        "freshness",
        {},
        {"newest": NOW - 25 * HOUR, **ROWS, "ahead": 2},
        "missed",
        "the newest made_at is 25 h old; at most 24h promised; 2 rows are dated in the future, and left out",
    ),
    (
        "freshness",
        {},
        {"newest": None, **ROWS, "ahead": 1},
        "unknown",
        "every made_at lies in the future, so the age is not known; 1 row is dated in the future, and left out",
    ),
    ("freshness", {}, {"newest": None, **ROWS}, "unknown", "made_at holds no time that a calendar has, so the age is not known"),
    ("freshness", {}, {"newest": None, **ROWS, "nulls": 9}, "unknown", "made_at is empty in every row, so the age is not known"),
    (
        "freshness",
        {},
        {"newest": "today", **ROWS},
        "unknown",
        "made_at holds 'today', which is not a date or a time, so the age is not known",
    ),
    ("volume", {"at_least": 1200}, {"rows": 1199}, "missed", "1,199 rows; at least 1,200 promised"),
    ("volume", {"at_most": 0}, {"rows": 0}, "met", "0 rows; at most 0 promised"),
    ("volume", {"never_decreases": True}, {"rows": 0}, "met", "0 rows; first version, so there is nothing to compare with"),
    ("completeness", {"columns": ["id"]}, {"rows": 0, "nulls_in_id": 0}, "unknown", "there are no rows, so nothing can be said"),
    (
        "completeness",
        {"columns": ["id", "age_band"], "at_least": 95},
        {"rows": 2469, "nulls_in_id": 1, "nulls_in_age_band": 1668},
        "missed",
        "age_band is filled in 32.4 % of 2,469 rows; 95 % promised",
    ),
    ("completeness", POPULATION, {"population": 0, "missing": 0}, "unknown", "orders has no keys, so nothing can be said"),
    (
        "completeness",
        POPULATION,
        {"population": 1000, "missing": 1},
        "missed",
        "customer of orders is present for 99.9 % of 1,000 keys; 100 % promised",
    ),
    (
        "validity",
        {"column": "id", "min": 0, "at_least": 99.5},
        {"rows": 12, "nulls": 2, "invalid": 0},
        "met",
        "id is at least 0 in 100 % of 10 filled rows; 99.5 % promised",
    ),
    (
        "validity",
        {"column": "id", "min": 0},
        {"rows": 2, "nulls": 2, "invalid": 0},
        "unknown",
        "id is empty in every row, so nothing can be said",
    ),
    ("validity", {"column": "id", "min": 0}, {"rows": 0, "nulls": 0, "invalid": 0}, "unknown", "there are no rows, so nothing can be said"),
    (
        "distribution",
        {"column": "age_band", "shares": {"19-24": {"min": 5}}},
        {"rows": 0, "nulls": 0, "rows of 19-24": 0, "others": 0},
        "unknown",
        "there are no rows, so nothing can be said",
    ),
    (
        "referential-consistency",
        REFERENCE,
        {"rows": 0, "keyless": 0, "orphans": 0},
        "unknown",
        "there are no rows, so nothing can be said",
    ),
    (
        "uniqueness",
        {},
        {"rows": 3_000_000, "duplicates": 1},
        "missed",
        "id is unique in 99.9 % of 3,000,000 rows; 100 % promised",
    ),
    (
        "referential-consistency",
        REFERENCE,
        {"rows": 3, "keyless": 1, "orphans": 1},
        "missed",
        "id is found in customers for 50 % of 2 rows; 100 % promised",
    ),
    (
        "referential-consistency",
        REFERENCE,
        {"rows": 1, "keyless": 1, "orphans": 0},
        "unknown",
        "every row lacks id, so nothing can be said",
    ),
    (
        "custom-sql",
        {"failing_rows": "id < 0"},
        {"rows": 10, "failing": 1},
        "missed",
        "1 of 10 rows breaks the rule; at most 0 rows promised",
    ),
    (
        "custom-sql",
        {"failing_rows": "id < 0", "at_most_percent": 5},
        {"rows": 1000, "failing": 50},
        "met",
        "50 of 1,000 rows break the rule (5 %); at most 5 % promised",
    ),
    (
        "custom-sql",
        {"failing_rows": "id < 0", "at_most_percent": 5},
        {"rows": 3000, "failing": 151},
        "missed",
        "151 of 3,000 rows break the rule (5.1 %); at most 5 % promised",
    ),
    ("custom-sql", {"failing_rows": "id < 0"}, {"rows": 0, "failing": 0}, "unknown", "there are no rows, so nothing can be said"),
    ("custom-sql", {"scalar": "sum(id)", "min": 0}, {"value": Decimal("-0.5")}, "missed", "the value is -0.5; at least 0 promised"),
    ("custom-sql", {"scalar": "sum(id)", "min": 0, "max": 9}, {"value": 9}, "met", "the value is 9; between 0 and 9 promised"),
    ("custom-sql", {"scalar": "sum(id)", "min": 0}, {"value": None}, "unknown", "sum(id) has no value, as over no rows"),
    ("custom-sql", {"scalar": "sum(id)", "min": 0}, {"value": "x"}, "unknown", "sum(id) gave 'x', which is no finite number"),
    (
        "custom-sql",
        {"scalar": "sum(id) / 0", "min": 1},
        {"value": float("inf")},
        "unknown",
        "sum(id) / 0 gave 'inf', which is no finite number",
    ),
    (
        "custom-sql",
        {"scalar": "sum(id) / 0", "max": 1},
        {"value": float("-inf")},
        "unknown",
        "sum(id) / 0 gave '-inf', which is no finite number",
    ),
    (
        "business-kpi",
        {"metric": "sum(id) / 0", "min": 1},
        {"value": float("inf")},
        "unknown",
        "sum(id) / 0 gave 'inf', which is no finite number",
    ),
    ("custom-sql", {"scalar": "avg(id)", "min": 0.1}, {"value": Decimal("0.1")}, "met", "the value is 0.1; at least 0.1 promised"),
    ("custom-sql", {"scalar": "avg(id)", "max": 0.3}, {"value": 0.3}, "met", "the value is 0.3; at most 0.3 promised"),
    (
        "custom-sql",
        {"scalar": "avg(id)", "max": 0},
        {"value": float("nan")},
        "unknown",
        "avg(id) gave 'nan', which is no finite number",
    ),
]


@pytest.mark.parametrize(("name", "written", "values", "verdict", "reason"), JUDGED, ids=str)
def test_a_judgement_says_what_was_found_and_what_was_promised(name, written, values, verdict, reason):
    judgement = judge(name, written, **values)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


EXACT = [
    ("completeness", {"columns": ["id"]}, {"rows": 100_000, "nulls_in_id": 4}, 99.996, "99.9 %", (4, 100_000)),
    ("completeness", POPULATION, {"population": 8, "missing": 1}, 87.5, "87.5 %", (1, 8)),
    ("validity", {"column": "id", "min": 0}, {"rows": 5, "nulls": 2, "invalid": 1}, 200 / 3, "66.6 %", (1, 3)),
    ("uniqueness", {}, {"rows": 3_000_000, "duplicates": 1}, 100 - 1 / 30_000, "99.9 %", (1, 3_000_000)),
    ("referential-consistency", REFERENCE, {"rows": 4, "keyless": 1, "orphans": 1}, 200 / 3, "66.6 %", (1, 3)),
    ("custom-sql", {"failing_rows": "id < 0"}, {"rows": 10, "failing": 1}, 1, "", (1, 10)),
]


@pytest.mark.parametrize(("name", "written", "values", "value", "shown", "failing"), EXACT, ids=str)
def test_a_share_is_kept_as_it_is_and_shown_as_it_is_read(name, written, values, value, shown, failing):
    judgement = judge(name, written, **values)
    assert judgement.value == pytest.approx(value, rel=1e-12)
    assert (judgement.shown, (judgement.failing_rows, judgement.rows)) == (shown, failing)


# What is promised, in numbers: unit, at least, at most.
PROMISES = [
    ("accuracy", {"reference": {"input": "raw", "columns": ["id"]}, "keys": ["id"]}, ("%", None, None)),
    ("availability", {"within": "10s"}, ("s", None, 10)),
    ("bias", {"group": "age_band", "outcome": "id"}, ("", 0.8, None)),
    ("business-kpi", {"metric": "sum(id)", "min": 5, "max": 500, "unit": "EUR"}, ("EUR", 5, 500)),
    ("cadence", {}, ("s", None, None)),
    ("completeness", {"columns": ["id"], "at_least": 95}, ("%", 95, None)),
    ("completeness", {"columns": ["id"], "learned": True}, ("%", None, None)),
    ("cost", {"measure": "seconds", "budget": {"per_refresh": "10m"}}, ("s", None, None)),
    ("custom-sql", {"failing_rows": "id < 0"}, ("rows", None, 0)),
    ("custom-sql", {"failing_rows": "id < 0", "at_most_percent": 5}, ("%", None, 5)),
    ("custom-sql", {"scalar": "sum(id)", "min": 0, "unit": "%"}, ("%", 0, None)),
    ("distribution", {"column": "age_band", "shares": {"19-24": {"min": 5}}}, ("categories", None, 0)),
    ("drift", {"column": "id", "reference": {"input": "raw"}, "at_most": 0.2}, ("", None, 0.2)),
    ("duration", {"at_most": "10m"}, ("s", None, 600)),
    ("freshness", {"max_age": "24h"}, ("s", None, 86_400)),
    ("referential-consistency", REFERENCE, ("%", 100, None)),
    ("schema", {}, ("differences", None, 0)),
    ("uniqueness", {}, ("%", 100, None)),
    ("validity", {"column": "id", "min": 0, "at_least": 99.5}, ("%", 99.5, None)),
    ("volume", {"at_least": 5, "at_most": 9}, ("rows", 5, 9)),
]


@pytest.mark.parametrize(("name", "written", "expected"), PROMISES, ids=str)
def test_a_promise_is_told_in_numbers_with_its_unit(name, written, expected):
    found = installed_registry().dimensions()[name].promise(configured(name, written), Moment(NOW))
    assert (found.unit, found.at_least, found.at_most) == expected


def test_every_dimension_tells_its_promise_in_numbers():
    assert {name for name, _, _ in PROMISES} == set(installed_registry().dimensions())


@pytest.mark.parametrize(("name", "written", "values", "verdict", "reason"), JUDGED, ids=str)
def test_a_value_lies_within_what_was_promised_exactly_if_it_is_met(name, written, values, verdict, reason):
    judgement = judge(name, written, **values)
    found = judgement.promise
    if judgement.value is None or not found.comparison:
        assert verdict == "unknown" or written.get("never_decreases")
        return
    within = (found.at_least is None or judgement.value >= found.at_least) and (found.at_most is None or judgement.value <= found.at_most)
    assert within == (verdict == "met")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.06, "6 %"), (0.00005, "0.005 %"), (0.99997, "99.997 %"), (1 / 3, "33.33 %"), (4.123e-7, "0.000041 %")],
)
def test_a_share_has_as_many_digits_as_tell_it_from_none_and_from_all(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize("kind", ["varchar", "bigint[]", "interval", "boolean", "decimal(18,2)[]"])
def test_what_is_no_number_is_told_from_one(kind):
    assert not is_numeric(kind)
    assert is_numeric("decimal(18,2)") and is_numeric("ubigint")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [([], "met"), (["met", "met"], "met"), (["met", "unknown"], "unknown"), (["unknown", "met", "missed"], "missed")],
)
def test_of_several_verdicts_the_worst_counts(said, verdict):
    assert worst(said) == verdict


VOLUMES = [
    ({"never_decreases": True}, 9, 10, "missed", "9 rows; never fewer than before promised, 10 before"),
    ({"never_decreases": True}, 10, 10, "met", "10 rows; never fewer than before promised, 10 before"),
    ({"change_at_most": 10}, 11, 10, "met", "11 rows; 10 % change from 10, at most 10 % promised"),
    ({"change_at_most": 10}, 8, 10, "missed", "8 rows; -20 % change from 10, at most 10 % promised"),
    ({"change_at_most": 10}, 1, 0, "unknown", "1 row; there were no rows before, so the change has no percentage"),
    ({"change_at_most": 10}, 0, 0, "met", "0 rows; 0 % change from 0, at most 10 % promised"),
    ({"at_least": 5, "change_at_most": 10}, 4, 0, "missed", "4 rows; at least 5 promised"),
]


@pytest.mark.parametrize(("written", "rows", "former", "verdict", "reason"), VOLUMES, ids=str)
def test_volume_is_compared_with_the_version_before(written, rows, former, verdict, reason):
    judgement = judge("volume", written, previous_rows=former, rows=rows)
    assert (judgement.verdict, judgement.reason, judgement.value) == (verdict, reason, rows)
    found = judgement.promise
    within = (found.at_least is None or rows >= found.at_least) and (found.at_most is None or rows <= found.at_most)
    assert verdict == "unknown" or within == (verdict == "met")


def test_a_data_set_without_updated_at_is_as_fresh_as_its_publication():
    judgement = judge("freshness", {}, PLAIN)
    assert (judgement.verdict, judgement.reason) == ("met", "its publication is 0 min old; at most 24h promised")


def test_a_reading_with_an_error_is_unknown_with_its_reason():
    given = {"rows": Reading(5), "nulls in id": Reading(error="Binder Error: no such column")}
    judgement = judged(dimension("completeness"), configured("completeness", {"columns": ["id"]}), given, SUBJECT, Moment(NOW))
    assert judgement.verdict == "unknown"
    assert judgement.reason == "nulls in id could not be measured: Binder Error: no such column"


def test_a_reading_that_is_not_there_is_unknown():
    judgement = judge("volume", {"at_least": 1})
    assert (judgement.verdict, judgement.reason) == ("unknown", "rows was not measured")


@pytest.mark.parametrize(
    ("part", "promised", "text"),
    [(99_999, 100, "99.9 %"), (99_960, 99.95, "99.96 %"), (99_949, 99.95, "99.94 %"), (100_000, 100, "100 %"), (0, 95, "0 %")],
)
def test_a_share_never_looks_better_than_its_verdict(part, promised, text):
    assert percent_text(part, 100_000, promised) == text


@pytest.mark.parametrize(("value", "text"), [(95.0, "95"), (1234.5, "1,234.5"), (1e-7, "0.0000001"), (100, "100"), (1e6, "1,000,000")])
def test_numbers_are_written_plainly(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize("columns", [[], [{"name": "made_at", "type": "varchar", "classification": "personal"}]])
def test_a_time_that_is_none_is_not_quoted_where_it_may_not_be_seen(columns):
    about = Subject(DataSet.model_validate({"updated_at": "made_at", "columns": columns}), SUBJECT.relation)
    reason = judge("freshness", {}, about, newest="Ada", **ROWS).reason
    assert reason == "made_at holds what may not be shown, which is not a date or a time, so the age is not known"
