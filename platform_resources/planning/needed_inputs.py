"""Which input ports a data set is made from."""

from collections.abc import Iterable, Iterator

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.planning.conventions import Key
from platform_resources.planning.plan import InputPlan, ModelPlan


def needed_inputs(inputs: Iterable[InputPlan], models: Iterable[ModelPlan], model: str) -> tuple[InputPlan, ...]:
    """Those that the model reads, by way of others too. One that names none may read any of them: a macro hides what it reads."""
    pulled = sorted((port for port in inputs if not isinstance(port.pull, NotPulled)), key=lambda port: port.name)
    read = set(_read_by(tuple(models), model))
    return tuple(port for port in pulled if port.key in read) or tuple(pulled)


def _read_by(models: tuple[ModelPlan, ...], name: str) -> Iterator[Key]:
    dependencies = {model.key: model.dependencies for model in models}
    waiting = [model.key for model in models if model.name == name]
    seen = set(waiting)
    while waiting:
        for dependency in dependencies.get(waiting.pop(), ()):
            if dependency not in seen:
                seen.add(dependency)
                waiting.append(dependency)
                yield dependency
