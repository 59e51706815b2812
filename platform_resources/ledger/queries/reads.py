"""How often a product is read, through which port and by whom: recorded reads, and pulls of other products."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, func, insert, select

from platform_resources.ledger import tables
from platform_resources.ledger.made_up import MADE_UP, real
from platform_resources.ledger.people_tables import reads, refresh_credits, use_known
from platform_resources.ledger.upserts import upsert
from platform_resources.plan.plan import MeshPlan


@dataclass(frozen=True, slots=True)
class PortReads:
    """How often one port, or data set, was read, and by whom, sorted.

    `columns` has how often each column was read, most first, as far as a warehouse tells it; nothing else does.
    """

    count: int
    readers: tuple[str, ...]
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reads:
    """The reads of a product by port or data set; `readers` of any, sorted."""

    by_port: Mapping[str, PortReads]
    readers: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of reads."""
        return sum(port.count for port in self.by_port.values())

    @property
    def columns(self) -> Mapping[str, int]:
        """How often each column was read through any port, most first, as far as a warehouse tells it."""
        return _most_first((port.columns, 1) for port in self.by_port.values())


# How such a read was made: in the warehouse, beside the platform.
IN_WAREHOUSE = "warehouse"
# Port, reader, number of reads, and the columns of each of them.
_Count = tuple[str, str, int, Sequence[str]]
# A product and its output port.
Port = tuple[str, str]


def record_read(connection: Connection, product: str, port: str, reader: str, at: datetime, kind: str) -> None:
    """One read of an output port, or of a data set where it was not read through a port. `kind` is how: a query, a download."""
    connection.execute(insert(reads).values(product=product, port=port, reader=reader, at=at, kind=kind))


def has_read(connection: Connection, product: str, reader: str, since: datetime, pulls: Mapping[tuple[str, str], Port]) -> bool:
    """Whether somebody has read the product since then; `product:name` by the `pulls` of its refreshes."""
    query = select(reads.c.id).where(reads.c.product == product, reads.c.reader == reader, reads.c.at >= since, reads.c.kind != MADE_UP)
    if connection.execute(query.limit(1)).first() is not None:
        return True
    table, consumer = tables.input_states, reader.removeprefix("product:")
    ports = [port for (who, port), (upstream, _) in pulls.items() if who == consumer and upstream == product]
    pulled = select(table.c.product).where(
        table.c.product == consumer, table.c.port.in_(ports), table.c.at >= since, table.c.degraded == "", real(table.c.run_id)
    )
    return consumer != reader and connection.execute(pulled.limit(1)).first() is not None


def pulls_of(plan: MeshPlan) -> dict[tuple[str, str], Port]:
    """The output port that each input port (product, name) reads from another product."""
    ports = ((consumer.name, port) for consumer in plan.products for port in consumer.inputs)
    return {(consumer, port.name): (port.upstream.product, port.upstream.port) for consumer, port in ports if port.upstream is not None}


def reads_of_products(
    connection: Connection, products: Collection[str], since: datetime, until: datetime, pulls: Mapping[tuple[str, str], Port]
) -> dict[str, Reads]:
    """What was read of each product in `[since, until)`, by `pulls` too; each refresh that got a version counts as one read.

    What is made up is left out. Two queries.
    """
    counts_of: dict[str, list[_Count]] = {product: [] for product in products}
    for product, count in (
        *_recorded(connection, products, since, until),
        *_pulled(connection, products, since, until, pulls),
    ):
        counts_of[product].append(count)
    return {product: _reads(counts) for product, counts in counts_of.items()}


def _reads(counts: Sequence[_Count]) -> Reads:
    by_port: dict[str, list[_Count]] = {}
    for count in counts:
        by_port.setdefault(count[0], []).append(count)
    ports = {
        port: PortReads(
            sum(count for _, _, count, _ in counted),
            _readers(counted),
            _most_first((dict.fromkeys(columns, 1), count) for _, _, count, columns in counted),
        )
        for port, counted in sorted(by_port.items())
    }
    return Reads(ports, _readers(counts))


def _readers(counts: Sequence[_Count]) -> tuple[str, ...]:
    return tuple(sorted({reader for _, reader, *_ in counts}))


def _most_first(counted: Iterable[tuple[Mapping[str, int], int]]) -> dict[str, int]:
    """Sums of counts, each of them so many times; equal ones by name."""
    sums: Counter[str] = Counter()
    for counts, times in counted:
        for name, count in counts.items():
            sums[name] += count * times
    return dict(sorted(sums.items(), key=lambda summed: (-summed[1], summed[0])))


def _recorded(connection: Connection, products: Collection[str], since: datetime, until: datetime) -> Iterator[tuple[str, _Count]]:
    within = (reads.c.product.in_(products), reads.c.at >= since, reads.c.at < until, reads.c.kind != MADE_UP)
    # As text, because lists of columns cannot be grouped by in every database.
    kinds = reads.c.product, reads.c.port, reads.c.reader, cast(reads.c.columns, Text).label("columns")
    for row in connection.execute(select(*kinds, func.count().label("count")).where(*within).group_by(*kinds)).mappings():
        yield row["product"], (row["port"], row["reader"], row["count"], json.loads(row["columns"] or "null") or ())


def _pulled(
    connection: Connection, products: Collection[str], since: datetime, until: datetime, pulls: Mapping[tuple[str, str], Port]
) -> Iterator[tuple[str, _Count]]:
    """A pull that failed, and was served from what it had, read nothing."""
    table, readers = tables.input_states, sorted({reader for (reader, _), (product, _) in pulls.items() if product in products})
    query = select(table.c.product, table.c.port, func.count().label("count")).where(
        table.c.product.in_(readers),
        table.c.at >= since,
        table.c.at < until,
        table.c.source_version != "",
        table.c.degraded == "",
        real(table.c.run_id),
    )
    for row in connection.execute(query.group_by(table.c.product, table.c.port)).mappings():
        product, port = pulls.get((row["product"], row["port"]), ("", ""))
        if product in products:
            yield product, (port, row["product"], row["count"], ())


def use_known_until(connection: Connection) -> datetime | None:
    """Until when the warehouse's use is known; None before it told anything."""
    until: datetime | None = connection.execute(select(func.max(use_known.c.until))).scalar()
    return until


def note_use(connection: Connection, new_reads: Sequence[Mapping[str, Any]], credits: Sequence[Mapping[str, Any]], until: datetime) -> None:
    """Each read once; credits of a refresh as they are told last. Called in one transaction, so that what is known is all noted."""
    if new_reads:
        connection.execute(insert(reads), [{**read, "kind": IN_WAREHOUSE} for read in new_reads])
    upsert(connection, refresh_credits, credits, replaces=lambda new, old: new.credits != old.credits)
    upsert(connection, use_known, [{"name": IN_WAREHOUSE, "until": until}], replaces=lambda new, old: new.until > old.until)
