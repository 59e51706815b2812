"""Order products by their dependencies, and find cycles."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.ports import upstream_products

Graph = Mapping[str, Sequence[str]]


def product_graph(mesh: Mesh) -> dict[str, tuple[str, ...]]:
    """Every product and those it reads from."""
    return {product.name: upstream_products(mesh, product) for product in mesh.products}


def cycles(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """One shortest cycle through each strongly connected group, beginning with its first name; self-reference included."""
    if _is_acyclic(graph):
        return ()
    circles: list[tuple[str, ...]] = []
    settled: set[str] = set()
    for name in sorted(graph):
        if name in settled:
            continue
        cycle = _cycle_through(name, graph)
        if cycle:
            circles.append(cycle)
            settled.update(cycle)
    return tuple(circles)


def _is_acyclic(graph: Graph) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return False
    return True


def _cycle_through(start: str, graph: Graph) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, breadth first."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for path in paths:
        for upstream in graph.get(path[-1], ()):
            if upstream == start:
                return path
            if upstream not in seen:
                seen.add(upstream)
                paths.append((*path, upstream))
    return ()


def ordered(graph: Graph) -> tuple[str, ...]:
    """Names so that each comes after those it reads from, alphabetical where free. Raises graphlib.CycleError."""
    sorter = TopologicalSorter({name: sorted(upstream) for name, upstream in sorted(graph.items())})
    sorter.prepare()
    result: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        result += ready
        sorter.done(*ready)
    return tuple(name for name in result if name in graph)
