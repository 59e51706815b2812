"""Mask known secrets, and text that looks like one."""

import html
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote, urlsplit

from platform_resources.redaction.credentials import ORDINARY, spans

MASK = "***"
Hide = Callable[[str], str]
# A shorter secret is hidden only where it stands alone: `a` would hide every `a`, and so tell what it is.
SHORTEST_WITHIN_WORDS = 3
SHORTEST_PART = 4
# From this length on, a variable's value, or what looked like a credential once, is hidden wherever it stands: shorter ones are any word.
SHORTEST_ANYWHERE = 6
_PARTS = re.compile(r"[\s/?&=@:;,#+]+")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|PWD|PW|SECRETS?|TOKENS?|KEY|APIKEY|CREDENTIALS?|AUTH|BEARER|DSN|SAS|PAT|WEBHOOK|PRIVATE)"
    r"(?:_|\d|$)|(?:PASSWORD|PASSWD|SECRET|TOKEN|APIKEY)$",
    re.IGNORECASE,
)
# What every process has: whoever reads it in a product learns no secret.
_COMMON_VARIABLES = "HOME PATH PWD OLDPWD USER LOGNAME SHELL TERM LANG LANGUAGE TZ TMPDIR HOSTNAME EDITOR PYTHONPATH VIRTUAL_ENV CI"
_EVERYBODYS = frozenset(_COMMON_VARIABLES.split())
_OWN = ("MESH_", "DAGSTER_", "LC_", "PYTHON", "PYTEST_", "XDG_")
_SECRET_ARGUMENTS = re.compile(r"([?&](?:pass|password|token|key|apikey|secret)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides these secrets in texts, and whatever looks like a credential."""

    secrets: frozenset[str] = frozenset()

    def __call__(self, text: str) -> str:
        """The text as everybody may see it. What looks like a credential in one place of it is hidden in the others too."""
        places = sorted(spans(text))
        seen = {text[begin:end] for begin, end in places}
        pieces, at = [], 0
        for begin, end in places:
            if end > at:
                pieces += [text[at:begin], MASK] if begin >= at else []
                at = max(at, end)
        return masked("".join((*pieces, text[at:])), {*self.secrets, *filter(_is_telling, seen)})


# For texts of which no secret is known beforehand.
mask = Mask()


def mask_all(environment: Mapping[str, str]) -> Mask:
    """Hides what any variable holds, whatever it is called: for errors that nobody foresaw, of code that may have read each of them."""
    return Mask(environment_secrets(environment, environment.keys()))


def environment_secrets(environment: Mapping[str, str], named: Collection[str]) -> frozenset[str]:
    """Secret values of the environment: of variables called password, token or key, and of those that the mesh names.

    Not hidden are values shorter than six characters, ordinary words, and of a variable that is not called a secret also folders and
    numbers. Of an address that is not called one, the password and such are hidden.
    """
    secrets: set[str] = set()
    for name, value in environment.items():
        value = value.strip()
        secret = bool(_SECRET_NAME.search(name)) and name not in _EVERYBODYS
        if secret or (name in named and name not in _EVERYBODYS and not name.startswith(_OWN)):
            secrets |= {value, *value.splitlines()} if secret or not _is_harmless(value) else set()
        secrets |= {value[begin:end] for begin, end in spans(value)}
        secrets |= url_secrets(value) if "://" in value else set()
    return frozenset(filter(_is_telling, secrets))


def _is_telling(secret: str) -> bool:
    return len(secret) >= SHORTEST_ANYWHERE and secret.lower() not in ORDINARY


def _is_harmless(value: str) -> bool:
    """A folder, a number, an address: an error without it helps nobody. Passwords within an address are found by themselves."""
    return value.startswith(("/", "./", "~")) or value.replace(".", "").isdigit() or bool(_SCHEME.match(value))


def masked(text: str, secrets: Collection[str]) -> str:
    """The text with every secret hidden, as it is or as a URL, JSON, HTML or Python would write it, whatever the case of its letters."""
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, forms)), MASK, text, flags=re.IGNORECASE) if forms else text


def parts(secret: str) -> frozenset[str]:
    """The secret and what it is made of: of a whole URL in one variable, an error shows the path without the rest, or one token of it."""
    pieces = _PARTS.split(_SCHEME.sub("", secret))
    return frozenset({secret, *(part for part in pieces if len(part) >= SHORTEST_PART)})


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
