"""Limit the number of requests per minute, by person or address."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from platform_resources.marketplace.kept_pages import Who
from platform_resources.marketplace.people.identity import NOBODY
from platform_resources.marketplace.security import SAFE, Application, Receive, Scope, Send, plain

WINDOW_SECONDS = 60
PAGES, FORMS, SIGN_INS = 1200, 60, 20
MOST_KNOWN = 10_000


@dataclass(slots=True)
class RateLimits:
    """The counts of the current minute in one process. `clock` is a monotonic clock in seconds."""

    clock: Callable[[], float] = time.monotonic
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    minute: int = -1

    def seconds_to_wait(self, name: str, most: int) -> int:
        """0 if another request is allowed, which this counts; otherwise the seconds until one is."""
        now = self.clock()
        if int(now // WINDOW_SECONDS) != self.minute or len(self.counts) > MOST_KNOWN:
            self.minute, self.counts = int(now // WINDOW_SECONDS), {}
        key = (name, most)
        self.counts[key] = self.counts.get(key, 0) + 1
        return 0 if self.counts[key] <= most else WINDOW_SECONDS - int(now % WINDOW_SECONDS)


class Limited:
    """Middleware that answers excess requests with 429; this computer's user has no limit."""

    def __init__(self, inner: Application, who: Who, limits: RateLimits) -> None:
        self.inner, self.who, self.limits = inner, who, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reader = self.who(scope) if scope["type"] == "http" else None
        if reader is None:
            await self.inner(scope, receive, send)
            return
        name = reader.name if reader != NOBODY else f"address {(scope.get('client') or ('', 0))[0]}"
        most = SIGN_INS if scope["path"].startswith("/sign-in") else PAGES if scope["method"] in SAFE else FORMS
        wait = self.limits.seconds_to_wait(name, most)
        if wait:
            await plain(429, f"Too many requests: {most} are allowed in a minute.", send, more=((b"retry-after", str(wait).encode()),))
        else:
            await self.inner(scope, receive, send)
