"""Bring the ledger up to date with the event log: incrementally, each event once, safely from several processes at a time.

An event's id in the log is a place, not a name: SQLite gives the ids of a lost tail out again. So rows are told apart by what their event
is about, and reading an event twice changes nothing. That makes it safe to read a little too much, wherever the log may have changed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from platform_resources.ledger import tables
from platform_resources.ledger.changes import note_all
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.events import EVENT_KINDS, EventKind, EventSource
from platform_resources.ledger.marks import LogChange, leave_mark, move_cursor, resume_after, settled
from platform_resources.ledger.projection import projected
from platform_resources.ledger.writing import write

BATCH = 1000
PROJECTIONS = (
    tables.readings,
    tables.publications,
    tables.profiles,
    tables.input_states,
    tables.scorecards,
    tables.freshness_states,
    tables.runs,
    tables.cursors,
    tables.marks,
)


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did: events read (some again), rows new or changed, and where the log was found changed."""

    read: int = 0
    written: int = 0
    changes: tuple[LogChange, ...] = ()

    def __add__(self, other: "Synced") -> "Synced":
        return Synced(self.read + other.read, self.written + other.written, (*self.changes, *other.changes))


class HistoryWouldBeLost(Exception):
    """Raised by `rebuild` where the log no longer has what the ledger was made from."""


def sync(ledger: Ledger, source: EventSource, now: datetime, batch: int = BATCH) -> Synced:
    """Project every event that is new since the last sync."""
    return sum((_sync_kind(ledger, source, kind, now, batch) for kind in EVENT_KINDS), Synced())


def _sync_kind(ledger: Ledger, source: EventSource, kind: EventKind, now: datetime, batch: int) -> Synced:
    with ledger.projecting() as connection:
        after, change = resume_after(connection, source, kind, now)
    done = Synced(changes=(change,) if change is not None else ())
    while True:
        with ledger.projecting() as connection:
            # Another process may have got further meanwhile.
            after = max(after, settled(connection, kind, now))
            events = source.after(kind, after, batch)
            if events:
                done += Synced(len(events), write(connection, [record for event in events for record in projected(event)]))
                leave_mark(connection, kind, events, source.settling, now)
                after = events[-1].log_id
            else:
                move_cursor(connection, kind, after, now)
        if len(events) < batch:
            return done


def rebuild(ledger: Ledger, source: EventSource, now: datetime, batch: int = BATCH) -> Synced:
    """Forget every projection and read the whole log again; what people did and which checks are retired stays.

    Raises HistoryWouldBeLost, and changes nothing, where the log lost events that the ledger has.
    """
    with ledger.projecting() as connection:
        for kind in EVENT_KINDS:
            _, change = resume_after(connection, source, kind, now)
            if change is not None:
                raise HistoryWouldBeLost(f"not rebuilt: {change}")
        for table in PROJECTIONS:
            connection.execute(delete(table))
        note_all(connection)
    return sync(ledger, source, now, batch)
