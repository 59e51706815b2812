"""The sensor of each domain that refreshes products when a source of theirs has something new."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from platform_resources.orchestration.automation import running_now
from platform_resources.orchestration.guarding import shielded
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.refreshes.source_marks import SourceMarks, source_marks, watched_ports

# What has come is seen within one tick and started with the next one: what comes in between goes into one refresh, within a minute.
EVERY_SECONDS = 20
# Dagster gives a sensor 60 s.
LONGEST_LOOK_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Noted:
    """What the sensor remembers of one product: the mark of each port that needs no refresh any more, whether something new was
    there at the last tick, and how many refreshes it has asked for."""

    handled: Mapping[str, str] = field(default_factory=dict)
    waiting: bool = False
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """What becomes of one product at a tick."""

    noted: Noted
    due: bool = False
    waits_for: str = ""


def arrival(seen: SourceMarks, noted: Noted | None, running: bool) -> Arrival:
    """Due at the second tick that sees something new, so that a burst is one refresh; never while a refresh is under way.

    What was there at first sight is no news; of a port that told nothing then, nobody knows what has come since, so that is. A refresh that
    failed is not repeated before there is something new.
    """
    if noted is None:
        return Arrival(Noted(seen.marks))
    handled = noted.handled
    if all(handled.get(port) == mark for port, mark in seen.marks.items()):
        return Arrival(Noted(handled, False, noted.requests))
    if running or not noted.waiting:
        return Arrival(Noted(handled, True, noted.requests), waits_for="it is being refreshed" if running else "what may come with it")
    return Arrival(Noted({**handled, **seen.marks}, False, noted.requests + 1), due=True)


def source_sensor(
    root: Path, state: Path, domain: str, products: Sequence[ProductPlan], jobs: Mapping[str, dg.JobDefinition]
) -> dg.SensorDefinition | None:
    """Starts the job of each product of the domain whose sources have something new; None where no product asks for that."""
    watched = [product for product in products if watched_ports(product)]
    if not watched:
        return None

    @dg.sensor(
        name=conventions.source_sensor_name(domain),
        jobs=[jobs[conventions.job_name(product.name)] for product in watched],
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes products of the domain {domain} that are refreshed on their inputs, when a source has something new.",
    )
    @shielded
    def _watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        noted = {name: Noted(**fields) for name, fields in json.loads(context.cursor or "{}").items()}
        marks, running = source_marks(root, state, watched, datetime.now(UTC), LONGEST_LOOK_SECONDS), running_now(context.instance)
        return _result(marks, {name: arrival(seen, noted.get(name), name in running) for name, seen in marks.items()}, noted)

    return _watch


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
    marks = hashlib.sha256(json.dumps(noted.handled, sort_keys=True).encode()).hexdigest()[:16]
    return dg.RunRequest(run_key=f"{product} on sources {noted.requests} {marks}", job_name=conventions.job_name(product))
