"""Subscriptions: who wants messages about which product, on which channel, from which severity on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select, update

from platform_resources.ledger.people_tables import subscriptions as table
from platform_resources.ledger.upserts import insertion
from platform_resources.spec.notifications import Severity


@dataclass(frozen=True, slots=True)
class Subscription:
    """`channel` is `<domain>.<channel>` or an e-mail address; `since` is when it began."""

    product: str
    subscriber: str
    channel: str
    severity: Severity
    since: datetime


def subscribe(connection: Connection, product: str, subscriber: str, channel: str, severity: Severity, now: datetime) -> None:
    """Begin a subscription, or change the severity of the one that there is."""
    row = {"product": product, "subscriber": subscriber, "channel": channel, "severity": severity, "since": now}
    new = insertion(connection, table).values(row)
    begun = case((table.c.until.is_(None), table.c.since), else_=new.excluded.since)
    told = {"severity": new.excluded.severity, "since": begun, "until": None}
    connection.execute(new.on_conflict_do_update(index_elements=["product", "subscriber", "channel"], set_=told))


def unsubscribe(connection: Connection, product: str, subscriber: str, channel: str, now: datetime) -> bool:
    """End a subscription; gives whether there was one."""
    which = (table.c.product == product) & (table.c.subscriber == subscriber) & (table.c.channel == channel) & table.c.until.is_(None)
    return connection.execute(update(table).where(which).values(until=now)).rowcount == 1


def subscriptions(connection: Connection, product: str | None = None) -> tuple[Subscription, ...]:
    """Those that have not ended, of one product or of all, sorted by product, subscriber and channel."""
    columns = [table.c[name] for name in Subscription.__slots__]
    query = select(*columns).where(table.c.until.is_(None)).order_by(table.c.product, table.c.subscriber, table.c.channel)
    if product is not None:
        query = query.where(table.c.product == product)
    return tuple(Subscription(**row) for row in connection.execute(query).mappings())
