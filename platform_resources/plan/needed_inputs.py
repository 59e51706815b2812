"""Which input ports a data set is made from."""

from collections.abc import Collection, Iterable

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.plan.graph import ancestors
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.plan.port_plans import InputPlan


def needed_inputs(inputs: Iterable[InputPlan], models: Collection[ModelPlan], model: str) -> tuple[InputPlan, ...]:
    """The inputs that the model reads, directly or through other models; all of them where it names none, since a macro may hide them."""
    pulled = sorted((port for port in inputs if not isinstance(port.pull, NotPulled)), key=lambda port: port.name)
    keys = {other.name: other.key for other in models}
    read = ancestors(keys.get(model, ()), {other.key: other.dependencies for other in models})
    return tuple(port for port in pulled if port.key in read) or tuple(pulled)
