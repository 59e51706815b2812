"""A cache of rendered pages and JSON, valid while nothing that they show has changed.

A page about some products is kept for some minutes as long as nothing has changed of these, by what was written or by the clock. Any other
ends with whatever is written, and after a minute. So does each page of a reader who does not see everything: what they may see can end.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.ahead.shared_pages import KeptPage, LastAsked, SeenLast, SharedPages
from platform_resources.marketplace.kept_view import TOO_OLD, Market
from platform_resources.marketplace.security import TOKEN, Application, Receive, Scope, Send
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import seen_by

# Who sends a request; None for the user of this computer, as long as nobody signs in.
Who = Callable[[Scope], Reader | None]
MOST_BYTES, MOST_READERS = 50_000_000, 100
# What a page says of ages may be so much too young; it says itself as of when it is.
KEPT_FOR = timedelta(minutes=10)
# How hard what is sent is compressed: 9 takes three times as long for 8 % less.
PACKED = 3
HTML, JSON = "text/html; charset=utf-8", "application/json"


@dataclass(slots=True)
class KeptPages:
    """The kept pages of one mesh by address: those of this process, and where readers see everything those of all processes in `shared`.

    One page is made at a time, under `making`: they share one processor, and whoever asks for the same page meanwhile gets that one.
    `server` keeps servers apart, as forms in a page are of one. Pages are made ahead as `asked` calls the server.
    `seen_last` is what the process that judges for all has told last.
    """

    market: Market
    who: Who
    server: str = ""
    shared: SharedPages | None = None
    pages: dict[str, KeptPage] = field(default_factory=dict)
    size: int = 0
    making: Lock = field(default_factory=Lock)
    views: dict[Reader, MeshOverview] = field(default_factory=dict)
    asked: LastAsked | None = None
    seen_last: SeenLast | None = None

    def current(self) -> MeshOverview | SeenLast | None:
        """What decides now which pages are current: what was told by the process that judges for all, or else the snapshot at hand."""
        seen, away = self.seen_last, self.market.patient.away_since is not None
        if seen is not None and not away and seen.at <= datetime.now(UTC) <= seen.until and seen.written == self.market.last_written():
            return seen
        return self.market.view_at_hand()

    def get(self, address: str, view: MeshOverview | SeenLast) -> KeptPage | None:
        """The kept page, if it is current as of this view."""
        page = self.pages.get(address)
        if page is not None and _is_current(page, view):
            return page
        page = self.shared.find(address) if self.shared is not None and address.startswith(self._of_all) else None
        if page is None or not _is_current(page, view):
            return None
        self._hold(address, page)
        return page

    def put(self, address: str, view: MeshOverview, text: str, media: str = HTML, about: Iterable[str] | None = None) -> KeptPage:
        """Keep a page of the view that shows no product other than those in `about`; not while the ledger does not answer."""
        body = text.encode()
        tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        known = frozenset(about) if about is not None and view.reader is None else None
        page = KeptPage(gzip.compress(body, PACKED), view.at, tag, view.mark, view.same, known, media)
        if self.market.patient.away_since is not None:  # it may lack what the ledger says
            return page
        self._hold(address, page)
        if self.shared is not None and view.reader is None and address.startswith(self._of_all):
            self.shared.put(address, page)
        return page

    def _hold(self, address: str, page: KeptPage) -> None:
        before = self.pages.pop(address, None)
        self.pages[address] = page
        self.size += len(page.packed) - (len(before.packed) if before is not None else 0)
        while self.size > MOST_BYTES:  # those that were made first go first
            self.size -= len(self.pages.pop(next(iter(self.pages))).packed)

    @property
    def _of_all(self) -> str:
        """How addresses begin of those who see everything: only their pages are shared."""
        return f"{self.server} {None!r} "

    def address(self, scope: Scope) -> str:
        """The key of a request: server, reader, host, path and query."""
        query = scope["query_string"].decode("latin-1")
        return f"{self.server} {self.who(scope)!r} {host_of(scope)} {scope['path']}?{query}"

    def seen(self, view: MeshOverview, reader: Reader | None) -> MeshOverview:
        """The view as the reader may see it, computed once for each reader."""
        if reader is None:
            return view
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        # While the ledger does not answer the view stays, and a grant in it ends by itself all the same.
        if self.market.patient.away_since is not None and minute - view.at > TOO_OLD:
            view = replace(view, granted_at=minute, same=f"{view.same} {minute}")
        seen = self.views.get(reader)
        if seen is None or (seen.at, seen.same) != (view.at, view.same) or seen.plan is not view.plan or len(self.views) > MOST_READERS:
            self.views = {known: s for known, s in self.views.items() if s.at == view.at and len(self.views) <= MOST_READERS}
            seen = self.views[reader] = seen_by(view, reader)
        return seen


def _is_current(page: KeptPage, view: MeshOverview | SeenLast) -> bool:
    age = datetime.now(UTC) - page.at
    # One of a time to come was made before the clock was set back.
    if page.same != view.same or age < timedelta(0):
        return False
    if page.at == view.at or (page.mark == view.mark and age <= TOO_OLD):
        return True
    if page.about is None or age > KEPT_FOR:
        return False
    return all(view.changed.get(name, view.at) <= page.at for name in page.about)


def host_of(scope: Scope) -> str:
    """How the request calls this server."""
    return next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")


def answer(page: KeptPage, asked: Mapping[bytes, bytes]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request with these headers. Browsers revalidate their copy each time."""
    sent = {"content-type": page.media, "cache-control": "private, no-cache", "etag": page.tag, "vary": "accept-encoding"}
    if page.tag.encode() in asked.get(b"if-none-match", b""):
        return 304, sent, b""
    is_packed = b"gzip" in asked.get(b"accept-encoding", b"")
    body = page.packed if is_packed else page.body
    return 200, sent | ({"content-encoding": "gzip"} if is_packed else {}) | {"content-length": str(len(body))}, body


class FromMemory:
    """Middleware that answers from the cache; other requests go on to the application."""

    def __init__(self, inner: Application, kept: KeptPages) -> None:
        self.inner, self.kept = inner, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = None
        # What a token may read is asked at its address.
        if scope["type"] == "http" and scope["method"] == "GET" and TOKEN not in scope:
            if (whole := self.kept.who(scope) is None) or self.kept.asked is None:
                self.kept.asked = LastAsked(datetime.now(UTC), self.kept.server if whole else "", scope["scheme"], host_of(scope))
            view = self.kept.current()
            page = self.kept.get(self.kept.address(scope), view) if view is not None else None
        if page is None:
            await self.inner(scope, receive, send)
        else:
            status, headers, body = answer(page, dict(scope["headers"]))
            listed: Any = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": listed})
            await send({"type": "http.response.body", "body": body})
