"""Lineage of one product, one incident, or the whole mesh, as diagrams and lists."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from platform_resources.marketplace.display.diagrams import Box, Edge, Tile, flow, mosaic
from platform_resources.marketplace.display.phrases import Look, age, count, listed, look
from platform_resources.plan.graph import Graph, ancestors
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.services.showing.mesh_overview import MeshOverview

MOST_BOXES, MOST_ARROWS = 30, 25


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A direct upstream or downstream neighbour; `look` is None for anything that is not a product of the mesh."""

    title: str
    text: str
    href: str = ""
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """A diagram, empty if it had too many boxes, and the same as lists. `hidden` counts products that are too far away."""

    picture: Markup
    sources: tuple[Neighbour, ...]
    readers: tuple[Neighbour, ...]
    hidden: int = 0


def data_as_of(health: ProductHealth) -> datetime | None:
    """As of when the product's oldest data set is current; None if unknown for all."""
    known = [at for at in health.published.known_until.values() if at is not None] if health.published is not None else []
    return min(known, default=None)


def met_text(health: ProductHealth) -> str:
    """`7 of 8 met`."""
    own = health.objectives
    return f"{health.count('met')} of {len(own)} met" if own else "promises nothing yet"


def _text(view: MeshOverview, name: str) -> str:
    health = view.health[name]
    as_of = data_as_of(health)
    return f"{met_text(health)}, data {age(view.at - as_of)} old" if as_of is not None else met_text(health)


def product_node(view: MeshOverview, product: ProductPlan, text: str = "", chosen: bool = False) -> Box:
    """The box of a product."""
    words = text or _text(view, product.name)
    return Box(product.name, product.title, words, look(view.health[product.name]).tone, f"/products/{product.name}", chosen)


def lineage(view: MeshOverview, product: ProductPlan) -> Lineage:
    """Everything upstream and downstream of the product, nearest first, as far as it can be drawn."""
    products = view.plan.by_name
    above, below = view.plan.upstream, view.plan.downstream
    near = _near(view, product)
    drawn = {product.name, *near[:MOST_BOXES]}
    outer_nodes, outer_edges = _outside(product)
    nodes = [
        product_node(view, products[name], chosen=name == product.name) for name in sorted(drawn, key=view.plan.places.__getitem__)
    ] + outer_nodes
    edges = [Edge(source, name) for name in drawn for source in above.get(name, ()) if source in drawn] + outer_edges
    sources, readers = _neighbours(view, product, below)
    label = f"{product.title} is made from {_names(sources)} and read by {_names(readers)}."
    return Lineage(flow(nodes, edges, label), sources, readers, len(near) - len(near[:MOST_BOXES]))


def drawn_with(view: MeshOverview, product: ProductPlan) -> set[str]:
    """The products in the product's lineage diagram and lists."""
    next_to = (*view.plan.upstream[product.name], *view.plan.downstream.get(product.name, ()))
    return {*_near(view, product)[:MOST_BOXES], *(name for name in next_to if name in view.plan.by_name)}


def _near(view: MeshOverview, product: ProductPlan) -> list[str]:
    above, below = _nearest(product.name, view.plan.upstream), _nearest(product.name, view.plan.downstream)
    return [name for name in (*above, *below) if name in view.plan.by_name]


def _nearest(name: str, graph: Graph) -> list[str]:
    """Breadth first."""
    waiting, seen = [name], {name}
    for current in waiting:
        for other in graph.get(current, ()):
            if other not in seen:
                waiting.append(other)
                seen.add(other)
    return waiting[1:]


def _outside(product: ProductPlan) -> tuple[list[Box], list[Edge]]:
    """Where its data comes from outside of the mesh, and who uses it there."""
    inputs = [port for port in product.inputs if port.upstream is None]
    nodes = [Box(f"<{port.name}", port.title, f"comes as {port.interface}") for port in inputs]
    nodes += [Box(f">{consumer.name}", consumer.title, consumer.kind) for consumer in product.consumers]
    edges = [Edge(f"<{port.name}", product.name) for port in inputs]
    return nodes, edges + [Edge(product.name, f">{consumer.name}") for consumer in product.consumers]


