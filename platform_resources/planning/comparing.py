"""Which objectives need to know what was before."""

from platform_resources.capabilities.dimensions.business_kpi import BusinessKpiSettings
from platform_resources.capabilities.learned import LearnedSettings
from platform_resources.planning.check_plans import ObjectivePlan
from platform_resources.planning.plan import ProductPlan
from platform_resources.spec.strict import Strict


def is_learned(settings: Strict) -> bool:
    """Whether a threshold is learned, whatever its field is called."""
    return any(isinstance(value, LearnedSettings) for _, value in settings)


def compared(product: ProductPlan) -> tuple[ObjectivePlan, ...]:
    """The objectives of a product that are judged against their own earlier readings, or against those of runs."""
    return tuple(objective for objective in product.objectives if is_learned(objective.settings) or _follows(objective))


def _follows(objective: ObjectivePlan) -> bool:
    return isinstance(objective.settings, BusinessKpiSettings) and objective.settings.change_at_most is not None
