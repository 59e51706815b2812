"""Dagster's event log as the ledger reads it: the only part of the ledger that knows Dagster."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from platform_resources.ledger.connections import DatabaseFailed
from platform_resources.ledger.database import Ledger, LedgerUnavailable, ledger_url, open_ledger
from platform_resources.ledger.events import (
    AssetObserved,
    Checked,
    Event,
    EventKind,
    FreshnessChanged,
    Materialised,
    RunEnded,
    RunStarted,
    What,
)
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.events.run_failures import cause, failures, is_closed_gate, is_refused
from platform_resources.promises.grades import Severity
from platform_resources.services.unread_history import DAGSTER_NAMES

TYPES = {kind: dg.DagsterEventType(name) for kind, name in DAGSTER_NAMES.items()}
ENDS = frozenset({TYPES["run_success"], TYPES["run_failure"], TYPES["run_cancellation"]})
RUN_KINDS = frozenset({"run_start", "run_success", "run_failure", "run_cancellation"})
PRODUCT_TAG, JOB_PREFIX = "product", "refresh_"
COLUMNS = "dagster/column_schema"
# What failed where it was no step.
WHOLE_RUN = "run"
PROFILE, NUMBERS = "profile", "numbers"


@dataclass(frozen=True, slots=True)
class DagsterLog:
    """An EventSource over a Dagster instance; the same for SQLite and PostgreSQL storage."""

    instance: dg.DagsterInstance

    @property
    def settling(self) -> timedelta:
        """None in SQLite, where one writer waits for the other. PostgreSQL gives an event its id some time before it can be seen."""
        one_writer = isinstance(self.instance.event_log_storage, SqliteEventLogStorage)
        return timedelta() if one_writer else timedelta(minutes=1)

    def after(self, kind: EventKind, log_id: int, limit: int) -> Sequence[Event]:
        storage = self.instance.event_log_storage
        entries = storage.get_logs_for_all_runs_by_log_id(after_cursor=log_id, dagster_event_type=TYPES[kind], limit=limit)
        products = self._products(entry.run_id for entry in entries.values()) if kind in RUN_KINDS else {}
        return [_event(number, kind, entry, products.get(entry.run_id, "")) for number, entry in sorted(entries.items())]

    def end(self) -> int:
        return self.instance.event_log_storage.get_maximum_record_id() or 0

    def _products(self, run_ids: Iterable[str]) -> dict[str, str]:
        """The product of each run, in one query. A run that was deleted is known by its job's name only."""
        wanted = sorted(set(run_ids))
        if not wanted:
            return {}
        runs = self.instance.get_runs(filters=dg.RunsFilter(run_ids=wanted))
        return {run.run_id: run_product(run) for run in runs}


@contextmanager
def synced_ledger(state: Path, instance: dg.DagsterInstance, now: datetime) -> Iterator[Ledger]:
    """The ledger, up to date with the event log. Raises LedgerUnavailable."""
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        sync(ledger, DagsterLog(instance), now)
        yield ledger
    finally:
        ledger.close()


