"""Refreshing products from the command line: each as one Dagster run, in this process."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from dagster._core.execution.execution_result import ExecutionResult

from platform_resources.capabilities.protocols import PullExtractor, PullFiles
from platform_resources.deliveries.arrivals import is_news, matching_files
from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.events.results import WAY_OUT
from platform_resources.orchestration.events.run_failures import QUIET, failure_texts
from platform_resources.orchestration.refresh_resource import RESOURCE
from platform_resources.orchestration.runs import run_here
from platform_resources.plan import conventions
from platform_resources.plan.plan import InputPlan, MeshPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.publications.published_versions import shelf
from platform_resources.repository.mesh_repository import state_folder
from platform_resources.spec.values.versions import VersionRange

Report = Callable[[str, str], None]
Outcome = Literal["published", "unchanged", "gate closed", "failed"]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How one refresh ended: the version published, or why there is none, and what its inputs and objectives warned of.

    `served` is the version that consumers have after it.
    """

    product: str
    outcome: Outcome
    version: str | None
    served: str | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    run_id: str
    seconds: float


def refresh(
    root: Path,
    plan: MeshPlan,
    names: Iterable[str],
    instance: dg.DagsterInstance,
    as_of: str | None,
    report: Report,
    clock: str | None = None,
    full_refresh: bool = False,
) -> Iterator[Refreshed]:
    """Refresh the named products, upstream first; `report` is told (product, step) as each step begins.

    `as_of`, `clock` and `full_refresh` as in RefreshResource.
    """
    given = (("as_of", as_of), ("clock", clock), ("full_refresh", full_refresh))
    asked = {name: value for name, value in given if value not in (None, False)}
    chosen = set(names)
    wanted = MeshPlan(tuple(product for product in plan.products if product.name in chosen), ())
    found = definitions(root, wanted)
    for product in wanted.products:
        yield _refreshed(root, found, product, instance, asked, report)


def _refreshed(
    root: Path, found: dg.Definitions, product: ProductPlan, instance: dg.DagsterInstance, asked: Mapping[str, Any], report: Report
) -> Refreshed:
    started = time.monotonic()
    shelves = shelf(state_folder(root), product.domain, product.name)
    before = shelves.latest()
    result = _run(root, found, product, instance, asked, report)
    after = shelves.latest()
    published = after.id if after is not None and (before is None or after.id != before.id) else None
    checks = {(check.key, check.name): check for check in product.checks}
    evaluations = [e for e in result.get_asset_check_evaluations() if not e.passed and (tuple(e.asset_key.path), e.check_name) in checks]
    failed = [(checks[(tuple(e.asset_key.path), e.check_name)], e.description) for e in evaluations]
    hints = dict.fromkeys(str(e.metadata[WAY_OUT].value) for e in evaluations if e.blocking and WAY_OUT in e.metadata)
    gates = (*(f"{check.title}: {reason}" for check, reason in failed if check.blocking), *hints)
    errors = tuple(failure_texts(result))
    return Refreshed(
        product=product.name,
        outcome="failed" if errors else _outcome(result.success, published),
        version=published,
        served=after.id if after is not None else None,
        reasons=errors or gates,
        warnings=tuple(f"{check.title}: {reason}" for check, reason in failed if not check.blocking),
        run_id=result.run_id,
        seconds=time.monotonic() - started,
    )


def _outcome(success: bool, published: str | None) -> Outcome:
    """Of a refresh in which no step failed on its own account: only a closed gate ends it before its time."""
    if not success:
        return "gate closed"
    return "published" if published else "unchanged"


def _run(
    root: Path, found: dg.Definitions, product: ProductPlan, instance: dg.DagsterInstance, asked: Mapping[str, Any], report: Report
) -> ExecutionResult:
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _report_step(product, entry, report))
    config: dict[str, Any] = {**QUIET, "resources": {RESOURCE: {"config": dict(asked)}}}
    job = found.resolve_job_def(conventions.job_name(product.name))
    return run_here(root, product.domain, job, instance, config, run_id)


def _report_step(product: ProductPlan, entry: dg.EventLogEntry, report: Report) -> None:
    event = entry.dagster_event
    if event is not None and event.event_type_value == "STEP_START" and event.step_key:
        report(product.name, event.step_key.removeprefix(f"{product.name}__"))


def stale_products(root: Path, plan: MeshPlan, now: datetime) -> list[str]:
    """Products whose next refresh would differ: never published, changed since, or with a newer input version; and all behind them."""
    stale: list[str] = []
    for product in plan.products:
        behind = any(port.upstream is not None and port.upstream.product in stale for port in product.inputs)
        if product.runs and (behind or _is_stale(root, product, now)):
            stale.append(product.name)
    return stale


def _is_stale(root: Path, product: ProductPlan, now: datetime) -> bool:
    """Extractors may have something new every day; files and other products are looked at."""
    state = state_folder(root)
    latest = shelf(state, product.domain, product.name).latest()
    if latest is None or latest.fingerprint != fingerprint(product):
        return True
    if _has_extractor(product) and datetime.fromisoformat(latest.published_at).astimezone(UTC).date() < now.astimezone(UTC).date():
        return True
    folder = (root / product.place.file).parent
    return any(_has_newer(state, folder, port, latest.inputs.get(port.name, {})) for port in product.inputs)


def _has_extractor(product: ProductPlan) -> bool:
    return any(isinstance(port.pull, PullExtractor) for port in product.inputs)


def _has_newer(state: Path, folder: Path, port: InputPlan, record: Mapping[str, Any]) -> bool:
    if isinstance(port.pull, PullFiles):
        return is_news(matching_files(port.pull.path, folder), record, port.pull)
    upstream = port.upstream
    if upstream is None:
        return False
    newest = shelf(state, upstream.domain, upstream.product).newest_within(VersionRange.parse(upstream.version), upstream.port)
    return newest is not None and newest.id != record.get("version")
