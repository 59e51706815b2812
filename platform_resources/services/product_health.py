"""The health of one product, from what was published and what its checks said last."""

from dataclasses import replace
from datetime import datetime

from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.promises.grades import (
    CheckState,
    Grade,
    LastRefresh,
    ProductHealth,
    PublishedState,
    WatchedCheck,
    grade,
    shared,
)
from platform_resources.publications.version_records import Publication
from platform_resources.spec.product import retired_text


def health_of(
    product: ProductPlan, published: PublishedState | None, checks: tuple[CheckState, ...], last: LastRefresh, problem: str = ""
) -> ProductHealth:
    """The health of one product; `problem` says why its versions cannot be read, if they cannot."""
    known = checks if product.runs else ()
    graded = grade(product.runs, published, known, last.held_back, problem, has_ports=bool(product.outputs))
    if retired := retired_text(product.info):
        graded = Grade("retired", f"it {retired}")
    return ProductHealth(
        product.name,
        product.title,
        product.domain,
        graded.status,
        published,
        known,
        last.outcome,
        problem,
        graded.reason,
        graded.columns,
        last.held_back,
    )


def watched(product: ProductPlan) -> tuple[WatchedCheck, ...]:
    """All checks of a product."""
    objectives = {objective.check: objective for objective in product.objectives}
    return tuple(_watched(check, objectives.get(check)) for check in product.checks)


def _watched(check: CheckPlan, objective: ObjectivePlan | None) -> WatchedCheck:
    common = WatchedCheck(
        **shared(WatchedCheck, check),
        gate=check.blocking,
        fault=fault(conventions.check_text(check.key, check.name), check.title),
    )
    if objective is None:
        return common
    return replace(
        common,
        dimension=objective.dimension,
        data_set=objective.data_set,
        max_age=promised_age(objective),
        levels=objective.error_settings is not None,
    )


def published_state(publication: Publication) -> PublishedState:
    """What health needs to know of a published version."""
    return PublishedState(
        version=publication.id,
        product_version=publication.product_version,
        published_at=datetime.fromisoformat(publication.published_at),
        rows={port.data_set: port.rows for port in publication.ports},
        known_until={port.data_set: port.known_until(publication.published_at) for port in publication.ports},
        inherited={port.data_set: port.inherited for port in publication.ports if port.inherited},
    )
