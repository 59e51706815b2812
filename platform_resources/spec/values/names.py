"""Names of things: which are valid, and which a warehouse considers the same."""

import re

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
LONGEST_NAME = 100
_ABBREVIATION = re.compile(
    r"api|apac|b2b|b2c|bi|crm|csv|dach|emea|erp|esg|eu|gdpr|gps|hr|id|iot|ip|kpi|sku|sql|uk|url|usa|vat", re.IGNORECASE
)


def is_name(text: str) -> bool:
    """Whether `text` is a valid name of a product, port or model: lower snake case."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def slug(text: str) -> str:
    """The nearest valid name for free text: `JDBC-Port of DP x` becomes `jdbc_port_of_dp_x`; empty if no character is left."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"n_{plain}" if plain[:1].isdigit() else plain


def title_of_name(name: str) -> str:
    """The title of what has only a name: `sales_eu` becomes `Sales EU`."""
    words = re.split(r"[_\s-]+", name.strip("_- ")) if name else []
    text = " ".join(word.upper() if _ABBREVIATION.fullmatch(word) else word for word in words)
    return f"{text[:1].upper()}{text[1:]}" or name


def fold(name: str) -> str:
    """The form in which names collide in a warehouse: `a-b`, `a_b` and `A_b` fold together."""
    return re.sub(r"[^a-z0-9]", "_", name.lower())


def any_case(*words: str) -> str:
    """A regular expression for these words in capitals or not, with spaces or _ for -; JSON Schema has no flag for that."""
    return r"^\s*(" + "|".join("".join(map(_any_case, word)) for word in words) + r")\s*$"


def _any_case(letter: str) -> str:
    if letter == "-":
        return r"[\s_-]+"
    return f"[{letter.upper()}{letter}]" if letter.isalpha() else re.escape(letter)
