"""Run a reader's query under their grants, in a separate process with limits, and count the reads."""

import hashlib
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore, Lock
from typing import Any, BinaryIO

from fastapi import Request
from filelock import FileLock, Timeout

from platform_resources.ledger.people.lab_store import LabQuery, record_query
from platform_resources.marketplace.downloads import count, seen_ports
from platform_resources.marketplace.shop import Shop
from platform_resources.publications.consumer_queries import (
    NothingPublished,
    NotingVersions,
    ReadVersion,
    answer_over,
    named_products,
    readable_ports,
    written_answer,
)
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.services.showing.counted_reads import publishing_domain, reads_of_query
from platform_resources.spec.values.names import is_name
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.published_places import PublishedPort, Readable
from platform_resources.warehouses.written_results import ResultForm, WantedResult, WrittenResult

# What one query may take; what it needs of memory is limited where it runs.
TIME, MOST_ROWS, LONGEST_SQL = timedelta(seconds=30), 10_000, 20_000
AT_ONCE, MOST_WAITING = 2, 4
LOCKS = ".mesh/lab"
WAIT_SECONDS = 30.0
# With less on the disk of state, results are written where the system has its temporary files.
LEAST_ROOM = 64 * 2**20
MOST_KEPT, LONGEST_KEPT = 200, 1_000_000
# Where one of these words stands, the same query gives something else at another moment.
MOVING = frozenset({
    *("now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "get_current_time"),
    *("get_current_timestamp", "transaction_timestamp", "age", "sysdate", "getdate", "random", "uniform", "randstr", "uuid", "uuidv4"),
    *("uuidv7", "gen_random_uuid", "uuid_string", "sample", "tablesample"),
})  # fmt: skip


class QueryRefused(Exception):
    """Raised if a query was not run or failed; says why and what to do."""


class QueryTooMany(QueryRefused):
    """Raised if the queue has no place for a query."""


@dataclass(slots=True)
class LabQueue:
    """Limits queries: one at a time per person, in all server processes, and a few per process.

    `folder` has the locks of those who ask; a process that is killed lets go of its own. `kept` are answers to queries that products name.
    """

    folder: Path
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))
    waiting: Counter[str] = field(default_factory=Counter)
    counting: Lock = field(default_factory=Lock)
    kept: "dict[Any, LabResult]" = field(default_factory=dict)

    @contextmanager
    def place(self, who: str, wait: float = WAIT_SECONDS, own_wait: float = 0) -> Iterator[Callable[[], bool]]:
        """Occupy a place; yields a function that says whether the person has stopped the query.

        Raises QueryTooMany if their former query still runs after `own_wait` seconds, several of theirs wait, or no place gets free.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.counting:
            if self.waiting[who] >= MOST_WAITING:
                raise QueryTooMany(f"{MOST_WAITING} of your queries wait already")
            self.waiting[who] += 1
        own = FileLock(self._file(who, "lock"), timeout=own_wait)
        try:
            own.acquire()
        except Timeout:
            raise QueryTooMany("your former query still runs; wait for it, it ends within a minute, or stop it") from None
        finally:
            with self.counting:
                self.waiting[who] -= 1
        try:
            if not self.places.acquire(timeout=wait):
                raise QueryTooMany("others' queries take all places; try again in a moment")
            try:
                begun = time.time_ns()
                yield lambda: self._stopped(who) > begun
            finally:
                self.places.release()
        finally:
            own.release()

    def stop(self, who: str) -> None:
        """Stop the person's query, in whichever server process it runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(who, "stop").touch()

    def _stopped(self, who: str) -> int:
        try:
            return self._file(who, "stop").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _file(self, who: str, kind: str) -> Path:
        return self.folder / f"{hashlib.sha256(who.casefold().encode()).hexdigest()}.{kind}"


@dataclass(frozen=True, slots=True)
class LabResult:
    """Column names and rows as text, null as None; `cut` if there are more rows. `read` are the versions that it is made from."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    seconds: float
    products: tuple[str, ...]
    read: tuple[ReadVersion, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A permitted query: the ports it may read, of which versions, and its sender."""

    sql: str
    product: str
    who: str
    products: tuple[str, ...]
    readable: dict[str, dict[str, PublishedPort]]
    read: tuple[ReadVersion, ...]


