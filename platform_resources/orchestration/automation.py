"""When products refresh themselves: schedules for the clock, one sensor a domain for new input versions."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from platform_resources.planning.plan import MeshPlan


def automation(plan: MeshPlan, jobs: Mapping[str, Any]) -> tuple[list[dg.ScheduleDefinition], list[dg.SensorDefinition]]:
    """Schedules and sensors of a code location, running as soon as it is loaded."""
    return list(_schedules(plan, jobs)), []


def _schedules(plan: MeshPlan, jobs: Mapping[str, Any]) -> Iterator[dg.ScheduleDefinition]:
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
