"""What a search gives: products, what is in them, why each was found, and how the search can be narrowed down."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.search_entries import ProductPart
from platform_resources.services.catalog.search_words import Correction, Piece


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was found: a passage of its own text (`part` is None), or of one of its parts.

    `field` is name, title, tags, about or owners; of a part name, title, about or words.
    """

    field: str
    pieces: tuple[Piece, ...]
    part: ProductPart | None = None


@dataclass(frozen=True, slots=True)
class ProductHit:
    """A product that was found; `exact`: it is called what was searched for. `relevance` is 1 for the best match, and 0 without words."""

    product: ProductPlan
    exact: bool
    relevance: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PartHit:
    """A data set, column or sample query that was found, with the product that it belongs to; `exact` as of products."""

    part: ProductPart
    product: ProductPlan
    exact: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet, and how many of the products found have it, whatever else is chosen in the same facet."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow a search down; the most frequent value first."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found. `words` is what was searched for, after the corrections.

    `every_word` is false where nothing has all words, so that what has any of them is shown. `product_count` is of all pages. `parts` are
    those that are called what was searched for, and those in which it stands, of the best products.
    """

    words: tuple[str, ...]
    corrections: tuple[Correction, ...]
    every_word: bool
    products: tuple[ProductHit, ...]
    product_count: int
    parts: tuple[PartHit, ...]
    facets: tuple[Facet, ...]


def result_data(result: SearchResult) -> dict[str, Any]:
    """The same as plain values, for JSON."""
    return {
        "words": list(result.words),
        "corrections": [asdict(correction) for correction in result.corrections],
        "every_word": result.every_word,
        "product_count": result.product_count,
        "products": [_product_data(hit) for hit in result.products],
        "parts": [
            {**asdict(hit.part), "domain": hit.product.domain, "exact": hit.exact, "reasons": _reasons_data(hit.reasons)}
            for hit in result.parts
        ],
        "facets": {facet.name: [asdict(value) for value in facet.values] for facet in result.facets},
    }


def _product_data(hit: ProductHit) -> dict[str, Any]:
    product, info = hit.product, hit.product.info
    return {
        "name": product.name,
        "title": product.title,
        "domain": product.domain,
        "description": info.description,
        "lifecycle": info.lifecycle,
        "certified": info.certified,
        "exact": hit.exact,
        "relevance": hit.relevance,
        "reasons": _reasons_data(hit.reasons),
    }


def _reasons_data(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    return [asdict(reason) for reason in reasons]
