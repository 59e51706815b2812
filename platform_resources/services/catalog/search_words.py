"""Split a query into words, correct typing errors by known words, and mark matches in a text."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

# `_` parts words as the index does, so `purchase_orders` and `purchase orders` are one search.
_WORD = re.compile(r"[^\W_]+")
MOST_WORDS, LONGEST_WORD = 16, 60
# Of a word so short every other one is near.
SHORTEST_CORRECTED = 4
# The share of letters that must be right.
NEAREST, MOST_COMPARED = 0.7, 20
# How much of a text is shown around what was found in it.
BEFORE, PASSAGE = 30, 160


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that occurs nowhere, and the known word that was searched for instead."""

    typed: str
    taken: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a passage; `marked` if it matched."""

    text: str
    marked: bool


def words_of(text: str) -> tuple[str, ...]:
    """The words of a query in lower case, without duplicates; a very long query is cut."""
    begin = text[: 4 * MOST_WORDS * LONGEST_WORD]
    return tuple(dict.fromkeys(word.casefold()[:LONGEST_WORD] for word in _WORD.findall(begin)))[:MOST_WORDS]


def all_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Every word of these texts in lower case, sorted."""
    return tuple(sorted(words_in(texts)))


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """Every word of these texts in lower case."""
    return frozenset(word for text in texts for word in _WORD.findall(text.casefold()))


def folded_name(text: str) -> str:
    """A name in the form used for comparison: `Purchase orders`, `purchase_orders` and `purchase-orders` are equal."""
    return " ".join(_WORD.findall(text.casefold()))


def corrected(
    words: Iterable[str], known: Sequence[str], is_known: Callable[[str], bool]
) -> tuple[tuple[str, ...], tuple[Correction, ...]]:
    """The words with unknown ones replaced by the nearest known ones, and the corrections that were made."""
    taken, corrections = [], []
    for word in words:
        nearest = "" if is_known(word) else _nearest(word, known)
        taken.append(nearest or word)
        if nearest:
            corrections.append(Correction(word, nearest))
    return tuple(dict.fromkeys(taken)), tuple(corrections)


def _nearest(word: str, known: Sequence[str]) -> str:
    """Empty if none is near. Swapped neighbours count as one error; of words as near, one as long is taken, then the alphabet's first."""
    if len(word) < SHORTEST_CORRECTED:
        return ""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    similar = extract(word, known, scorer=OSA.normalized_similarity, score_cutoff=NEAREST, limit=MOST_COMPARED)
    return min(similar, key=lambda near: (-near[1], abs(len(near[0]) - len(word)), near[0]))[0] if similar else ""


def has_every(words: Collection[str], forms: Iterable[frozenset[str]]) -> bool:
    """Whether these words contain a form of every search word; `forms` has the forms of each."""
    return all(not spellings.isdisjoint(words) for spellings in forms)


def marked(text: str, forms: Collection[str]) -> tuple[Piece, ...]:
    """A passage of the text with every matching word marked; empty if none matches."""
    spans = [match.span() for match in _WORD.finditer(text) if match.group().casefold() in forms]
    if not spans:
        return ()
    first = _beginning_of_word(text, max(0, spans[0][0] - BEFORE))
    last = _end_of_word(text, max(first + PASSAGE, spans[0][1]))
    pieces, place = [Piece("…" if first else "", False)], first
    for begin, end in spans:
        if end <= last:
            pieces += [Piece(text[place:begin], False), Piece(text[begin:end], True)]
            place = end
    pieces.append(Piece(text[place:last] + ("…" if last < len(text) else ""), False))
    return tuple(piece for piece in pieces if piece.text)


def _beginning_of_word(text: str, place: int) -> int:
    return text.rfind(" ", 0, place) + 1 if place else 0


def _end_of_word(text: str, place: int) -> int:
    space = text.find(" ", place)
    return len(text) if place >= len(text) or space < 0 else space
