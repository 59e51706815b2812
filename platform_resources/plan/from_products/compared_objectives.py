"""Which objectives need to know what was before."""

from typing import get_args

from platform_resources.capabilities.dimensions.business_kpi import BusinessKpiSettings
from platform_resources.capabilities.support.learned_thresholds import LearnedSettings
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.spec.strict import Strict


def is_learned(settings: Strict) -> bool:
    """Whether a threshold is learned, whatever its field is called."""
    return any(isinstance(value, LearnedSettings) for _, value in settings)


def can_learn(settings: Strict) -> bool:
    """Whether a dimension with such settings knows thresholds that are learned."""
    return any(LearnedSettings in get_args(field.annotation) for field in type(settings).model_fields.values())


def compared(product: ProductPlan) -> tuple[ObjectivePlan, ...]:
    """The objectives of a product that are judged against their own earlier readings, or against those of runs."""
    return tuple(objective for objective in product.objectives if is_learned(objective.settings) or _follows(objective))


def _follows(objective: ObjectivePlan) -> bool:
    return isinstance(objective.settings, BusinessKpiSettings) and objective.settings.change_at_most is not None
