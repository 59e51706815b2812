"""Tokens of people and ended sessions, stored as digests, so that nobody can sign in with what is stored."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from platform_resources.ledger.people_tables import access_tokens as table
from platform_resources.ledger.people_tables import ended_sessions
from platform_resources.ledger.upserts import insertion

TokenState = Literal["valid", "expired", "revoked"]
# A page that loads twenty things is one use.
USE_WRITTEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One token: whose it is, what it may be used for, and until when. `groups` are the person's, as they were last known."""

    id: int
    person: str
    groups: tuple[str, ...]
    title: str
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> TokenState:
        """What it is now."""
        return "revoked" if self.revoked_at is not None else "expired" if self.expires_at <= now else "valid"


def digest(secret: str) -> str:
    """The hash under which a secret is stored and found; 256 random bits need neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def write_token(connection: Connection, secret: str, token: AccessToken) -> AccessToken:
    """Keep a new token; gives it with its number."""
    values = {name: getattr(token, name) for name in ("person", "title", "made_at", "expires_at")}
    lists = {"groups": list(token.groups), "scopes": list(token.scopes)}
    connection.execute(insert(table).values(digest=digest(secret), **values, **lists))
    written = token_of_secret(connection, secret)
    assert written is not None
    return written


def token_of_secret(connection: Connection, secret: str) -> AccessToken | None:
    """The token of this secret, whatever its state; None if there is none."""
    row = connection.execute(select(table).where(table.c.digest == digest(secret))).mappings().one_or_none()
    return _token(row) if row is not None else None


def tokens_of(connection: Connection, person: str | None = None) -> tuple[AccessToken, ...]:
    """The tokens of one person or of all, newest first."""
    query = select(table).order_by(table.c.id.desc())
    rows = connection.execute(query if person is None else query.where(table.c.person == person)).mappings()
    return tuple(_token(row) for row in rows)


def revoke_token(connection: Connection, number: int, person: str | None, now: datetime) -> bool:
    """Revoke a token, of this person only if one is given. Returns whether there was one in force."""
    which = (table.c.id == number) & table.c.revoked_at.is_(None)
    which = which if person is None else which & (table.c.person == person)
    return connection.execute(update(table).where(which).values(revoked_at=now)).rowcount == 1


def note_groups(connection: Connection, person: str, groups: Collection[str], most: timedelta) -> None:
    """That the person has these groups now: no token of theirs is of others, and one that lasts longer than `most` gets no more."""
    for row in connection.execute(select(table).where(func.lower(table.c.person) == person.lower())).mappings().all():
        token = _token(row)
        now = [group for group in groups if group in token.groups or token.expires_at - token.made_at <= most]
        if now != list(token.groups):
            connection.execute(update(table).where(table.c.id == token.id).values(groups=now))


def note_use(connection: Connection, number: int, now: datetime) -> None:
    """Record that the token was used, to the minute."""
    connection.execute(update(table).where(table.c.id == number).values(last_used_at=now))


def end_session(connection: Connection, session: str, now: datetime, lasts: timedelta) -> None:
    """End a session: copies of its cookie are refused from now on; ended sessions whose cookies have expired are forgotten."""
    connection.execute(delete(ended_sessions).where(ended_sessions.c.ended_at < now - 2 * lasts))
    row = insertion(connection, ended_sessions).values(digest=digest(session), ended_at=now)
    connection.execute(row.on_conflict_do_nothing(index_elements=["digest"]))


def is_ended(connection: Connection, session: str) -> bool:
    """Whether somebody has signed out of it."""
    return connection.execute(select(ended_sessions.c.digest).where(ended_sessions.c.digest == digest(session))).first() is not None


def _token(row: RowMapping) -> AccessToken:
    named = {name: row[name] for name in AccessToken.__slots__ if name not in ("groups", "scopes")}
    return AccessToken(**named, groups=tuple(row["groups"]), scopes=tuple(row["scopes"]))
