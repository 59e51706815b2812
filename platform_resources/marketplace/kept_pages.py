"""A cache of rendered pages and JSON, valid while nothing that they show has changed.

A page about some products is kept for some minutes as long as nothing has changed of these, by what was written or by the clock. Any other
ends with whatever is written, and after a minute. So does each page of a reader who does not see everything: what they may see can end.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.kept_view import TOO_OLD, Market
from platform_resources.marketplace.security import TOKEN, Application, Receive, Scope, Send
from platform_resources.services.showing.mesh_overview import LedgerMark, MeshOverview
from platform_resources.services.showing.seen_mesh import seen_by

# Who sends a request; None for the user of this computer, as long as nobody signs in.
Who = Callable[[Scope], Reader | None]
MOST_BYTES, MOST_READERS = 200_000_000, 100
# What a page says of ages may be so much too young; it says itself as of when it is.
KEPT_FOR = timedelta(minutes=10)
HTML, JSON = "text/html; charset=utf-8", "application/json"


@dataclass(slots=True)
class KeptPage:
    """One cached page, compressed. `about` are the products it shows; None: the whole mesh."""

    packed: bytes
    at: datetime
    tag: str
    mark: LedgerMark
    about: frozenset[str] | None = None
    media: str = HTML

    @property
    def body(self) -> bytes:
        """The uncompressed page."""
        return gzip.decompress(self.packed)


@dataclass(slots=True)
class KeptPages:
    """The cached pages of one mesh by address; changes of specs or of grants clear the cache.

    One page is made at a time, under `making`: they share one processor, and whoever asks for the same page meanwhile gets that one.
    `asked_by` is the last request of somebody who sees everything: pages are made ahead as for them.
    """

    market: Market
    who: Who
    pages: dict[str, KeptPage] = field(default_factory=dict)
    made_from: MeshOverview | None = None
    size: int = 0
    making: Lock = field(default_factory=Lock)
    views: dict[Reader, MeshOverview] = field(default_factory=dict)
    asked_by: Scope | None = None

    def get(self, address: str, view: MeshOverview) -> KeptPage | None:
        """The cached page, if it is still current."""
        page = self.pages.get(address)
        if page is None or not self._same(view):
            return None
        age = datetime.now(UTC) - page.at
        if page.at == view.at or (page.mark == view.mark and age <= TOO_OLD):
            return page
        if page.about is None or age > KEPT_FOR:
            return None
        return page if all(view.changed.get(name, view.at) <= page.at for name in page.about) else None

    def put(self, address: str, view: MeshOverview, text: str, media: str = HTML, about: Iterable[str] | None = None) -> KeptPage:
        """Cache a page of the view that shows no product other than those in `about`; not while the ledger does not answer."""
        body = text.encode()
        tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        known = frozenset(about) if about is not None and view.reader is None else None
        page = KeptPage(gzip.compress(body, 3), view.at, tag, view.mark, known, media)
        if self.market.patient.away_since is not None:  # it may lack what the ledger says
            return page
        if not self._same(view):
            self.pages, self.size, self.made_from = {}, 0, view
        before = self.pages.pop(address, None)
        self.pages[address] = page
        self.size += len(page.packed) - (len(before.packed) if before is not None else 0)
        while self.size > MOST_BYTES:  # those that were made first go first
            self.size -= len(self.pages.pop(next(iter(self.pages))).packed)
        return page

    def address(self, scope: Scope) -> str:
        """The cache key of a request: reader, host, path and query."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return f"{self.who(scope)!r} {host.decode('latin-1')} {scope['path']}?{scope['query_string'].decode('latin-1')}"

    def seen(self, view: MeshOverview, reader: Reader | None) -> MeshOverview:
        """The view as the reader may see it, computed once for each reader."""
        if reader is None:
            return view
        seen = self.views.get(reader)
        if seen is None or seen.at != view.at or seen.plan is not view.plan or len(self.views) > MOST_READERS:
            self.views = {known: s for known, s in self.views.items() if s.at == view.at and len(self.views) <= MOST_READERS}
            seen = self.views[reader] = seen_by(view, reader)
        return seen

    def _same(self, view: MeshOverview) -> bool:
        known = self.made_from
        return known is not None and (
            known.plan is view.plan and (known.grants, known.age.lacks, known.made_up) == (view.grants, view.age.lacks, view.made_up)
        )


def headers(page: KeptPage) -> dict[str, str]:
    """The cache headers of a page: browsers revalidate their copy each time."""
    return {"cache-control": "private, no-cache", "etag": page.tag, "vary": "accept-encoding"}


class FromMemory:
    """Middleware that answers from the cache; other requests go on to the application."""

    def __init__(self, inner: Application, kept: KeptPages) -> None:
        self.inner, self.kept = inner, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        view = self.kept.market.view_at_hand() if scope["type"] == "http" and scope["method"] == "GET" else None
        page = None
        # What a token may read is asked at its address.
        if view is not None and TOKEN not in scope:
            page = self.kept.get(self.kept.address(scope), view)
            if self.kept.who(scope) is None:
                self.kept.asked_by = scope
        if page is None:
            await self.inner(scope, receive, send)
        else:
            await _send(page, dict(scope["headers"]), send)


async def _send(page: KeptPage, asked: dict[bytes, bytes], send: Send) -> None:
    sent = {**headers(page), "content-type": page.media}
    status, body = (304 if page.tag.encode() in asked.get(b"if-none-match", b"") else 200), b""
    if status == 200 and b"gzip" in asked.get(b"accept-encoding", b""):
        sent["content-encoding"], body = "gzip", page.packed
    elif status == 200:
        body = page.body
    if status == 200:
        sent["content-length"] = str(len(body))
    listed: Any = [(name.encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
