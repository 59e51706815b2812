"""The last known sizes of a product's relations, from publications and pulls."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from platform_resources.capabilities.measures import Relation
from platform_resources.ledger import tables
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.monitors.monitor_costs import Size, relation_name
from platform_resources.plan.plan import ProductPlan

Ports = Mapping[tuple[str, str], Size]


def relation_sizes(connection: Connection, products: Iterable[ProductPlan], at: datetime) -> dict[str, dict[str, Size]]:
    """The sizes of each product's relations (`internal.orders`); relations never published or pulled are left out."""
    published = {
        (version.product, version.port): Size(version.rows, version.bytes)
        for version in newest_publications(connection, at)
        if version.rows is not None
    }
    pulled = _pulled(connection, at)
    return {product.name: {**dict(_inputs(product, published, pulled)), **dict(_data_sets(product, published))} for product in products}


def _data_sets(product: ProductPlan, published: Ports) -> Iterator[tuple[str, Size]]:
    """A data set is as large as the smallest of its ports' files: some formats take more room than others for the same rows."""
    for data_set in product.data_sets:
        ports = [(product.name, port.name) for port in product.outputs if port.data_set == data_set.name]
        sizes = [published[port] for port in ports if port in published]
        if sizes:
            yield relation_name(data_set.relation), min(sizes, key=lambda size: (size.bytes is None, size.bytes or 0))


def _inputs(product: ProductPlan, published: Ports, pulled: Ports) -> Iterator[tuple[str, Size]]:
    for port in product.inputs:
        upstream = (port.upstream.product, port.upstream.port) if port.upstream is not None else None
        size = pulled.get((product.name, port.name)) if upstream is None else published.get(upstream)
        if size is not None:
            yield relation_name(Relation("inputs", port.name)), size


def _pulled(connection: Connection, at: datetime) -> Ports:
    """What the last pull of each input port brought that told its rows."""
    table = tables.input_states
    newest = select(table.c.product, table.c.port, func.max(table.c.at).label("at")).where(table.c.at <= at, table.c.rows.is_not(None))
    last = newest.group_by(table.c.product, table.c.port).subquery()
    same = (table.c.product == last.c.product) & (table.c.port == last.c.port) & (table.c.at == last.c.at)
    query = select(table.c.product, table.c.port, table.c.rows).join(last, same).where(table.c.rows.is_not(None))
    return {(row.product, row.port): Size(row.rows) for row in connection.execute(query.order_by(table.c.run_id))}
