"""The position up to which the log was read, robust against logs that lost events, were replaced, or still receive earlier events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from platform_resources.ledger.events import Event, EventKind, EventSource
from platform_resources.ledger.tables import cursors, marks
from platform_resources.ledger.upserts import upsert

NEWEST_KEPT, MOST_KEPT = 32, 64


@dataclass(frozen=True, slots=True)
class LogChange:
    """The log is no longer what it was: it lost events that the ledger has, or is another one. What the ledger has stays."""

    kind: EventKind
    cursor: int
    end: int
    resumed_after: int

    def __str__(self) -> str:
        shorter = f"it ends at {self.end}: it lost its tail or was reset" if self.end < self.cursor else "events were deleted or replaced"
        went_on = "its beginning" if self.resumed_after == 0 else f"event {self.resumed_after}"
        return f"the event log no longer has the {self.kind} {self.cursor} that was read last ({shorter}); went on from {went_on}"


def resume_after(connection: Connection, source: EventSource, kind: EventKind, now: datetime) -> tuple[int, LogChange | None]:
    """The log id to read after, and the change if the event read last no longer stands where it stood.

    Then reading goes back to the newest mark that the log still bears out, and marks beyond it are forgotten.
    """
    rows = connection.execute(select(marks.c.log_id, marks.c.identity).where(marks.c.kind == kind).order_by(marks.c.log_id.desc())).all()
    known = [(int(row.log_id), str(row.identity)) for row in rows]
    agreed = next((log_id for log_id, identity in known if _stands(source, kind, log_id, identity)), 0)
    change = None
    if known and agreed != known[0][0]:
        connection.execute(delete(marks).where(marks.c.kind == kind, marks.c.log_id > agreed))
        connection.execute(update(cursors).where(cursors.c.kind == kind).values(log_id=agreed))
        change = LogChange(kind, known[0][0], source.end(), agreed)
    return settled(connection, kind, now), change


def _stands(source: EventSource, kind: EventKind, log_id: int, identity: str) -> bool:
    events = source.after(kind, log_id - 1, 1)
    return bool(events) and events[0].log_id == log_id and events[0].identity == identity


def settled(connection: Connection, kind: EventKind, now: datetime) -> int:
    """The newest mark before which no event can still appear; 0 where there is none."""
    query = select(marks.c.log_id).where(marks.c.kind == kind, marks.c.settles_at <= now).order_by(marks.c.log_id.desc()).limit(1)
    return connection.execute(query).scalar() or 0


def leave_mark(connection: Connection, kind: EventKind, events: Sequence[Event], settling: timedelta, now: datetime) -> None:
    """Mark the end of a batch and move the cursor; a batch of events older than `settling` is settled at once."""
    last = events[-1]
    old = max(event.at for event in events) < now - settling
    row = {"kind": kind, "log_id": last.log_id, "identity": last.identity, "settles_at": now if old else now + settling}
    # A clock that stepped back must not keep a mark unsettled for as long as it stepped.
    upsert(connection, marks, [row], replaces=lambda new, old: (new.identity != old.identity) | (new.settles_at < old.settles_at))
    move_cursor(connection, kind, last.log_id, now)
    _thin(connection, kind)


def move_cursor(connection: Connection, kind: EventKind, log_id: int, now: datetime) -> None:
    """Forward only, but for `resume_after`; `synced_at` says as of when the ledger is."""
    moved = update(cursors).where(cursors.c.kind == kind)
    if connection.execute(moved.where(cursors.c.log_id < log_id).values(log_id=log_id, synced_at=now)).rowcount == 0:
        upsert(connection, cursors, [{"kind": kind, "log_id": log_id, "synced_at": now}], replaces=None)
        connection.execute(moved.values(synced_at=now))


def read_until(connection: Connection) -> dict[EventKind, int]:
    """The log id that was read last, of each kind; empty before the first sync."""
    return {row.kind: int(row.log_id) for row in connection.execute(select(cursors.c.kind, cursors.c.log_id))}


def _thin(connection: Connection, kind: EventKind) -> None:
    """Keep the newest marks, and ever fewer of older ones."""
    query = select(marks.c.log_id).where(marks.c.kind == kind).order_by(marks.c.log_id.desc())
    log_ids: list[int] = list(connection.execute(query).scalars())
    if len(log_ids) > MOST_KEPT:
        connection.execute(delete(marks).where(marks.c.kind == kind, marks.c.log_id.in_(log_ids[NEWEST_KEPT::2])))
