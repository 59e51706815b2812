"""What every answer says to browsers, and which requests are refused: foreign hosts, foreign origins, bodies that are too long."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
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
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_BODY = 64 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class FormRefused(Exception):
    """Raised for a form that this server did not give to the reader; the message says what to do."""


@dataclass(frozen=True, slots=True)
class FormToken:
    """A secret of this process that forms carry back: a page of another site can send a form here, but cannot know it."""

    value: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def fields(self, body: bytes) -> dict[str, str]:
        """The fields of a form that was sent. Raises FormRefused if it lacks the token, or is no form."""
        try:
            found = {name: values[-1] for name, values in parse_qs(body.decode("utf-8"), max_num_fields=50).items()}
        except ValueError as error:
            raise FormRefused("This is no form. Go back and send it again.") from error
        if not secrets.compare_digest(found.pop("token", "").encode(), self.value.encode()):
            raise FormRefused("This form is from before the server was started anew. Go back, load the page again, and send it once more.")
        return found


def is_loopback(host: str) -> bool:
    """Whether a `Host` header names this computer, with or without a port."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


class Guard:
    """Refuses what comes from elsewhere, and adds the headers of all answers."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((name, value) for name, value in HEADERS if name not in own)]
            await send(message)

        status, why = _refusal(scope)
        if why:
            await _plain(status, why, with_headers)
        else:
            await self.inner(scope, receive, with_headers)


def _refusal(scope: Scope) -> tuple[int, str]:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if not is_loopback(host):
        return 421, "This server answers to localhost and 127.0.0.1 only."
    if scope["method"] in SAFE:
        return 0, ""
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", "same-origin")
    if (origin is not None and urlsplit(origin).netloc != host) or site not in ("same-origin", "none"):
        return 403, "Forms are taken from pages of this server only."
    length = headers.get(b"content-length", "")
    if not length.isdigit() or int(length) > LONGEST_BODY:
        return 413, f"A form says how long it is, and is at most {LONGEST_BODY} bytes long."
    return 0, ""


async def _plain(status: int, text: str, send: Send) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
