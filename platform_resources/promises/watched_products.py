"""What of each product could be watched, and by how many tests and monitors it is."""

from collections import Counter
from collections.abc import Iterator, Mapping

from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.coverage import ProductCoverage, Watched, product_coverage


def coverages(plan: MeshPlan, elsewhere: Mapping[str, int]) -> dict[str, ProductCoverage]:
    """The coverage of every product of the plan, with its whole upstream lineage. A product that is not loaded counts as not watched.

    `elsewhere` has the number of each product's tests that run elsewhere; 0 where it has none.
    """
    things: dict[str, tuple[Watched, ...]] = {rejected.name: (Watched(rejected.name),) for rejected in plan.rejected}
    things |= {product.name: watched_things(product) for product in plan.products}
    names = [product.name for product in plan.products]
    return {name: product_coverage(name, plan.upstream, things, elsewhere.get(name, 0)) for name in names}


def watched_things(product: ProductPlan) -> tuple[Watched, ...]:
    """Its input ports and models. Tests are dbt's; monitors are objectives, indicators and checks of inputs."""
    return (*_inputs(product), *_models(product))


def _inputs(product: ProductPlan) -> Iterator[Watched]:
    yield from (Watched(f"inputs/{port.name}", monitors=len(port.checks)) for port in product.inputs)


def _models(product: ProductPlan) -> Iterator[Watched]:
    monitors = _monitors(product)
    for model in product.models:
        yield Watched(model.name, len(model.tests), monitors.get(model.data_set, 0) if model.data_set else 0)


def _monitors(product: ProductPlan) -> Mapping[str, int]:
    """The number of objectives and indicators of each data set."""
    data_sets = [objective.data_set for objective in product.objectives] + [indicator.data_set for indicator in product.indicators]
    return Counter(data_sets)
