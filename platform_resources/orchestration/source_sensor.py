"""The sensor of each domain that refreshes products when a source of theirs has something new."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.tags import RUN_KEY_TAG

from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.automation import running_now
from platform_resources.orchestration.events.run_failures import is_closed_gate
from platform_resources.orchestration.guarding import shielded
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.refreshes.retired_products import refusal
from platform_resources.services.refreshes.source_marks import Questions, SourceMarks, source_marks, watched_ports

# Dagster's sensor daemon looks at its sensors every five seconds.
EVERY_SECONDS = 4
# A tick that has seen something new looks again so much later: what has not changed meanwhile is whole.
STILL_SECONDS = 1.0
# What goes on coming is refreshed in parts, no sooner than this.
LONGEST_BURST = timedelta(seconds=20)
STILL = "what may come with it"
# So long a tick waits for sources that did not hang before.
LONGEST_LOOK_SECONDS = 10.0
# A refresh that has not loaded what there is is repeated after a minute, then after twice as long each time, up to an hour.
FIRST_REPEAT, LONGEST_REPEAT = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Noted:
    """What the sensor remembers of one product: the mark of each port that needs no refresh any more; while something new waits, the marks
    of the last look, and since when nothing but its own growth holds it up; how many refreshes it has asked for, when the last one, and how
    many repeated the one before."""

    handled: Mapping[str, str] = field(default_factory=dict)
    news: Mapping[str, str] = field(default_factory=dict)
    news_since: str = ""
    requests: int = 0
    asked_at: str = ""
    repeats: int = 0

    def repeated_at(self) -> datetime:
        """When a refresh that has not loaded what there is may be asked for again."""
        return datetime.fromisoformat(self.asked_at) + min(FIRST_REPEAT * float(2 ** min(self.repeats, 10)), LONGEST_REPEAT)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What becomes of one product at a tick."""

    noted: Noted
    due: bool = False
    waits_for: str = ""


# What the sources of products say, and what becomes of each.
Looked = tuple[dict[str, SourceMarks], dict[str, Arrival]]


def arrival(seen: SourceMarks, noted: Noted | None, running: bool, now: datetime, failed: str = "") -> Arrival:
    """Due at the second look that sees the same news, so that a burst is one refresh; never while a refresh is under way.

    What was there at first sight is no news; of a port that told nothing then, nobody knows what has come since, so that is. `failed` says
    why what came before is not loaded yet: that is tried again, with or without something new.
    """
    if noted is None:
        return Arrival(Noted(seen.marks))
    calm = replace(noted, news={}, news_since="")
    asked = replace(calm, handled={**noted.handled, **seen.marks}, requests=noted.requests + 1, asked_at=now.isoformat())
    if all(noted.handled.get(port) == mark for port, mark in seen.marks.items()):
        if failed and not running and now >= noted.repeated_at():
            return Arrival(replace(asked, repeats=noted.repeats + 1), due=True)
        repeats = noted.repeats if failed or running else 0
        return Arrival(replace(calm, repeats=repeats), waits_for=f"{failed}; it is tried again" if failed else "")
    if running:
        return Arrival(replace(calm, news=seen.marks), waits_for="it is being refreshed")
    since = noted.news_since or now.isoformat()
    if noted.news == seen.marks or now >= datetime.fromisoformat(since) + LONGEST_BURST:
        return Arrival(replace(asked, repeats=0), due=True)
    return Arrival(replace(noted, news=seen.marks, news_since=since), waits_for=STILL)


def not_loaded(instance: dg.DagsterInstance, product: ProductPlan, seen: SourceMarks, noted: Noted | None, now: datetime) -> str:
    """Why the last refresh since one was asked for has not loaded what there is; empty if it has, if it may still, or if there is no use in
    another: a closed gate is an answer, a person who ends a run wants none, and a source that is silent is not there.

    The run that was asked for is known by its key: when runs were created is told by the database's clock, which may go otherwise.
    """
    if noted is None or not noted.asked_at:
        return ""
    asked_at, job = datetime.fromisoformat(noted.asked_at), conventions.job_name(product.name)
    runs = instance.get_runs(dg.RunsFilter(job_name=job), limit=1)
    if not instance.get_run_ids(dg.RunsFilter(job_name=job, tags={RUN_KEY_TAG: _run_key(product.name, noted)}), limit=1):
        return "its refresh was not started" if now >= asked_at + FIRST_REPEAT else ""
    if runs[0].status == dg.DagsterRunStatus.FAILURE:
        failures = (entry.dagster_event for entry in instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_FAILURE))
        gate = any(is_closed_gate(failure.step_failure_data.error) for failure in failures if failure is not None)
        return "" if gate else "its refresh failed"
    if runs[0].status != dg.DagsterRunStatus.SUCCESS:
        return ""
    ports = {dg.AssetCheckKey(asset_key(port.key), "arrived"): port.name for port in watched_ports(product) if port.name in seen.marks}
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(ports))
    lost = [ports[key] for key, check in checks.items() if check.status == AssetCheckExecutionRecordStatus.FAILED]
    return f"{', '.join(lost)} did not arrive" if lost else ""


