"""The full-text index of a plan: SQLite's FTS5, in memory.

It stays in memory, and is made anew with each plan: that takes a small part of the time in which the plan itself is read, and no file
can be behind the plan, or wait for a lock. It holds no texts: the plan has them.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.catalog.search_entries import ProductPart, own_texts, parts
from platform_resources.services.catalog.search_words import all_words, folded_name, words_in

_WORDS_AS = "tokenize = 'porter unicode61 remove_diacritics 2', content = ''"
# How much a word counts by the field that it stands in: name, title, tags, about, owners, and whatever the product consists of.
_WEIGHTS = "10, 8, 5, 3, 2, 1"
LISTED = ("data set", "column", "query")


# The texts of so many products are kept ready to be shown.
MOST_READY = 2_000


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """A part of a product, and the set of all words in its texts."""

    part: ProductPart
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadyTexts:
    """A product's own texts and its parts, prepared for explaining search hits."""

    own: tuple[tuple[str, str], ...]
    parts: tuple[ReadyPart, ...]


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """The search index of one plan; safe to share between threads. A product's number is its position in the plan.

    `words` are all words of its texts. `named` has the products, and `parts_named` the parts, that are called so, by the folded name.
    """

    plan: MeshPlan
    words: tuple[str, ...]
    named: dict[str, list[int]]
    parts_named: dict[str, list[tuple[int, ProductPart]]]
    facets: dict[str, list[tuple[str, ...]]]
    database: sqlite3.Connection
    ready: dict[int, ReadyTexts] = field(default_factory=dict)
    known_forms: dict[str, frozenset[str]] = field(default_factory=dict)

    def texts(self, number: int) -> ReadyTexts:
        """The texts of a product, cached after the first use."""
        texts = self.ready.get(number)
        if texts is None:
            if len(self.ready) >= MOST_READY:
                self.ready.clear()
            product = self.plan.products[number]
            within = tuple(ReadyPart(part, words_in(text for _, text in part.texts)) for part in parts(product))
            texts = self.ready[number] = ReadyTexts(own_texts(product), within)
        return texts

    def relevances(self, match: str) -> dict[int, float]:
        """The relevance of each matching product, by number; higher is better."""
        query = f"select rowid, -bm25(products, {_WEIGHTS}) from products where products match ?"
        return dict(self.database.execute(query, (match,)).fetchall())

    def forms(self, word: str) -> frozenset[str]:
        """Every indexed word that this search word matches: other forms, and words that begin with it."""
        if word in self.known_forms:
            return self.known_forms[word]
        numbers = self.database.execute("select rowid from forms where forms match ?", (matching((word,)),)).fetchall()
        if len(self.known_forms) >= MOST_READY:
            self.known_forms.clear()
        return self.known_forms.setdefault(word, frozenset(self.words[number] for (number,) in numbers))


def matching(words: Iterable[str], every: bool = True) -> str:
    """The FTS5 query for all of the words, or any of them; words of two letters or more also match as prefixes.

    A whole word counts more than a beginning, since it matches twice. No word has a quote in it, so none can end what it stands in.
    """
    terms = [f'("{word}" OR "{word}" *)' if len(word) > 1 else f'"{word}"' for word in words]
    return (" AND " if every else " OR ").join(terms)


def search_index(plan: MeshPlan) -> SearchIndex:
    """Build the index of one plan; a changed plan needs a new index."""
    rows = [_row(product) for product in plan.products]
    words = all_words(text for row in rows for text in row)
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute(f"create virtual table products using fts5(name, title, tags, about, owners, parts, {_WORDS_AS})")
    database.execute(f"create virtual table forms using fts5(word, {_WORDS_AS})")
    numbered = ((number, *row) for number, row in enumerate(rows))
    database.executemany("insert into products(rowid, name, title, tags, about, owners, parts) values (?, ?, ?, ?, ?, ?, ?)", numbered)
    database.executemany("insert into forms(rowid, word) values (?, ?)", enumerate(words))
    database.commit()
    return SearchIndex(plan, words, _named(plan), _parts_named(plan), _facets(plan.products), database)


def _row(product: ProductPlan) -> tuple[str, ...]:
    inside = " ".join(text for part in parts(product) for _, text in part.texts if text)
    return (*(text for _, text in own_texts(product)), inside)


def _named(plan: MeshPlan) -> dict[str, list[int]]:
    named: dict[str, list[int]] = {}
    for number, product in enumerate(plan.products):
        for name in {folded_name(product.name), folded_name(product.title)}:
            named.setdefault(name, []).append(number)
    return named


def _parts_named(plan: MeshPlan) -> dict[str, list[tuple[int, ProductPart]]]:
    named: dict[str, list[tuple[int, ProductPart]]] = {}
    for number, product in enumerate(plan.products):
        for part in parts(product):
            for name in _names(part):
                named.setdefault(name, []).append((number, part))
    return named


def _names(part: ProductPart) -> Iterator[str]:
    if part.kind in LISTED:
        yield from {folded_name(name) for name in (part.name, part.title) if name}


def _facets(products: Iterable[ProductPlan]) -> dict[str, list[tuple[str, ...]]]:
    """Of each facet that the plan decides, the values of every product, by its number."""
    infos = [product.info for product in products]
    return {
        "domain": [(product.domain,) for product in products],
        "archetype": [(info.archetype,) if info.archetype else () for info in infos],
        "class": [(info.class_,) for info in infos],
        "lifecycle": [(info.lifecycle,) for info in infos],
        "certified": [("yes" if info.certified else "no",) for info in infos],
        "tags": [info.tags for info in infos],
    }
