"""A run that ended before its time is done again, and what it had published already is told then."""

import uuid

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.automation import is_told
from platform_resources.orchestration.events import lost_runs
from platform_resources.orchestration.events.lost_runs import lost_runs_sensor
from platform_resources.orchestration.events.run_failures import stopped, tried_again
from platform_resources.orchestration.runs import run_here
from platform_resources.refresh.performing import CLOSED_GATE
from tests.notify.receivers import free_port

RETRIES = {"run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False}}


def database_away():
    create_engine(f"postgresql+psycopg2://mesh@127.0.0.1:{free_port()}/dagster").connect()


def wrapped():
    try:
        database_away()
    except OperationalError as error:
        raise dg.Failure("the ledger is away", metadata={"error": "LedgerUnavailable"}) from error


def ledger_away():
    raise LedgerUnavailable("the ledger cannot be used")


def gate_closed():
    raise stopped("a gate is closed", CLOSED_GATE)


def mistake():
    raise ValueError("the team's code is wrong")


@pytest.mark.parametrize(
    ("fails", "again"), [(database_away, True), (wrapped, True), (ledger_away, True), (gate_closed, False), (mistake, False)]
)
def test_only_a_run_that_failed_since_a_database_was_away_is_done_again(tmp_path, fails, again):
    @dg.op
    def step():
        fails()

    @dg.job(executor_def=dg.in_process_executor, tags={RETRY_ON_ASSET_OR_OP_FAILURE_TAG: "true"})
    def refresh_orders():
        step()

    with dg.instance_for_test(overrides=RETRIES) as instance:
        run_id = str(uuid.uuid4())
        tried_again(instance, run_id)
        run_here(tmp_path, "sales", refresh_orders, instance, {}, run_id)
        ended = instance.get_run_by_id(run_id)
        assert ended.status == dg.DagsterRunStatus.FAILURE
        assert auto_reexecution_should_retry_run(instance, ended, RunFailureReason.STEP_FAILURE) is again


REASON, RETRY, DONE_AGAIN = "dagster/failure_reason", "dagster/will_retry", "dagster/auto_retry_run_id"


@pytest.mark.parametrize(
    ("tags", "count"),
    [
        ({REASON: "UNEXPECTED_TERMINATION", RETRY: "false"}, 1),
        ({RETRY: "false"}, 1),
        ({REASON: "STEP_FAILURE", RETRY: "false", RETRY_ON_ASSET_OR_OP_FAILURE_TAG: "true"}, 1),
        ({REASON: "STEP_FAILURE", RETRY: "false"}, 0),
        ({RETRY: "true"}, 0),
        ({RETRY: "false", DONE_AGAIN: "another"}, 0),
        ({RETRY: "false", "domain": "depot"}, 0),
    ],
)
def test_a_refresh_that_dagster_has_given_up_is_begun_anew_by_its_domain_twice_at_most(tags, count):
    @dg.op
    def step():
        """Nothing."""

    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="refresh_orders", node_defs=[step]))
    sensor = lost_runs_sensor("shop", {job.name: job})
    with dg.instance_for_test() as instance:

        def begun(**more):
            run = instance.create_run_for_job(job, tags={"domain": "shop", **tags, **more}, status=dg.DagsterRunStatus.FAILURE)
            asked = sensor(dg.build_sensor_context(instance)).run_requests
            return run.run_id, [request.tags["again"] for request in asked or ()]

        first, again = begun()
        assert again == [first] * count
        later = [begun(again=first)[1] for _ in range(2)]
        assert later == [[first] * count, []]


def test_a_lost_refresh_is_seen_behind_many_that_failed_for_reasons_of_their_own(monkeypatch):
    monkeypatch.setattr(lost_runs, "MOST_RUNS", 2)

    @dg.op
    def step():
        """Nothing."""

    jobs = {name: dg.JobDefinition(graph_def=dg.GraphDefinition(name=name, node_defs=[step])) for name in ("refresh_a", "refresh_b")}
    with dg.instance_for_test() as instance:
        for name, reason in (*[("refresh_a", "STEP_FAILURE")] * 3, ("refresh_b", "UNEXPECTED_TERMINATION")):
            tags = {"domain": "shop", REASON: reason, RETRY: "false"}
            instance.create_run_for_job(jobs[name], tags=tags, status=dg.DagsterRunStatus.FAILURE)
        asked = lost_runs_sensor("shop", jobs)(dg.build_sensor_context(instance)).run_requests
    assert [request.job_name for request in asked] == ["refresh_b"]


@pytest.mark.slow
def test_a_version_that_was_published_and_not_told_is_told_by_the_next_try(published):
    product, version = published.product("summary"), published.latest("summary")
    assert is_told(published.instance, version, product)
    published.instance.wipe_assets([asset_key(port.key) for port in product.outputs])
    assert not is_told(published.instance, version, product)
    again = published.materialised("summary", "publish")
    assert again.success and published.latest("summary") == version
    told = {event.asset_key for event in again.get_asset_materialization_events()}
    assert {asset_key(port.key) for port in product.outputs} <= told
    assert is_told(published.instance, version, product)
    assert [kept.id for kept in published.shelf("summary").published()] == [version.id]
    then = published.materialised("summary", "publish")
    assert not {event.asset_key for event in then.get_asset_materialization_events()} & {asset_key(port.key) for port in product.outputs}