def lab_result(shop: Shop, queue: LabQueue, request: Request, sql: str, product: str = "") -> LabResult:
    """The result of one SELECT as the request's sender may see it; tables of `product` need no prefix.

    What a query gives that a product names is kept for each version and view, where it follows from these alone. Raises QueryRefused.
    """
    asked, begun = _asked(shop, request, sql, product), time.monotonic()
    key = (sql, product, repr(sorted(asked.readable.items()))) if _is_kept(shop, request, sql, product) else None
    result = queue.kept.get(key) if key is not None else None
    if result is None:
        with place_of(queue, asked.who) as bounds, explained():
            names, rows = answer_over(shop.market.state, asked.products[0], sql, asked.readable, replace(bounds, rows=MOST_ROWS + 1))
        took = time.monotonic() - begun
        result = LabResult(tuple(names), tuple(rows[:MOST_ROWS]), len(rows) > MOST_ROWS, took, asked.products, asked.read)
    if key is not None and sum(len(value or "") for row in result.rows for value in row) <= LONGEST_KEPT:
        queue.kept = {**dict(list(queue.kept.items())[-MOST_KEPT:]), key: result}
    _count(shop, request, asked, time.monotonic() - begun)
    return result


def lab_file(shop: Shop, queue: LabQueue, request: Request, sql: str, product: str, form: ResultForm) -> tuple[BinaryIO, WrittenResult]:
    """The result as an unnamed temporary file, deleted when closed. Raises QueryRefused."""
    asked, begun = _asked(shop, request, sql, product), time.monotonic()
    with place_of(queue, asked.who) as bounds:
        result = written_file(shop, queue, asked.products[0], sql, asked.readable, WantedResult(form), replace(bounds, rows=MOST_ROWS))
    _count(shop, request, asked, time.monotonic() - begun)
    return result


def written_file(
    shop: Shop, queue: LabQueue, product: str, sql: str, readable: Readable, wanted: WantedResult, bounds: Bounds
) -> tuple[BinaryIO, WrittenResult]:
    """Run a query that has a place in the queue. Raises QueryRefused."""
    # Readers are answered also where the state's disk is full.
    has_room = shutil.disk_usage(queue.folder).free > LEAST_ROOM
    file = TemporaryFile(dir=queue.folder if has_room else None)  # noqa: SIM115 - whoever sends it closes it
    try:
        with explained():
            return file, written_answer(shop.market.state, product, sql, readable, wanted, file, bounds)
    except BaseException:
        file.close()
        raise


def _asked(shop: Shop, request: Request, sql: str, product: str) -> _Asked:
    state, plan = shop.market.state, shop.view(request).plan
    if product and not is_name(product):
        raise QueryRefused(f"“{product}” is no name of a product")
    if len(sql) > LONGEST_SQL:
        raise QueryRefused(f"the query is longer than {LONGEST_SQL:,} characters")
    named = tuple(dict.fromkeys([*([product] if product else []), *named_products(state, sql)]))
    if not named:
        raise QueryRefused("name what you read as product.data_set, such as one of the tables listed here")
    with explained():
        domain = publishing_domain(state, plan, named[0]) or ""
        noting = NotingVersions(seen_ports(shop, request), named[0], sql)
        readable = readable_ports(state, domain, named[0], sql, seen=noting)
    return _Asked(sql, product, shop.reads_as(request), named, readable, tuple(noting.read.values()))


def _is_kept(shop: Shop, request: Request, sql: str, product: str) -> bool:
    """Whether a product names the query, and it gives the same as long as the versions are the same."""
    if MOVING & set(re.findall(r"\w+", sql.lower())):
        return False
    own = (candidate for candidate in shop.view(request).plan.products if candidate.name == product)
    return any(query.sql.strip() == sql.strip() for planned in own for query in planned.sample_queries)


@contextmanager
def place_of(queue: LabQueue, who: str, own_wait: float = 0) -> Iterator[Bounds]:
    """A place in the queue, with the limits of its query. Raises QueryTooMany."""
    with queue.place(who, own_wait=own_wait) as stopped:
        yield Bounds(TIME, stopped=stopped)


@contextmanager
def explained() -> Iterator[None]:
    """Convert errors of queries into QueryRefused with a readable reason."""
    try:
        yield
    except (NothingPublished, QueryFailed, SettingInvalid, VersionsUnreadable) as error:
        raise QueryRefused(str(error)) from error


def _count(shop: Shop, request: Request, asked: _Asked, took: float) -> None:
    """What was asked and which ports were read, by whom; nothing of what they gave."""
    plan, at = shop.view(request).plan, datetime.now(UTC)
    query = LabQuery(asked.who, at, asked.product, asked.sql, took)
    shop.market.patient.note(lambda connection: record_query(connection, query))
    for read, port in reads_of_query(shop.market.state, plan, asked.products[0], asked.sql):
        count(shop, request, read, port, "lab")