def sync_at_end(state: Path, instance: dg.DagsterInstance, run_id: str) -> None:
    """Bring the ledger up to date as soon as the run's end is in the event log. Where that fails, the run's log says why."""

    def synced(entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.event_type not in ENDS:
            return
        try:
            with synced_ledger(state, instance, datetime.now(UTC)):
                pass
        except (LedgerUnavailable, DatabaseFailed) as error:
            run = instance.get_run_by_id(run_id)
            instance.report_engine_event(f"The ledger does not have this run yet: {error}", run, run_id=run_id)

    instance.add_event_listener(run_id, synced)


def run_product(run: dg.DagsterRun) -> str:
    """By the run's tag, or, for assets chosen in the UI, the one product that they are of; empty where there is none."""
    tagged = run.tags.get(PRODUCT_TAG)
    chosen = {key.path[0] for key in run.asset_selection or ()}
    return tagged or (chosen.pop() if len(chosen) == 1 else "")


def _event(log_id: int, kind: EventKind, entry: dg.EventLogEntry, product: str) -> Event:
    event = entry.get_dagster_event()
    at = datetime.fromtimestamp(entry.timestamp, UTC)
    return Event(log_id, at, entry.run_id, _what(kind, event, product or _job_product(entry.job_name), entry.job_name or ""))


def _job_product(job: str | None) -> str:
    return job.removeprefix(JOB_PREFIX) if job and job.startswith(JOB_PREFIX) else ""


def _what(kind: EventKind, event: dg.DagsterEvent, product: str, job: str) -> What:
    match kind:
        case "materialisation":
            made = event.step_materialization_data.materialization
            return Materialised(tuple(made.asset_key.path), _plain(made.metadata), _columns(made.metadata))
        case "observation":
            seen = event.asset_observation_data.asset_observation
            return AssetObserved(tuple(seen.asset_key.path), _plain(seen.metadata), _columns(seen.metadata))
        case "check_evaluation":
            return _checked(event)
        case "run_start":
            return RunStarted(product, job)
        case "run_success":
            return RunEnded("succeeded", product, job)
        case "run_failure":
            return _failed(event, product, job)
        case "run_cancellation":
            return RunEnded("canceled", product, job)
        case "freshness_change":
            change = event.asset_freshness_state_change_data
            return FreshnessChanged(tuple(change.key.path), change.new_state.value, change.previous_state.value)


def _columns(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, str]:
    schema = metadata.get(COLUMNS)
    return {c.name: c.type for c in schema.value.columns} if isinstance(schema, dg.TableSchemaMetadataValue) else {}


def _checked(event: dg.DagsterEvent) -> Checked:
    evaluation = event.asset_check_evaluation_data
    severity: Severity = "warning" if evaluation.severity == dg.AssetCheckSeverity.WARN else "error"
    return Checked(
        tuple(evaluation.asset_key.path),
        evaluation.check_name,
        evaluation.passed,
        evaluation.description or "",
        _plain(evaluation.metadata),
        severity,
    )


def _failed(event: dg.DagsterEvent, product: str, job: str) -> RunEnded:
    """The first step that failed, and its own description of why, or the innermost words of the error.

    One that was asked for what cannot be was canceled: it says nothing of its product.
    A run that Dagster marks as failed from outside, such as one whose process is gone, has nothing but the event's message.
    """
    data = event.event_specific_data
    if data is None:
        return RunEnded("failed", product, job, "", event.message or "", (WHOLE_RUN,))
    data = event.job_failure_data
    first = data.first_step_failure_event
    if first is None:
        reason = data.error.message.strip() if data.error else event.message or ""
        return RunEnded("failed", product, job, "", reason, (data.error.cls_name or WHOLE_RUN if data.error else WHOLE_RUN,))
    failure = first.step_failure_data
    user = failure.user_failure_data
    reason = user.description if user is not None and user.description else cause(failure.error)
    step = first.step_key or ""
    if is_refused(failure.error):
        return RunEnded("canceled", product, job, step, reason.strip())
    return RunEnded("failed", product, job, step, reason.strip(), failures(step, failure), is_closed_gate(failure.error))


def _plain(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    """Texts, numbers and profiles; tables, SQL and other things that are only shown stay in Dagster."""
    plain = (dg.TextMetadataValue, dg.IntMetadataValue, dg.FloatMetadataValue, dg.BoolMetadataValue)
    profile = metadata.get(PROFILE)
    values = {name: value.value for name, value in metadata.items() if isinstance(value, plain)}
    numbers = metadata.get(NUMBERS)
    if isinstance(numbers, dg.JsonMetadataValue) and isinstance(numbers.data, dict):
        values |= numbers.data
    return {**values, PROFILE: profile.data} if isinstance(profile, dg.JsonMetadataValue) else values
