"""Which products have changed: each write about a product raises its number, so that readers may keep what they read of others."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.records import CheckReading, Record
from platform_resources.ledger.tables import checks, product_changes
from platform_resources.ledger.upserts import insertion

_TIMES = ("at", "published_at", "started_at", "ended_at")


@dataclass(frozen=True, slots=True)
class ProductChange:
    """The newest change of a product, and the latest moment that any of its records is stamped with."""

    number: int
    latest_at: datetime


def changes(connection: Connection) -> dict[str, ProductChange]:
    """The change number of every product. Read it before the data that is kept by it, so that a write in between is read again."""
    rows = connection.execute(select(product_changes)).mappings()
    return {row["product"]: ProductChange(row["number"], row["latest_at"]) for row in rows}


def newest_change(connection: Connection) -> int:
    """The number of the newest change of any product."""
    return connection.execute(select(func.max(product_changes.c.number))).scalar() or 0


def note_records(connection: Connection, records: Collection[Record]) -> None:
    """These records were written just now."""
    readings = {record.check_id for record in records if isinstance(record, CheckReading)}
    of_check: dict[int, str] = dict(connection.execute(select(checks.c.id, checks.c.product).where(checks.c.id.in_(readings))).all())
    latest: dict[str, datetime] = {}
    for record in records:
        product = of_check.get(record.check_id, "") if isinstance(record, CheckReading) else record.product
        latest[product] = max([latest.get(product, EPOCH), *_moments(record)])
    note(connection, latest)


def note_checks(connection: Connection, numbers: Collection[int]) -> None:
    """What is known of these checks was written just now."""
    products: Iterable[str] = connection.execute(select(checks.c.product).where(checks.c.id.in_(numbers)).distinct()).scalars()
    note(connection, dict.fromkeys(products, EPOCH))


def _moments(record: Record) -> Iterable[datetime]:
    times: Iterable[Any] = (getattr(record, name, None) for name in _TIMES)
    return (at for at in times if at is not None)


def note(connection: Connection, latest: Mapping[str, datetime]) -> None:
    """These products changed just now; each with the latest moment of what was written of it."""
    if not latest:
        return
    number = _next(connection)
    insert = insertion(connection, product_changes)
    new, old = insert.excluded, product_changes.c
    later = func.max if connection.dialect.name == "sqlite" else func.greatest
    newest = {"number": new.number, "latest_at": later(new.latest_at, old.latest_at)}
    rows = [{"product": product, "number": number, "latest_at": at} for product, at in sorted(latest.items())]
    connection.execute(insert.on_conflict_do_update(index_elements=["product"], set_=newest), rows)


def note_all(connection: Connection) -> None:
    """Anything may have changed, of every product."""
    connection.execute(update(product_changes).values(number=_next(connection)))


def _next(connection: Connection) -> int:
    return newest_change(connection) + 1
