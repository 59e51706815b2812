"""Machines that are told of each new version of a product: by whom, since when, and where they listen."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from platform_resources.ledger.people_tables import version_hooks as table

# What the channel of a hook is called in the outbox, before its number.
HOOK = "hook:"


@dataclass(frozen=True, slots=True)
class VersionHook:
    """One machine; calls to it are signed with `secret`."""

    id: int
    product: str
    person: str
    url: str
    secret: str = field(repr=False)
    since: datetime
    ended_at: datetime | None = None

    @property
    def channel(self) -> str:
        """Its name in the outbox."""
        return f"{HOOK}{self.id}"


def add_hook(connection: Connection, hook: VersionHook) -> VersionHook:
    """Gives it with its number."""
    told = {name: getattr(hook, name) for name in VersionHook.__slots__ if name != "id"}
    done: int = connection.execute(insert(table).values(told).returning(table.c.id)).scalar_one()
    return VersionHook(done, **told)


def hooks_of(connection: Connection, products: Collection[str] | None = None, person: str | None = None) -> tuple[VersionHook, ...]:
    """Those that have not ended, of these products and this person."""
    query = select(table).where(table.c.ended_at.is_(None)).order_by(table.c.id)
    if products is not None:
        query = query.where(table.c.product.in_(products))
    if person is not None:
        query = query.where(table.c.person == person)
    return tuple(_hook(row) for row in connection.execute(query).mappings())


def hook_of_channel(connection: Connection, channel: str) -> VersionHook | None:
    """The machine of a message; None where it has ended."""
    number = channel.removeprefix(HOOK)
    query = select(table).where(table.c.id == int(number), table.c.ended_at.is_(None)) if number.isdigit() else None
    row = connection.execute(query).mappings().one_or_none() if query is not None else None
    return _hook(row) if row is not None else None


def end_hook(connection: Connection, number: int, person: str, now: datetime) -> bool:
    """Gives whether the person had such a one."""
    which = (table.c.id == number) & (table.c.person == person) & table.c.ended_at.is_(None)
    return connection.execute(update(table).where(which).values(ended_at=now)).rowcount == 1


def _hook(row: RowMapping) -> VersionHook:
    return VersionHook(**{name: row[name] for name in VersionHook.__slots__})
