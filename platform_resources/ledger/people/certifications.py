"""Who vouches for products, until when and on which criteria, and since when products are known to be certified by their own word."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import certificates
from platform_resources.ledger.people_tables import certifications as table
from platform_resources.ledger.upserts import upsert


def note_certified(connection: Connection, certified: Collection[str], others: Collection[str], now: datetime) -> None:
    """These products are certified, and these others are not; one that is certified again begins anew."""
    before = certified_since(connection)
    new, gone = [name for name in certified if name not in before], [name for name in others if name in before]
    upsert(connection, table, [{"product": name, "since": now} for name in new], replaces=None)
    if gone:
        connection.execute(delete(table).where(table.c.product.in_(gone)))
    if new or gone:
        note(connection, dict.fromkeys((*new, *gone), EPOCH))


def certified_since(connection: Connection) -> Mapping[str, datetime]:
    """When each certified product was first seen as certified, by product."""
    return {row.product: row.since for row in connection.execute(select(table)).all()}


@dataclass(frozen=True, slots=True)
class Certificate:
    """`person` vouches for a product, because it fulfils the `criteria`; `ended_because` says why it is lost, if it is."""

    product: str
    person: str
    why: str
    since: datetime
    until: datetime
    criteria: tuple[str, ...]
    ended_at: datetime | None = None
    ended_because: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is neither lost nor over."""
        return self.ended_at is None and now < self.until

    def text(self, now: datetime) -> str:
        """In a sentence without its product."""
        if self.ended_at is not None:
            return f"certified by {self.person} on {self.since:%Y-%m-%d}, lost on {self.ended_at:%Y-%m-%d}: {self.ended_because}"
        until = f"{'until' if now < self.until else 'was until'} {self.until:%Y-%m-%d}"
        return f"certified by {self.person} {until}{f': {self.why}' if self.why else ''}"


def grant_certificate(connection: Connection, certificate: Certificate) -> None:
    """It takes the place of an older one of the product."""
    connection.execute(insert(certificates).values(**{**asdict(certificate), "criteria": list(certificate.criteria)}))
    note(connection, {certificate.product: EPOCH})


def end_certificates(connection: Connection, products: Iterable[str], now: datetime, because: str) -> None:
    """Those of these products that are not lost yet are lost."""
    names = list(products)
    live = certificates.c.product.in_(names) & certificates.c.ended_at.is_(None)
    connection.execute(update(certificates).where(live).values(ended_at=now, ended_because=because))
    note(connection, dict.fromkeys(names, EPOCH))


def newest_certificates(connection: Connection) -> dict[str, Certificate]:
    """Of each product the one that was granted last."""
    columns = [column for column in certificates.c if column.name != "id"]
    rows = connection.execute(select(*columns).order_by(certificates.c.id)).mappings()
    return {row["product"]: Certificate(**{**row, "criteria": tuple(row["criteria"])}) for row in rows}
