"""Read how all products of the mesh are used: who read them, how often, when last; and when a product was updated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from platform_resources.ledger import tables
from platform_resources.ledger.made_up import real
from platform_resources.ledger.people_tables import reads
from platform_resources.plan.plan import MeshPlan


@dataclass(frozen=True, slots=True)
class ProductUse:
    """The reads of one product as far as the platform sees them: recorded ones by reader, and pulls of other products.

    `people` and `products` have the number of reads by reader. Reads that are made up are among them: their readers' names say so.
    """

    people: Mapping[str, int]
    products: Mapping[str, int]
    last_read_at: datetime | None

    @property
    def reads(self) -> int:
        """The number of reads by anybody."""
        return sum(self.people.values()) + sum(self.products.values())

    @property
    def users(self) -> int:
        """The number of different readers."""
        return len(self.people) + len(self.products)


_Row = tuple[str, str, int, datetime]


def use_of_products(connection: Connection, plan: MeshPlan, since: datetime, until: datetime) -> dict[str, ProductUse]:
    """The use of every product of the plan in `[since, until)`."""
    recorded, pulled = _by_product(_recorded(connection, since, until)), _by_product(_pulled(connection, plan, since, until))
    return {product.name: _use(recorded.get(product.name, []), pulled.get(product.name, [])) for product in plan.products}


def _by_product(rows: Iterator[_Row]) -> dict[str, list[_Row]]:
    by_product: dict[str, list[_Row]] = {}
    for row in rows:
        by_product.setdefault(row[0], []).append(row)
    return by_product


def _use(recorded: list[_Row], pulled: list[_Row]) -> ProductUse:
    last = max((at for *_, at in (*recorded, *pulled)), default=None)
    products: dict[str, int] = {}
    for _, reader, count, _ in pulled:
        products[reader] = products.get(reader, 0) + count
    return ProductUse({reader: count for _, reader, count, _ in recorded}, products, last)


def _recorded(connection: Connection, since: datetime, until: datetime) -> Iterator[_Row]:
    counted = func.count().label("count"), func.max(reads.c.at).label("last")
    query = select(reads.c.product, reads.c.reader, *counted).where(reads.c.at >= since, reads.c.at < until)
    for row in connection.execute(query.group_by(reads.c.product, reads.c.reader)).mappings():
        yield row["product"], row["reader"], row["count"], row["last"]


def _pulled(connection: Connection, plan: MeshPlan, since: datetime, until: datetime) -> Iterator[_Row]:
    """A pull that failed, and was served from what it had, read nothing."""
    upstream = {(product.name, port.name): port.upstream.product for product in plan.products for port in product.inputs if port.upstream}
    table = tables.input_states
    counted = func.count().label("count"), func.max(table.c.at).label("last")
    query = select(table.c.product, table.c.port, *counted).where(
        table.c.at >= since, table.c.at < until, table.c.source_version != "", table.c.degraded == ""
    )
    for row in connection.execute(query.group_by(table.c.product, table.c.port)).mappings():
        if (row["product"], row["port"]) in upstream:
            yield upstream[row["product"], row["port"]], row["product"], row["count"], row["last"]


def update_times(connection: Connection, product: str, since: datetime) -> tuple[tuple[datetime, ...], datetime | None]:
    """Publication times since then, oldest first, and the time of the first real version; made-up versions do not count."""
    at = tables.publications.c.published_at
    of_product = tables.publications.c.product == product
    times: Sequence[datetime] = connection.execute(select(at).distinct().where(of_product, at >= since).order_by(at)).scalars().all()
    first = connection.execute(select(func.min(at)).where(of_product, real(tables.publications.c.run_id))).scalar()
    return tuple(times), first
