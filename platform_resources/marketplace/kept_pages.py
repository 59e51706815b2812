"""Pages and JSON as they were made: sent again from memory while nothing was written that they show, for at most a minute."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.kept_view import TOO_OLD, Market
from platform_resources.marketplace.security import TOKEN, Application, Receive, Scope, Send
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import seen_by

# Who sends a request; None for the user of this computer, as long as nobody signs in.
Who = Callable[[Scope], Reader | None]
MOST_BYTES, MOST_READERS = 200_000_000, 100
HTML, JSON = "text/html; charset=utf-8", "application/json"


@dataclass(slots=True)
class KeptPage:
    """One page as of a moment; `packed` is made when a browser first asks for it."""

    body: bytes
    at: datetime
    tag: str
    packed: bytes = b""
    media: str = HTML


@dataclass(slots=True)
class KeptPages:
    """The pages of one mesh by address. What is written into the ledger or the texts ends them all.

    One page is made at a time, under `making`: they share one processor, and whoever asks for the same page meanwhile gets that one.
    """

    market: Market
    who: Who
    pages: dict[str, KeptPage] = field(default_factory=dict)
    made_from: MeshOverview | None = None
    size: int = 0
    making: Lock = field(default_factory=Lock)
    views: dict[Reader, MeshOverview] = field(default_factory=dict)

    def get(self, address: str, view: MeshOverview) -> KeptPage | None:
        """The page, if it says what is so: it is of this view, or of an earlier one of the last minute and nothing was written since."""
        page = self.pages.get(address)
        if page is None or not self._same(view):
            return None
        return page if page.at == view.at or datetime.now(UTC) - page.at <= TOO_OLD else None

    def put(self, address: str, view: MeshOverview, text: str, media: str = HTML) -> KeptPage:
        """Keep a page of the view."""
        body = text.encode()
        page = KeptPage(body, view.at, f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', media=media)
        if not self._same(view) or self.size > MOST_BYTES:
            self.pages, self.size, self.made_from = {}, 0, view
        self.pages[address] = page
        self.size += len(body)
        return page

    def address(self, scope: Scope) -> str:
        """What a page may differ by: who reads, the host, as it shows its own address, the path and the query."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return f"{self.who(scope)!r} {host.decode('latin-1')} {scope['path']}?{scope['query_string'].decode('latin-1')}"

    def seen(self, view: MeshOverview, reader: Reader | None) -> MeshOverview:
        """The view as the reader may see it, made once for each reader."""
        if reader is None:
            return view
        seen = self.views.get(reader)
        if seen is None or seen.at != view.at or seen.plan is not view.plan or len(self.views) > MOST_READERS:
            self.views = {known: each for known, each in self.views.items() if each.at == view.at and len(self.views) <= MOST_READERS}
            seen = self.views[reader] = seen_by(view, reader)
        return seen

    def _same(self, view: MeshOverview) -> bool:
        known = self.made_from
        return known is not None and known.plan is view.plan and known.mark == view.mark


def headers(page: KeptPage) -> dict[str, str]:
    """A browser asks each time whether its copy is still right."""
    return {"cache-control": "private, no-cache", "etag": page.tag, "vary": "accept-encoding"}


class FromMemory:
    """Answers with a kept page before anything else is done; what is not kept, or is due to be read anew, goes on to the application."""

    def __init__(self, inner: Application, kept: KeptPages) -> None:
        self.inner, self.kept = inner, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        view = self.kept.market.view_at_hand() if scope["type"] == "http" and scope["method"] == "GET" else None
        # What a token may read is asked at its address.
        known = view is not None and TOKEN not in scope
        page = self.kept.get(self.kept.address(scope), view) if view is not None and known else None
        if page is None:
            await self.inner(scope, receive, send)
        else:
            await _send(page, dict(scope["headers"]), send)


async def _send(page: KeptPage, asked: dict[bytes, bytes], send: Send) -> None:
    told = {**headers(page), "content-type": page.media}
    status, body = (304, b"") if page.tag.encode() in asked.get(b"if-none-match", b"") else (200, page.body)
    if body and b"gzip" in asked.get(b"accept-encoding", b""):
        page.packed = page.packed or gzip.compress(page.body, 5)
        told["content-encoding"], body = "gzip", page.packed
    if status == 200:
        told["content-length"] = str(len(body))
    listed: Any = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
