"""Queries of the data lab: what was asked by whom, and what was saved for others. Results are kept nowhere."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from platform_resources.ledger.people_tables import lab_queries as table


@dataclass(frozen=True, slots=True)
class LabQuery:
    """One query, saved where it has a `title`; tables of `product`, if it is said, need no name before the point."""

    person: str
    at: datetime
    product: str
    query: str
    seconds: float = 0.0
    title: str = ""


def record_query(connection: Connection, query: LabQuery) -> None:
    """Record that a query was run or saved."""
    connection.execute(insert(table).values(asdict(query)))


def saved_queries(connection: Connection) -> tuple[LabQuery, ...]:
    """The saved queries, newest first."""
    columns = [table.c[name] for name in LabQuery.__slots__]
    rows = connection.execute(select(*columns).where(table.c.title != "").order_by(table.c.id.desc())).mappings()
    return tuple(LabQuery(**row) for row in rows)


def forget_saved(connection: Connection, person: str, title: str) -> bool:
    """Take back what one has saved; gives whether there was such a query."""
    done = connection.execute(delete(table).where(table.c.person == person, table.c.title == title, table.c.title != ""))
    return done.rowcount > 0
