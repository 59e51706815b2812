"""Since when products are known to be certified: the first evaluation that saw it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import certifications as table
from platform_resources.ledger.upserts import upsert


def note_certified(connection: Connection, certified: Collection[str], others: Collection[str], now: datetime) -> None:
    """These products are certified, and these others are not; one that is certified again begins anew."""
    before = certified_since(connection)
    new, gone = [name for name in certified if name not in before], [name for name in others if name in before]
    upsert(connection, table, [{"product": name, "since": now} for name in new], replaces=None)
    if gone:
        connection.execute(delete(table).where(table.c.product.in_(gone)))
    if new or gone:
        note(connection, dict.fromkeys((*new, *gone), EPOCH))


def certified_since(connection: Connection) -> Mapping[str, datetime]:
    """When each certified product was first seen as certified, by product."""
    return {row.product: row.since for row in connection.execute(select(table)).all()}
