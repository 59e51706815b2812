"""How a product is now: its newest version, what the last checks said, and whether it is still fresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from platform_resources.capabilities.measures import Verdict
from platform_resources.planning.plan import CheckPlan, ObjectivePlan, ProductPlan
from platform_resources.spec.durations import duration_text

Status = Literal["healthy", "unhealthy", "unknown", "unpublished", "not run"]


@dataclass(frozen=True, slots=True)
class CheckState:
    """What a check last said; `at` is None if it never ran."""

    name: str
    title: str
    kind: str
    dimension: str
    gate: bool
    verdict: Verdict
    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The newest version as far as health goes: `watermarks` by data set, only where one is declared."""

    version: str
    product_version: str
    published_at: datetime
    rows: Mapping[str, int]
    watermarks: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class ProductHealth:
    """A product's status and everything it follows from."""

    product: str
    title: str
    domain: str
    status: Status
    published: PublishedState | None
    checks: tuple[CheckState, ...]

    def count(self, verdict: Verdict, kind: str = "objective") -> int:
        return sum(check.verdict == verdict and check.kind == kind for check in self.checks)

    @property
    def objectives(self) -> tuple[CheckState, ...]:
        return tuple(check for check in self.checks if check.kind == "objective")


Executions = Mapping[tuple[tuple[str, ...], str], tuple[Verdict, str, datetime]]


def product_health(product: ProductPlan, published: PublishedState | None, executions: Executions, now: datetime) -> ProductHealth:
    """The product's health at `now`. `executions` has the last verdict, reason and time of each (asset key, check name) that ever ran."""
    objectives = {objective.check.name: objective for objective in product.objectives}
    checks = tuple(_check_state(check, objectives.get(check.name), published, executions, now) for check in product.checks)
    return ProductHealth(product.name, product.title, product.domain, _status(product, published, checks), published, checks)


def _check_state(
    check: CheckPlan, objective: ObjectivePlan | None, published: PublishedState | None, executions: Executions, now: datetime
) -> CheckState:
    own = objective if objective is not None and objective.check == check else None
    dimension = own.dimension if own is not None else ""
    never: tuple[Verdict, str, None] = ("unknown", "not checked yet", None)
    verdict, reason, at = executions.get((check.key, check.name), never)
    if own is not None and own.dimension == "freshness" and published is not None:
        verdict, reason = freshness_now(own, published, now)
    return CheckState(check.name, check.title, check.kind, dimension, check.blocking, verdict, reason, at)


def freshness_now(objective: ObjectivePlan, published: PublishedState, now: datetime) -> tuple[Verdict, str]:
    """Freshness is a fact of time: what was fresh when it was published may be late now. Late is not fresh."""
    max_age: timedelta = getattr(objective.settings, "max_age")  # noqa: B009 - a field of the dimension's own settings
    known_until = published.watermarks.get(objective.data_set, published.published_at)
    age = now - known_until
    told = (
        f"it is as of {known_until:%Y-%m-%d %H:%M} UTC, {age.total_seconds() / 3600:.1f} h ago; at most {duration_text(max_age)} promised"
    )
    return ("met" if age <= max_age else "missed"), told


def _status(product: ProductPlan, published: PublishedState | None, checks: Sequence[CheckState]) -> Status:
    """Unhealthy if a promise is broken or an input failed; unknown if a promise was not measured. Unknown is not met."""
    if not product.runs:
        return "not run"
    if published is None:
        return "unpublished"
    if any(check.verdict == "missed" for check in checks):
        return "unhealthy"
    return "unknown" if any(check.verdict == "unknown" for check in checks) else "healthy"
