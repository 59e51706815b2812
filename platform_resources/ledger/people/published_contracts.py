"""Under which contracts products were published, as JSON, and which consumers have moved from a port that ends."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.made_up import MADE_UP
from platform_resources.ledger.people_tables import port_switches, reads
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


@dataclass(frozen=True, slots=True)
class PortSwitch:
    """A consumer does without a port from now on, as this person has said."""

    product: str
    port: str
    consumer: str
    person: str
    at: datetime


def note_switch(connection: Connection, switch: PortSwitch) -> None:
    """Said again, it counts anew."""
    upsert(connection, port_switches, [asdict(switch)], replaces=lambda new, old: new.at >= old.at)
    note(connection, {switch.product: EPOCH})


def port_switches_of(connection: Connection, places: Mapping[str, Mapping[str, str]]) -> tuple[PortSwitch, ...]:
    """Those of these products that hold; `places` are their ports with the data set of each. Whoever has read it again has not moved."""
    read = select(reads.c.product, reads.c.port, reads.c.reader, func.max(reads.c.at).label("at"))
    read = read.where(reads.c.product.in_(places), reads.c.kind != MADE_UP).group_by(reads.c.product, reads.c.port, reads.c.reader)
    last = {(row.product, row.port, row.reader): row.at for row in connection.execute(read)}
    rows = connection.execute(select(port_switches).where(port_switches.c.product.in_(places)).order_by(port_switches.c.at)).mappings()

    def holds(switch: PortSwitch) -> bool:
        where = (switch.port, places[switch.product].get(switch.port, ""))
        return all(last.get((switch.product, place, switch.consumer), switch.at) <= switch.at for place in where)

    return tuple(switch for switch in (PortSwitch(**row) for row in rows) if holds(switch))