def _neighbours(view: MeshOverview, product: ProductPlan, below: Graph) -> tuple[tuple[Neighbour, ...], tuple[Neighbour, ...]]:
    products = view.plan.by_name
    above = view.plan.upstream.get(product.name, ())
    sources = [_neighbour(view, products[name]) for name in above if name in products]
    sources += [Neighbour(port.title, f"comes as {port.interface}") for port in product.inputs if port.upstream is None]
    readers = [_neighbour(view, products[name]) for name in below.get(product.name, ()) if name in products]
    readers += [Neighbour(consumer.title, ", ".join(filter(None, (consumer.kind, consumer.owner)))) for consumer in product.consumers]
    return tuple(sources), tuple(readers)


def _neighbour(view: MeshOverview, product: ProductPlan) -> Neighbour:
    return Neighbour(product.title, _text(view, product.name), f"/products/{product.name}", look(view.health[product.name]))


def _names(neighbours: Iterable[Neighbour]) -> str:
    return listed((neighbour.title for neighbour in neighbours), 6) or "nothing that is known"


def cause_picture(view: MeshOverview, cause: str, impacted: Collection[str]) -> Markup:
    """The spread of an incident: upstream of the cause, products reached, and readers not reached."""
    products = view.plan.by_name
    above, below = view.plan.upstream, view.plan.downstream
    behind = {name for name in ancestors(cause, below) if name in products}
    between = {name for name in behind if any(reached in ancestors(name, below) for reached in impacted)}
    near = {*above.get(cause, ()), *impacted, *between, *below.get(cause, ())} - {cause}
    shown = [cause, *sorted(near), *sorted(behind - near)][:MOST_BOXES]
    hot = {cause, *impacted, *between}
    nodes = [product_node(view, products[name], _role(view, cause, impacted, name), name == cause) for name in shown if name in products]
    names = {node.name for node in nodes}
    edges = [Edge(source, name, {source, name} <= hot) for name in sorted(names) for source in above.get(name, ()) if source in names]
    titles = [products[name].title for name in impacted if name in products]
    label = f"{products[cause].title} is the cause. " + (f"It reaches {listed(titles)}." if titles else "It reaches no other product.")
    return flow(nodes, edges, label)


def _role(view: MeshOverview, cause: str, impacted: Collection[str], name: str) -> str:
    if name == cause:
        return "the cause"
    missed = view.health[name].count("missed")
    if name in impacted:
        return f"reached, {count(missed, 'promise')} missed there"
    return "it is made from this" if name in view.plan.upstream.get(cause, ()) else "not reached"


def mesh_map(view: MeshOverview, domains: Sequence[tuple[str, str]]) -> Markup:
    """A diagram of the mesh if it is small enough, otherwise a mosaic by domain (name and title)."""
    products = view.plan.products
    if len(products) > MOST_ARROWS:
        return mosaic([(title, f"/domains/{name}", [_tile(view, p) for p in products if p.domain == name]) for name, title in domains])
    titles = dict(domains)
    nodes, edges = list[Box](), list[Edge]()
    reached = [{stored.incident.cause, *stored.incident.impacted} for stored in view.live]
    for product in products:
        nodes.append(product_node(view, product, f"{titles.get(product.domain, product.domain)}, {met_text(view.health[product.name])}"))
        for source in view.plan.upstream[product.name]:
            hot = any({source, product.name} <= names for names in reached)
            edges.append(Edge(source, product.name, hot))
        nodes += [Box(f"{product.name}>{consumer.name}", consumer.title, consumer.kind) for consumer in product.consumers]
        edges += [Edge(product.name, f"{product.name}>{consumer.name}") for consumer in product.consumers]
    known = {node.name for node in nodes}
    return flow(nodes, [edge for edge in edges if edge.source in known], _map_label(view.plan.upstream, view.plan.products))


def _map_label(upstream: Mapping[str, tuple[str, ...]], products: Sequence[ProductPlan]) -> str:
    titles = {product.name: product.title for product in products}
    sentences = [f"{p.title} reads {listed(titles.get(name, name) for name in upstream[p.name])}" for p in products if upstream[p.name]]
    return f"{'. '.join(sentences)}." if sentences else "No product reads another."


def _tile(view: MeshOverview, product: ProductPlan) -> Tile:
    seen = look(view.health[product.name])
    return Tile(f"{product.title}: {seen.word}", seen.tone, f"/products/{product.name}")


def product_boxes(view: MeshOverview, name: str) -> list[Box]:
    """The products that read this one directly."""
    products = view.plan.by_name
    return [product_node(view, products[reader]) for reader in view.plan.downstream.get(name, ()) if reader in products]
