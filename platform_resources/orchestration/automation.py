"""When products refresh themselves: by the clock, or whenever an input has a new version."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import and_, or_
from typing import Any

import dagster as dg

from platform_resources.orchestration.specs import asset_key
from platform_resources.planning.conventions import Key
from platform_resources.planning.plan import MeshPlan, ProductPlan

Condition = dg.AutomationCondition[Any]


def automation_condition(product: ProductPlan) -> Condition | None:
    """For a product refreshed on its inputs: an upstream port was published since, none is being refreshed, all exist.

    Every asset of the product has this one condition, so that they are requested together and make one whole refresh. `eager()`
    would not do: it waits for sources outside the mesh, which Dagster never sees materialised.
    """
    upstream = _upstream_ports(product)
    if not upstream:
        return None
    condition = dg.AutomationCondition
    published = reduce(or_, (_of(key, condition.newly_updated()) for key in upstream))
    all_exist = reduce(and_, (~_of(key, condition.missing()) for key in upstream))
    none_running = reduce(and_, (~_of(key, condition.in_progress()) for key in upstream))
    whole = published.since_last_handled() & all_exist & none_running & ~condition.in_progress()
    return whole.with_label("an input has a new version")


def _of(key: Key, condition: Condition) -> Condition:
    return dg.AutomationCondition.asset_matches(asset_key(key), condition)


def _upstream_ports(product: ProductPlan) -> tuple[Key, ...]:
    if product.refresh is None or product.refresh.on is None or not product.runs:
        return ()
    return tuple(dict.fromkeys(key for port in product.inputs if port.upstream for key in port.dependencies))


def schedules(plan: MeshPlan, jobs: Mapping[str, Any]) -> Iterator[dg.ScheduleDefinition]:
    """A running schedule for each product that is refreshed by the clock, in its own time zone."""
    for product in plan.products:
        if product.name in jobs and product.refresh is not None and product.refresh.cron is not None:
            yield dg.ScheduleDefinition(
                name=f"refresh_{product.name}_by_the_clock",
                job=jobs[product.name],
                cron_schedule=product.refresh.cron,
                execution_timezone=product.refresh.timezone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description=f"Refreshes {product.title}: {product.refresh.cron} ({product.refresh.timezone}).",
            )


def sensors(plan: MeshPlan, selection: Callable[[ProductPlan], dg.AssetSelection]) -> Iterator[dg.AutomationConditionSensorDefinition]:
    """A running automation sensor for each product that is refreshed on its inputs: one product, one run."""
    for product in plan.products:
        if _upstream_ports(product):
            yield dg.AutomationConditionSensorDefinition(
                name=f"refresh_{product.name}_on_inputs",
                target=selection(product),
                default_status=dg.DefaultSensorStatus.RUNNING,
                run_tags={"product": product.name, "domain": product.domain},
                description=f"Refreshes {product.title} when an input has a new version.",
            )
