"""Days of a range made anew: one run and one version for each part, a part that fails is named, and the same command goes on with it."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest
from sqlalchemy import text

from platform_resources.orchestration.backfills import ranges
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.refresh_runs import refresh
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import mesh, running

PRODUCT = product_yaml(
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


@pytest.mark.slow
def test_a_backfill_makes_its_days_one_version_a_part_and_goes_on_after_a_failure(tmp_path):
    root = write_mesh(tmp_path, {product_file("shop", "sales"): PRODUCT, CSV: receipts(1), model_file("shop", "sales", "daily"): MODEL})

    def backfill(*options, days="01-01 01-06"):
        first, last = days.split()
        return mesh(root, "backfill", "sales", "--from", f"2026-{first}", "--to", f"2026-{last}", "--days", "3", *options)

    planned = backfill("--plan")
    assert planned.stdout.splitlines() == ["2026-01-01 to 2026-01-03  to be made", "2026-01-04 to 2026-01-06  to be made", "2 runs"]
    (root / CSV).write_text(receipts(5, bad=6))
    failed = backfill()
    assert failed.returncode == 3, failed.stdout + failed.stderr
    assert "2026-01-01 to 2026-01-03  published" in failed.stdout
    assert "the days 2026-01-04 to 2026-01-06 of sales were not made:" in " ".join(failed.stderr.split())
    (root / CSV).write_text(receipts(1))
    with running(root) as found:
        sql = "select day(day), amount from daily order by 1"
        assert found.rows("sales", sql) == [(1, 5), (2, 5), (3, 5)], "the last good version"
    done = backfill()
    assert (done.returncode, done.stdout.count("made before"), done.stdout.count("published")) == (0, 1, 1), done.stdout + done.stderr
    assert "nothing is left" in backfill("--days", "99").stdout, "they were made, however they were divided"
    (root / CSV).write_text(receipts(7))
    mended = backfill(days="01-04 01-05")
    assert mended.returncode == 0, mended.stderr
    with running(root) as found:
        assert found.rows("sales", sql) == [(1, 5), (2, 5), (3, 5), (4, 7), (5, 7), (6, 1)], "other days are as they were"
        assert len(found.shelf("sales").published()) == 3, "one version for each run"
        runs = found.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": "sales 2026-01-04 2026-01-05"}))
        assert [run.tags["dagster/asset_partition_range_start"] for run in runs] == ["2026-01-04"]
    assert "nothing is left to be made; --again makes all of it anew" in backfill(days="01-04 01-05").stdout


@pytest.mark.slow
def test_what_cannot_be_made_by_day_is_told(tmp_path):
    root = write_mesh(tmp_path, {product_file("shop", "sales"): PRODUCT, CSV: receipts(1), model_file("shop", "sales", "daily"): MODEL})
    edited(root, model_file("shop", "sales", "daily"), MODEL.splitlines()[0], "")
    edited(root, model_file("shop", "sales", "daily"), "where cast(day as date) = cast('{{ model.batch.event_time_start }}' as date)", "")
    range_ = ("--from", "2026-01-01", "--to", "2026-01-06")
    for options in (("--plan",), ()):
        done = mesh(root, "backfill", "sales", *range_, *options)
        assert (done.returncode, done.stdout, "nothing of it is made by day" in " ".join(done.stderr.split())) == (2, "", True), done.stderr
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
