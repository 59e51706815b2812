"""The products that refresh themselves by the clock."""

from collections.abc import Iterator

import dagster as dg

from platform_resources.plan.plan import ProductPlan


def schedules(product: ProductPlan, job: dg.JobDefinition) -> Iterator[dg.ScheduleDefinition]:
    """A running schedule for a product that is refreshed by the clock, in its own time zone."""
    if product.refresh is not None and product.refresh.cron is not None:
        yield dg.ScheduleDefinition(
            name=f"refresh_{product.name}_by_the_clock",
            job=job,
            cron_schedule=product.refresh.cron,
            execution_timezone=product.refresh.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Refreshes {product.title}: {product.refresh.cron} ({product.refresh.timezone}).",
        )
