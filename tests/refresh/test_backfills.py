"""Days of a range made anew: one run and one version for each part, a part that fails is named, and the same command goes on with it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from sqlalchemy import text

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.manifest import catch_up, lost_rows
from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.backfills import DayRange, days_of_utc, last_attempt, ranges
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.refresh_runs import refresh
from platform_resources.plan.check_plans import SourceLine
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.refresh.built import batches_until, note_batches
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import mesh, running

YAML = (
    "sales",
    "shop",
    component("receipts", "input-port", "interface: file\npath: receipts.csv"),
    component(
        "daily",
        "data-set",
        "partition_by: day\nprimary_key: [day]\ncolumns:\n"
        "  - {name: day, type: timestamp, description: The day.}\n  - {name: amount, type: bigint, description: What was sold.}",
    ),
    component("daily_file", "output-port", "interface: file\ndata_set: daily"),
)
PRODUCT = product_yaml(*YAML)
MODEL = """{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', begin='2026-01-01', batch_size='day', on_schema_change='fail') }}
select cast(day as timestamp) as day, cast(sum(cast(amount as bigint)) as bigint) as amount from {{ source('sales', 'receipts') }}
where cast(day as date) = cast('{{ model.batch.event_time_start }}' as date) group by 1
"""
CSV = "dataproducts/shop/sales/receipts.csv"


def receipts(amount, bad=0):
    lines = [f"2026-01-{day:02},{'none' if day == bad else amount}" for day in range(1, 8)]
    return "\n".join(["day,amount", *lines]) + "\n"


@pytest.mark.parametrize(
    ("days", "parts"),
    [(3, ["2026-01-30 to 2026-02-01", "2026-02-02 to 2026-02-03"]), (5, ["2026-01-30 to 2026-02-03"]), (99, ["2026-01-30 to 2026-02-03"])],
)
def test_a_range_is_divided_without_a_gap_and_without_an_overlap(days, parts):
    assert [str(part) for part in ranges(date(2026, 1, 30), date(2026, 2, 3), days)] == parts


def planned(folder, kind, zone):
    """The product as planned, without asking dbt: nothing of a proposed product is run."""
    text = product_yaml(*YAML, refresh=f"{{cron: '0 5 * * *', timezone: {zone}}}", lifecycle="proposed").replace("timestamp,", f"{kind},")
    return read_plan(write_mesh(folder, {product_file("shop", "sales"): text}))[0].product("sales")


NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def manifest_of(size):
    """What dbt's manifest says of a model that is built in batches of this size."""
    config = SimpleNamespace(materialized="incremental", incremental_strategy="microbatch", event_time="Day", batch_size=size, lookback=1)
    node = SimpleNamespace(resource_type="model", name="daily", schema="internal", alias="daily", config=config)
    return SimpleNamespace(nodes={"model": node})


@pytest.mark.parametrize(
    ("kind", "zone", "day", "asked"),
    [
        ("timestamptz", "UTC", "2026-03-29", "2026-03-29 to 2026-03-29"),
        ("timestamptz", "Europe/Berlin", "2026-03-29", "2026-03-28 to 2026-03-29"),
        ("timestamptz", "Europe/Berlin", "2026-10-25", "2026-10-24 to 2026-10-25"),
        ("timestamptz", "America/New_York", "2026-11-01", "2026-11-01 to 2026-11-02"),
        ("timestamptz", "Pacific/Auckland", "2026-11-30", "2026-11-29 to 2026-11-30"),
        ("timestamptz", "America/Los_Angeles", "2026-11-30", "2026-11-30 to 2026-11-30"),
        ("timestamp", "Europe/Berlin", "2026-03-29", "2026-03-29 to 2026-03-29"),
        ("date", "Pacific/Auckland", "2026-11-30", "2026-11-30 to 2026-11-30"),
    ],
)
def test_every_batch_that_a_day_of_the_product_s_zone_touches_is_asked_for(tmp_path, kind, zone, day, asked):
    days = DayRange(date.fromisoformat(day), date.fromisoformat(day))
    assert str(days_of_utc(planned(tmp_path, kind, zone), days, NOW)) == asked


@pytest.mark.parametrize(
    ("batch", "asked"), [("day", "2026-10-30 to 2026-11-02"), ("month", "2026-10-01 to 2026-11-30"), ("year", "2026-01-01 to 2026-11-30")]
)
def test_a_batch_is_asked_for_whole(tmp_path, batch, asked):
    place, relation = SourceLine("daily.sql", 1), Relation("internal", "daily")
    model = ModelPlan("daily", "", ("sales", "daily"), (), "daily", (), (), (), "incremental", "", place, "model", relation, batch=batch)
    days = DayRange(date(2026, 10, 30), date(2026, 11, 2))
    assert str(days_of_utc(replace(planned(tmp_path, "date", "UTC"), models=(model,)), days, NOW)) == asked


def test_a_repeated_command_goes_on_with_the_last_attempt_and_with_days_that_were_not_over(tmp_path):
    product = planned(tmp_path, "date", "Pacific/Auckland")
    today = datetime.now(ZoneInfo("Pacific/Auckland")).date()
    first, last = today - timedelta(days=2), today + timedelta(days=1)
    over = {first, today - timedelta(days=1)}
    with dg.DagsterInstance.ephemeral() as instance:

        def run(began, status, start=first, end=last):
            tags = {"backfill": f"sales {first} {last}", "backfill_began": began, "backfill_from": str(start), "backfill_to": str(end)}
            instance.add_run(dg.DagsterRun(job_name="refresh_sales", status=status, tags=tags))

        def made(end=last, days=1):
            attempt = last_attempt(instance, product, ranges(first, end, days))
            return attempt and (attempt.began, {part.first for part in attempt.made})

        run("monday", dg.DagsterRunStatus.SUCCESS)
        assert made() in (("monday", over), ("monday", over | {today})), "midnight may have passed"
        assert made(days=4) == ("monday", set())
        assert made(today) is None, "another backfill"
        run("tuesday", dg.DagsterRunStatus.SUCCESS, first, first)
        run("tuesday", dg.DagsterRunStatus.FAILURE, today, last)
        assert made() == ("tuesday", {first}), "what was made before all was to be made anew does not count"


@pytest.mark.parametrize(
    ("size", "own", "until", "lookback"),
    [
        ("day", 1, timedelta(days=1), 1),
        ("day", 1, timedelta(0), 1),
        ("day", 1, timedelta(days=4), 4),
        ("day", 3, timedelta(days=4), 6),
        ("day", 0, timedelta(0), 0),
        ("day", 0, timedelta(hours=4 * 24 + 9), 4),  # up to midnight: that day itself has none yet
        ("hour", 1, timedelta(days=1), 24),
        ("month", 1, timedelta(days=70), 2),
    ],
)
def test_a_refresh_after_a_pause_builds_the_batches_that_none_has_reached(size, own, until, lookback):
    manifest = manifest_of(size)
    manifest.nodes["model"].config.lookback = own
    catch_up(manifest, NOW - until, NOW)
    assert manifest.nodes["model"].config.lookback == lookback


def test_no_batch_is_missing_where_dbt_begins_after_midnight():
    manifest, late = manifest_of("day"), NOW.replace(hour=23, minute=59)
    catch_up(manifest, late - timedelta(days=1), late)
    assert manifest.nodes["model"].config.lookback == 2


@pytest.mark.parametrize(
    ("size", "kind", "loses"),
    [
        (
            "day",
            "varchar",
            "built by the day of its column Day, which is varchar, and loses rows by that; make it a date or a timestamp in",
        ),
        ("hour", "date", "built by the hour of its column Day, which is date, and loses rows by that; make it a timestamp in"),
        ("hour", "timestamp", ""),
        ("month", "date", ""),
        ("day", "timestamptz", ""),
        ("day", "timestamp_ns", ""),
    ],
)
def test_a_model_whose_batches_dbt_cannot_tell_apart_is_refused(size, kind, loses):
    assert [loses in reason for reason in lost_rows(manifest_of(size), lambda _: {"day": kind})] == [True] * bool(loses)


def test_days_made_anew_fill_no_gap_that_they_do_not_touch(tmp_path):
    product = planned(tmp_path, "date", "UTC")
    days = lambda *them: tuple(date(2026, 1, day) for day in them)  # noqa: E731
    with opened(tmp_path / "sales.duckdb") as database:

        def noted(made, is_first=False):
            note_batches(database, product, made, NOW, is_first)
            until = batches_until(database, product)
            return until and str(until)[:10]

        assert noted(days(1, 3)) is None, "what was there before is not known"
        assert [noted(days(1, 3), is_first=True), noted(days(5, 6)), noted(days(4, 6)), noted(days(1, 2))] == [
            "2026-01-04",
            "2026-01-04",
            "2026-01-07",
            "2026-01-07",
        ]
        assert noted(None) == "2026-11-30"


@pytest.mark.slow
def test_a_backfill_makes_its_days_one_version_a_part_and_goes_on_after_a_failure(tmp_path):
    root = write_mesh(tmp_path, {product_file("shop", "sales"): PRODUCT, CSV: receipts(1), model_file("shop", "sales", "daily"): MODEL})

    def backfill(*options, days="01-01 01-06"):
        first, last = days.split()
        return mesh(root, "backfill", "sales", "--from", f"2026-{first}", "--to", f"2026-{last}", "--days", "3", *options)

    planned = backfill("--plan")
    assert planned.stdout.splitlines() == [
        "2026-01-01 to 2026-01-03  to be made",
        "2026-01-04 to 2026-01-06  to be made",
        "2 runs, each of which publishes a version",
    ]
    (root / CSV).write_text(receipts(5, bad=6))
    failed = backfill()
    assert failed.returncode == 3, failed.stdout + failed.stderr
    assert "2026-01-01 to 2026-01-03  published" in failed.stdout
    said = " ".join(failed.stderr.split())
    assert "the days 2026-01-04 to 2026-01-06 of sales failed: " in said
    assert "daily: 1 of 3 batches failed (2026-01-06): Conversion Error: Could not convert string 'none'" in said, said
    assert "is still served. When that is mended, the same command goes on with them" in said
    (root / CSV).write_text(receipts(1))
    with running(root) as found:
        sql = "select day(day), amount from daily order by 1"
        assert found.rows("sales", sql) == [(1, 5), (2, 5), (3, 5)], "the last good version"
    done = backfill()
    assert (done.returncode, done.stdout.count("made before"), done.stdout.count("published")) == (0, 1, 1), done.stdout + done.stderr
    again = backfill("--days", "99").stdout
    assert "nothing is left to be made; --again makes all of it anew" in again, "they were made, however they were divided"
    (root / CSV).write_text(receipts(7))
    mended = backfill(days="01-04 01-05")
    assert mended.returncode == 0, mended.stderr
    with running(root) as found:
        assert found.rows("sales", sql) == [(1, 5), (2, 5), (3, 5), (4, 7), (5, 7), (6, 1)], "other days are as they were"
        assert len(found.shelf("sales").published()) == 3, "one version for each run"
        runs = found.instance.get_runs(dg.RunsFilter(tags={"backfill": "sales 2026-01-04 2026-01-05"}))
        assert [run.tags["backfill_from"] for run in runs] == ["2026-01-04"]


@pytest.mark.slow
def test_no_batch_is_lost_by_a_pause_of_the_refreshes(tmp_path):
    months = [datetime.now(UTC).date().replace(day=15) - timedelta(days=30 * ago) for ago in (4, 3, 2, 1, 0)]
    monthly = MODEL.replace("batch_size='day'", "batch_size='month'").replace("begin='2026-01-01'", f"begin='{months[0]}'")
    monthly = monthly.replace("where cast(day as date) =", "where date_trunc('month', cast(day as date)) =")
    text = "day,amount\n" + "".join(f"{month},1\n" for month in months)
    root = write_mesh(tmp_path, {product_file("shop", "sales"): PRODUCT, CSV: text, model_file("shop", "sales", "daily"): monthly})
    with running(root) as found:
        only_first = refresh(root, found.plan, ["sales"], found.instance, f"{months[0]}", lambda *_: None, since=f"{months[0]}")
        assert [done.outcome for done in only_first] == ["published"]
        assert found.rows("sales", "select count(*) from daily") == [(1,)]
        (done,) = found.refresh("sales")
        assert (done.outcome, found.rows("sales", "select count(*) from daily")) == ("published", [(5,)]), done.reasons


@pytest.mark.slow
def test_what_cannot_be_made_by_day_is_told(tmp_path):
    root = write_mesh(tmp_path, {product_file("shop", "sales"): PRODUCT, CSV: receipts(1), model_file("shop", "sales", "daily"): MODEL})
    edited(root, model_file("shop", "sales", "daily"), MODEL.splitlines()[0], "")
    edited(root, model_file("shop", "sales", "daily"), "where cast(day as date) = cast('{{ model.batch.event_time_start }}' as date)", "")
    range_ = ("--from", "2026-01-01", "--to", "2026-01-06")
    done = mesh(root, "backfill", "sales", *range_)
    assert (done.returncode, done.stdout, "nothing of it is made by day" in " ".join(done.stderr.split())) == (2, "", True), done.stderr
    for first in ("2026-1-1", "0226-01-01"):
        assert (
            f'--from is "{first}"; write a day such as 2026-01-31' in mesh(root, "backfill", "sales", "--from", first, *range_[2:]).stderr
        )
    with running(root) as found:
        (asked,) = refresh(root, found.plan, ["sales"], found.instance, "2026-01-06", lambda *_: None, since="2026-01-01")
        assert (asked.outcome, "nothing of it is made by day" in asked.reasons[0]) == ("failed", True), "as in the launchpad"
        with synced_ledger(root, found.instance, datetime.now(UTC)) as ledger, ledger.reading() as connection:
            statuses = connection.execute(text("select status from runs where product = 'sales'")).scalars().all()
        assert statuses == ["canceled"], "which says nothing of the product"
    edited(root, product_file("shop", "sales"), "partition_by: day", "profile: yes")
    done = mesh(root, "backfill", "sales", *range_)
    assert (done.returncode, "none of its data sets says partition_by" in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert "--to 2999-01-01 is still to come" in mesh(root, "backfill", "sales", "--from", "2026-01-01", "--to", "2999-01-01").stderr
    assert "--to 2025-01-01 is before" in mesh(root, "backfill", "sales", "--from", "2026-01-01", "--to", "2025-01-01").stderr
