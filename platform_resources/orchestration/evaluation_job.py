"""The job of each domain that judges every indicator between refreshes, as checks on the scorecards."""

import os
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.build_resources import wrap_resources_for_execution

from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.payload import CheckSaid, to_metadata
from platform_resources.ledger.queries.standing import Standing
from platform_resources.orchestration.asset_specs import asset_key, check_specs
from platform_resources.orchestration.events.healthy import healthy_results, healthy_specs
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.results import judged_result
from platform_resources.orchestration.events.run_failures import failure_texts, quiet
from platform_resources.orchestration.events.scorecards import scorecard_metadata
from platform_resources.orchestration.guarding import shielded
from platform_resources.orchestration.refresh_resource import RESOURCE, RefreshResource
from platform_resources.orchestration.runs import run_here
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import LastRefresh
from platform_resources.promises.scores import ProductScore
from platform_resources.refresh.gate import AuditVerdict
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.services.control_ports.registering import register
from platform_resources.services.evaluation_round import EvaluationRound, evaluate
from platform_resources.services.indicator_sentences import standing_data, standing_text
from platform_resources.services.judged_objectives import judged_between_refreshes
from platform_resources.services.scoring.score_round import score_products
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.names import is_name

# Gives the plan of the whole mesh, which only a run needs.
WholePlan = Callable[[], MeshPlan]
EVERY_MINUTES = 15
# What scores have to try may take so long of each evaluation; the rest is for the next one.
SCORED_WITHIN = timedelta(minutes=2)
DESCRIPTION = "Judges every product of the domain from the ledger: freshness is a fact of time, not of runs. Opens and resolves incidents."


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What Dagster gets to evaluate a domain: its checks (none where nothing is published or promised), its job and schedule."""

    checks: tuple[dg.AssetChecksDefinition, ...]
    job: dg.JobDefinition
    schedule: dg.ScheduleDefinition


def evaluation(domain: str, products: Sequence[ProductPlan], plan: WholePlan, resources: Mapping[str, Any]) -> Evaluation:
    """One job for all products of a domain; `plan` gives that of the whole mesh, since trouble does not end at a domain."""
    judged = any(product.outputs or product.indicators or judged_between_refreshes(product) for product in products)
    checks = _checks_step(domain, products, plan) if judged else None
    job = _job_of_checks(domain, checks, resources) if checks is not None else _job_without_checks(domain, products, plan, resources)
    return Evaluation((checks,) if checks is not None else (), job, _schedule(domain, job))


def _checks_step(domain: str, products: Sequence[ProductPlan], plan: WholePlan) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=conventions.step_name(domain, "evaluate"),
        specs=[spec for product in products for spec in (*check_specs(_checks(product)), *healthy_specs(product))],
        can_subset=True,
    )
    def _evaluate(context: dg.AssetCheckExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        done = _round(context.op_execution_context, refresh, domain, products, plan())
        zones = {product.name: product.zone for product in products}
        results = [
            standing_result(standing, Clock(zones[name], done.at)) for name, trust in done.trust.items() for standing in trust.standings
        ]
        results += [judged_result(objective, judgement, done.at) for objective, judgement in done.judged]
        for product in products:
            results += healthy_results(product, done.health[product.name], done.trust[product.name].incidents, done.at)
        yield from (result for result in results if _key(result) in context.selected_asset_check_keys)

    return _evaluate


def _checks(product: ProductPlan) -> Iterator[CheckPlan]:
    """What is judged between refreshes: indicators, and the objectives that no audit measures."""
    yield from (indicator.check for indicator in product.indicators)
    yield from (objective.check for objective in judged_between_refreshes(product))


def _key(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey.from_coercible(result.asset_key or []), result.check_name or "")


@shielded
def _round(
    context: dg.OpExecutionContext, refresh: RefreshResource, domain: str, products: Sequence[ProductPlan], plan: MeshPlan
) -> EvaluationRound:
    now = refresh.now()
    root, state = Path(refresh.root), refresh.state_folder
    with synced_ledger(state, context.instance, now) as ledger:
        done = evaluate(ledger, state, plan, products, installed_registry(), now, domain)
        scores = score_products(ledger, root, state, plan, products, done.health, done.trust, now, SCORED_WITHIN)
        registered = register(ledger, root, state, plan, products, now)
    for text in registered.failed:
        context.log.warning(f"{text}; it is tried again")
    for event in done.events:
        context.log.info(f"{event.incident} {event.kind} {event.note}".strip())
    if done.use:
        context.log.warning(done.use)
    for text in done.roles:
        context.log.warning(f"{text}; `mesh access plan` lists what differs")
    for product in products:
        context.log_event(scorecard(product, done, scores.get(product.name)))
    return done


def _job_of_checks(domain: str, step: dg.AssetChecksDefinition, resources: Mapping[str, Any]) -> dg.JobDefinition:
    name = conventions.evaluation_name(domain)
    job = dg.define_asset_job(
        name,
        selection=dg.AssetSelection.checks(*step.check_keys),
        description=DESCRIPTION,
        tags={"domain": domain},
        executor_def=dg.in_process_executor,
    )
    assets = [dg.AssetSpec(key) for key in dict.fromkeys(check.asset_key for check in step.check_keys)]
    own = dg.Definitions(assets=assets, asset_checks=[step], jobs=[job], resources=resources, executor=dg.in_process_executor)
    return own.resolve_job_def(name)


def _job_without_checks(domain: str, products: Sequence[ProductPlan], plan: WholePlan, resources: Mapping[str, Any]) -> dg.JobDefinition:
    @dg.op(name=conventions.step_name(domain, "evaluate"))
    def _evaluate(context: dg.OpExecutionContext, refresh: RefreshResource) -> None:
        _round(context, refresh, domain, products, plan())

    @dg.job(
        name=conventions.evaluation_name(domain),
        description=DESCRIPTION,
        tags={"domain": domain},
        executor_def=dg.in_process_executor,
        resource_defs=wrap_resources_for_execution(resources),
    )
    def _job() -> None:
        _evaluate()

    return _job


def evaluated_at(domain: str) -> str:
    """The schedule of a domain's evaluations. Domains take different minutes: Dagster starts one run after the other, and notes each check
    that a run will make, so evaluations of all domains at once would hold refreshes up that are due then."""
    return f"{zlib.crc32(domain.encode()) % EVERY_MINUTES}-59/{EVERY_MINUTES} * * * *"


def _schedule(domain: str, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{conventions.evaluation_name(domain)}_every_15_minutes",
        job=job,
        cron_schedule=evaluated_at(domain),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Evaluates the products of the domain {domain}.",
    )


def standing_result(standing: Standing, clock: Clock) -> dg.AssetCheckResult:
    """Passed unless the indicator is missed: without enough data there is no verdict, and nothing has failed."""
    check, numbers = standing.indicator.check, standing_data(standing)
    # What every check calls its number, and the ledger keeps.
    said = CheckSaid(verdict=numbers["verdict"], kind=check.kind, measured_at=clock.now, value=numbers.get("attainment_percent"))
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset_key(check.key),
        passed=numbers["verdict"] != "missed",
        severity=dg.AssetCheckSeverity.WARN,
        description=standing_text(standing, clock),
        metadata={**numbers, **to_metadata(said)},
    )


def scorecard(product: ProductPlan, evaluated: EvaluationRound, score: ProductScore | None = None) -> dg.AssetMaterialization:
    """The scorecard as it is now, made anew."""
    trust = evaluated.trust[product.name]
    verdicts = tuple(
        AuditVerdict(verdict.title, verdict.dimension, verdict.verdict, verdict.reason) for verdict in evaluated.verdicts[product.name]
    )
    last = evaluated.last_refreshes.get(product.name, LastRefresh("not refreshed yet"))
    metadata = scorecard_metadata(evaluated.health[product.name], verdicts, last, Clock(product.zone, trust.at), trust, score)
    return dg.AssetMaterialization(asset_key(product.scorecard), metadata=metadata)


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """How the evaluation of one domain went; `problems` says why it failed, and is empty if it did not."""

    domain: str
    problems: tuple[str, ...]
    run_id: str


def running_products(plan: MeshPlan) -> dict[str, tuple[ProductPlan, ...]]:
    """The products that run, by domain."""
    running = [product for product in plan.products if product.runs]
    return {domain: tuple(p for p in running if p.domain == domain) for domain in dict.fromkeys(p.domain for p in running)}


def products_to_evaluate(plan: MeshPlan) -> dict[str, tuple[ProductPlan, ...]]:
    """The products that run, by domain; and domains in which nothing can be read, but somebody is to be told what was open there."""
    notified = {domain.name for domain in plan.domains if (domain.routes or domain.digest is not None) and is_name(domain.name)}
    running = running_products(plan)
    return running | {rejected.domain: () for rejected in plan.rejected if rejected.domain in notified - running.keys()}


def run_evaluations(
    root: Path, plan: MeshPlan, instance: dg.DagsterInstance, domains: Collection[str] | None = None, clock: str | None = None
) -> list[EvaluationRun]:
    """Run the evaluation of every domain, or of these, now, each as one Dagster run in this process; `plan` is of the whole mesh."""
    chosen = {domain: products for domain, products in products_to_evaluate(plan).items() if domains is None or domain in domains}
    return [_evaluated(root, domain, products, plan, instance, clock) for domain, products in chosen.items()]


def _evaluated(
    root: Path, domain: str, products: Sequence[ProductPlan], plan: MeshPlan, instance: dg.DagsterInstance, clock: str | None
) -> EvaluationRun:
    resource = RefreshResource.configure_at_launch(root=str(root), state=str(state_folder(root)))
    job = evaluation(domain, products, lambda: plan, {RESOURCE: resource}).job
    asked = {} if clock is None else {"clock": clock}
    result = run_here(root, domain, job, instance, {**quiet(os.environ), "resources": {RESOURCE: {"config": asked}}})
    return EvaluationRun(domain, tuple(failure_texts(result)), result.run_id)
