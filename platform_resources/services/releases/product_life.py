"""Where a product is in its life: who vouches for it, what its stage requires, and what is left once it is retired."""

from dataclasses import dataclass
from pathlib import Path

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.certifications import Certificate, newest_certificates
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.releases.stage_standings import StageStanding, stage_standings
from platform_resources.services.releases.tombstones import Tombstone, tombstone


@dataclass(frozen=True, slots=True)
class ProductLife:
    """The certificate granted last, what is left of a retired product, and every stage that requires something."""

    certificate: Certificate | None = None
    tombstone: Tombstone | None = None
    stages: tuple[StageStanding, ...] = ()


def product_life(connection: Connection, state: Path, product: ProductPlan) -> ProductLife:
    """All of it, from the ledger and the archive."""
    certificate = newest_certificates(connection).get(product.name)
    return ProductLife(certificate, tombstone(connection, state, product), stage_standings(connection, product))
