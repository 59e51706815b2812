"""Refresh products from the command line: each as one Dagster run, in this process."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg
from dagster._core.execution.execution_result import ExecutionResult

from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.events.results import WAY_OUT
from platform_resources.orchestration.events.run_failures import failure_texts, quiet
from platform_resources.orchestration.refresh_resource import RESOURCE
from platform_resources.orchestration.runs import run_here
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.services.refreshes.outcomes import FailedCheck, Refreshed, StagesEnd, refreshed

Report = Callable[[str, str], None]
NO_TAGS: Mapping[str, str] = MappingProxyType({})


def refresh(
    root: Path,
    plan: MeshPlan,
    names: Iterable[str],
    instance: dg.DagsterInstance,
    as_of: str | None,
    report: Report,
    clock: str | None = None,
    full_refresh: bool = False,
    replay: Mapping[str, str] | None = None,
    since: str | None = None,
    tags: Mapping[str, str] = NO_TAGS,
) -> Iterator[Refreshed]:
    """Refresh the named products, upstream first; `report` is told (product, step) as each step begins.

    `as_of`, `since`, `clock`, `full_refresh` and `replay` as in RefreshResource; the runs get the `tags` beside those of their job.
    """
    given = (("as_of", as_of), ("since", since), ("clock", clock), ("full_refresh", full_refresh), ("replay", replay))
    asked = {name: value for name, value in given if value}
    chosen = set(names)
    wanted = MeshPlan(tuple(product for product in plan.products if product.name in chosen), ())
    loaded = definitions(root, wanted)
    for product in wanted.products:
        run_id = str(uuid.uuid4())
        run = partial(_run, root, loaded, product, run_id, instance, asked, report, tags)
        yield refreshed(state_folder(root), product, run_id, run)


def _run(
    root: Path,
    loaded: dg.Definitions,
    product: ProductPlan,
    run_id: str,
    instance: dg.DagsterInstance,
    asked: Mapping[str, Any],
    report: Report,
    tags: Mapping[str, str],
) -> StagesEnd:
    instance.add_event_listener(run_id, lambda entry: _report_step(product, entry, report))
    config: dict[str, Any] = {**quiet(os.environ), "resources": {RESOURCE: {"config": dict(asked)}}}
    job = loaded.resolve_job_def(conventions.job_name(product.name))
    return _stages_end(product, run_here(root, product.domain, job, instance, config, run_id, tags))


def _stages_end(product: ProductPlan, result: ExecutionResult) -> StagesEnd:
    """How the stages ended, by the events of their run."""
    checks = {(check.key, check.name): check for check in product.checks}
    failed = [evaluation for evaluation in result.get_asset_check_evaluations() if not evaluation.passed]
    known = [
        (check, failure) for failure in failed if (check := checks.get((tuple(failure.asset_key.path), failure.check_name))) is not None
    ]
    return StagesEnd(tuple(_failed_check(*known_check) for known_check in known), tuple(failure_texts(result)), result.success)


def _failed_check(check: CheckPlan, evaluation: dg.AssetCheckEvaluation) -> FailedCheck:
    hint = evaluation.metadata.get(WAY_OUT)
    return FailedCheck(check, evaluation.description or "", str(hint.value) if hint is not None else "")


def _report_step(product: ProductPlan, entry: dg.EventLogEntry, report: Report) -> None:
    event = entry.dagster_event
    if event is not None and event.event_type_value == "STEP_START" and event.step_key:
        report(product.name, event.step_key.removeprefix(f"{product.name}__"))
