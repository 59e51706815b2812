"""Tell readings of a candidate (a version that was measured but never published) from readings of a published version."""

from datetime import timedelta

from sqlalchemy import Connection, select

from platform_resources.ledger import tables
from platform_resources.ledger.events import RunStatus
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import CheckReading, PortPublication
from platform_resources.plan.conventions import is_evaluation

# The audit of a version and its publication are parts of one refresh.
LONGEST_REFRESH = timedelta(days=1)
_UNPUBLISHED: tuple[RunStatus, ...] = ("started", "failed", "canceled")


def is_of_candidate(connection: Connection, reading: CheckReading, served: PortPublication | None) -> bool:
    """Whether the reading's refresh has not published, and the version that is `served` was not missed by the same check.

    A refresh that goes on has not published yet; what no run measured, such as imported results, is of no candidate.
    """
    table = tables.runs
    run = connection.execute(select(table.c.status, table.c.job).where(table.c.run_id == reading.run_id)).first()
    if run is None or run.status not in _UNPUBLISHED or is_evaluation(run.job) or _published(connection, reading.run_id):
        return False
    return served is None or not _missed(connection, reading.check_id, served)


def _published(connection: Connection, run_id: str) -> bool:
    table = tables.publications
    return connection.execute(select(table.c.version).where(table.c.run_id == run_id).limit(1)).first() is not None


def _missed(connection: Connection, check: int, served: PortPublication) -> bool:
    since, until = served.published_at - LONGEST_REFRESH, served.published_at + LONGEST_REFRESH
    said = history.readings(connection, check, since, until)
    return any(reading.verdict == "missed" for reading in said if reading.run_id == served.run_id)
