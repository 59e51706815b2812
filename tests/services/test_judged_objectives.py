"""Objectives judged between refreshes: the whole way from the plan, the ports and the ledger to what Dagster is told."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.events import Event, Materialised, RunEnded, RunStarted
from platform_resources.ledger.payload import FORMAT, FORMAT_KEY
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.events.ledger_events import DagsterLog
from platform_resources.orchestration.events.results import judged_result
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.auditing import audit
from platform_resources.refresh.gate import decided
from platform_resources.refresh.publishing import Candidate, publish, tidied
from platform_resources.services.judged_objectives import judged_between_refreshes, judged_objectives
from platform_resources.warehouses.duckdb.product_database import opened
from tests.ledger.event_logs import MemoryLog
from tests.meshes import component, edited, indented, product_file, tiny_mesh
from tests.refresh.running import running

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROMISES = [
    component("Readings can be read", "service-level-asset", "dimension: availability\ndata_set: measurements"),
    component("The file can be read", "service-level-asset", "dimension: availability\nport: measurements_file\nwithin: 20s"),
    component("Refreshed quickly", "service-level-asset", "dimension: duration\nat_most: 10m"),
    component("Published as usual", "service-level-asset", "dimension: cadence"),
]
ROWS = "create or replace table internal.measurements as select n as reading_id, cast(20.5 as decimal(6, 2)) as degrees, now() as processed_at from range(5) as t(n)"


@pytest.fixture
def mesh(tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    added = indented("\n".join(PROMISES), 4).lstrip()
    edited(root, product_file("plant", "readings"), "    - name: Company use", f"    {added}\n    - name: Company use")
    edited(root, product_file("plant", "readings"), "format: parquet", "format: csv")
    return root


def planned(mesh):
    plan, problems = read_plan(mesh)
    assert problems == ()
    return plan.product("readings")


def published(mesh):
    with opened(mesh / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS)
        candidate = Candidate(planned(mesh), mesh, NOW, "run", "print")
        assert list(tidied(candidate, publish(database, candidate, {}), mesh, KnownGrants())) == []


def refreshed(ledger, seconds, log, day=0):
    start = NOW + timedelta(days=day)
    end, run = start + timedelta(seconds=seconds), f"run {day}"
    log.add(
        Event(0, start, run, RunStarted("readings", "refresh_readings")),
        Event(0, end, run, Materialised(("readings", "scorecard"), {"outcome": "published"})),
        Event(0, end, run, RunEnded("succeeded", "readings", "refresh_readings")),
    )
    sync(ledger, log, end)
    return end


def judged(mesh, ledger, now=NOW):
    products = read_plan(mesh)[0].products
    found = judged_objectives(products, installed_registry(), mesh, ledger, now)
    return {objective.check.name: judgement for objective, judgement in found}


def verdicts(*arguments):
    return {name: judgement.verdict for name, judgement in judged(*arguments).items()}


def test_before_anything_happened_all_is_unknown(mesh, ledger):
    assert verdicts(mesh, ledger) == {
        "readings_can_be_read": "unknown",
        "the_file_can_be_read": "unknown",
        "refreshed_quickly": "unknown",
        "published_as_usual": "unknown",
    }


def test_a_deleted_file_flips_the_availability_of_what_needs_it_and_of_nothing_else(mesh, ledger):
    published(mesh)
    assert verdicts(mesh, ledger) == {
        "readings_can_be_read": "met",
        "the_file_can_be_read": "met",
        "refreshed_quickly": "unknown",
        "published_as_usual": "unknown",
    }
    shelves = shelf(mesh, "plant", "readings")
    shelves.path(shelves.latest().port("measurements_sql").files[0]).unlink()
    found = judged(mesh, ledger)
    assert found["readings_can_be_read"].verdict == "missed"
    assert found["readings_can_be_read"].reason.startswith("measurements_sql could not be read: [Errno 2] No such file or directory: ")
    assert found["the_file_can_be_read"].verdict == "met"


def test_a_slow_run_flips_the_duration(mesh, ledger):
    log = MemoryLog()
    assert verdicts(mesh, ledger, refreshed(ledger, 60, log))["refreshed_quickly"] == "met"
    assert verdicts(mesh, ledger, refreshed(ledger, 601, log, day=1))["refreshed_quickly"] == "missed"


def test_what_the_ledger_remembers_is_missed_once_it_is_gone(mesh, ledger):
    log = MemoryLog()
    log.add(Event(0, NOW, "run", Materialised(("readings", "outputs", "measurements_file"), {"version": "20260302T120000"})))
    sync(ledger, log, NOW)
    found = judged(mesh, ledger, NOW + timedelta(hours=1))
    assert found["the_file_can_be_read"].reason.startswith("measurements_file could not be read: nothing is published any more")


def test_a_version_that_does_not_come_when_it_usually_does_flips_the_cadence(mesh, ledger):
    log = MemoryLog()
    for day in range(20):
        at = NOW + timedelta(days=day)
        log.add(Event(0, at, f"run {day}", Materialised(("readings", "outputs", "measurements_sql"), {"version": f"v{day}"})))
    sync(ledger, log, at)
    in_time, late = (judged(mesh, ledger, at + timedelta(hours=hours))["published_as_usual"] for hours in (24, 26))
    assert (in_time.verdict, late.verdict) == ("met", "missed"), late.reason
    assert late.reason.startswith(
        "the newest data was published 26 h ago; 26 h is longer than usual: up to 25 h 12 min by 19 points; expected 24 h"
    )


def test_the_audit_and_the_gate_take_only_what_the_audit_measures(mesh):
    product = planned(mesh)
    with opened(mesh / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS)
        audited = audit(database, product, installed_registry(), NOW, None)
    assert [each.objective for each in audited] == list(product.audited)
    assert {each.objective.dimension for each in audited} == {"freshness", "volume", "completeness"}
    assert len(decided(audited, "print").verdicts) == 3


def test_examples_are_left_out_where_the_key_is_not_there_to_name_them(mesh):
    with opened(mesh / "warehouse/plant/readings.duckdb") as database:
        for key, examples in (("reading_id", 3), ("other_id", 0)):
            database.connection.execute(ROWS.replace("reading_id", key).replace("cast(20.5 as", "cast(if(n < 3, null, 20.5) as"))
            audited = {each.objective.dimension: each for each in audit(database, planned(mesh), installed_registry(), NOW, None)}
            assert audited["completeness"].judgement.verdict == "missed"
            assert len(audited["completeness"].sample) == examples


def test_every_check_is_listed_where_it_belongs(mesh):
    product = planned(mesh)
    keys = {check.name: check.key for check in product.checks}
    assert keys["readings_can_be_read"] == ("readings", "measurements")
    assert keys["refreshed_quickly"] == ("readings", "scorecard")
    found = {
        objective.check.name: (objective.measured_by, objective.data_set, objective.ports)
        for objective in judged_between_refreshes(product)
    }
    assert found == {
        "readings_can_be_read": ("probe", "measurements", ("measurements_sql", "measurements_file")),
        "the_file_can_be_read": ("probe", "measurements", ("measurements_file",)),
        "refreshed_quickly": ("history", "", ()),
        "published_as_usual": ("history", "", ()),
    }


def test_dagster_is_told_what_the_ledger_reads(mesh, ledger):
    log = MemoryLog()
    end = refreshed(ledger, 601, log)
    told = {o.check.name: judged_result(o, j, end) for o, j in judged_objectives([planned(mesh)], installed_registry(), mesh, ledger, end)}
    result = told["refreshed_quickly"]
    assert (result.asset_key, result.passed) == (dg.AssetKey(["readings", "scorecard"]), False)
    assert {name: value.value for name, value in result.metadata.items()} == {
        "verdict": "missed",
        "reason": "the last refresh took 10 min 1 s; at most 10m promised",
        "kind": "objective",
        "measured_at": end.isoformat(),
        "value": 601.0,
        "shown": "10 min 1 s",
        "unit": "s",
        "comparison": "at most",
        "at_most": 600.0,
        "threshold": "at most 10m",
        "objective": "Refreshed quickly",
        "dimension": "duration",
        "measured_by": "history",
        FORMAT_KEY: FORMAT,
    }


def test_a_real_refresh_is_found_in_the_ledger_and_its_ports_can_be_read(mesh, ledger):
    with running(mesh) as found:
        (done,) = found.refresh("readings")
        assert done.outcome == "published"
        now = datetime.now(UTC)
        sync(ledger, DagsterLog(found.instance), now)
    assert verdicts(mesh, ledger, now) == {
        "readings_can_be_read": "met",
        "the_file_can_be_read": "met",
        "refreshed_quickly": "met",
        "published_as_usual": "unknown",
    }
