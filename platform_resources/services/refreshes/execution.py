"""Refresh one product in this process, stage by stage, without Dagster and without writing to a run history."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import assert_never

from platform_resources.capabilities.registry import Registry
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.performing import (
    CLOSED_GATE,
    audit_candidate,
    build_models,
    publish_version,
    pull_done,
    pull_inputs,
    score,
    tidy_versions,
)
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.stages import Audit, BegunRefresh, Build, Publish, Pull, RefreshedDatabase, Score, Stage, StageDone, stages
from platform_resources.repository.mesh_repository import target_of
from platform_resources.services.access.reader_views import grants_for
from platform_resources.services.refreshes.audit_history import histories_for_audit
from platform_resources.services.refreshes.check_records import check_records
from platform_resources.services.refreshes.outcomes import FailedCheck, Refreshed, StagesEnd, refreshed
from platform_resources.services.refreshes.retired_products import refusal
from platform_resources.warehouses.targets import warehouse


def refresh_product(
    root: Path,
    state: Path,
    product: ProductPlan,
    registry: Registry,
    run_id: str,
    report: Callable[[StageDone], object] | None = None,
) -> Refreshed:
    """Pull, build, audit, publish and score; `report` is called with the result of each stage. Extractors deliver up to yesterday.

    Raises ProductBusy when another refresh of the product does not end.
    """
    refresh = BegunRefresh(
        root,
        state,
        product,
        run_id,
        _now,
        RefreshedDatabase(lambda: warehouse().opened(state, product.domain, product.name)),
        partial(grants_for, state, product),
    )
    day = _now().date() - timedelta(days=1)

    def _perform() -> StagesEnd:
        results = []
        with closing(refresh.opened):
            for done in performed(refresh, stages(product), registry, day):
                results.append(done)
                if report is not None:
                    report(done)
        return stages_end(results)

    refused = target_of(root).problem
    if refused is not None:
        return refreshed(state, product, run_id, lambda: StagesEnd((), (str(refused),), complete=False))
    with locked(state, product):
        if retired := refusal(state, product):
            return refreshed(state, product, run_id, lambda: StagesEnd((), (retired,), complete=False))
        return refreshed(state, product, run_id, _perform)


def performed(refresh: BegunRefresh, planned: Sequence[Stage], registry: Registry, as_of: date) -> Iterator[StageDone]:
    """Run the stages in order until one stops the refresh."""
    for stage in planned:
        done = _performed(refresh, stage, registry, as_of)
        yield done
        if done.stop is not None:
            return


def _performed(refresh: BegunRefresh, stage: Stage, registry: Registry, as_of: date) -> StageDone:
    match stage:
        case Pull():
            return pull_done(refresh.product, pull_inputs(refresh, stage.ports, as_of))
        case Build():
            return build_models(refresh, registry)
        case Audit():
            # The ledger as it is: what it does not know of Dagster's history is not there.
            ledger = partial(open_ledger, ledger_url(refresh.state, os.environ))
            before = histories_for_audit(lambda: closing(ledger()), refresh.product, refresh.clock())
            return audit_candidate(refresh, registry, before)
        case Publish():
            published = publish_version(refresh)
            for warning in tidy_versions(refresh, published):
                refresh.tell(warning)
            return published
        case Score():
            return score(refresh)
        case _:
            assert_never(stage)


def stages_end(results: Sequence[StageDone]) -> StagesEnd:
    """The common outcome of these stages."""
    records = (record for done in results for record in check_records(done))
    failed = tuple(FailedCheck(record.check, record.text, record.hint) for record in records if not record.passed)
    stop = results[-1].stop if results else None
    return StagesEnd(failed, (stop.reason,) if stop is not None and stop.kind != CLOSED_GATE else (), complete=stop is None)


def _now() -> datetime:
    return datetime.now(UTC)
