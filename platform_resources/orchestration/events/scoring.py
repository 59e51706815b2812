"""The end of a refresh, however it ends: the scorecard, and the health of each output port."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key
from platform_resources.orchestration.events.healthy import healthy_evaluations
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.scorecards import scorecard_metadata
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.performing import score
from platform_resources.refresh.stages import Ending
from platform_resources.services.product_status import graded_without_ledger, health_after
from platform_resources.spec.values.clocks import Clock

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def score_step(product: ProductPlan, minter: SpecMinter) -> dg.AssetsDefinition:
    """The scorecard of a refresh that went to its end."""

    @dg.multi_asset(name=conventions.step_name(product.name, "score"), specs=[minter.scorecard()], pool=conventions.pool(product.name))
    @guarded(product)
    def _score(context: dg.AssetExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        metadata = _scored(context, refresh, product, score(refresh.begun(product, context.run_id, context.log.info)).ending)
        yield dg.MaterializeResult(asset_key=asset_key(product.scorecard), metadata=metadata)

    return _score


def report_score(context: Context, refresh: RefreshResource, product: ProductPlan, ending: Ending) -> None:
    """The scorecard of a refresh whose own step for it does not run: some output port is not materialised."""
    metadata = _scored(context, refresh, product, ending)
    context.op_execution_context.log_event(dg.AssetMaterialization(asset_key(product.scorecard), metadata=metadata))


def _scored(context: Context, refresh: RefreshResource, product: ProductPlan, ending: Ending) -> Mapping[str, Any]:
    """The scorecard's metadata, after the product's health was reported on its ports. A ledger that cannot be read holds up no refresh."""
    now, state = refresh.now(), refresh.state_folder
    try:
        with synced_ledger(state, context.instance, now) as ledger:
            health, incidents = health_after(ledger, state, product, now, ending.last)
    except LedgerUnavailable as error:
        context.log.warning(f"what checks said is not known without the ledger: {error}")
        health, incidents = graded_without_ledger(state, product, now, ending.last), ()
    for evaluation in healthy_evaluations(product, health, incidents, now):
        context.op_execution_context.log_event(evaluation)  # type: ignore[arg-type]  # it takes these too
    return scorecard_metadata(health, ending.gate.verdicts, ending.last, Clock(product.zone, now))
