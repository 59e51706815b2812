"""What people say of products and expect of them, what owners answer, and which reviews are hidden."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from platform_resources.contracts.expectation import Expectation, Outcome
from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import expectations
from platform_resources.ledger.people_tables import reviews as table
from platform_resources.ledger.upserts import insertion

# What the name of an expectation begins with.
_MARK = "e"


@dataclass(frozen=True, slots=True)
class Review:
    """What one person says of a product, `at` the last change of it. `answer` is empty where nobody has answered."""

    product: str
    person: str
    stars: int
    said: str
    at: datetime
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    hidden_by: str = ""
    hidden_because: str = ""
    hidden_at: datetime | None = None


def reviews_of(connection: Connection, product: str) -> tuple[Review, ...]:
    """All of a product, hidden ones too, the newest first."""
    rows = connection.execute(select(table).where(table.c.product == product).order_by(table.c.at.desc(), table.c.person)).mappings()
    return tuple(Review(**row) for row in rows)


def unanswered_reviews(connection: Connection) -> tuple[Review, ...]:
    """Of all products those that are shown and that nobody has answered, the newest first."""
    query = select(table).where(table.c.answer == "", table.c.hidden_at.is_(None)).order_by(table.c.at.desc(), table.c.person)
    return tuple(Review(**row) for row in connection.execute(query).mappings())


def write_review(connection: Connection, product: str, person: str, stars: int, said: str, at: datetime) -> None:
    """Write a person's review in place of the former one; it stays hidden if it was, and keeps its answer."""
    unanswered = {"answer": "", "answered_by": "", "hidden_by": "", "hidden_because": ""}
    new = insertion(connection, table).values(product=product, person=person, stars=stars, said=said, at=at, **unanswered)
    values = {name: new.excluded[name] for name in ("stars", "said", "at")}
    connection.execute(new.on_conflict_do_update(index_elements=["product", "person"], set_=values))
    note(connection, {product: EPOCH})


def answer_review(connection: Connection, product: str, person: str, answer: str, by: str, at: datetime) -> bool:
    """Gives whether there is such a review."""
    return _change(connection, product, person, {"answer": answer, "answered_by": by, "answered_at": at})


def hide_review(connection: Connection, product: str, person: str, because: str, by: str, at: datetime | None) -> bool:
    """Hide a review, or show it again without a moment. Returns whether there is such a review."""
    return _change(connection, product, person, {"hidden_because": because, "hidden_by": by, "hidden_at": at})


def _change(connection: Connection, product: str, person: str, values: Mapping[str, Any]) -> bool:
    done = connection.execute(update(table).where(table.c.product == product, table.c.person == person).values(**values))
    note(connection, {product: EPOCH})
    return done.rowcount == 1


class NoSuchExpectation(Exception):
    """Raised when the ledger has no expectation of this name."""


def propose(connection: Connection, expectation: Expectation) -> str:
    """Record a proposal; gives its name."""
    row = {**asdict(expectation), "component": dict(expectation.component)}
    del row["name"]
    (number,) = connection.execute(insert(expectations).values(row)).inserted_primary_key or (None,)
    return f"{_MARK}{number}"


def expectations_of(connection: Connection, products: Collection[str] | None = None) -> tuple[Expectation, ...]:
    """Those of these products, or all; the oldest first."""
    query = select(expectations).order_by(expectations.c.id)
    query = query if products is None else query.where(expectations.c.product.in_(products))
    rows = (dict(row) for row in connection.execute(query).mappings())
    return tuple(Expectation(f"{_MARK}{row.pop('id')}", **row) for row in rows)


def expectation_named(connection: Connection, name: str) -> Expectation:
    """Raises NoSuchExpectation."""
    known = next((known for known in expectations_of(connection) if known.name == name), None)
    if known is None:
        raise NoSuchExpectation(f'no expectation "{name}"; `mesh expect list` lists them')
    return known


def note_decision(connection: Connection, name: str, outcome: Outcome, by: str, why: str, now: datetime) -> None:
    """Record what became of a proposal."""
    decided = {"outcome": outcome, "decided_by": by, "why": why, "decided_at": now}
    connection.execute(update(expectations).where(expectations.c.id == int(name.removeprefix(_MARK))).values(decided))
