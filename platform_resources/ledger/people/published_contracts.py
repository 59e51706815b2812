"""Under which contracts products were published, as JSON."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from platform_resources.ledger.people_tables import published_contracts as table
from platform_resources.ledger.upserts import upsert


def note_contract(connection: Connection, product: str, version: str, contract: str, now: datetime) -> None:
    """A version was published under this contract. One that is as before is not written again."""
    if newest_contracts(connection, product).get(product) != contract:
        upsert(connection, table, [{"product": product, "version": version, "at": now, "contract": contract}], replaces=None)


def newest_contracts(connection: Connection, product: str | None = None) -> Mapping[str, str]:
    """The newest contract of each product, or of this one; nothing of one that was never published."""
    query = select(table.c.product, table.c.contract).order_by(table.c.at, table.c.version)
    query = query.where(table.c.product == product) if product is not None else query
    return dict(connection.execute(query).all())


def contract_history(connection: Connection, products: Collection[str]) -> dict[str, list[str]]:
    """All contracts under which these products were published, the oldest first."""
    query = select(table.c.product, table.c.contract).where(table.c.product.in_(products)).order_by(table.c.at, table.c.version)
    contracts: dict[str, list[str]] = {}
    for row in connection.execute(query):
        contracts.setdefault(row.product, []).append(row.contract)
    return contracts
