"""What known consumers outside of the mesh answered when they were asked last."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import consumer_probes as table
from platform_resources.ledger.upserts import upsert


@dataclass(frozen=True, slots=True)
class ConsumerAnswer:
    """Whether a product's consumer has answered, and what it said in words."""

    product: str
    consumer: str
    at: datetime
    answers: bool
    said: str


def write_answers(connection: Connection, answers: Collection[ConsumerAnswer]) -> None:
    """A newer answer takes the place of an older one."""
    upsert(connection, table, [asdict(answer) for answer in answers], replaces=lambda new, old: new.at >= old.at)
    note(connection, dict.fromkeys((answer.product for answer in answers), EPOCH))


def consumer_answers(connection: Connection) -> Mapping[tuple[str, str], ConsumerAnswer]:
    """The last answer of each consumer, by product and consumer."""
    rows = connection.execute(select(table)).mappings()
    return {(row["product"], row["consumer"]): ConsumerAnswer(**row) for row in rows}
