"""Run one query of a reader over what their grants allow: in a process of its own, within limits, and counted without its result."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from fastapi import Request
from filelock import FileLock, Timeout

from platform_resources.ledger.people.lab_store import LabQuery, record_query
from platform_resources.ledger.queries.reads import record_read
from platform_resources.marketplace.downloads import seen_ports
from platform_resources.marketplace.shop import Shop
from platform_resources.publications.consumer_queries import NothingPublished, named_products, queried
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.services.showing.counted_reads import publishing_domain, reads_of_query
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.values.names import is_name
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Bounds, QueryFailed

# What one query may take; what it needs of memory is limited where it runs.
TIME, MOST_ROWS, LONGEST_SQL = timedelta(seconds=30), 10_000, 20_000
AT_ONCE = 2
LOCKS = ".mesh/lab"
WAIT_SECONDS = 30.0


class QueryRefused(Exception):
    """Raised where a query was not run, or gave nothing; says why and what to do."""


@dataclass(slots=True)
class LabQueue:
    """A person has one query at a time, whichever process of the server runs it, and each process a few: nobody keeps others waiting.

    `folder` has the locks of those who ask; a process that is killed lets go of its own.
    """

    folder: Path
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    @contextmanager
    def place(self, who: str, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Raises QueryRefused where the person's former query still runs, or no place gets free in time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = FileLock(self.folder / f"{hashlib.sha256(who.casefold().encode()).hexdigest()}.lock", timeout=0)
        try:
            own.acquire()
        except Timeout:
            raise QueryRefused("your former query still runs; wait for it, it ends within a minute") from None
        try:
            if not self.places.acquire(timeout=wait):
                raise QueryRefused("others' queries take all places; try again in a moment")
            try:
                yield
            finally:
                self.places.release()
        finally:
            own.release()


@dataclass(frozen=True, slots=True)
class LabResult:
    """Column names and rows as text, null as None; `cut` says that there are more rows than are given."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    seconds: float
    products: tuple[str, ...]


def lab_result(shop: Shop, queue: LabQueue, request: Request, sql: str, product: str = "") -> LabResult:
    """The answer to one SELECT, as whoever sends the request may see it; tables of `product` need no name before them.

    Raises QueryRefused.
    """
    view, who, state = shop.view(request), shop.reads_as(request), shop.market.state
    if product and not is_name(product):
        raise QueryRefused(f"“{product}” is no name of a product")
    if len(sql) > LONGEST_SQL:
        raise QueryRefused(f"the query is longer than {LONGEST_SQL:,} characters")
    named = tuple(dict.fromkeys([*([product] if product else []), *named_products(state, sql)]))
    if not named:
        raise QueryRefused("name what you read as product.data_set, such as one of the tables listed here")
    begun = time.monotonic()
    with queue.place(who):
        try:
            domain = publishing_domain(state, view.plan, named[0]) or ""
            bounds = Bounds(TIME, MOST_ROWS + 1)
            names, rows = queried(state, domain, named[0], sql, as_text=True, seen=seen_ports(shop, request), bounds=bounds)
        except (NothingPublished, QueryFailed, SettingInvalid, VersionsUnreadable) as error:
            raise QueryRefused(str(error)) from error
    took = time.monotonic() - begun
    _count(shop, view, named[0], LabQuery(who, datetime.now(UTC), product, sql, took))
    return LabResult(tuple(names), tuple(rows[:MOST_ROWS]), len(rows) > MOST_ROWS, took, named)


def _count(shop: Shop, view: MeshOverview, product: str, asked: LabQuery) -> None:
    """What was asked and which ports were read, by whom; nothing of what they gave."""
    with shop.market.ledger.writing() as connection:
        record_query(connection, asked)
        for read, port in reads_of_query(shop.market.state, view.plan, product, asked.query):
            record_read(connection, read, port, asked.person, asked.at, "lab")
