"""Which input ports a data set is made from."""

from collections.abc import Iterator

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.planning.conventions import Key
from platform_resources.planning.plan import DataSetPlan, ProductPlan


def needed_inputs(product: ProductPlan, data_set: DataSetPlan) -> tuple[str, ...]:
    """The ports that its model reads, by way of others too. One that names none may read any of them: a macro hides what it reads."""
    pulled = {port.key: port.name for port in product.inputs if not isinstance(port.pull, NotPulled)}
    read = set(_read_by(product, product.model(data_set.model).key))
    return tuple(sorted(pulled[key] for key in read & set(pulled))) or tuple(sorted(pulled.values()))


def _read_by(product: ProductPlan, key: Key) -> Iterator[Key]:
    dependencies = {model.key: model.dependencies for model in product.models}
    waiting, seen = [key], {key}
    while waiting:
        for dependency in dependencies.get(waiting.pop(), ()):
            if dependency not in seen:
                seen.add(dependency)
                waiting.append(dependency)
                yield dependency
