"""Which refreshes ended before their time, and nobody does again? The sensor of each domain that does.

Dagster tries such a run again at once, and gives up where the code server does not answer just then: as while it is started anew.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, RETRY_ON_ASSET_OR_OP_FAILURE_TAG, RUN_FAILURE_REASON_TAG, WILL_RETRY_TAG

from platform_resources.orchestration.guarding import shielded
from platform_resources.plan import conventions

EVERY_SECONDS = 30
# What ended longer ago, nobody waits for.
SINCE, MOST_RUNS = timedelta(days=1), 200
# The tag of a run that does another one again: that one's id, or the id of the first of them.
AGAIN, MOST_TIMES = "again", 2


def lost_runs_sensor(domain: str, jobs: Mapping[str, dg.JobDefinition]) -> dg.SensorDefinition | None:
    """Starts anew what was lost; None where the domain has no job of a product. It is asked in the code server, which answers therefore."""
    if not jobs:
        return None

    @dg.sensor(
        name=conventions.lost_runs_name(domain),
        jobs=list(jobs.values()),
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Does refreshes of the domain {domain} again whose process ended before its time.",
    )
    @shielded
    def _again(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        requests = list(_lost(context.instance, domain, jobs, datetime.now(UTC)))
        return dg.SensorResult(requests) if requests else dg.SensorResult(skip_reason="no refresh was lost")

    return _again


def _lost(instance: dg.DagsterInstance, domain: str, jobs: Mapping[str, dg.JobDefinition], now: datetime) -> Iterator[dg.RunRequest]:
    over = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={"domain": domain}, updated_after=now - SINCE)
    # The newest ones: a product that fails every few minutes for a reason of its own must not hide what is lost meanwhile.
    for record in reversed(instance.get_run_records(over, limit=MOST_RUNS)):
        run = record.dagster_run
        if run.job_name not in jobs or not is_given_up(run.tags):
            continue
        later = dg.RunsFilter(job_name=run.job_name, created_after=record.create_timestamp)
        first = run.tags.get(AGAIN, run.root_run_id or run.run_id)
        times = instance.get_runs_count(dg.RunsFilter(tags={AGAIN: first}))
        if times < MOST_TIMES and not any(other.run_id != run.run_id for other in instance.get_runs(later, limit=2)):
            yield dg.RunRequest(f"{run.run_id} again", run_config=run.run_config, tags={AGAIN: first}, job_name=run.job_name)


def is_given_up(tags: Mapping[str, str]) -> bool:
    """Whether a run that failed did so for no reason of its own, and Dagster does not try it again."""
    failed_by_itself = tags.get(RUN_FAILURE_REASON_TAG) == RunFailureReason.STEP_FAILURE.value
    if failed_by_itself and tags.get(RETRY_ON_ASSET_OR_OP_FAILURE_TAG) != "true":
        return False
    return tags.get(WILL_RETRY_TAG) == "false" and AUTO_RETRY_RUN_ID_TAG not in tags
