"""Judge and make pages ahead in one process for all server processes of a mesh, and replace that process when it ends."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request
from filelock import FileLock, Timeout

from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.marketplace.ahead.shared_pages import FILE, SeenLast, SharedPages
from platform_resources.marketplace.kept_pages import KEPT_FOR
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.marketplace.shop import AHEAD, Answers, Shop
from platform_resources.redaction.log_lines import write_json_lines

LOG = logging.getLogger(__name__)
LOOK_EVERY_SECONDS, ATTEND_EVERY_SECONDS, ASK_EVERY_SECONDS, START_EVERY_SECONDS, KEEP_EVERY_SECONDS = 2.0, 1.0, 5.0, 10.0, 60.0
# A look at a large mesh takes longer; it may take one part in so many of the time.
SHARE_OF_TIME = 20
# Whoever waits for a page goes before pages that nobody has asked for.
NICE = 10


class Attendant:
    """What a server process does beside answering: hear what the page maker has seen, renew its own snapshot, and have a page maker run.

    The one that holds the lock has started the page maker, which ends with it; then another one gets the lock.
    """

    def __init__(self, shop: Shop, shared: SharedPages | None) -> None:
        self.shop, self.shared = shop, shared
        self.lock = FileLock(shop.market.state / f"{FILE}.lock", thread_local=False)
        self.maker: multiprocessing.process.BaseProcess | None = None
        self.told_at = self.started_at = float("-inf")

    def run(self) -> None:
        """Attend until the server stops."""
        while not self.shop.market.stopped_within(ATTEND_EVERY_SECONDS):
            try:
                self.attend()
            except LedgerUnavailable:  # what is known goes on being shown
                continue
            except Exception:  # it is tried again, and requests are told what is wrong
                if not self.shop.market.stopped_within(0):
                    LOG.exception("the mesh could not be looked at")
        if self.maker is not None:
            self.maker.terminate()
        self.lock.release()

    def attend(self) -> None:
        """Look once."""
        kept, market = self.shop.kept, self.shop.market
        seen = kept.seen_last = self.shared.seen_last(kept.seen_last) if self.shared is not None else None
        self._have_a_maker()
        if self.shared is not None and kept.asked is not None and time.monotonic() - self.told_at > ASK_EVERY_SECONDS:
            self.shared.ask(kept.asked)
            kept.asked, self.told_at = None, time.monotonic()
        if market.is_old() or (seen is not None and market.lags_behind(seen)):
            market.renew()
        market.patient.write_notes()

    def _have_a_maker(self) -> None:
        if self.shared is None or (self.maker is not None and self.maker.is_alive()):
            return
        # The first answer does not wait for a process that reads the mesh as well, and without anybody who asks none is needed.
        seen = self.shop.kept.seen_last
        if self.shop.market.snapshot is None and (seen is None or seen.until < datetime.now(UTC)):
            return
        if time.monotonic() - self.started_at < START_EVERY_SECONDS:
            return
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            return
        self.started_at = time.monotonic()
        self.maker = multiprocessing.get_context("spawn").Process(
            target=make_for_all, args=(self.shop.market.root, self.shop.auth), name="page maker", daemon=True
        )
        self.maker.start()


def make_for_all(root: Path, auth: AuthSettings) -> None:
    """Judge and make pages for the processes of one server until the process that started this one ends."""
    from platform_resources.marketplace.application import application
    from platform_resources.marketplace.kept_view import opened_market

    write_json_lines(os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    market = opened_market(root)
    shop: Shop = application(market, watch=False, who=lambda _: None, auth=auth, share=True).state.shop
    if shop.kept.shared is not None:
        PageMaker(shop, shop.kept.shared).run()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


class PageMaker:
    """What the one process does that judges and makes pages for all."""

    def __init__(self, shop: Shop, shared: SharedPages) -> None:
        self.shop, self.shared = shop, shared
        self.look_at = self.due_at = self.kept_at = float("-inf")

    def run(self) -> None:
        """Make pages until the process ends."""
        while True:
            self.make_all()
            time.sleep(max(0.0, self.look_at - time.monotonic()))

    def make_all(self) -> None:
        """Make the pages that are due now."""
        self.look()
        begun = time.monotonic()
        if begun >= self.due_at:
            made = sum(self._make(*page) for page in due(self.shop))
            now = time.monotonic()
            self.due_at = now + (0 if made else SHARE_OF_TIME * (now - begun))

    def _make(self, name: str, request: Request, answer: Answers) -> int:
        try:
            answer(request, name)
        except Exception:  # whoever asks for it is told
            LOG.exception(f"{request.url.path} cannot be made ahead")
        self.look()
        return 1

    def look(self) -> None:
        """If it is time: hear who asked, judge anew if something has changed, and tell all processes."""
        begun, market, kept = time.monotonic(), self.shop.market, self.shop.kept
        if begun < self.look_at:
            return
        asked = self.shared.asked()
        if asked is not None:
            market.ask(asked.at)
            kept.asked = asked if asked.server == kept.server else kept.asked
        if market.snapshot is None or market.is_old() or market.has_changed():
            self._judge()
        elif begun - self.kept_at > KEEP_EVERY_SECONDS:
            market.keep()
            self.shared.drop_before(datetime.now(UTC) - KEPT_FOR)
            self.kept_at = time.monotonic()
        self.look_at = time.monotonic() + max(LOOK_EVERY_SECONDS, SHARE_OF_TIME * (time.monotonic() - begun))

    def _judge(self) -> None:
        market = self.shop.market
        try:
            view = market.renew()
        except LedgerUnavailable:
            self.shared.tell_nothing()
        else:
            self.shared.tell(SeenLast(view.at, view.mark, view.same, view.changed, view.at + market.too_old, market.read_after))


def due(shop: Shop) -> Iterator[tuple[str, Request, Answers]]:
    """Pages that are not kept as they are now: of the mesh, then of products, most read first; none if nobody has asked lately."""
    view, asked = shop.market.newest(), shop.kept.asked
    if view is None or asked is None:
        return
    shop.market.search(view)
    of_all = {"type": "http", "method": "GET", "query_string": b"", "headers": [(b"host", asked.host.encode("latin-1"))]}
    scope = of_all | {"scheme": asked.scheme, "root_path": "", "session": {}, AHEAD: True}
    for path, answer in shop.of_mesh.items():
        request = Request({**scope, "path": path})
        page = shop.kept.get(shop.kept.address(request.scope), view)
        if page is None or page.at < view.at:
            yield "", request, answer
    for name in sorted(view.plan.by_name, key=lambda name: -view.use.uses[name].reads):
        for path, answer in shop.of_products.items():
            request, newest = Request({**scope, "path": path.format(name)}), shop.market.newest()
            if newest is None or name not in newest.plan.by_name:
                return
            if shop.kept.get(shop.kept.address(request.scope), newest) is None:
                yield name, request, answer
