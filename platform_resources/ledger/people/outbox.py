"""The outbox: each message is written once, claimed by one sender at a time, and sent or accounted for.

Nothing is lost: a message is open until it is known to be sent, is withdrawn, or is given up, and all of these are kept. Nothing is sent
twice but by a sender that dies, or stays away for longer than its claim lasts, after sending and before saying so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, bindparam, case, func, or_, select, update

from platform_resources.incidents.messages import Message, MessageKind, Statement
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people_tables import messages as table
from platform_resources.ledger.upserts import upsert

State = Literal["waiting", "sending", "sent", "failing", "given up", "withdrawn"]
NOT_DONE: tuple[State, ...] = ("waiting", "sending", "failing")
CLAIM = timedelta(minutes=5)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
PATIENCE = timedelta(days=3)
# Whoever slept most of the time, or whose clock was days ahead for a moment, has not tried for three days.
FEWEST_ATTEMPTS = 24

_OPEN = and_(table.c.sent_at.is_(None), table.c.given_up_at.is_(None), table.c.withdrawn_at.is_(None))
_STATE = case(
    (table.c.sent_at.is_not(None), "sent"),
    (table.c.withdrawn_at.is_not(None), "withdrawn"),
    (table.c.given_up_at.is_not(None), "given up"),
    (table.c.claimed_by.is_not(None), "sending"),
    (table.c.attempts > 0, "failing"),
    else_="waiting",
)
_FREE: Mapping[str, None] = {"claimed_by": None, "claimed_at": None, "claimed_until": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """One sender's right to send one message; `attempt` tells it from every other claim of that message."""

    message: Message
    who: str
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message and what became of it. "sending" is one that a sender has claimed and not reported on. `reason`: why it was withdrawn."""

    message: Message
    state: State
    created_at: datetime
    attempts: int
    last_error: str
    next_at: datetime | None
    sent_at: datetime | None
    reason: str


def queue(connection: Connection, messages: Iterable[Message], now: datetime) -> int:
    """Write messages, each key once; gives the number of new ones. One that is there and was not sent gets the new text and time."""
    rows_of = {message.key: _row(message) for message in messages}
    # In one order everywhere, so that two processes that queue the same messages never wait for each other.
    rows = [rows_of[key] for key in sorted(rows_of)]
    empty = {"created_at": now, "attempts": 0, "last_error": "", "withdrawn_because": ""}
    new = upsert(connection, table, [row | empty for row in rows], replaces=None)
    if new < len(rows):
        _renew(connection, rows, now)
    return new


def withdraw(connection: Connection, keys: Collection[str], now: datetime, reason: str) -> int:
    """Messages that wait are not sent, unless they are queued again; gives their number. One that is being sent is not stopped."""
    withdrawn = {**_FREE, "withdrawn_at": now, "withdrawn_because": reason}
    return connection.execute(update(table).where(table.c.key.in_(keys), _OPEN, _unclaimed(now)).values(withdrawn)).rowcount


def claimed(
    ledger: Ledger, who: str, channels: Collection[str] | None, now: datetime, limit: int, claim_for: timedelta = CLAIM
) -> tuple[Claim, ...]:
    """Messages that are due, for `who` alone until `claim_for` is over; of these channels only, if given. Report each as sent or failed."""
    with ledger.writing() as connection:
        _bring_back_claims_of_the_future(connection, now)
        due = select(table).where(_OPEN, _unclaimed(now), table.c.not_before <= now, _is_next(now))
        if channels is not None:
            due = due.where(table.c.channel.in_(channels))
        chosen = due.order_by(table.c.not_before, table.c.key).limit(limit).with_for_update(skip_locked=True)
        claims = [_claim(connection, row, who, now, claim_for) for row in connection.execute(chosen).mappings().all()]
        return tuple(claim for claim in claims if claim is not None)


def sent(ledger: Ledger, claim: Claim, now: datetime) -> bool:
    """Whether the claim still stood; if not, another sender has the message and nothing changes."""
    with ledger.writing() as connection:
        done = update(table).where(_OPEN, _stands(claim)).values({**_FREE, "sent_at": now})
        return connection.execute(done).rowcount == 1


def failed(ledger: Ledger, claim: Claim, now: datetime, error: str) -> bool:
    """Try again later, and ever later, or give up. Whether the claim still stood, as for `sent`."""
    with ledger.writing() as connection:
        row = connection.execute(select(table).where(_OPEN, _stands(claim)).with_for_update()).mappings().one_or_none()
        if row is None:
            return False
        given_up = now if _is_spent(row, now) else None
        _set(connection, row, {**_FREE, "last_error": error, "next_at": now + _wait(claim.attempt), "given_up_at": given_up})
        return True


def put_off(ledger: Ledger, claim: Claim, now: datetime, reason: str) -> bool:
    """What the message says does not hold now: look again in a while. That was no attempt. Whether the claim still stood, as for `sent`."""
    with ledger.writing() as connection:
        row = connection.execute(select(table).where(_OPEN, _stands(claim)).with_for_update()).mappings().one_or_none()
        if row is None:
            return False
        since = row["tried_since"] if claim.attempt > 1 else None
        again = {"attempts": claim.attempt - 1, "tried_since": since, "next_at": now + FIRST_WAIT}
        _set(connection, row, {**_FREE, **again, "last_error": reason})
        return True


def messages(
    connection: Connection,
    since: datetime | None = None,
    state: State | None = None,
    channel: str | None = None,
    limit: int = 100,
) -> tuple[OutboxEntry, ...]:
    """The newest messages, in one state, for one channel, or written at or after `since`."""
    query = select(table, _STATE.label("state")).order_by(table.c.created_at.desc(), table.c.key).limit(limit)
    if since is not None:
        query = query.where(table.c.created_at >= since)
    if state is not None:
        query = query.where(_STATE.in_([state]))
    if channel is not None:
        query = query.where(table.c.channel == channel)
    return tuple(_entry(row) for row in connection.execute(query).mappings())


def open_and_recent(connection: Connection, since: datetime | None) -> tuple[OutboxEntry, ...]:
    """Whatever is not done, however old it is; of the rest the newest that were written at or after `since`."""
    open_ones = [entry for state in NOT_DONE for entry in messages(connection, state=state)]
    entries = {entry.message.key: entry for entry in (*open_ones, *messages(connection, since=since))}
    return tuple(sorted(entries.values(), key=lambda entry: (entry.created_at, entry.message.key), reverse=True))


def keys_told(connection: Connection, incident: str) -> dict[str, State]:
    """The messages about an incident, in any state: by key."""
    return _states(connection, table.c.incident == incident)


def keys_about(connection: Connection, kind: MessageKind, products: Collection[str], since: datetime | None = None) -> dict[str, State]:
    """The messages of a kind about these products, in any state: by key; only those written at or after `since`, if given.

    What is about a whole domain is about the product "".
    """
    about = (table.c.kind == kind) & table.c.product.in_(products)
    return _states(connection, about if since is None else about & (table.c.created_at >= since))


def _states(connection: Connection, which: ColumnElement[bool]) -> dict[str, State]:
    return {row.key: row.state for row in connection.execute(select(table.c.key, _STATE.label("state")).where(which).order_by(table.c.key))}


def _row(message: Message) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in Message.__slots__}
    return row | {"says": [[statement.product, statement.status, list(statement.missed)] for statement in message.says]}


def _message(row: RowMapping) -> Message:
    says = tuple(Statement(product, status, tuple(missed)) for product, status, missed in row["says"])
    return Message(**{name: row[name] for name in Message.__slots__} | {"says": says})


def _entry(row: RowMapping) -> OutboxEntry:
    values = {name: row[name] for name in ("state", "created_at", "attempts", "last_error", "next_at", "sent_at")}
    return OutboxEntry(_message(row), **values, reason=row["withdrawn_because"])


def _renew(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    renewed = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in ("kind", "subject", "body", "not_before", "says")}
    unsent = and_(table.c.sent_at.is_(None), table.c.given_up_at.is_(None))
    renewal = update(table).where(table.c.key == bindparam("new_key"), unsent, _unclaimed(now))
    renewal = renewal.values({**renewed, "withdrawn_at": None, "withdrawn_because": ""})
    connection.execute(renewal, [{f"new_{name}": row[name] for name in ("key", *renewed)} for row in rows])


def _unclaimed(now: datetime) -> ColumnElement[bool]:
    return or_(table.c.claimed_by.is_(None), table.c.claimed_until <= now)


def _is_next(now: datetime) -> ColumnElement[bool]:
    """No attempt waits longer than the longest wait: one that seems to was put off by a clock that was ahead."""
    return or_(table.c.next_at.is_(None), table.c.next_at <= now, table.c.next_at > now + LONGEST_WAIT)


def _bring_back_claims_of_the_future(connection: Connection, now: datetime) -> None:
    """A claim made by a clock that was ahead lasts its time from now on: no longer, and not so short that its sender may still be at it."""
    ahead = select(table).where(_OPEN, table.c.claimed_at > now).with_for_update(skip_locked=True)
    for row in connection.execute(ahead).mappings().all():
        _set(connection, row, {"claimed_at": now, "claimed_until": now + (row["claimed_until"] - row["claimed_at"])})


def _claim(connection: Connection, row: RowMapping, who: str, now: datetime, claim_for: timedelta) -> Claim | None:
    """None for one over which senders have died for so long that it is given up."""
    silence = {"last_error": f"{row['claimed_by']} did not report whether it was sent"} if row["claimed_by"] is not None else {}
    if silence and _is_spent(row, now):
        _set(connection, row, {**_FREE, **silence, "given_up_at": now})
        return None
    attempt, tried_since = row["attempts"] + 1, min(row["tried_since"] or now, now)
    claim = {"claimed_by": who, "claimed_at": now, "claimed_until": now + claim_for, "attempts": attempt, "tried_since": tried_since}
    _set(connection, row, {**claim, **silence})
    return Claim(_message(row), who, attempt)


def _is_spent(row: RowMapping, now: datetime) -> bool:
    return bool(row["attempts"] >= FEWEST_ATTEMPTS and now - row["tried_since"] >= PATIENCE)


def _wait(attempt: int) -> timedelta:
    doublings = min(attempt - 1, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _stands(claim: Claim) -> ColumnElement[bool]:
    return and_(table.c.key == claim.message.key, table.c.claimed_by == claim.who, table.c.attempts == claim.attempt)


def _set(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    connection.execute(update(table).where(table.c.key == row["key"]).values(values))


class Due(NamedTuple):
    """A channel with messages to send. `domain` is that of their products; an e-mail address may have messages of several."""

    channel: str
    domain: str


def due(connection: Connection, now: datetime) -> tuple[Due, ...]:
    """Channels with messages to send now, longest waiting first; only reads.

    What a clock that was ahead has claimed or put off is due too: who claims next puts that right.
    """
    c = table.c
    is_open = c.sent_at.is_(None) & c.given_up_at.is_(None) & c.withdrawn_at.is_(None)
    is_free = or_(c.claimed_by.is_(None), c.claimed_until <= now, c.claimed_at > now)
    is_next = or_(c.next_at.is_(None), c.next_at <= now, c.next_at > now + LONGEST_WAIT)
    query = select(c.channel, c.domain).where(is_open, is_free, is_next, c.not_before <= now)
    ordered = query.group_by(c.channel, c.domain).order_by(func.min(c.not_before), c.channel, c.domain)
    return tuple(Due(row.channel, row.domain) for row in connection.execute(ordered))
