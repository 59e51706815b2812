"""Subscriptions: who wants messages about which product, on which channel, from which severity on; and machines that hear of versions."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, case, insert, select, update

from platform_resources.ledger.people_tables import subscriptions as table
from platform_resources.ledger.people_tables import version_hooks
from platform_resources.ledger.records import PortPublication
from platform_resources.ledger.upserts import insertion
from platform_resources.spec.notifications import Severity

# What the channel of a hook is called in the outbox, before its number.
HOOK = "hook:"


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
    values = {"severity": new.excluded.severity, "since": begun, "until": None}
    connection.execute(new.on_conflict_do_update(index_elements=["product", "subscriber", "channel"], set_=values))


def unsubscribe(connection: Connection, product: str, subscriber: str, channel: str, now: datetime) -> bool:
    """End a subscription; gives whether there was one."""
    which = (table.c.product == product) & (table.c.subscriber == subscriber) & (table.c.channel == channel) & table.c.until.is_(None)
    return connection.execute(update(table).where(which).values(until=now)).rowcount == 1


def subscriptions(connection: Connection, product: str | None = None, as_of: datetime | None = None) -> tuple[Subscription, ...]:
    """Those that have not ended (or had not `as_of` a time), of one product or of all, sorted by product, subscriber and channel."""
    columns = [table.c[name] for name in Subscription.__slots__]
    query = select(*columns).where(_lives(table.c.until, as_of)).order_by(table.c.product, table.c.subscriber, table.c.channel)
    if product is not None:
        query = query.where(table.c.product == product)
    return tuple(Subscription(**row) for row in connection.execute(query).mappings())


@dataclass(frozen=True, slots=True)
class VersionHook:
    """One machine; from `seed` and a key that is not in the ledger follows the secret that calls to it are signed with.

    Versions that are not `known` are new to it, whatever any clock says; machines that began before this was noted go by `since`.
    """

    id: int
    product: str
    person: str
    url: str
    seed: str = field(repr=False)
    since: datetime
    ended_at: datetime | None = None
    known: Collection[str] | None = None

    def is_new(self, publication: PortPublication) -> bool:
        """Whether it is to hear of this."""
        return publication.published_at > self.since if self.known is None else publication.version not in self.known

    @property
    def channel(self) -> str:
        """Its name in the outbox."""
        return f"{HOOK}{self.id}"


def add_hook(connection: Connection, hook: VersionHook) -> VersionHook:
    """Gives it with its number."""
    row = {name: getattr(hook, name) for name in ("product", "person", "url", "since", "ended_at", "known")}
    number: int = connection.execute(insert(version_hooks).values(row | {"secret": hook.seed}).returning(version_hooks.c.id)).scalar_one()
    return replace(hook, id=number)


def hooks_of(
    connection: Connection, products: Collection[str] | None = None, person: str | None = None, as_of: datetime | None = None
) -> tuple[VersionHook, ...]:
    """Those that have not ended (or had not `as_of` a time), of these products and this person."""
    query = select(version_hooks).where(_lives(version_hooks.c.ended_at, as_of)).order_by(version_hooks.c.id)
    if products is not None:
        query = query.where(version_hooks.c.product.in_(products))
    if person is not None:
        query = query.where(version_hooks.c.person == person)
    return tuple(_hook(row) for row in connection.execute(query).mappings())


def hook_of_channel(connection: Connection, channel: str) -> VersionHook | None:
    """The machine of a message, also one that has ended; None where there is none."""
    number = channel.removeprefix(HOOK)
    query = select(version_hooks).where(version_hooks.c.id == int(number)) if number.isdigit() else None
    row = connection.execute(query).mappings().one_or_none() if query is not None else None
    return _hook(row) if row is not None else None


def end_hook(connection: Connection, number: int, person: str | None, now: datetime) -> bool:
    """Of this person only, if one is given. Gives whether there was such a one."""
    which = (version_hooks.c.id == number) & version_hooks.c.ended_at.is_(None)
    which = which if person is None else which & (version_hooks.c.person == person)
    return connection.execute(update(version_hooks).where(which).values(ended_at=now)).rowcount == 1


def _lives(ended: ColumnElement[datetime], as_of: datetime | None) -> ColumnElement[bool]:
    return ended.is_(None) if as_of is None else ended.is_(None) | (ended >= as_of)


def _hook(row: RowMapping) -> VersionHook:
    return VersionHook(**{name: row["secret" if name == "seed" else name] for name in VersionHook.__slots__})
