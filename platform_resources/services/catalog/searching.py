"""Search products and their parts by words: exact names first, then relevance; trust and usage break ties; retired products are last."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import chain, islice

from platform_resources.promises.grades import ProductHealth
from platform_resources.services.catalog.search_entries import ProductPart
from platform_resources.services.catalog.search_index import LISTED, SearchIndex, matching
from platform_resources.services.catalog.search_results import Facet, FacetValue, PartHit, ProductHit, Reason, SearchResult
from platform_resources.services.catalog.search_words import corrected, has_every, marked, words_of
from platform_resources.services.trust import Trust

FACETS = ("domain", "archetype", "class", "lifecycle", "certified", "health", "tags")
# Where health decides between equals, better health comes first; what is not in the list comes last.
HEALTH_ORDER = ("healthy", "use with care", "unknown", "unhealthy")
# Relevances that differ by less than this share of the best are equal.
STEP = 0.1
PRODUCTS_ON_PAGE, PARTS_ON_PAGE, MOST_REASONS = 20, 20, 3
# Parts that are not called what was searched for are listed of the best so many products.
LISTED_OF = 20


@dataclass(frozen=True, slots=True)
class ProductSignals:
    """Ranking signals of a product: its health, and its number of reads in the last 30 days."""

    health: str = ""
    reads: int = 0


Values = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Reputation:
    """Facets and usage of all products of an index, by number; `places` is each product's rank by trust and usage.

    Products with the same facet values are of one kind, so that counting them looks at each product once: `kinds` says which of `values`.
    """

    kinds: tuple[int, ...]
    values: tuple[Values, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Search:
    """One search under way: the name that is looked for, the forms of each word, and all of them together."""

    index: SearchIndex
    name: str
    forms: tuple[frozenset[str], ...]
    any_form: frozenset[str]
    every_word: bool


def signals(health: Iterable[ProductHealth], trusted: Mapping[str, Trust]) -> dict[str, ProductSignals]:
    """The ranking signals of products whose health and trust are known."""
    return {graded.product: ProductSignals(graded.status, trusted[graded.product].reads.count) for graded in health}


def reputation(index: SearchIndex, signals: Mapping[str, ProductSignals]) -> Reputation:
    """Rank products by trust and usage: certified first, then health, then reads, then name."""
    products = index.plan.products
    known = [signals.get(product.name, ProductSignals()) for product in products]

    def trusted(number: int) -> tuple[bool, int, int, str]:
        health, product = known[number].health, products[number]
        order = HEALTH_ORDER.index(health) if health in HEALTH_ORDER else len(HEALTH_ORDER)
        return not product.info.certified, order, -known[number].reads, product.name

    places = dict(zip(sorted(range(len(products)), key=trusted), range(len(products)), strict=True))
    health = [(signal.health,) if signal.health else () for signal in known]
    values = list(zip(*({**index.facets, "health": health}[facet] for facet in FACETS), strict=True))
    kinds = {value: kind for kind, value in enumerate(dict.fromkeys(values))}
    return Reputation(tuple(kinds[value] for value in values), tuple(kinds), tuple(places[number] for number in range(len(products))))


def search(
    index: SearchIndex,
    text: str,
    known: Reputation,
    chosen: Mapping[str, Collection[str]] | None = None,
    first: int = 0,
    most: int = PRODUCTS_ON_PAGE,
) -> SearchResult:
    """Search for the words of a query; without words it returns all products. Never raises for any input text.

    `chosen` has the wanted values by facet: one of them in each. `first` is the place of the first product to give.
    """
    words, corrections = corrected(words_of(text), index.words, lambda word: bool(index.forms(word)))
    forms = tuple(index.forms(word) for word in words)
    relevances, every_word = _relevances(index, words)
    wanted = {place: frozenset(chosen[facet]) for place, facet in enumerate(FACETS) if chosen and chosen.get(facet)}
    counts = Counter(map(known.kinds.__getitem__, relevances))
    passing = {kind for kind in counts if _passes(known.values[kind], wanted)}
    kept = [number for number in relevances if known.kinds[number] in passing] if wanted else list(relevances)
    under_way = _Search(index, " ".join(words), forms, frozenset(chain.from_iterable(forms)), every_word)
    ordered = _ordered(under_way, kept, relevances, known, max(first + most, LISTED_OF))
    best = max(relevances.values(), default=0.0) or 1.0
    return SearchResult(
        words=words,
        corrections=corrections,
        every_word=every_word,
        products=tuple(_product_hit(under_way, number, relevances[number] / best) for number in ordered[first : first + most]),
        product_count=len(kept),
        parts=tuple(islice(_part_hits(under_way, ordered[:LISTED_OF], {*kept}), PARTS_ON_PAGE)) if words else (),
        facets=tuple(_facet(place, counts, known.values, wanted) for place in range(len(FACETS))),
    )


def _relevances(index: SearchIndex, words: Collection[str]) -> tuple[dict[int, float], bool]:
    """The products that have every word; those that have any of them where none has all. Without words, every product."""
    if not words:
        return dict.fromkeys(range(len(index.plan.products)), 0.0), True
    relevances = index.relevances(matching(words))
    if relevances or len(words) == 1:
        return relevances, True
    return index.relevances(matching(words, every=False)), False


def _ordered(under_way: _Search, numbers: list[int], relevances: Mapping[int, float], known: Reputation, most: int) -> list[int]:
    """The best products, at most `most` of them: of those only as relevant as these, trust and use decide.

    A retired one is less relevant than any other.
    """
    best = max(relevances.values(), default=0.0) or 1.0
    step, products = STEP * best, under_way.index.plan.products
    retired = {number for number in numbers if products[number].info.lifecycle == "retired"}
    weights = {number: relevances[number] - (2 * best if number in retired else 0.0) for number in numbers}
    exact = {*under_way.index.named.get(under_way.name, ())} - retired
    least = min(nlargest(most, weights.values()), default=0.0)
    candidates = [number for number in numbers if weights[number] >= least - step or number in exact]
    steps = {number: round(weights[number] / step) for number in candidates}
    return nsmallest(most, candidates, key=lambda number: (number not in exact, -steps[number], known.places[number]))


def _passes(values: Values, wanted: Mapping[int, frozenset[str]], besides: int = -1) -> bool:
    """Whether these facet values have one of those wanted in each facet, `besides` one."""
    return all(place == besides or not chosen.isdisjoint(values[place]) for place, chosen in wanted.items())


def _facet(place: int, kinds: Mapping[int, int], values: Sequence[Values], wanted: Mapping[int, frozenset[str]]) -> Facet:
    """What is chosen in a facet does not narrow its own counts, or nothing else could be chosen beside it."""
    chosen = wanted.get(place, frozenset())
    counts = Counter(dict.fromkeys(chosen, 0))
    for kind, count in kinds.items():
        if _passes(values[kind], wanted, besides=place):
            counts.update(dict.fromkeys(values[kind][place], count))
    ordered = sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
    return Facet(FACETS[place], tuple(FacetValue(value, count, value in chosen) for value, count in ordered))


def _product_hit(under_way: _Search, number: int, relevance: float) -> ProductHit:
    exact = number in under_way.index.named.get(under_way.name, ())
    return ProductHit(under_way.index.plan.products[number], exact, round(relevance, 3), tuple(_reasons(under_way, number)))


def _reasons(under_way: _Search, number: int) -> Iterator[Reason]:
    """Its own texts first, then some of its parts, those that have every word before others."""
    texts = under_way.index.texts(number)
    for field, text in texts.own:
        if pieces := marked(text, under_way.any_form):
            yield Reason(field, pieces)
    having = [ready for ready in texts.parts if not ready.words.isdisjoint(under_way.any_form)]
    for ready in sorted(having, key=lambda ready: not has_every(ready.words, under_way.forms))[:MOST_REASONS]:
        yield next(_reasons_of(ready.part, under_way))


def _reasons_of(part: ProductPart, under_way: _Search) -> Iterator[Reason]:
    marked_texts = ((field, marked(text, under_way.any_form)) for field, text in part.texts)
    return (Reason(field, pieces, part) for field, pieces in marked_texts if pieces)


def _part_hits(under_way: _Search, ordered: Collection[int], kept: Collection[int]) -> Iterator[PartHit]:
    """Parts that are called so, in any product; then those of the best products that have every word."""
    products = under_way.index.plan.products
    named = [(number, part) for number, part in under_way.index.parts_named.get(under_way.name, ()) if number in kept]
    named.sort(key=lambda pair: products[pair[0]].info.lifecycle == "retired")
    for number, part in named:
        yield PartHit(part, products[number], True, tuple(_reasons_of(part, under_way)))
    for number in ordered:
        for ready in under_way.index.texts(number).parts:
            part = ready.part
            if part.kind in LISTED and has_every(ready.words, under_way.forms) and (number, part) not in named:
                yield PartHit(part, products[number], False, tuple(_reasons_of(part, under_way)))
