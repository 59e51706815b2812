"""What control ports have got, and what they still have to get."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import control_deliveries as table
from platform_resources.ledger.upserts import upsert

# Of a ledger that was restored: more may have been sent than it knows.
RESTORED = "the mesh was restored from a backup: what there is already is looked for before more is sent"


@dataclass(frozen=True, slots=True)
class ControlDelivery:
    """One thing that a control port gets: its document (`item` is empty) or an event; `content` is its hash.

    `taken_at` is None while the port has not taken it; then it is sent again from `next_at` on, and `last_error` says why it was not.
    """

    product: str
    port: str
    item: str
    content: str
    version: str
    tried_at: datetime
    next_at: datetime
    attempts: int
    last_error: str = ""
    taken_at: datetime | None = None


def control_deliveries(connection: Connection, products: Collection[str]) -> dict[tuple[str, str, str], ControlDelivery]:
    """What was delivered, by product, control port and item."""
    rows = connection.execute(select(table).where(table.c.product.in_(products))).mappings()
    return {(row["product"], row["port"], row["item"]): ControlDelivery(**row) for row in rows}


def claim_delivery(connection: Connection, delivery: ControlDelivery) -> bool:
    """Before it is sent. False where another process has begun to send the same meanwhile: then leave it to that."""
    newer = upsert(
        connection, table, [asdict(delivery)], replaces=lambda new, old: (new.attempts > old.attempts) | (new.content != old.content)
    )
    return bool(newer)


def note_delivery(connection: Connection, delivery: ControlDelivery) -> bool:
    """What became of one that was claimed. False where another process has claimed it since: then what that one says holds."""
    noted = upsert(
        connection, table, [asdict(delivery)], replaces=lambda new, old: (new.content == old.content) & (new.attempts >= old.attempts)
    )
    note(connection, {delivery.product: EPOCH})
    return bool(noted)


def note_restored(connection: Connection, item: str) -> None:
    """Of all deliveries whose item begins like this."""
    connection.execute(update(table).where(table.c.item.startswith(item)).values(last_error=RESTORED))


def forget_deliveries(connection: Connection, product: str, port: str, before: datetime) -> None:
    """Events that were taken so long ago are over, and those that were not taken and are tried no more."""
    over = func.coalesce(table.c.taken_at, table.c.tried_at) < before
    connection.execute(delete(table).where(table.c.product == product, table.c.port == port, table.c.item != "", over))
