"""Made-up history for a sample mesh, so that its charts are not empty: written, recognised and removed.

What was made up is of runs whose id begins with a mark, reads of a kind of their own, incidents whose first event has a note, and requests
and reviews of people with the mark behind their names. Queries leave it out unless they are asked for it: nothing is judged, learned,
announced or counted from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, tuple_

from platform_resources.access.views import Attributes
from platform_resources.ledger import people_tables, tables
from platform_resources.ledger.changes import note_all
from platform_resources.ledger.people.review_store import write_review
from platform_resources.ledger.records import Record
from platform_resources.ledger.writing import write

MADE_UP = "made up"
RUN_PREFIX = "made-up-"
_OF_PERSON = f" ({MADE_UP})"
_OF_RUNS = (tables.readings, tables.publications, tables.input_states, tables.scorecards, tables.runs)
_WHEN = {
    tables.readings: "at",
    tables.publications: "published_at",
    tables.input_states: "at",
    tables.scorecards: "at",
    tables.runs: "ended_at",
}


@dataclass(frozen=True, slots=True)
class MadeUpRead:
    """One read that nobody made."""

    product: str
    port: str
    reader: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MadeUpIncident:
    """One incident that never was, over since `resolved_at`."""

    cause: str
    number: int
    began_at: datetime
    opened_at: datetime
    acknowledged_at: datetime
    resolved_at: datetime
    check: str
    severity: str
    title: str
    person: str


@dataclass(frozen=True, slots=True)
class MadeUpRequest:
    """A role of a product that somebody asks for who never did; it waits for a decision, and approved it gives nobody anything.

    The mark behind the name of the person makes it no name that anybody can have.
    """

    product: str
    role: str
    attributes: Attributes
    person: str
    purpose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MadeUpReview:
    """What somebody says of a product who never said it; the mark stands behind the name."""

    product: str
    person: str
    stars: int
    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MadeUpHistory:
    """What of the ledger is made up: from when until when, of which products, and which incidents by name."""

    since: datetime
    until: datetime
    products: tuple[str, ...]
    incidents: frozenset[str]


def is_made_up(run_id: str) -> bool:
    """Whether what the run left is made up."""
    return run_id.startswith(RUN_PREFIX)


def is_made_up_person(name: str) -> bool:
    """Whether somebody of this name never asked for anything."""
    return name.endswith(_OF_PERSON)


def real(run_id: Any) -> ColumnElement[bool]:
    """The condition that a row belongs to a real run, not to made-up history."""
    condition: ColumnElement[bool] = ~run_id.startswith(RUN_PREFIX, autoescape=True)
    return condition


def made_up_history(connection: Connection) -> MadeUpHistory | None:
    """None where nothing is made up."""
    runs = tables.runs
    query = select(runs.c.product, func.min(runs.c.started_at).label("since"), func.max(runs.c.ended_at).label("until"))
    products = connection.execute(query.where(~real(runs.c.run_id)).group_by(runs.c.product).order_by(runs.c.product)).mappings().all()
    if not products:
        return None
    names = frozenset(f"{cause}#{number}" for cause, number in _incidents(connection))
    since, until = min(row["since"] for row in products), max(row["until"] for row in products)
    return MadeUpHistory(since, until, tuple(row["product"] for row in products), names)


def first_real_moment(connection: Connection) -> datetime | None:
    """When the oldest of what really happened did; None in an empty ledger."""
    moments = [_first(connection, table, table.c[_WHEN[table]], real(table.c.run_id)) for table in _OF_RUNS]
    reads = people_tables.reads
    moments.append(_first(connection, reads, reads.c.at, reads.c.kind != MADE_UP))
    return min((moment for moment in moments if moment is not None), default=None)


def _first(connection: Connection, table: Table, time: Any, condition: ColumnElement[bool]) -> datetime | None:
    return connection.execute(select(func.min(time)).select_from(table).where(condition)).scalar()


def write_made_up(
    connection: Connection,
    records: Sequence[Record],
    reads: Sequence[MadeUpRead],
    incidents: Sequence[MadeUpIncident],
    requests: Sequence[MadeUpRequest] = (),
    reviews: Sequence[MadeUpReview] = (),
) -> None:
    """Write what was made up; `records` are of runs whose id begins with RUN_PREFIX. Raises ValueError for any other."""
    if not all(is_made_up(getattr(record, "run_id", "")) for record in records):
        raise ValueError(f"a record of a run whose id does not begin with {RUN_PREFIX} would be taken for real")
    write(connection, records)
    if reads:
        rows = [{"product": read.product, "port": read.port, "reader": read.reader, "at": read.at, "kind": MADE_UP} for read in reads]
        connection.execute(insert(people_tables.reads), rows)
    for incident in incidents:
        _write_incident(connection, incident)
    for request in requests:
        connection.execute(
            insert(people_tables.grants).values(
                product=request.product,
                role=request.role,
                subject=request.person + _OF_PERSON,
                purpose=f"{MADE_UP}: {request.purpose}",
                attributes=dict(request.attributes),
                requested_by=request.person + _OF_PERSON,
                requested_at=request.at,
            )
        )

    for review in reviews:
        write_review(connection, review.product, review.person + _OF_PERSON, review.stars, review.said, review.at)


def _write_incident(connection: Connection, made: MadeUpIncident) -> None:
    key = {"cause": made.cause, "number": made.number}
    connection.execute(
        insert(people_tables.incidents).values(
            **key,
            began_at=made.began_at,
            opened_at=made.opened_at,
            changed_at=made.resolved_at,
            status="resolved",
            acknowledged_at=made.acknowledged_at,
            resolved_at=made.resolved_at,
            resolution="fixed",
            reopened=0,
            moved_to=[],
            severity=made.severity,
            title=f"{MADE_UP}: {made.title}",
        )
    )
    connection.execute(insert(people_tables.incident_checks).values(**key, check_name=made.check))
    happened = (
        ("opened", made.opened_at, "platform"),
        ("acknowledged", made.acknowledged_at, made.person),
        ("resolved", made.resolved_at, made.person),
    )
    events = [{**key, "at": at, "kind": kind, "person": person, "note": MADE_UP} for kind, at, person in happened]
    connection.execute(insert(people_tables.incident_events), events)


def causes_with_incidents(connection: Connection) -> frozenset[str]:
    """The products that have had an incident, real or not."""
    return frozenset(connection.execute(select(people_tables.incidents.c.cause).distinct()).scalars())


def _incidents(connection: Connection) -> list[tuple[str, int]]:
    table = people_tables.incident_events
    opened = connection.execute(select(table.c.cause, table.c.number).where(table.c.kind == "opened", table.c.note == MADE_UP))
    return [(row["cause"], row["number"]) for row in opened.mappings()]


def made_up_incidents(connection: Connection) -> frozenset[str]:
    """The names of all incidents that never were."""
    return frozenset(f"{cause}#{number}" for cause, number in _incidents(connection))


def remove_made_up(connection: Connection) -> None:
    """Take away all that was made up, and nothing else."""
    for table in _OF_RUNS:
        connection.execute(delete(table).where(~real(table.c.run_id)))
    note_all(connection)
    connection.execute(delete(people_tables.reads).where(people_tables.reads.c.kind == MADE_UP))
    asked = people_tables.grants
    made = asked.c.requested_by.endswith(_OF_PERSON, autoescape=True)
    events = people_tables.grant_events
    connection.execute(delete(events).where(events.c.grant_id.in_(select(asked.c.id).where(made))))
    connection.execute(delete(asked).where(made))
    said = people_tables.reviews
    connection.execute(delete(said).where(said.c.person.endswith(_OF_PERSON, autoescape=True)))
    names = _incidents(connection)
    for table in (people_tables.incident_events, people_tables.incident_checks, people_tables.incident_impacts, people_tables.incidents):
        if names:
            connection.execute(delete(table).where(tuple_(table.c.cause, table.c.number).in_(names)))
