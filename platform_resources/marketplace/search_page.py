"""The search page: products with the reason for each hit, then parts of products, and facets."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.home_page import page_zone, product_row
from platform_resources.marketplace.kept_view import Market
from platform_resources.promises.grades import Status
from platform_resources.services.catalog.search_results import Facet, ProductHit, Reason, SearchResult
from platform_resources.services.catalog.search_words import Piece
from platform_resources.services.catalog.searching import FACETS, PRODUCTS_ON_PAGE, search
from platform_resources.services.showing.mesh_overview import MeshOverview

LONGEST_QUERY = 200
TITLES = {
    "domain": "Domain",
    "health": "Health",
    "archetype": "Kind",
    "class": "Class",
    "lifecycle": "Stage",
    "certified": "Certified",
    "tags": "Tags",
}
FIELDS = {"name": "Name", "title": "Title", "tags": "Tags", "about": "About", "owners": "Owner", "words": ""}
KINDS = {"data set": "Table", "column": "Column", "query": "Query", "port": "Port", "promise": "Promise", "consumer": "Used by"}
MOST_TAGS = 12


def search_result(market: Market, view: MeshOverview, text: str, chosen: Mapping[str, Sequence[str]], first: int = 0) -> SearchResult:
    """Search the products of the view; long queries are cut."""
    index, known = market.search(view)
    return search(index, text[:LONGEST_QUERY], known, chosen, first)


def search_page(market: Market, view: MeshOverview, text: str, chosen: Mapping[str, Sequence[str]], first: int) -> dict[str, Any]:
    """The context of the template `search.html`."""
    result = search_result(market, view, text, chosen, first)
    titles = view.plan.domain_titles
    return {
        "page": "search",
        "times": PageTimes(view.at, page_zone(view)),
        "query": text[:LONGEST_QUERY],
        "result": result,
        "rows": [(hit, product_row(view, hit.product), _title(hit), why_found(hit)) for hit in result.products],
        "parts": [(hit, passages(hit.reasons)) for hit in result.parts],
        "kinds": KINDS,
        "titles": titles,
        "facets": [
            (TITLES[facet.name], facet.name, _values(facet, titles)) for name in TITLES for facet in result.facets if facet.name == name
        ],
        "narrowed": any(chosen.values()),
        "before": _address(text, chosen, first - PRODUCTS_ON_PAGE) if first > 0 else "",
        "after": _address(text, chosen, first + PRODUCTS_ON_PAGE) if first + PRODUCTS_ON_PAGE < result.product_count else "",
        "first": first,
    }


def _address(text: str, chosen: Mapping[str, Sequence[str]], first: int) -> str:
    pairs = [("q", text), *((name, value) for name, values in chosen.items() for value in values), ("first", str(max(0, first)))]
    return f"/search?{urlencode(pairs)}"


def _values(facet: Facet, titles: Mapping[str, str]) -> list[tuple[str, str, int, bool]]:
    """Value, words, count and whether it is chosen; of very many tags the most frequent."""
    shown = [value for value in facet.values if value.count or value.chosen]
    return [(value.value, facet_words(facet.name, value.value, titles), value.count, value.chosen) for value in shown[:MOST_TAGS]]


def facet_words(facet: str, value: str, titles: Mapping[str, str]) -> str:
    """The label of a facet value: `As the source delivers` for the archetype `source-aligned`."""
    match facet:
        case "domain":
            return titles.get(value, value)
        case "archetype":
            return phrases.ARCHETYPES.get(value, value)
        case "class":
            return phrases.CLASSES.get(value, value)
        case "lifecycle":
            return phrases.LIFECYCLES.get(value, value)
        case "health":
            known: Mapping[str, Status] = {status: status for status in phrases.HEALTH}
            return phrases.HEALTH[known[value]].word if value in known else value
        case "certified":
            return {"yes": "Certified", "no": "Not certified"}.get(value, value)
        case _:
            return value


def _title(hit: ProductHit) -> Markup:
    reason = next((reason for reason in hit.reasons if reason.field == "title" and reason.part is None), None)
    return marked(reason.pieces) if reason is not None else escape(hit.product.title)


def why_found(hit: ProductHit) -> list[tuple[str, Markup]]:
    """The passages that match, without the title, which is shown anyway."""
    places = [(_field(r), marked(r.pieces)) for r in hit.reasons if not (r.part is None and r.field in ("title", "name"))]
    return places[:3]


def _field(reason: Reason) -> str:
    if reason.part is None:
        return FIELDS[reason.field]
    name = f" {reason.part.title or reason.part.name}" if reason.field not in ("name", "title") else ""
    return f"{KINDS[reason.part.kind]}{name}"


def passages(reasons: Sequence[Reason]) -> dict[str, Markup]:
    """The marked texts of these reasons by field."""
    return {reason.field: marked(reason.pieces) for reason in reasons}


def marked(pieces: Sequence[Piece]) -> Markup:
    """A text as HTML with the matching words marked."""
    return Markup("".join(f"<mark>{escape(piece.text)}</mark>" if piece.marked else str(escape(piece.text)) for piece in pieces))


def chosen_facets(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The facets in a query string, ignoring other parameters."""
    return {facet: [value for name, value in pairs if name == facet and value] for facet in FACETS}
