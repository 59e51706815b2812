"""Find the failing products that cause other products to fail."""

from collections.abc import Collection, Mapping

from platform_resources.plan.graph import Graph, ancestors


def causes(upstream: Graph, failing: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Every failing product with its roots: its failing ancestors that have no failing ancestor, sorted; itself if it has none above it.

    A healthy product in between breaks nothing: it may be serving its last good version. In a circle, which planning refuses, every member
    is its own root, so that no failure is left without one.
    """
    above = {product: ancestors(product, upstream) & frozenset(failing) for product in sorted(failing)}
    tops = frozenset(product for product, others in above.items() if all(product in above[other] for other in others))
    return {product: (product,) if product in tops else tuple(sorted(others & tops)) for product, others in above.items()}


def roots(product: str, upstream: Graph, failing: Collection[str]) -> tuple[str, ...]:
    """The roots of one product that fails."""
    return causes(upstream, {*failing, product})[product]
