"""Freshness by deadlines, measured on real rows, and the policy that Dagster gets."""

from datetime import timedelta

import dagster as dg
import pytest

from platform_resources.capabilities.dimensions.freshness import FreshnessSettings
from platform_resources.capabilities.measures import Subject
from platform_resources.orchestration.asset_specs import freshness_policy
from platform_resources.spec.components import DataSet
from tests.capabilities.judging import HERE, Warehouse

# It is Monday 1 June 2026, 12:00 UTC.
AT_SIX = {"by": "06:00", "timezone": "Europe/Berlin"}
ROWS = [
    ("timestamp", {**AT_SIX, "covers": "day"}, "2026-05-31 08:00", "met"),
    ("timestamp", {**AT_SIX, "covers": "day"}, "2026-05-30 21:59", "missed"),
    ("timestamp", {**AT_SIX, "covers": "working-day"}, "2026-05-29 08:00", "met"),
    ("timestamp", {**AT_SIX, "covers": "working-day"}, "2026-05-28 08:00", "missed"),
    ("date", {**AT_SIX, "timezone": "America/New_York", "covers": "day"}, "2026-05-31", "met"),
    ("date", {**AT_SIX, "timezone": "America/New_York", "covers": "day"}, "2026-05-30", "missed"),
    ("timestamp", AT_SIX, "2026-05-31 04:00", "met"),
    ("timestamp", AT_SIX, "2026-05-31 03:59", "missed"),
    ("timestamp", {"by": "12:01"}, "2026-05-30 12:01", "met"),
    ("timestamp", {"by": "12:00"}, "2026-05-30 12:01", "missed"),
    ("timestamp", {**AT_SIX, "working_days": True}, "2026-05-29 08:00", "missed"),
    ("timestamp", {**AT_SIX, "holidays": ["2026-06-01"]}, "2026-05-30 05:00", "met"),
]


@pytest.fixture(scope="module")
def warehouse():
    return Warehouse()


@pytest.mark.parametrize(("kind", "written", "newest", "verdict"), ROWS)
def test_rows_that_are_older_than_the_last_deadline_asks_for_miss_the_promise(warehouse, kind, written, newest, verdict):
    warehouse.here(f"select {kind} '{newest}' as changed_at")
    columns = [{"name": "changed_at", "type": kind}]
    about = Subject(DataSet.model_validate({"columns": columns, "updated_at": "changed_at"}), HERE, {}, {"here": HERE})
    judgement = warehouse.judged("freshness", written, about)
    assert judgement.verdict == verdict, judgement.reason
    assert (judgement.value <= judgement.promise.at_most) == (verdict == "met")


def policy(**written):
    return freshness_policy(FreshnessSettings.model_validate(written).age)


def test_dagster_gets_the_same_deadlines():
    found = policy(**AT_SIX, working_days=True)
    assert found == dg.FreshnessPolicy.cron("0 6 * * 1-5", timedelta(days=1), "Europe/Berlin")
    assert policy(max_age="26h") == dg.FreshnessPolicy.time_window(timedelta(hours=26))


@pytest.mark.parametrize("written", [{"holidays": "DE"}, {"max_age": "2d"}])
def test_dagster_gets_no_policy_that_would_say_something_else(written):
    assert policy(**AT_SIX, **written) is None
