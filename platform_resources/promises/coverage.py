"""How much of each product, and of its upstream lineage, is watched by tests and monitors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from platform_resources.plan.graph import Graph, ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan


@dataclass(frozen=True, slots=True)
class Watched:
    """One data set or port, with the number of its tests (of dbt) and of its monitors (objectives, checks of inputs)."""

    name: str
    tests: int = 0
    monitors: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of so many data sets and ports, how many have a monitor or a test. `share` is None where there is nothing to watch."""

    watched: int
    total: int

    @property
    def share(self) -> float | None:
        """The watched share from 0 to 1; None where there is nothing to watch."""
        return self.watched / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class ProductCoverage:
    """The product's own coverage, that with its whole upstream lineage (T2), and the number of its own tests and monitors (T1).

    `blind` are the upstream products, and the product itself, of which nothing at all is watched, although there is something.
    """

    own: Coverage
    lineage: Coverage
    tests_and_monitors: int
    blind: tuple[str, ...]


def product_coverage(product: str, upstream: Graph, things: Mapping[str, Sequence[Watched]], elsewhere: int = 0) -> ProductCoverage:
    """`things` has the data sets and ports of every product. A product upstream counts once, however many ways lead to it.

    An upstream product without an entry is nothing that could be watched, so leave none out. `elsewhere` is the number of the product's
    tests that are not in its plan, because they run elsewhere.
    """
    own = things.get(product, ())
    lineage = sorted({product, *ancestors(product, upstream)})
    whole = {name: _coverage(things.get(name, ())) for name in lineage}
    total = Coverage(sum(part.watched for part in whole.values()), sum(part.total for part in whole.values()))
    blind = tuple(name for name, part in whole.items() if part.total and not part.watched)
    return ProductCoverage(whole[product], total, sum(one.tests + one.monitors for one in own) + elsewhere, blind)


def _coverage(things: Iterable[Watched]) -> Coverage:
    known = list(things)
    return Coverage(sum(one.tests + one.monitors > 0 for one in known), len(known))


def coverages(plan: MeshPlan, elsewhere: Mapping[str, int]) -> dict[str, ProductCoverage]:
    """The coverage of every product of the plan, with its whole upstream lineage. A product that is not loaded counts as not watched.

    `elsewhere` has the number of each product's tests that run elsewhere; 0 where it has none.
    """
    things: dict[str, tuple[Watched, ...]] = {rejected.name: (Watched(rejected.name),) for rejected in plan.rejected}
    things |= {product.name: watched_things(product) for product in plan.products}
    names, upstream = [product.name for product in plan.products], plan.upstream
    return {name: product_coverage(name, upstream, things, elsewhere.get(name, 0)) for name in names}


def watched_things(product: ProductPlan) -> tuple[Watched, ...]:
    """Its input ports and models. Tests are dbt's; monitors are objectives, indicators and checks of inputs."""
    return (*_inputs(product), *_models(product))


def _inputs(product: ProductPlan) -> Iterator[Watched]:
    yield from (Watched(f"inputs/{port.name}", monitors=len(port.checks)) for port in product.inputs)


def _models(product: ProductPlan) -> Iterator[Watched]:
    monitors = Counter(
        [*(objective.data_set for objective in product.objectives), *(indicator.data_set for indicator in product.indicators)]
    )
    for model in product.models:
        yield Watched(model.name, len(model.tests), monitors.get(model.data_set, 0) if model.data_set else 0)
