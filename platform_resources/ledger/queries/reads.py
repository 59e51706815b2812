"""How often a product is read, through which port and by whom: recorded reads, and pulls of other products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, tuple_

from platform_resources.ledger import tables
from platform_resources.ledger.made_up import MADE_UP, real
from platform_resources.ledger.people_tables import reads
from platform_resources.plan.plan import MeshPlan


@dataclass(frozen=True, slots=True)
class Pulls:
    """That the input port `input_port` of the product `reader` reads an output port."""

    port: str
    reader: str
    input_port: str


@dataclass(frozen=True, slots=True)
class PortReads:
    """How often one port, or data set, was read, and by whom, sorted."""

    count: int
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """The reads of a product by port or data set; `readers` of any, sorted."""

    by_port: Mapping[str, PortReads]
    readers: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of reads."""
        return sum(port.count for port in self.by_port.values())


_Count = tuple[str, str, int]


def record_read(connection: Connection, product: str, port: str, reader: str, at: datetime, kind: str) -> None:
    """One read of an output port, or of a data set where it was not read through a port. `kind` is how: a query, a download."""
    connection.execute(insert(reads).values(product=product, port=port, reader=reader, at=at, kind=kind))


def pulled_by(plan: MeshPlan, product: str) -> tuple[Pulls, ...]:
    """Which input ports of other products read the product."""
    ports = ((consumer.name, port) for consumer in plan.products for port in consumer.inputs)
    return tuple(
        Pulls(port.upstream.port, consumer, port.name)
        for consumer, port in ports
        if port.upstream is not None and port.upstream.product == product
    )


def reads_of(connection: Connection, product: str, since: datetime, until: datetime, pulls: Sequence[Pulls] = ()) -> Reads:
    """What was read in `[since, until)`, pulls through these ports included; each refresh that got a version counts as one read.

    What is made up is left out.
    """
    found = [*_recorded(connection, product, since, until), *_pulled(connection, pulls, since, until)]
    by_port: dict[str, list[_Count]] = {}
    for each in found:
        by_port.setdefault(each[0], []).append(each)
    return Reads({port: PortReads(sum(n for *_, n in each), _readers(each)) for port, each in sorted(by_port.items())}, _readers(found))


def _readers(found: Sequence[_Count]) -> tuple[str, ...]:
    return tuple(sorted({reader for _, reader, _ in found}))


def _recorded(connection: Connection, product: str, since: datetime, until: datetime) -> Iterator[_Count]:
    query = select(reads.c.port, reads.c.reader, func.count().label("count")).where(
        reads.c.product == product, reads.c.at >= since, reads.c.at < until, reads.c.kind != MADE_UP
    )
    for row in connection.execute(query.group_by(reads.c.port, reads.c.reader)).mappings():
        yield row["port"], row["reader"], row["count"]


def _pulled(connection: Connection, pulls: Sequence[Pulls], since: datetime, until: datetime) -> Iterator[_Count]:
    """A pull that failed, and was served from what it had, read nothing."""
    table, ports = tables.input_states, {(pull.reader, pull.input_port): pull.port for pull in pulls}
    query = select(table.c.product, table.c.port, func.count().label("count")).where(
        tuple_(table.c.product, table.c.port).in_(list(ports)),
        table.c.at >= since,
        table.c.at < until,
        table.c.source_version != "",
        table.c.degraded == "",
        real(table.c.run_id),
    )
    for row in connection.execute(query.group_by(table.c.product, table.c.port)).mappings():
        yield ports[row["product"], row["port"]], row["product"], row["count"]
