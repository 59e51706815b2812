"""The check `healthy` of each output port, which shows in Dagster's lineage how its product is."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.projection import HEALTH_KIND
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import ProductHealth, PublishedState
from platform_resources.spec.values.clocks import Clock

DESCRIPTION = "How the product is: passed if it is healthy, a warning if it is to be used with care, an error if it is unhealthy."
# In each of these nobody should rely on the data.
_ERRORS = frozenset({"unhealthy", "unreadable"})


def healthy_keys(product: ProductPlan) -> Iterator[dg.AssetCheckKey]:
    """None of a product that does not run: there is nothing to judge."""
    if product.runs:
        yield from (dg.AssetCheckKey(asset_key(port.key), conventions.HEALTHY_CHECK) for port in product.outputs)


def healthy_specs(product: ProductPlan) -> Iterator[dg.AssetCheckSpec]:
    """The check `healthy` of each asset that has one."""
    for key in healthy_keys(product):
        yield dg.AssetCheckSpec(key.name, asset=key.asset_key, description=DESCRIPTION, metadata={"kind": HEALTH_KIND})


def healthy_results(
    product: ProductPlan, health: ProductHealth, incidents: Sequence[StoredIncident], at: datetime
) -> Iterator[dg.AssetCheckResult]:
    """The same for each port: a product is published as a whole."""
    for key in healthy_keys(product):
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=health.status == "healthy",
            severity=dg.AssetCheckSeverity.ERROR if health.status in _ERRORS else dg.AssetCheckSeverity.WARN,
            description=health_text(health),
            metadata=dict(_metadata(product, health, incidents, at)),
        )


def healthy_evaluations(
    product: ProductPlan, health: ProductHealth, incidents: Sequence[StoredIncident], at: datetime
) -> Iterator[dg.AssetCheckEvaluation]:
    """The same as events, for a step that has other things to make."""
    for result in healthy_results(product, health, incidents, at):
        assert result.asset_key is not None and result.check_name is not None
        yield dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
        )


def health_text(health: ProductHealth) -> str:
    """The status and, where there is one, its reason."""
    return f"{health.status}: {health.reason}" if health.reason else health.status


def _as_of(published: PublishedState, clock: Clock) -> str:
    """Until when its data set that is furthest behind knows the world."""
    known = [until for until in published.known_until.values() if until is not None]
    return clock.moment(min(known)) if known and len(known) == len(published.known_until) else "not known"


def _metadata(product: ProductPlan, health: ProductHealth, incidents: Sequence[StoredIncident], at: datetime) -> Iterator[tuple[str, Any]]:
    yield "health", health.status
    if health.columns:
        yield "concerns", ", ".join(health.columns)
    if health.published is not None:
        yield "version", health.published.version
        yield "as_of", _as_of(health.published, Clock(product.zone, at))
    if incidents:
        yield "incidents", "; ".join(f"{stored.incident.name} ({stored.severity}, {stored.incident.status})" for stored in incidents)
    yield "scorecard", dg.MetadataValue.asset(asset_key(product.scorecard))
    yield "kind", HEALTH_KIND
    yield "measured_at", at.isoformat()