def source_sensor(
    root: Path, state: Path, domain: str, products: Sequence[ProductPlan], jobs: Mapping[str, dg.JobDefinition]
) -> dg.SensorDefinition | None:
    """Starts the job of each product of the domain whose sources have something new; None where no product asks for that."""
    watched = [product for product in products if watched_ports(product)]
    if not watched:
        return None
    questions: Questions = {}

    def looked(context: dg.SensorEvaluationContext, noted: Mapping[str, Noted], of: Sequence[ProductPlan]) -> Looked:
        """One look at the sources of these products."""
        now = datetime.now(UTC)
        marks, running = source_marks(root, state, of, now, LONGEST_LOOK_SECONDS, questions), running_now(context.instance)
        failed = {product.name: not_loaded(context.instance, product, marks[product.name], noted.get(product.name), now) for product in of}
        return marks, {name: arrival(seen, noted.get(name), name in running, now, failed[name]) for name, seen in marks.items()}

    @dg.sensor(
        name=conventions.source_sensor_name(domain),
        jobs=[jobs[conventions.job_name(product.name)] for product in watched],
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes products of the domain {domain} that are refreshed on their inputs, when a source has something new.",
    )
    @shielded
    def _watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        noted = {name: _noted(fields) for name, fields in json.loads(context.cursor or "{}").items()}
        marks, arrivals = looked(context, noted, watched)
        if unsettled := [product for product in watched if arrivals[product.name].waits_for == STILL]:
            time.sleep(STILL_SECONDS)
            first = {product.name: arrivals[product.name].noted for product in unsettled}
            later = looked(context, first, unsettled)
            marks, arrivals = {**marks, **later[0]}, {**arrivals, **later[1]}
        for product in (product for product in watched if arrivals[product.name].due):
            if retired := refusal(state, product):
                arrivals[product.name] = replace(arrivals[product.name], due=False, waits_for=retired)
        return _result(marks, arrivals, noted)

    return _watch


def _noted(fields: Mapping[str, Any]) -> Noted:
    """Of a cursor that another version of the platform may have written."""
    return Noted(**{name: fields[name] for name in Noted.__slots__ if name in fields})


def _result(marks: Mapping[str, SourceMarks], arrivals: Mapping[str, Arrival], noted: Mapping[str, Noted]) -> dg.SensorResult:
    """Notes of a product that is not there now are kept: what comes while its description is broken is news once that is mended."""
    cursor = json.dumps(
        {name: asdict(arrived) for name, arrived in {**noted, **{name: arrived.noted for name, arrived in arrivals.items()}}.items()}
    )
    due = [_request(name, arrived.noted) for name, arrived in arrivals.items() if arrived.due]
    if due:
        return dg.SensorResult(due, cursor=cursor)
    lines = [f"{name} waits: {arrived.waits_for}" for name, arrived in arrivals.items() if arrived.waits_for]
    lines += [f"{name}: {port} cannot be asked: {why}" for name, seen in marks.items() for port, why in seen.silent.items()]
    return dg.SensorResult(skip_reason="\n".join(lines) or "no source has anything new", cursor=cursor)


def _request(product: str, noted: Noted) -> dg.RunRequest:
    """Its key keeps a daemon that ended before it noted the cursor from starting the run again."""
    return dg.RunRequest(run_key=_run_key(product, noted), job_name=conventions.job_name(product))


def _run_key(product: str, noted: Noted) -> str:
    """The key of the refresh that was asked for last."""
    marks = hashlib.sha256(json.dumps(noted.handled, sort_keys=True).encode()).hexdigest()[:16]
    return f"{product} on sources {noted.requests} {marks}"
