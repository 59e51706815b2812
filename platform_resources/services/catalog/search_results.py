"""The result of a search: products, parts of products, the reason for each hit, and facets that narrow it down."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.search_entries import ProductPart
from platform_resources.services.catalog.search_words import Correction, Piece


@dataclass(frozen=True, slots=True)
class Reason:
    """The passage that explains a hit: in the product's own text (`part` is None) or in one of its parts.

    `field` is name, title, tags, about or owners; of a part name, title, about or words.
    """

    field: str
    pieces: tuple[Piece, ...]
    part: ProductPart | None = None


@dataclass(frozen=True, slots=True)
class ProductHit:
    """A product that matched; `exact`: its name is the query. `relevance` is 1 for the best match, 0 without words."""

    product: ProductPlan
    exact: bool
    relevance: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PartHit:
    """A data set, column or sample query that matched, with its product; `exact` as in ProductHit."""

    part: ProductPart
    product: ProductPlan
    exact: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet, and how many matching products have it, ignoring other choices in the same facet."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow a search down; values ordered by frequency."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All hits of a search; `words` are the words searched for, after corrections.

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
    """The result as JSON data."""
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
