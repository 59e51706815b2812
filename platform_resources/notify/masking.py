"""What a text looks like without the secrets that are in it."""

import html
import json
import re
from collections.abc import Collection, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
# A shorter secret is hidden only where it stands alone: `a` would hide every `a`, and so tell what it is.
SHORTEST_WITHIN_WORDS = 3
SHORTEST_PART = 4
_PARTS = re.compile(r"[\s/?&=@:;,#+]+")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_ARGUMENTS = re.compile(r"([?&](?:pass|password|token|key|apikey|secret)=)[^&]*", re.IGNORECASE)


def masked(text: str, secrets: Collection[str]) -> str:
    """The text with every secret hidden, as it is or as a URL, JSON, HTML or Python would write it, whatever the case of its letters."""
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, forms)), MASK, text, flags=re.IGNORECASE) if forms else text


def parts(secret: str) -> frozenset[str]:
    """The secret and what it is made of: of a whole URL in one variable, an error shows the path without the rest, or one token of it."""
    found = _PARTS.split(_SCHEME.sub("", secret))
    return frozenset({secret, *(part for part in found if len(part) >= SHORTEST_PART)})


def url_secrets(url: str) -> frozenset[str]:
    """What is secret in a URL that is otherwise known: its password, or a user without one, and arguments that are named so."""
    try:
        split = urlsplit(url)
        hidden = split.password or split.username
    except ValueError:
        return parts(url)
    arguments = (match.group(0).partition("=")[2] for match in _SECRET_ARGUMENTS.finditer(url))
    return frozenset(secret for secret in (hidden, *arguments) if secret)


def shown_url(template: str) -> str:
    """A channel's URL as written, where `${NAME}` stands for what is secret, without passwords that stand in it all the same."""
    written = frozenset(secret for secret in url_secrets(template) if "${" not in secret)
    return masked(template, written)


def _forms(secret: str) -> Iterator[str]:
    for plain in {secret, unquote(secret)} - {""}:
        # Bytes that are no UTF-8 are lone surrogates in Python: hiding them must not fail.
        escaped = plain.encode("utf-8", "surrogatepass")
        yield from (plain, quote(escaped), quote(escaped, safe=""), quote_plus(escaped))
        yield from (repr(plain)[1:-1], json.dumps(plain)[1:-1], html.escape(plain))


def _pattern(form: str) -> str:
    exact = re.escape(form)
    return exact if len(form) >= SHORTEST_WITHIN_WORDS else rf"(?<!\w){exact}(?!\w)"
