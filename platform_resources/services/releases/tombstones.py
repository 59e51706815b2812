"""What is left of a retired product: when it was retired, by whom and why, what takes its place, and where its archive is."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.certifications import retirement
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.releases.archives import archive_of
from platform_resources.services.releases.listeners import listeners


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A retired product. `at`, `by` and `why` are known of one that was retired by the command; `archive` is relative to the state.

    `although` is what stood against it and why it was retired all the same, `ended` who heard of it until then: only its owners are
    told, since that names readers.
    """

    at: datetime | None
    by: str
    why: str
    replacement: str
    archive: str
    version: str
    rows: int
    although: str = ""
    ended: tuple[str, ...] = ()

    def lines(self, with_readers: bool) -> tuple[str, ...]:
        """In sentences, without its product and what takes its place."""
        when = f" on {self.at:%Y-%m-%d} by {self.by}: {self.why}" if self.at is not None else ""
        data = f"Its last version, {self.version}, of {self.rows:,} rows, and its contract are" if self.version else "Its contract is"
        kept = f"{data} kept in {self.archive} of the mesh's state, for whoever may read that folder." if self.archive else ""
        against = f"That was done although {self.although}" if self.although and with_readers else ""
        ended = f"With it ended {', '.join(self.ended)}" if self.ended and with_readers else ""
        return tuple(text if text.endswith(".") else f"{text}." for text in (f"Retired{when}", against, ended, kept) if text)


def tombstone(connection: Connection, state: Path, product: ProductPlan) -> Tombstone | None:
    """What is left of a product that is retired; None for any other."""
    if product.info.lifecycle != "retired":
        return None
    signed, archive = retirement(connection, product.name), archive_of(state, product.domain, product.name)
    return Tombstone(
        signed.since if signed is not None else None,
        signed.person if signed is not None else "",
        signed.why if signed is not None else "",
        product.info.replacement or "",
        archive.folder if archive is not None else "",
        archive.product_version if archive is not None and archive.version else "",
        archive.rows if archive is not None else 0,
        "".join(signed.criteria[1:]) if signed is not None else "",
        tuple(listeners(connection, product, as_of=signed.since).texts) if signed is not None else (),
    )
