"""The map: all domains and who reads from whom, or one domain with its products and neighbours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from platform_resources.marketplace.display.diagrams import Box, Edge, Tile, flow, mosaic
from platform_resources.marketplace.display.lineage_pictures import MOST_ARROWS, mesh_map, met_text, product_node
from platform_resources.marketplace.display.phrases import TROUBLE, PageTimes, count, listed, look
from platform_resources.marketplace.home_page import page_zone, summary
from platform_resources.marketplace.shop import Missing
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.showing.mesh_overview import MeshOverview

# More boxes than these are no picture any more; of each domain that many others from which it reads most are drawn.
MOST_PRODUCTS, MOST_SOURCES = 40, 2
Reads = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class MapLine:
    """A domain or a product in words: its health, and what it reads and is read by, each with its address, title and number of reads."""

    href: str
    title: str
    health: str
    reads: tuple[tuple[str, str, int], ...]
    read_by: tuple[tuple[str, str, int], ...]


def domain_reads(plan: MeshPlan) -> Counter[tuple[str, str]]:
    """For each pair of domains, how many products of the second read products of the first."""
    domains = {product.name: product.domain for product in plan.products}
    return Counter(
        (domains[source], product.domain)
        for product in plan.products
        for source in plan.upstream[product.name]
        if source in domains and domains[source] != product.domain
    )


def map_page(view: MeshOverview) -> dict[str, Any]:
    """The context of the template `map.html` for the whole mesh."""
    titles, reads = view.plan.domain_titles, domain_reads(view.plan)
    few = len(view.plan.products) <= MOST_ARROWS
    return _shared(view) | {
        "title": "The whole mesh",
        "few": few,
        "picture": mesh_map(view, list(titles.items())) if few else _domains_picture(view, titles, reads),
        "squares": "" if few else mosaic([(title, f"/map/{name}", _tiles(view, _own(view, name))) for name, title in titles.items()]),
        "lines": [_line(view, name, titles, reads) for name in titles],
        "summary": summary(view, titles),
    }


def domain_map_page(view: MeshOverview, name: str) -> dict[str, Any]:
    """The context of the template `map.html` for one domain. Raises Missing for a domain without a product."""
    titles, own = view.plan.domain_titles, _own(view, name)
    if not own:
        raise Missing(f"There is no domain “{name}” with a product in this mesh.")
    few = len(own) <= MOST_PRODUCTS
    return _shared(view) | {
        "title": titles[name],
        "domain": name,
        "picture": _domain_picture(view, own, name, titles) if few else "",
        "squares": "" if few else mosaic([(titles[name], f"/domains/{name}", _tiles(view, own))]),
        "lines": [_product_line(view, product) for product in own],
        "summary": f"{count(len(own), 'product')}; other domains stand at the sides." if few else count(len(own), "product"),
    }


def _shared(view: MeshOverview) -> dict[str, Any]:
    return {"page": "map", "domain": "", "few": False, "times": PageTimes(view.at, page_zone(view))}


def _own(view: MeshOverview, domain: str) -> list[ProductPlan]:
    return [product for product in view.plan.products if product.domain == domain]


def _line(view: MeshOverview, name: str, titles: Mapping[str, str], reads: Reads) -> MapLine:
    healthy, counted = view.healthy_of(name)
    from_, to = ({pair: number for pair, number in reads.items() if pair[end] == name} for end in (1, 0))
    return MapLine(
        f"/map/{name}",
        titles[name],
        f"{healthy} of {counted} healthy",
        tuple((f"/map/{source}", titles[source], number) for (source, _), number in sorted(from_.items(), key=_most_first)),
        tuple((f"/map/{reader}", titles[reader], number) for (_, reader), number in sorted(to.items(), key=_most_first)),
    )


def _product_line(view: MeshOverview, product: ProductPlan) -> MapLine:
    plan, products = view.plan, view.plan.by_name
    reads, read_by = (
        tuple((f"/products/{name}", products[name].title, 1) for name in names if name in products)
        for names in (plan.upstream[product.name], plan.downstream.get(product.name, ()))
    )
    return MapLine(f"/products/{product.name}", product.title, look(view.health[product.name]).word, reads, read_by)


def _most_first(counted: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -counted[1], counted[0]


def _tiles(view: MeshOverview, products: Sequence[ProductPlan]) -> list[Tile]:
    return [Tile(f"{p.title}: {look(view.health[p.name]).word}", look(view.health[p.name]).tone, f"/products/{p.name}") for p in products]


def _domains_picture(view: MeshOverview, titles: Mapping[str, str], reads: Reads) -> Markup:
    boxes = [_domain_box(view, name, name, title) for name, title in titles.items()]
    return flow(boxes, [Edge(*pair) for pair in _drawn(view.plan, titles, reads)], _label(titles, reads))


def _domain_box(view: MeshOverview, box: str, name: str, title: str) -> Box:
    health = [view.health[product.name] for product in _own(view, name)]
    worst = min(health, key=lambda product: TROUBLE.index(product.status))
    healthy, counted = view.healthy_of(name)
    return Box(box, title, f"{healthy} of {counted} healthy", look(worst).tone, f"/map/{name}")


def _drawn(plan: MeshPlan, titles: Mapping[str, str], reads: Reads) -> list[tuple[str, str]]:
    """Arrows forward only, in the order in which data flows on the whole: what leads back too stands in the table."""
    places: dict[str, list[int]] = {}
    for place, product in enumerate(plan.products):
        places.setdefault(product.domain, []).append(place)
    middle = {name: sum(numbers) / len(numbers) for name, numbers in places.items()}
    forward = {pair: number for pair, number in reads.items() if (middle[pair[0]], pair[0]) < (middle[pair[1]], pair[1])}
    return [
        pair
        for name in titles
        for pair, _ in sorted(((pair, number) for pair, number in forward.items() if pair[1] == name), key=_most_first)[:MOST_SOURCES]
    ]


def _label(titles: Mapping[str, str], reads: Reads) -> str:
    sentences = [f"{titles[name]} reads {listed(titles[source] for source, reader in sorted(reads) if reader == name)}" for name in titles]
    return f"{'. '.join(line for line in sentences if not line.endswith('reads '))}." if reads else "No domain reads another."


def _domain_picture(view: MeshOverview, own: Sequence[ProductPlan], domain: str, titles: Mapping[str, str]) -> Markup:
    """Its products; other domains as one box at the left that is read, and one at the right that reads."""
    plan, names = view.plan, {product.name for product in own}
    nodes = [product_node(view, product, met_text(view.health[product.name])) for product in own]
    edges, around = list[Edge](), dict[str, str]()
    for product in own:
        for source in plan.upstream[product.name]:
            if source in names:
                edges.append(Edge(source, product.name))
            elif source in plan.by_name:
                other = plan.by_name[source].domain
                around[f"<{other}"] = other
                edges.append(Edge(f"<{other}", product.name))
        for reader in plan.downstream.get(product.name, ()):
            if reader not in names and reader in plan.by_name:
                other = plan.by_name[reader].domain
                around[f">{other}"] = other
                edges.append(Edge(product.name, f">{other}"))
    boxes = [_domain_box(view, box, name, titles[name]) for box, name in around.items()]
    others = listed(sorted({titles[name] for name in around.values()}))
    label = f"{count(len(own), 'product')} of {titles[domain]}" + (f", and around them {others}" if others else "")
    return flow([*nodes, *boxes], list(dict.fromkeys(edges)), f"{label}.")
