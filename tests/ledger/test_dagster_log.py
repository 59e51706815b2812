"""The ledger follows a real Dagster instance, with its storage in SQLite and in PostgreSQL."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.test_utils import create_run_for_test

from platform_resources.ledger.events import RunEnded
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import rebuild, sync
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import DagsterLog, run_product
from tests.ledger.ledgers import new_database, rows
from tests.refresh.running import RunningMesh, deliver, readings_csv

pytestmark = pytest.mark.slow

PORT = ("readings", "outputs", "measurements_sql")


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request, tiny, tmp_path):
    """A fresh mesh whose Dagster instance keeps its storage in SQLite, or in PostgreSQL."""
    (tiny / ".dagster").mkdir()
    storage = {}
    if request.param == "postgresql":
        storage = {"storage": {"postgres": {"postgres_url": new_database(request.getfixturevalue("postgres_server"))}}}
    with dg.instance_for_test(temp_dir=str(tiny / ".dagster"), overrides=storage) as instance:
        yield RunningMesh(tiny, instance)


@pytest.fixture
def log(running):
    return DagsterLog(running.instance)


def now():
    return datetime.now(UTC)


def asked(ledger, ask, *arguments, **options):
    with ledger.reading() as connection:
        return ask(connection, *arguments, **options)


def window():
    return now() - timedelta(hours=1), now() + timedelta(hours=1)


def changed_freshness(running):
    """Dagster's daemon reports such changes; here the test does."""
    change = FreshnessStateChange(
        key=asset_key(PORT),
        new_state=FreshnessState.FAIL,
        previous_state=FreshnessState.PASS,
        state_change_timestamp=now().timestamp(),
    )
    running.instance.report_runless_asset_event(change)


def test_the_ledger_has_what_happened_and_syncing_again_finds_nothing_new(running, log, ledger):
    """One long test: a refresh costs seconds."""
    running.refresh("readings", "summary")
    first = sync(ledger, log, now())
    assert (first.changes, first.written > 0) == ((), True)
    published_as_shown(running, ledger)
    checks_as_shown(running, ledger)
    inputs_as_shown(ledger)
    runs_as_shown(ledger)

    deliver(running.root, readings_csv([(1, "north", 20)]))
    (stopped,) = running.refresh("readings")
    assert stopped.outcome == "gate closed"
    changed_freshness(running)
    sync(ledger, log, now())
    a_closed_gate_is_shown(ledger)
    freshness_is_shown(ledger)

    before = rows(ledger)
    assert sync(ledger, log, now()).written == 0
    assert sync(ledger, log, now() + timedelta(minutes=5)).written == 0
    assert sync(ledger, log, now() + timedelta(minutes=6)).read == 0
    assert rows(ledger) == before
    assert rebuild(ledger, log, now()).changes == ()
    assert rows(ledger) == before


def published_as_shown(running, ledger):
    found = asked(ledger, history.publications, "readings", *window())
    assert {one.port for one in found} == {"measurements_sql", "measurements_file"}
    latest = running.latest("readings")
    for one in found:
        assert (one.version, one.product_version, one.run_id) == (latest.id, "1.1.0", latest.run_id)
        assert one.published_at == datetime.fromisoformat(latest.published_at)
        assert one.watermark == datetime.fromisoformat(latest.ports[0].watermark)
        assert one.rows == 4
        assert one.columns["degrees"] == "decimal(6,2)"


def checks_as_shown(running, ledger):
    register_checks(ledger, running.plan, now())
    states = {(s.check.product, s.check.name): s for s in asked(ledger, history.check_states, now())}
    planned = {(product.name, check.name) for product in running.plan.products for check in product.checks}
    assert set(states) == planned
    for state in states.values():
        assert state.reading is not None, state.check.name
        assert state.reading.verdict == "met", state.reading.reason
    complete = states["readings", "most_readings_have_a_temperature"]
    assert (complete.check.kind, complete.check.dimension) == ("objective", "completeness")
    assert complete.reading.value == 75.0


def inputs_as_shown(ledger):
    (state,) = asked(ledger, history.input_states, "summary", *window())
    (upstream,) = {one.version for one in asked(ledger, history.publications, "readings", *window())}
    assert (state.port, state.changed, state.degraded, state.source_version) == ("measurements", True, "", upstream)


