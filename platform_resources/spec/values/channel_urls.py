"""Check that an address holds no secret, since many people read the file, nor its headers, and that each `${NAME}` is well formed."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_FIELDS = frozenset({
    "accesskey", "accesstoken", "apikey", "auth", "authtoken", "authorization", "bearer", "key", "pass", "passwd", "password", "pwd",
    "secret", "secretkey", "sig", "signature", "token",
})  # fmt: skip
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONG_WORD = re.compile(r"[A-Za-z0-9]{16,}")
_SECRET_HINT = "write ${NAME} and set it in the environment"
_LONGEST_SHOWN = 40


def url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with the URL and what to do, or None. The texts never show a possible secret."""
    rest = VARIABLE.sub("", url)
    if "$" in rest:
        return _malformed(rest)
    if not VARIABLE.match(url) and "://" not in url:
        return "this is no URL", "write one such as mailto://${SMTP_HOST}/?to=team@example.com, or ${NAME} and set it in the environment"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "the URL has a space in it, or a character that cannot be seen", "write %20 for a space"
    secret = next(_secrets(url), None)
    return (f"the URL holds what looks like {secret}", _SECRET_HINT) if secret is not None else None


def _malformed(rest: str) -> tuple[str, str]:
    at = rest.index("$")
    shown = re.match(r"\$\{[^{}]*\}|\$\w*", rest[at:])
    text = shown.group() if shown is not None else "$"
    hint = "write ${NAME} with letters, digits and _; a plain $ is written %24"
    if len(text) > _LONGEST_SHOWN or text == "$":
        return "the URL has a $ that does not begin a ${NAME}", hint
    return f'"{text}" does not name a variable of the environment', hint


def _secrets(url: str) -> Iterator[str]:
    """Kinds of literal secrets, the plainest first."""
    _, scheme, after = url.partition("://")
    rest = after if scheme else url
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, host = authority.rpartition("@")
    if at and _literal(login.partition(":")[2]):
        yield "a password"
    if not at and not host.startswith("[") and not _is_port(_literal(host.partition(":")[2])):
        yield "a password or token"
    # A connection string within the address is written with %3B and %3D.
    for text in dict.fromkeys((rest, unquote(rest))):
        for field, value in re.findall(r"[?&;#]([^=&;#]+)=([^&;#]*)", text):
            if _words(field) & _SECRET_FIELDS and _literal(value):
                yield f"a secret in {field}="
    if _GUID.search(rest) or any(map(_is_random, _LONG_WORD.findall(VARIABLE.sub("/", rest)))):
        yield "a token"


def written_secrets(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Which headers or parameters are secrets by their names, and are written out instead of standing in a variable."""
    return tuple(
        name for name, value in fields.items() if isinstance(value, str) and value and _names_a_secret(name) and not VARIABLE.search(value)
    )


def _names_a_secret(name: str) -> bool:
    """`X-Api-Key` and `key`, but not `sort_key`."""
    parts = re.findall(r"[a-z]+", name.lower())
    telling = {*parts, *map("".join, pairwise(parts))} - ({"key"} if len(parts) > 1 else set())
    return bool(telling & (_SECRET_FIELDS | {"cookie"}))


def without_secrets(url: str, prefix: str) -> tuple[str, dict[str, str]]:
    """The URL with `${PREFIX_PASSWORD}` and such where it has a password or the like, and what these variables are to hold.

    Where only a part of a name looks like a secret, `${PREFIX_URL}` is to hold all of it.
    """
    variables: dict[str, str] = {}

    def named(name: str, value: str) -> str:
        variable = f"{prefix}_{'_'.join(re.findall('[A-Z0-9]+', name.upper()))}"
        variables[variable] = value
        return f"${{{variable}}}"

    before, scheme, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, host = authority.rpartition("@")
    user, colon, password = login.partition(":")
    if at and _literal(password):
        rest = f"{user}{colon}{named('password', password)}@{host}{rest.removeprefix(authority)}"

    def field(match: re.Match[str]) -> str:
        begin, name, value = match.groups()
        return f"{begin}{name}={named(name, value)}" if _words(name) & _SECRET_FIELDS and _literal(value) else match.group()

    without_secrets = f"{before}{scheme}{re.sub('([?&;#])([^=&;#]+)=([^&;#]*)', field, rest)}"
    if next(_secrets(without_secrets), None) is not None and not VARIABLE.search(url):
        return f"${{{prefix}_URL}}", {f"{prefix}_URL": url}
    return without_secrets, variables


def _literal(text: str) -> str:
    return VARIABLE.sub("", text)


def _is_port(text: str) -> bool:
    """Behind the colon of a host stands its port; some services write a token there."""
    return text == "" or (text.isdigit() and len(text) <= len("65535"))


def _words(field: str) -> set[str]:
    """`X-Api-Key` as x, api, key and xapikey."""
    parts = re.findall(r"[a-z]+", field.lower())
    return {*parts, "".join(parts)}


def _is_random(word: str) -> bool:
    return any(character.isdigit() for character in word) and any(character.isalpha() for character in word)
