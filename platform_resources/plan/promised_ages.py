"""How old data may be, as objectives promise it."""

from platform_resources.capabilities.protocols import Traits
from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.support.recency import by_its_days
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.spec.values.deadlines import MaxAge


def promised_age(objective: ObjectivePlan, traits: Traits | None = None) -> MaxAge | None:
    """The age that the objective promises of its data set; None if it promises none."""
    age = (traits or traits_of(objective.dimension)).max_age(objective.settings)
    return None if age is None else by_its_days(age, objective.subject)
