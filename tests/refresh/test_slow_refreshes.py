"""A refresh that is too slow says which step and model grew, and whether that is due to the data, to how the model is written, or to the machine."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.capabilities.judgements import Moment, Refreshes
from platform_resources.capabilities.measures import Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.slowness import why_slow
from platform_resources.capabilities.work import ModelWork, RefreshWork, Scan
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.kept_work import kept_work
from platform_resources.services.refreshes.execution import refresh_product
from platform_resources.spec.components import DataSet
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

SHOP = product_yaml(
    "shop",
    "sales",
    component("tills", "input-port", "interface: python\nextractor: extract:tills"),
    component(
        "days",
        "data-set",
        "columns:\n  - {name: day, type: bigint}\n  - {name: amount, type: double}\n  - {name: texts, type: bigint}",
    ),
    component("days_sql", "output-port", "interface: sql"),
    component("In time", "service-level-asset", "dimension: duration\nat_most: 1s"),
)
EXTRACT = """
def tills(extraction):
    return extraction.connection.sql(
        "select range as sale, range // 1000 as day, sin(range) as amount, repeat('x', 100) || range as text from range({rows})"
    )
"""
MODEL = """
select cast(day as bigint) as day, cast(sum(amount) as double) as amount, cast(count(distinct {counted}) as bigint) as texts
from {{{{ source('shop', 'tills') }}}} where {where} group by day
"""
FEW = "sale >= 900000"
MESH = {
    product_file("sales", "shop"): SHOP,
    "dataproducts/sales/shop/extract.py": EXTRACT.format(rows=1_000_000),
    model_file("sales", "shop", "days"): MODEL.format(counted="day", where=FEW),
}
LOAD = "while True: pass"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = write_mesh(tmp_path_factory.mktemp("shop") / "mesh", MESH)

    def refreshed(rows=1_000_000, counted="day", where=FEW):
        (root / "dataproducts/sales/shop/extract.py").write_text(EXTRACT.format(rows=rows))
        (root / model_file("sales", "shop", "days")).write_text(MODEL.format(counted=counted, where=where))
        product = read_plan(root)[0].product("shop")
        done = refresh_product(root, root, product, installed_registry(), f"run {len(kept_work(root, product))}")
        assert done.outcome == "published", done.reasons
        return kept_work(root, product)

    return refreshed


def told(runs):
    """What the dimension says of the last of them, looking at their builds alone."""
    runs = tuple(replace(run, steps={"build": run.steps["build"]}) for run in runs)
    duration = installed_registry().dimensions()["duration"]
    moment = Moment(datetime.now(UTC), refreshes=Refreshes((1.0, 1.0, 60.0), run_ids=tuple(run.run_id for run in runs)), work=runs)
    judgement = duration.judge(duration.config.model_validate({"at_most": "1s"}), {}, Subject(DataSet(), None), moment)
    assert judgement.verdict == "missed"
    return judgement.reason


@pytest.mark.slow
def test_each_cause_is_told_from_what_duckdb_did(shop):
    usual = [shop()[-1], shop()[-1]]
    assert set(usual[0].steps) == {"pull", "build", "publish"}
    (model,) = usual[0].models
    assert (model.model, model.rows_kept, [scan.name for scan in model.scans]) == ("days", 100, ["tills"])
    assert model.scans[0].columns == 2 and model.scans[0].filters == 1
    assert model.rows_read < 1_000_000, "the filter leaves rows out while they are read"

    # More data: the same model reads and keeps more.
    more = shop(rows=4_000_000)[-1]
    reason = told(on_an_idle_machine(*usual, more))
    assert "in it model days took" in reason and "that is due to the data: there is so much more to read" in reason, reason

    # A lost filter: the same rows are kept of the same data.
    lost = shop(where="sale + 0 * length(text) >= 900000", counted="text")[-1]
    assert lost.models[0].rows_kept == 100 and lost.models[0].rows_read == 1_000_000
    reason = told(on_an_idle_machine(*usual, lost))
    assert "that is due to how the model is written: " in reason and "4 columns of tills are read, 2 before" in reason, reason
    assert "a filter on tills no longer leaves out rows while they are read, and 1,000,000 are read of it" in reason, reason

    # A loaded machine: the same work waits for the one processor that it may use, and that others use too.
    others = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(6)]
    free = os.sched_getaffinity(0)
    try:
        for number in (0, *(other.pid for other in others)):
            os.sched_setaffinity(number, {min(free)})
        loaded = shop(where="sale + 0 * length(text) >= 900000", counted="text")[-1]
    finally:
        os.sched_setaffinity(0, free)
        for other in others:
            other.kill()
            other.wait()
    reason = told((*on_an_idle_machine(lost), loaded))
    assert "that is due to the machine: the processor worked" in reason, reason
    assert loaded.run_id == "run 4"


def on_an_idle_machine(*runs):
    """As if no other program had kept the statements waiting: by the clock they took what they needed of one processor."""
    models = [[replace(model, seconds=model.cpu_seconds) for model in run.models] for run in runs]
    return [replace(run, models=tuple(each), steps={"build": sum(m.seconds for m in each)}) for run, each in zip(runs, models, strict=True)]


def run(model, **steps):
    return RefreshWork("run", steps, (model,))


USUAL = ModelWork("days", 10.0, 18.0, 1_000_000, 100, 2_000_000, 0, (Scan("tills", 1_000_000, 3, 1),))
CASES = {
    "a step that is no build": ({"pull": 90.0, "build": 10.0}, USUAL, "its pull took 1 min 30 s, usually 2 s"),
    "spilled": (
        {"pull": 2.0, "build": 40.0},
        ModelWork("days", 40.0, 70.0, 4_000_000, 100, 8_000_000, 250_000_000, (Scan("tills", 4_000_000, 3, 1),)),
        "its build took 40 s, usually 11 s; in it model days took 40 s, usually 10 s; it read 4,000,000 rows and kept 100 (usually 1,000,000 and 100); "
        "250 MB were spilled to disk, usually none; that is due to the data: there is so much more to read",
    ),
    "a join that multiplies": (
        {"pull": 2.0, "build": 40.0},
        ModelWork("days", 40.0, 70.0, 1_000_000, 100, 90_000_000, 0, (Scan("tills", 1_000_000, 3, 1),)),
        "that is due to how its rows meet: 90,000,000 were passed on between its steps, usually 2,000,000; look for a join that finds several rows",
    ),
    "more data, and one more column of it": (
        {"pull": 2.0, "build": 100.0},
        ModelWork("days", 100.0, 180.0, 10_000_000, 100, 20_000_000, 0, (Scan("tills", 10_000_000, 4, 1),)),
        "that is due to the data: there is so much more to read",
    ),
    "one more column of the same rows": (
        {"pull": 2.0, "build": 40.0},
        ModelWork("days", 40.0, 70.0, 1_000_000, 100, 2_000_000, 0, (Scan("tills", 1_000_000, 4, 1),)),
        "that is due to how the model is written: 4 columns of tills are read, 3 before",
    ),
    "unexplained": (
        {"pull": 2.0, "build": 40.0},
        ModelWork("days", 40.0, 70.0, 1_000_000, 100, 2_000_000, 0, (Scan("tills", 1_000_000, 3, 1),)),
        "neither the rows that it read nor its filters and columns tell why",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_grew_is_named_with_its_cause(case):
    steps, model, text = CASES[case]
    before = [run(USUAL, pull=2.0, build=11.0)] * 3
    assert text in why_slow(run(model, **steps), before)


def test_what_usually_was_nothing_has_grown_and_nothing_is_blamed_for_it_that_did_not():
    empty = ModelWork("days", 10.0, 18.0, 0, 0, 0, 0, (Scan("tills", 0, 3, 1),))
    full = ModelWork("days", 40.0, 70.0, 1_000_000, 100, 2_000_000, 0, (Scan("tills", 1_000_000, 3, 1),))
    assert "that is due to the data" in why_slow(run(full, build=41.0), [run(empty, build=11.0)] * 3)
    unclocked = ModelWork("days", 10.0, 0.0, 1_000_000, 100, 2_000_000, 0, (Scan("tills", 1_000_000, 3, 1),))
    assert "due to" not in why_slow(run(full, build=41.0), [run(unclocked, build=11.0)] * 3)


def test_a_refresh_is_explained_by_its_own_work_and_not_by_that_of_one_that_failed():
    work = [RefreshWork(name, {"build": seconds}) for name, seconds in (("a", 1.0), ("b", 1.0), ("failed", 500.0), ("c", 60.0))]
    failed_last, duration = [*work[:2], work[3], work[2]], installed_registry().dimensions()["duration"]

    def said(work, refreshes):
        moment = Moment(datetime.now(UTC), refreshes=refreshes, work=tuple(work))
        return duration.judge(duration.config.model_validate({"at_most": "10s"}), {}, Subject(DataSet(), None), moment).reason

    ended = Refreshes((1.0, 1.0, 61.0), run_ids=("a", "b", "c"))
    for known in (work, failed_last):
        assert said(known, ended).endswith("; its build took 1 min, usually 1 s")
    goes_on = replace(ended, running=100.0, running_id="d")
    assert said(work, goes_on) == "the refresh that goes on has taken 1 min 40 s; at most 10s promised", "nothing is known of it yet"
    begun = [*work, RefreshWork("d", {"pull": 90.0})]
    assert said(begun, goes_on).endswith("; its pull took 1 min 30 s")


def test_without_an_earlier_refresh_nothing_is_compared():
    assert why_slow(run(USUAL, build=11.0), ()) == "its build took 11 s; in it model days took 10 s; it read 1,000,000 rows and kept 100"
    assert why_slow(RefreshWork("run"), ()) == ""
