"""Grants of access: who asked for what, and what was decided. Rows are only ever added."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from platform_resources.access.grants import Grant, GrantEvent, after_events
from platform_resources.access.reader_standing import Reader
from platform_resources.access.views import attributes_of
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people_tables import grant_events, grants

# What the name of a grant of the ledger begins with.
_MARK = "g"


class NoSuchGrant(Exception):
    """Raised when the ledger has no grant of this name."""


def grants_of(connection: Connection, product: str | None = None, subject: str | None = None) -> tuple[Grant, ...]:
    """The grants of a product, or of somebody, or all; the oldest first. Two queries."""
    query = select(grants).order_by(grants.c.id)
    query = query.where(grants.c.product == product) if product is not None else query
    query = query.where(grants.c.subject == subject) if subject is not None else query
    return tuple(_with_events(connection, [dict(row) for row in connection.execute(query).mappings()]))


def grants_of_reader(connection: Connection, reader: Reader) -> tuple[Grant, ...]:
    """The grants of a reader and of their groups; the oldest first. Three short queries, however many grants others have."""
    subjects = reader.own_among(connection.execute(text("select distinct subject from grants")).scalars())
    query = select(grants).where(grants.c.subject.in_(subjects)).order_by(grants.c.id)
    return tuple(_with_events(connection, [dict(row) for row in connection.execute(query).mappings()])) if subjects else ()


def events_of_grant(connection: Connection, name: str) -> tuple[GrantEvent, ...]:
    """What was done to a grant after it was requested, in order."""
    query = select(grant_events).where(grant_events.c.grant_id == _number(name)).order_by(grant_events.c.id)
    return tuple(_event(row) for row in connection.execute(query).mappings())


def newest_decision(connection: Connection) -> int:
    """What differs as soon as anything is decided of any grant."""
    return connection.execute(select(func.max(grant_events.c.id))).scalar() or 0


def request(ledger: Ledger, grant: Grant, event: GrantEvent | None = None) -> Grant:
    """Record a request, and what was decided of it at once, if anything. Gives the grant with its name."""
    row = {
        "product": grant.product,
        "role": grant.role,
        "subject": grant.subject,
        "purpose": grant.purpose,
        "attributes": dict(grant.attributes),
        "requested_by": grant.requested_by,
        "requested_at": grant.requested_at,
    }
    with ledger.writing() as connection:
        (number,) = connection.execute(insert(grants).values(row)).inserted_primary_key or (None,)
        named = replace(grant, name=f"{_MARK}{number}")
        if event is not None:
            _add(connection, replace(event, grant=named.name))
    return after_events(named, (event,) if event is not None else ())


def decide(ledger: Ledger, name: str, decision: Callable[[Grant], GrantEvent]) -> Grant:
    """Record what is decided of a grant, as it is then: of two who decide at once, the second decides by what the first has done.

    Raises NoSuchGrant, and what `decision` raises.
    """
    with ledger.projecting() as connection:
        grant = _grant(connection, name)
        event = decision(grant)
        _add(connection, event)
    return after_events(grant, (event,))


def _grant(connection: Connection, name: str) -> Grant:
    rows = [dict(row) for row in connection.execute(select(grants).where(grants.c.id == _number(name))).mappings()]
    if not rows:
        raise NoSuchGrant(f'no grant "{name}"; `mesh access list` lists them')
    return next(_with_events(connection, rows))


def _with_events(connection: Connection, rows: list[dict[str, Any]]) -> Iterator[Grant]:
    numbers = [row["id"] for row in rows]
    query = select(grant_events).where(grant_events.c.grant_id.in_(numbers)).order_by(grant_events.c.id)
    events: dict[str, list[GrantEvent]] = {}
    for event in map(_event, connection.execute(query).mappings()):
        events.setdefault(event.grant, []).append(event)
    for row in rows:
        grant = _requested(row)
        yield after_events(grant, events.get(grant.name, ()))


def _requested(row: dict[str, Any]) -> Grant:
    by, at = row["requested_by"], row["requested_at"]
    attributes = attributes_of(row["attributes"])
    name = f"{_MARK}{row['id']}"
    return Grant(name, row["product"], row["role"], row["subject"], row["purpose"], attributes, by, at, "requested", by, at)


def _event(row: Any) -> GrantEvent:
    return GrantEvent(f"{_MARK}{row['grant_id']}", row["at"], row["act"], row["person"], row["why"], row["until"])


def _add(connection: Connection, event: GrantEvent) -> None:
    row = {"grant_id": _number(event.grant), "at": event.at, "act": event.act, "person": event.by, "why": event.why, "until": event.until}
    connection.execute(insert(grant_events).values(row))


def _number(name: str) -> int:
    """Raises NoSuchGrant for what is no name of a grant."""
    digits = name.removeprefix(_MARK)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise NoSuchGrant(f'"{name}" is no grant of the ledger; `mesh access list` lists them')
    return int(digits)
