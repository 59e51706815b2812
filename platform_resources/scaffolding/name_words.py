"""The words in a column's name, however it is written: `customerEMail`, `Kunden-Nr.`, `order_id`."""

import re
import unicodedata

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_BRACKETS = re.compile(r"[(\[]\s*([^)\]]+?)\s*[)\]]")


def name_words(name: str) -> tuple[str, ...]:
    """In small letters without accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_UMLAUTS))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(word.lower() for word in _WORD.findall(letters))


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
    found = _BRACKETS.findall(name)
    return found[-1] if found else ""
