"""Find similar products by shared identifiers, columns, tags, words and upstream products (pure)."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.catalog.search_words import all_words

# How much each kind of likeness counts, of 1 in all.
IDENTIFIERS, COLUMNS, TAGS, UPSTREAMS, WORDS = 0.35, 0.2, 0.15, 0.15, 0.15
LEAST_LIKE, MOST_SIMILAR = 0.1, 5
# In a larger mesh a product is compared with so many: those that share with it what few have.
MOST_COMPARED = 500
# Shorter words say little about what a text is about.
SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Similar:
    """A similar product: its likeness from 0 to 1, and the traits that both share."""

    product: str
    likeness: float
    identifiers: tuple[str, ...]
    columns: tuple[str, ...]
    tags: tuple[str, ...]
    upstreams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """The traits by which a product is compared."""

    identifiers: frozenset[str]
    columns: frozenset[str]
    tags: frozenset[str]
    upstreams: frozenset[str]
    words: frozenset[str]


def traces(product: ProductPlan) -> Traces:
    """The traits of this product."""
    columns = [column for data_set in product.data_sets for column in data_set.spec.columns]
    words = all_words((product.title, product.info.description, product.info.purpose))
    return Traces(
        frozenset(column.identifier for column in columns if column.identifier),
        frozenset(column.name for column in columns),
        frozenset(product.info.tags),
        frozenset(port.upstream.product for port in product.inputs if port.upstream is not None),
        frozenset(word for word in words if len(word) >= SHORTEST_WORD),
    )


@dataclass
class Likenesses:
    """The similarities between the products of one plan, computed on first use."""

    plan: MeshPlan
    known: dict[str, tuple[Similar, ...]] = field(default_factory=dict)

    @cached_property
    def traces(self) -> Mapping[str, Traces]:
        """The traits of each product."""
        return {product.name: traces(product) for product in self.plan.products}

    @cached_property
    def having_identifier(self) -> Counter[str]:
        """How many products have a column of each identifier."""
        return Counter(identifier for known in self.traces.values() for identifier in known.identifiers)

    @cached_property
    def _having(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """Of each trait, by its kind, the products that have it."""
        having: dict[tuple[str, str], list[str]] = {}
        for name, known in self.traces.items():
            for trait in _traits(known):
                having.setdefault(trait, []).append(name)
        return having

    def _to_compare(self, own: Traces) -> Collection[str]:
        if len(self.traces) <= MOST_COMPARED:
            return self.traces
        names: dict[str, None] = {}
        for trait in sorted(_traits(own), key=lambda trait: (len(self._having.get(trait, ())), trait)):
            names |= dict.fromkeys(self._having.get(trait, ()))
            if len(names) >= MOST_COMPARED:
                break
        return list(names)[:MOST_COMPARED]

    def similar(self, product: str) -> tuple[Similar, ...]:
        """The products most similar to this one, without its direct upstream and downstream products."""
        if product not in self.known:
            near = {product, *self.plan.upstream[product], *self.plan.downstream[product]}
            own = self.traces[product]
            others = (_similar(name, own, self.traces[name]) for name in self._to_compare(own) if name not in near)
            like = [similar for similar in others if similar.likeness >= LEAST_LIKE]
            self.known[product] = tuple(sorted(like, key=lambda similar: (-similar.likeness, similar.product))[:MOST_SIMILAR])
        return self.known[product]


def _traits(known: Traces) -> Iterator[tuple[str, str]]:
    for kind in ("identifiers", "columns", "tags", "upstreams", "words"):
        for value in getattr(known, kind):
            yield kind, value


def _similar(name: str, one: Traces, other: Traces) -> Similar:
    likeness = (
        IDENTIFIERS * _overlap(one.identifiers, other.identifiers)
        + COLUMNS * _overlap(one.columns, other.columns)
        + TAGS * _overlap(one.tags, other.tags)
        + UPSTREAMS * _overlap(one.upstreams, other.upstreams)
        + WORDS * _overlap(one.words, other.words)
    )
    return Similar(
        name,
        round(likeness, 3),
        _shared(one.identifiers, other.identifiers),
        _shared(one.columns, other.columns),
        _shared(one.tags, other.tags),
        _shared(one.upstreams, other.upstreams),
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """What both have as a share of what either has (Jaccard); 0 where both have nothing."""
    return len(one & other) / len(one | other) if one | other else 0.0


def _shared(one: frozenset[str], other: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(one.intersection(other)))
