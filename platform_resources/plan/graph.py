"""Upstream and downstream products, over any number of steps."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)
Graph = Mapping[str, Collection[str]]


def ancestors(product: Node, upstream: Mapping[Node, Collection[Node]]) -> frozenset[Node]:
    """All products upstream of this one, without itself; cycles are allowed. `upstream` has the direct sources of each."""
    seen: set[Node] = set()
    waiting = list(upstream.get(product, ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += upstream.get(name, ())
    return frozenset(seen - {product})


def downstream(upstream: Graph) -> dict[str, tuple[str, ...]]:
    """The same graph the other way round: each name and what reads from it, sorted."""
    readers: dict[str, set[str]] = {name: set() for name in upstream}
    for name, sources in upstream.items():
        for source in sources:
            readers.setdefault(source, set()).add(name)
    return {name: tuple(sorted(names)) for name, names in readers.items()}


@dataclass(frozen=True)
class ProductGraph:
    """The products that each product reads from, and what follows from that, computed once."""

    upstream: Graph

    @cached_property
    def downstream(self) -> Mapping[str, tuple[str, ...]]:
        """The products that read from each product."""
        return downstream(self.upstream)

    @cached_property
    def depths(self) -> Mapping[str, int]:
        """How many products are upstream of each; in this order each product comes after those it reads from."""
        return {name: len(ancestors(name, self.upstream)) for name in {*self.upstream, *self.downstream}}
