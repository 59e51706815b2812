"""Health of products read from Dagster's event log and the published versions."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord, AssetCheckExecutionRecordStatus

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.projection import moment
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import (
    Executions,
    ProductHealth,
    PublishedState,
    Said,
    check_states,
)
from platform_resources.publications.published_versions import VersionsUnreadable, shelf
from platform_resources.services.product_health import health_of, published_state, watched
from platform_resources.spec.values.clocks import Clock

# What of an evaluation's metadata is kept as it is, by the names that Said has for it.
_NUMBERS = frozenset({"value", "shown", "unit", "at_least", "at_most", "failing_rows", "learning"})
FINISHED = frozenset({AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED})


def mesh_health(state: Path, products: Iterable[ProductPlan], instance: dg.DagsterInstance, now: datetime) -> tuple[ProductHealth, ...]:
    """The health of each product at `now`, in one bulk read of the event log."""
    products = tuple(products)
    executions = _executions(products, instance)
    outcomes = _outcomes(products, instance)
    return tuple(_health(state, p, executions, outcomes.get(p.name, ""), now) for p in products)


def _health(state_folder: Path, product: ProductPlan, executions: Executions, outcome: str, now: datetime) -> ProductHealth:
    """A product whose published versions cannot be read says so; the others go on."""
    try:
        published = _published(state_folder, product)
    except VersionsUnreadable as error:
        return health_of(product, None, (), outcome, str(error))
    return health_of(product, published, check_states(watched(product), published, executions, Clock(product.zone, now)), outcome)


def health_by_events(state: Path, instance: dg.DagsterInstance, product: ProductPlan, now: datetime, outcome: str) -> ProductHealth:
    """The health of one product whose refresh has just ended with this outcome."""
    return _health(state, product, _executions((product,), instance), outcome, now)


def _outcomes(products: Iterable[ProductPlan], instance: dg.DagsterInstance) -> dict[str, str]:
    """How the last refresh of each product ended, as its scorecard says."""
    keys = {asset_key(product.scorecard): product.name for product in products}
    found = {}
    for record in instance.get_asset_records(list(keys)) if keys else ():
        event = record.asset_entry.last_materialization
        outcome = event.asset_materialization.metadata.get("outcome") if event and event.asset_materialization else None
        found[keys[record.asset_entry.asset_key]] = str(outcome.value) if outcome is not None else ""
    return found


def _executions(products: Iterable[ProductPlan], instance: dg.DagsterInstance) -> Executions:
    checks = {dg.AssetCheckKey(asset_key(c.key), c.name): (c.key, c.name) for product in products for c in product.checks}
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks)) if checks else {}
    found: dict[tuple[tuple[str, ...], str], Said] = {}
    for key, latest in records.items():
        record: AssetCheckExecutionRecord | None = latest
        if latest.status not in FINISHED:
            # It is running now, or was killed: what was said last still holds.
            record = next(iter(instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=FINISHED)), None)
        event = record.event.dagster_event if record is not None and record.event is not None else None
        if record is None or event is None or event.event_type_value != "ASSET_CHECK_EVALUATION":
            continue
        evaluation = event.asset_check_evaluation_data
        reported = evaluation.metadata.get("verdict")
        verdict: Verdict = reported.value if reported is not None else "met" if evaluation.passed else "missed"  # type: ignore[assignment]
        measured = evaluation.metadata.get("measured_at")
        # What ran elsewhere is reported later than it was measured.
        at = (moment(measured.value) if measured is not None else None) or datetime.fromtimestamp(record.create_timestamp, UTC)
        told: dict[str, Any] = {name: entry.value for name, entry in evaluation.metadata.items() if name in _NUMBERS}
        found[checks[key]] = Said(verdict, evaluation.description or "", at, **told)
    return found


def _published(state: Path, product: ProductPlan) -> PublishedState | None:
    latest = shelf(state, product.domain, product.name).latest()
    return published_state(latest) if latest is not None else None
