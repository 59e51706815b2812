"""Security of requests and answers: headers, host and origin checks, form tokens, size limits."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self'; style-src 'self'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # What does not say otherwise is of one reader: nothing on the way keeps it for another.
    (b"cache-control", b"private, no-cache"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_BODY = 64 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Under this name a request carries its token, or why that does not hold.
TOKEN = "mesh.token"


class FormRefused(Exception):
    """Raised for a form that this server did not issue to its sender; says what to do."""


@dataclass(frozen=True, slots=True)
class FormToken:
    """Tokens against cross-site forms, one per person."""

    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def of(self, person: str) -> str:
        """The form token of one person."""
        return hmac.new(self.secret.encode(), f"form of {person}".encode(), "sha256").hexdigest()

    def fields(self, body: bytes, person: str, most: int = 50) -> dict[str, str]:
        """The fields of a submitted form, at most so many. Raises FormRefused if its token is missing or it is not a form."""
        try:
            sent = {name: values[-1] for name, values in parse_qs(body.decode("utf-8"), max_num_fields=most).items()}
        except ValueError as error:
            raise FormRefused("This is no form. Go back and send it again.") from error
        self.check(sent.pop("token", ""), person)
        return sent

    def check(self, token: str, person: str) -> None:
        """Raises FormRefused if this is not the person's form token."""
        if not secrets.compare_digest(token.encode(), self.of(person).encode()):
            raise FormRefused(
                "This form is from before you signed in, or the server was started. Go back, load the page again, and send it once more."
            )


def headers_of(scope: Scope, name: str) -> tuple[str, ...]:
    """All headers of this name, given in lower case."""
    return tuple(value.decode("latin-1") for known, value in scope["headers"] if known.decode("latin-1") == name)


def is_this_server(host: str, hosts: frozenset[str] = frozenset()) -> bool:
    """Whether a `Host` header names this computer or one of these hosts, with or without a port."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK | hosts
    except ValueError:
        return False


class Guard:
    """Middleware that refuses foreign hosts and origins, and adds security headers. `hosts` are allowed names of this server.

    `uploads` has the addresses to which longer bodies may be sent, and how long.
    """

    def __init__(self, inner: Application, hosts: frozenset[str] = frozenset(), uploads: Mapping[str, int] = MappingProxyType({})) -> None:
        self.inner, self.hosts, self.uploads = inner, hosts, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((name, value) for name, value in HEADERS if name not in own)]
            await send(message)

        status, why = _refusal(scope, self.hosts, self.uploads.get(scope["path"], LONGEST_BODY))
        if why:
            await plain(status, why, with_headers)
        else:
            await self.inner(scope, receive, with_headers)


def _refusal(scope: Scope, hosts: frozenset[str], longest: int) -> tuple[int, str]:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if not is_this_server(host, hosts):
        return 421, "This server answers to its own name only: to localhost and 127.0.0.1, and to that of MESH_URL where people sign in."
    if scope["method"] in SAFE:
        return 0, ""
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", "same-origin")
    if (origin is not None and origin.partition("://")[2] != host) or site not in ("same-origin", "none"):
        return 403, "Forms are taken from pages of this server only."
    length = headers.get(b"content-length", "")
    if b"transfer-encoding" in headers or not length.isdigit() or int(length) > longest:
        return 413, f"A form says how long it is, and is at most {longest} bytes long."
    return 0, ""


async def plain(
    status: int, text: str, send: Send, media: bytes = b"text/plain; charset=utf-8", more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send a plain text answer, with `more` headers."""
    body = text.encode()
    headers = [(b"content-type", media), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
