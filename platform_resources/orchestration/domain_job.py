"""One job for each domain that refreshes its products, upstream first: what *Materialize all* cannot do across code locations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.build_resources import wrap_resources_for_execution

from platform_resources.orchestration.events.run_failures import stopped
from platform_resources.orchestration.guarding import shielded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan

_DESCRIPTION = (
    "Refreshes the products of the domain {domain}, upstream first, each in a run of its own job: {names}. "
    "One that fails, or whose gate is closed, does not stop those behind it: they go on with its last good version."
)


def domain_job(root: Path, domain: str, products: Sequence[ProductPlan], resources: Mapping[str, Any]) -> dg.JobDefinition:
    """The job of the domain; `products` are those that run, upstream first. What it is configured with holds for each of them."""
    name, names = conventions.domain_job_name(domain), [product.name for product in products]

    @dg.op(name=f"{name}_in_order")
    @shielded
    def _refresh(context: dg.OpExecutionContext, refresh: RefreshResource) -> None:
        from platform_resources.orchestration.refresh_runs import refresh as refreshed  # it builds definitions itself

        plan, failed = MeshPlan(tuple(products), ()), []

        def report(product: str, step: str) -> None:
            context.log.info(f"{product}: {step}")

        for done in refreshed(root, plan, names, context.instance, refresh.as_of, report, refresh.clock, refresh.full_refresh):
            reasons = "".join(f"\n  {reason}" for reason in done.reasons)
            context.log.info(f"{done.product}: {done.outcome} {done.version or ''} in run {done.run_id}{reasons}")
            if done.outcome in ("failed", "gate closed"):
                failed.append(f"{done.product}: {done.outcome}{reasons}")
        if failed:
            raise stopped("not published:\n" + "\n".join(failed))

    @dg.job(
        name=name,
        description=_DESCRIPTION.format(domain=domain, names=", ".join(names)),
        tags={"domain": domain},
        executor_def=dg.in_process_executor,
        resource_defs=wrap_resources_for_execution(resources),
    )
    def _job() -> None:
        _refresh()

    return _job
