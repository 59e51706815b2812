"""Until when a data set knows the world: rows dated ahead, times that no calendar has, and the inputs that it is made from."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.capabilities.dimensions.freshness import CAPABILITY
from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.dbt.planning import read_plan
from platform_resources.measuring.metrics import Asked
from platform_resources.refresh.data_age import recency
from platform_resources.refresh.sources.pull_records import PULLS
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.measured_queries import measure

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = ["date", "timestamp", "timestamptz", "timestamp_s", "timestamp_ms", "timestamp_ns"]
AHEAD = {
    "next year": "timestamp '2027-11-01'",
    "in a generation": "timestamp '2062-11-01'",
    "beyond 9999": "timestamp '20000-01-01'",
    "as far as it goes": "timestamp '294000-01-01'",
    "infinite": "'infinity'::timestamp",
}


@pytest.fixture
def database(tmp_path):
    with opened(tmp_path / "product.duckdb") as database:
        yield database


@pytest.fixture
def product(tiny):
    return read_plan(tiny)[0].product("readings")


def dated(product, column="changed"):
    """The product's data set, as if it promised that column as `updated_at`."""
    (data_set,) = [each for each in product.data_sets if each.name == "measurements"]
    return replace(data_set, spec=DataSet(updated_at=column), relation=Relation("internal", "dated"))


def told(database, product, select):
    database.connection.execute(f"create or replace table internal.dated as {select}")
    return recency(database, product, dated(product), NOW)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD)
def test_the_newest_row_that_is_not_in_the_future_counts(database, product, kind, ahead):
    if kind == "timestamp_ns" and ("20000" in ahead or "294000" in ahead):
        pytest.skip("it ends in 2262")
    rows = f"(timestamp '2026-11-01 08:00'), (timestamp '2020-01-01'), ({ahead})"
    found = told(database, product, f"select t::{kind} as changed from (values {rows}) as v(t)")
    assert found.at == datetime(2026, 11, 1, 0 if kind == "date" else 8, tzinfo=UTC)
    assert (found.by, found.rows_ahead) == ("the newest changed", 1)


@pytest.mark.parametrize(
    ("rows", "unknown", "ahead"),
    [
        ("select timestamp '2062-01-01' as changed from range(3)", "every changed lies in the future", 3),
        ("select 'infinity'::timestamp as changed", "every changed lies in the future", 1),
        ("select '-infinity'::timestamp as changed", "changed holds no time that a calendar has", 0),
        ("select date '0044-03-15 (BC)' as changed", "changed holds no time that a calendar has", 0),
        ("select null::timestamp as changed", "changed is empty in every row", 0),
        ("select timestamp '2020-01-01' as changed where false", "changed is empty in every row", 0),
        ("select 'yesterday' as changed", "changed is varchar, which is no time", 0),
        ("select 1 as other", "changed is missing, which is no time", 0),
    ],
)
def test_without_a_row_to_go_by_it_is_not_known_and_nothing_breaks(database, product, rows, unknown, ahead):
    found = told(database, product, rows)
    assert (found.at, found.unknown, found.rows_ahead) == (None, unknown, ahead)


def test_a_clock_that_is_a_little_fast_makes_nothing_newer_than_now(database, product):
    found = told(database, product, "select timestamptz '2026-11-28 14:03:00+02' as changed")
    assert (found.at, found.rows_ahead) == (NOW, 0)


def test_a_zone_is_reckoned_with(database, product):
    assert told(database, product, "select timestamptz '2026-11-28 13:30:00+02' as changed").at == NOW - HOUR / 2


@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD)
def test_the_audit_says_the_same_as_the_publication(database, product, ahead):
    found = told(database, product, f"select * from (values (timestamp '2026-11-01 08:00'), ({ahead})) as v(changed)")
    subject = Subject(dated(product).spec, Relation("internal", "dated"), now=NOW)
    asked = [Asked(name, subject.relation, each) for name, each in CAPABILITY.measures(CAPABILITY.config(), subject).items()]
    readings = measure(asked, database.within_limits)
    assert (readings["newest"].value.replace(tzinfo=UTC), readings["ahead"].value) == (found.at, found.rows_ahead)


# Made from inputs


def pulled(database, **records):
    for port, record in records.items():
        database.remember(PULLS, port, json.dumps(record))


def made_from(database, product):
    data_set = next(each for each in product.data_sets if each.name == "measurements")
    return recency(database, product, replace(data_set, spec=DataSet()), NOW)


def test_a_data_set_without_its_own_times_is_as_old_as_the_last_good_pull(database, product):
    pulled(database, deliveries={"interface": "file", "files": [], "pulled_at": (NOW - 30 * HOUR).isoformat()})
    found = made_from(database, product)
    assert (found.at, found.by) == (NOW - 30 * HOUR, "the last successful pull of its input deliveries")


def test_what_another_product_said_of_its_data_counts_and_not_when_it_was_read(database, product):
    record = {"interface": "data-product", "product": "north", "watermark": "2026-11-27T00:00:00+00:00", "pulled_at": NOW.isoformat()}
    pulled(database, deliveries=record)
    assert made_from(database, product).at == datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize("watermark", [None, "2062-11-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "no time"])
def test_of_another_product_whose_time_is_not_known_nothing_is_known(database, product, watermark):
    pulled(database, deliveries={"product": "north", "watermark": watermark, "pulled_at": NOW.isoformat()})
    found = made_from(database, product)
    assert (found.at, found.unknown) == (None, "of its input deliveries it is not known as of when north is")


def test_an_input_that_was_never_pulled_makes_the_age_unknown(database, product):
    assert made_from(database, product).unknown == "of its input deliveries it is not known when it was pulled"
