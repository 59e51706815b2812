"""Which failing product is the cause that others fail."""

from collections.abc import Collection, Mapping

from platform_resources.objectives.lineage import Graph, ancestors


def roots(product: str, upstream: Graph, failing: Collection[str]) -> tuple[str, ...]:
    """The failing ancestors of a failing product that have no failing ancestor themselves, sorted; the product itself if there is none.

    A healthy product in between breaks nothing: it may be serving its last good version. In a circle, which planning refuses, every member
    counts as a root, so that no failure is left without one.
    """
    above = ancestors(product, upstream)
    suspects = above & frozenset(failing)
    found = tuple(sorted(name for name in suspects if _is_root(name, upstream, suspects)))
    return found or (product,)


def _is_root(name: str, upstream: Graph, suspects: frozenset[str]) -> bool:
    """An ancestor of an ancestor is an ancestor, so the suspects are all that need looking at; those in a circle with it are no excuse."""
    return all(name in ancestors(other, upstream) for other in ancestors(name, upstream) & suspects)


def causes(upstream: Graph, failing: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Every failing product with its roots; it is a root itself when they are just the product."""
    return {product: roots(product, upstream, failing) for product in sorted(failing)}
