"""The words in a column's name, however it is written: `customerEMail`, `Kunden-Nr.`, `order_id`."""

import re
import unicodedata

_WORD = re.compile(r"\d+|[^\W\d_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_BRACKETS = re.compile(r"[(\[]\s*([^)\]]+?)\s*[)\]]")


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case and without accents."""
    plain = unicodedata.normalize("NFC", name)
    parted = "".join(f" {letter}" if _begins(plain, place) else letter for place, letter in enumerate(plain))
    return tuple(without_accents(word) for word in _WORD.findall(parted))


def _begins(name: str, place: int) -> bool:
    """Whether a word begins at this capital: behind a small letter, or as the last of several capitals, as the M in `EMail`."""
    before, after = name[place - 1 : place], name[place + 1 : place + 2]
    return name[place].isupper() and (before.islower() or (before.isupper() and after.islower()))


def without_accents(text: str) -> str:
    """The text in lower case, as typed without accents: `Umsätze` becomes `umsaetze`."""
    written = unicodedata.normalize("NFC", text.lower()).translate(_UMLAUTS)
    return "".join(letter for letter in unicodedata.normalize("NFKD", written) if not unicodedata.combining(letter))


def word_set(text: str) -> frozenset[str]:
    """The words of a text, to be known by."""
    return frozenset(text.split())


def known_in(name: str, known: frozenset[str]) -> str:
    """The first word, or two or three words next to each other written as one, that is among those known; empty if none is."""
    words = name_words(name)
    for length in (3, 2, 1):
        for first in range(len(words) - length + 1):
            joined = "".join(words[first : first + length])
            if joined in known:
                return joined
    return ""


def in_brackets(name: str) -> str:
    """What stands in the last brackets of a name: `EUR` of `Umsatz (EUR)`."""
    texts = _BRACKETS.findall(name)
    return texts[-1] if texts else ""
