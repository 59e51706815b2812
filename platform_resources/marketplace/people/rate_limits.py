"""How many requests one person, or one address, may send within a minute."""

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
    """What was counted in the running minute, by one process. `clock` gives seconds that only grow."""

    clock: Callable[[], float] = time.monotonic
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    minute: int = -1

    def seconds_to_wait(self, name: str, most: int) -> int:
        """0 where one more is allowed, which is counted by this."""
        now = self.clock()
        if int(now // WINDOW_SECONDS) != self.minute or len(self.counts) > MOST_KNOWN:
            self.minute, self.counts = int(now // WINDOW_SECONDS), {}
        key = (name, most)
        self.counts[key] = self.counts.get(key, 0) + 1
        return 0 if self.counts[key] <= most else WINDOW_SECONDS - int(now % WINDOW_SECONDS)


class Limited:
    """Refuses with status 429 what is too much. The user of this computer may do as much as they like."""

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
