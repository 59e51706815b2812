"""What a refresh says of its product at its end, however it ends: the scorecard, and the health of each output port."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key
from platform_resources.orchestration.events.healthy import healthy_evaluations
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.scorecards import published_text, scorecard_metadata
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import LastRefresh
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.gate import AuditVerdict, Gate, gate
from platform_resources.services.product_status import graded_without_ledger, health_after
from platform_resources.spec.values.clocks import Clock

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def score_step(product: ProductPlan, minter: SpecMinter) -> dg.AssetsDefinition:
    """The scorecard of a refresh that went to its end."""

    @dg.multi_asset(name=conventions.step_name(product.name, "score"), specs=[minter.scorecard()], pool=conventions.pool(product.name))
    @guarded(product)
    def _score(context: dg.AssetExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        with refresh.opened(product) as database:
            decision = gate(database)
        latest = shelf(refresh.state_folder, product.domain, product.name).latest()
        last = LastRefresh(published_text(latest.id) if latest else "nothing published yet")
        metadata = _scored(context, refresh, product, decision.verdicts, last)
        yield dg.MaterializeResult(asset_key=asset_key(product.scorecard), metadata=metadata)

    return _score


def report_score(context: Context, refresh: RefreshResource, product: ProductPlan, decision: Gate, last: LastRefresh) -> None:
    """The scorecard of a refresh whose own step for it does not run: some output port is not materialised."""
    metadata = _scored(context, refresh, product, decision.verdicts, last)
    context.op_execution_context.log_event(dg.AssetMaterialization(asset_key(product.scorecard), metadata=metadata))


def _scored(
    context: Context, refresh: RefreshResource, product: ProductPlan, verdicts: Sequence[AuditVerdict], last: LastRefresh
) -> Mapping[str, Any]:
    """The scorecard's metadata, after the product's health was reported on its ports. A ledger that cannot be read holds up no refresh."""
    now = refresh.now()
    try:
        with synced_ledger(refresh.state_folder, context.instance, now) as ledger:
            health, incidents = health_after(ledger, refresh.state_folder, product, now, last)
    except LedgerUnavailable as error:
        context.log.warning(f"what checks said is not known without the ledger: {error}")
        health, incidents = graded_without_ledger(refresh.state_folder, product, now, last), ()
    for evaluation in healthy_evaluations(product, health, incidents, now):
        context.op_execution_context.log_event(evaluation)  # type: ignore[arg-type]  # it takes these too
    return scorecard_metadata(health, verdicts, last, Clock(product.zone, now))
