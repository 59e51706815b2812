"""What is judged between refreshes: every indicator of a domain, as a check on its product's scorecard."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.ledger.database import Ledger, ledger_url, open_ledger
from platform_resources.ledger.standing import Standing, standings
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.ledger_events import DagsterLog
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.specs import asset_key, check_specs
from platform_resources.planning import conventions
from platform_resources.planning.plan import ProductPlan

EVERY = "*/15 * * * *"


@contextmanager
def synced_ledger(state: Path, instance: dg.DagsterInstance, now: datetime) -> Iterator[Ledger]:
    """The ledger, up to date with the event log. Raises LedgerUnavailable."""
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        sync(ledger, DagsterLog(instance), now)
        yield ledger
    finally:
        ledger.close()


Standings = dict[str, tuple[Standing, ...]]


def mesh_standings(state: Path, products: Sequence[ProductPlan], instance: dg.DagsterInstance, now: datetime) -> Standings:
    """How the indicators of each product stand at `now`, by product."""
    if not any(product.indicators for product in products):
        return {}
    with synced_ledger(state, instance, now) as ledger, ledger.reading() as connection:
        return {product.name: standings(connection, product, now) for product in products}


def evaluation_step(domain: str, products: Sequence[ProductPlan]) -> dg.AssetChecksDefinition:
    """One step for all indicators of a domain. It reads the ledger and changes nothing but these checks."""
    indicators = [(product.name, indicator) for product in products for indicator in product.indicators]
    promised = {dg.AssetCheckKey(asset_key(i.check.key), i.check.name): product for product, i in indicators}

    @dg.multi_asset_check(
        name=conventions.step_name(domain, "evaluate"),
        specs=list(check_specs(indicator.check for _, indicator in indicators)),
        can_subset=True,
    )
    def _evaluate(context: dg.AssetCheckExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        names = {promised[key] for key in context.selected_asset_check_keys}
        chosen = [product for product in products if product.name in names]
        found = mesh_standings(refresh.state_folder, chosen, context.instance, refresh.now())
        for standing in (standing for each in found.values() for standing in each):
            check = standing.indicator.check
            if dg.AssetCheckKey(asset_key(check.key), check.name) in context.selected_asset_check_keys:
                yield standing_result(standing)

    return _evaluate


def evaluation_job(domain: str, step: dg.AssetChecksDefinition, resources: dict[str, Any]) -> dg.JobDefinition:
    job = dg.define_asset_job(
        conventions.evaluation_name(domain),
        selection=dg.AssetSelection.checks(*step.check_keys),
        description="Evaluates every indicator of the domain from the ledger: freshness is a fact of time, not of runs.",
        tags={"domain": domain},
        executor_def=dg.in_process_executor,
    )
    assets = [dg.AssetSpec(key) for key in dict.fromkeys(check.asset_key for check in step.check_keys)]
    own = dg.Definitions(assets=assets, asset_checks=[step], jobs=[job], resources=resources, executor=dg.in_process_executor)
    return own.resolve_job_def(conventions.evaluation_name(domain))


def evaluation_schedule(domain: str, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{conventions.evaluation_name(domain)}_every_15_minutes",
        job=job,
        cron_schedule=EVERY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Evaluates the indicators of the domain {domain}.",
    )


def standing_result(standing: Standing) -> dg.AssetCheckResult:
    """Passed exactly if the indicator is met. Without data, or with too little, it is unknown, so not passed."""
    check, reached = standing.indicator.check, standing.attainment
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset_key(check.key),
        passed=reached.state == "met",
        severity=dg.AssetCheckSeverity.WARN,
        description=standing_text(standing),
        metadata=standing_metadata(standing),
    )


def standing_text(standing: Standing) -> str:
    """The indicator in a sentence: `95 % of 20 intervals were good, 80 % promised; 3.0 of 4.0 bad ones are left`."""
    reached = standing.attainment
    if reached.percent is None:
        return "no interval can be judged yet"
    promised = f", {reached.target:g} % promised" if reached.target is not None else ""
    known = f"; {reached.known} of {reached.total} measured" if reached.known < reached.total else ""
    left = f"; {reached.budget.left:.3g} of {reached.budget.total:.3g} bad ones are left" if reached.budget is not None else ""
    return f"{reached.percent:.4g} % of {reached.total} intervals were good{promised}{known}{left}"


def standing_metadata(standing: Standing) -> dict[str, Any]:
    reached = standing.attainment
    verdict = {"met": "met", "missed": "missed"}.get(reached.state, "unknown")
    found: dict[str, Any] = {
        "verdict": verdict,
        "state": reached.state,
        "objective": standing.indicator.objective.title,
        "attainment_percent": reached.percent,
        "target_percent": reached.target,
        "good": reached.good,
        "bad": reached.bad,
        "unknown": reached.unknown,
        "excluded": reached.excluded,
        "known_of_total": f"{reached.known} of {reached.total}",
        "budget_left": reached.budget.left if reached.budget is not None else None,
        "budget_alerts": ", ".join(f"{level} %" for level in standing.budget_alerts),
        "burn_alerts": ", ".join(f"burning {alert.long_rate:.3g} times too fast" for alert in standing.burn_alerts if alert.fires),
        "next_deadline": standing.next_deadline.isoformat() if standing.next_deadline is not None else None,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}
