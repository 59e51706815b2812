"""Who vouches for products, until when and on which criteria, who signs off a stage of their life, and which certify themselves."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import certificates
from platform_resources.ledger.people_tables import certifications as table
from platform_resources.ledger.upserts import upsert

# When a sign-off ends that nobody takes back.
NEVER_ENDS = datetime(9999, 12, 31, tzinfo=UTC)


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
    """`person` vouches for a product, because it fulfils the `criteria`; `ended_because` says why it is lost, if it is.

    One with a `stage` signs the product off for it. Where the stage is retired, the first of the
    criteria names the archive of what was retired with it, and a second one what stood against it.
    """

    product: str
    person: str
    why: str
    since: datetime
    until: datetime
    criteria: tuple[str, ...]
    ended_at: datetime | None = None
    ended_because: str = ""
    stage: str = ""

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
    """It takes the place of an older one of the product, or, for a stage, of the same person."""
    connection.execute(insert(certificates).values(**{**asdict(certificate), "criteria": list(certificate.criteria)}))
    note(connection, {certificate.product: EPOCH})


def end_certificates(
    connection: Connection, products: Iterable[str], now: datetime, because: str, stage: str = "", person: str | None = None
) -> None:
    """Those of these products that are not lost yet are lost; sign-offs for a stage where it is named, of a person who is named."""
    names = list(products)
    live = certificates.c.product.in_(names) & certificates.c.ended_at.is_(None) & (certificates.c.stage == stage)
    live = live if person is None else live & (certificates.c.person == person)
    connection.execute(update(certificates).where(live).values(ended_at=now, ended_because=because))
    note(connection, dict.fromkeys(names, EPOCH))


def newest_certificates(connection: Connection) -> dict[str, Certificate]:
    """Of each product the one that was granted last."""
    return {certificate.product: certificate for certificate in _certificates(connection, certificates.c.stage == "")}


def sign_offs(connection: Connection, product: str) -> tuple[Certificate, ...]:
    """Those that hold for any stage of the product, the newest of each person and stage, in the order of time."""
    signed = _certificates(connection, (certificates.c.stage != "") & (certificates.c.product == product))
    return tuple({(sign.stage, sign.person.casefold()): sign for sign in signed if sign.ended_at is None}.values())


def retirement(connection: Connection, product: str) -> Certificate | None:
    """Who has begun to retire the product, when and why; None if nobody has."""
    return next((sign for sign in reversed(sign_offs(connection, product)) if sign.stage == "retired" and sign.criteria), None)


def _certificates(connection: Connection, which: ColumnElement[bool]) -> Iterator[Certificate]:
    columns = [column for column in certificates.c if column.name != "id"]
    for row in connection.execute(select(*columns).where(which).order_by(certificates.c.id)).mappings():
        yield Certificate(**{**row, "criteria": tuple(row["criteria"])})
