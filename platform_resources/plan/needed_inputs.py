"""Which input ports a data set is made from."""

from collections.abc import Collection, Iterable

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import InputPlan, ModelPlan


def needed_inputs(inputs: Iterable[InputPlan], models: Collection[ModelPlan], model: str) -> tuple[InputPlan, ...]:
    """Those that the model reads, by way of others too. One that names none may read any of them: a macro hides what it reads."""
    pulled = sorted((port for port in inputs if not isinstance(port.pull, NotPulled)), key=lambda port: port.name)
    keys = {other.name: other.key for other in models}
    read = ancestors(keys.get(model, ()), {other.key: other.dependencies for other in models})
    return tuple(port for port in pulled if port.key in read) or tuple(pulled)