def runs_as_shown(ledger):
    (run,) = asked(ledger, history.runs, "summary", *window())
    assert (run.job, run.status) == ("refresh_summary", "succeeded")
    assert run.seconds > 0


def a_closed_gate_is_shown(ledger):
    stopped = asked(ledger, history.runs, "readings", *window())[-1]
    assert (stopped.status, stopped.failed_step) == ("failed", "readings__audit")
    assert "Readings are never deleted" in stopped.reason
    card = asked(ledger, history.scorecards, "readings", *window())[-1]
    assert card.outcome.startswith("not published, the gate is closed")
    number = check_id(("readings", "measurements"), "readings_are_never_deleted")
    said = asked(ledger, history.readings, number, *window())
    assert [one.verdict for one in said] == ["met", "missed"]
    assert len(asked(ledger, history.publications, "readings", *window())) == 2


def freshness_is_shown(ledger):
    (change,) = asked(ledger, history.freshness_states, "readings", *window())
    assert (change.asset_key, change.previous, change.state) == ("/".join(PORT), "PASS", "FAIL")


def test_assets_wiped_and_runs_deleted_in_dagster_stay_in_the_ledger(running, log, ledger):
    report(running, *range(3))
    sync(ledger, log, now())
    before = rows(ledger)
    running.instance.wipe_assets([asset_key(PORT)])
    assert sync(ledger, log, now()).written == 0
    report(running, 3)
    assert sync(ledger, log, now()).written == 1
    assert len(rows(ledger)["publications"]) == len(before["publications"]) + 1


def test_an_event_log_that_was_wiped_is_told_and_the_ledger_goes_on(running, log, ledger):
    report(running, *range(3))
    sync(ledger, log, now())
    running.instance.event_log_storage.wipe()
    report(running, 3)
    done = sync(ledger, log, now())
    assert [change.kind for change in done.changes] == ["materialisation"]
    assert len(rows(ledger)["publications"]) == 4


def report(running, *numbers):
    for number in numbers:
        running.instance.report_runless_asset_event(dg.AssetMaterialization(asset_key(PORT), metadata={"version": f"v{number}"}))


def test_events_come_in_batches_in_the_order_of_the_log(running, log):
    report(running, *range(5))
    first = log.after("materialisation", 0, 3)
    rest = log.after("materialisation", first[-1].log_id, 3)
    assert [event.what.metadata["version"] for event in (*first, *rest)] == ["v0", "v1", "v2", "v3", "v4"]
    assert log.end() >= rest[-1].log_id
    assert log.after("materialisation", log.end(), 3) == []


def test_an_empty_log_ends_at_zero(running, log):
    assert (log.end(), log.after("run_failure", 0, 10)) == (0, [])


@pytest.mark.parametrize(
    ("tags", "assets", "product"),
    [
        ({"product": "readings"}, None, "readings"),
        ({}, {("readings", "measurements"), ("readings", "scorecard")}, "readings"),
        ({}, {("readings", "measurements"), ("summary", "scorecard")}, ""),
        ({}, None, ""),
    ],
)
def test_a_run_is_of_the_product_that_it_is_tagged_with_or_whose_assets_it_makes(tags, assets, product):
    chosen = None if assets is None else frozenset(asset_key(key) for key in assets)
    assert run_product(dg.DagsterRun(job_name="any", tags=tags, asset_selection=chosen)) == product


def test_a_ledger_and_dagster_may_share_a_server(running, log, postgres_ledger, ledger):
    report(running, *range(3))
    sync(postgres_ledger, log, now())
    sync(ledger, log, now())
    assert rows(postgres_ledger) == rows(ledger)


def test_a_run_that_was_marked_as_failed_from_outside_says_what_the_mark_says(tmp_path):
    """As Dagster's daemon does with a run whose process is gone: there is no step that failed."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        run = create_run_for_test(instance, job_name="refresh_readings", tags={"product": "readings"})
        instance.report_run_failed(run, "its process is gone")
        (event,) = DagsterLog(instance).after("run_failure", 0, 10)
    assert event.what == RunEnded("failed", "readings", "refresh_readings", "", "its process is gone", ("run",))
