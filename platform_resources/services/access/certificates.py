"""Grant certificates for products, look at their criteria, and take them back where these no longer hold."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from platform_resources.access.grants import NotAllowed
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.certifications import Certificate, end_certificates, grant_certificate, newest_certificates
from platform_resources.ledger.people.score_store import newest_letters
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.access.kept_duties import broken
from platform_resources.spec.values.grantees import is_same

# Nobody vouches for longer without looking again.
LONGEST = timedelta(days=366)


def _stage(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[str]:
    if product.info.lifecycle != "production":
        yield f"it is {product.info.lifecycle}"


def _owners(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[str]:
    owners = product.info.owners
    yield from (f"it has no {kind} owner" for kind, owner in (("business", owners.business), ("technical", owners.technical)) if not owner)


def _version(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[str]:
    if product.name not in {publication.product for publication in newest_publications(connection, now)}:
        yield "it has published nothing"


def _grade(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[str]:
    score = newest_letters(connection).get(product.name)
    if score is None:
        yield "it has no score yet"
    elif score.badge == "none":
        weakest = min(score.letters, key=lambda letter: score.letters[letter])
        yield f"its score has no badge, for its letter {weakest} is {score.letters[weakest]}"


# What a certificate vouches for, and how it is seen that it does not hold.
CRITERIA: dict[str, Callable[[Connection, ProductPlan, datetime], Iterator[str]]] = {
    "in production": _stage,
    "a business and a technical owner": _owners,
    "a published version": _version,
    "no promise broken": broken,
    "a badge": _grade,
}


def unmet(connection: Connection, product: ProductPlan, now: datetime) -> tuple[str, ...]:
    """Why the product does not fulfil all criteria; nothing if it does."""
    return tuple(why for look in CRITERIA.values() for why in look(connection, product, now))


def certify(connection: Connection, product: ProductPlan, person: str, until: datetime, why: str, now: datetime) -> Certificate:
    """Raises NotAllowed where it may not be certified like that, or not by this person."""
    if any(is_same(person, owner) for owner in product.owners):
        raise NotAllowed(f"{person} owns {product.name}, so somebody else must vouch for it")
    if not now < until <= now + LONGEST:
        raise NotAllowed(f"a certificate ends on a day to come, at most {LONGEST.days} days from now; {until:%Y-%m-%d} is none")
    if reasons := unmet(connection, product, now):
        raise NotAllowed(f"{product.name} cannot be certified: {'; '.join(reasons)}")
    certificate = Certificate(product.name, person, why, now, until, tuple(CRITERIA))
    grant_certificate(connection, certificate)
    return certificate


def review_certificates(connection: Connection, products: Sequence[ProductPlan], now: datetime) -> tuple[str, ...]:
    """Certificates of these products whose criteria no longer hold are lost; gives the products."""
    held = newest_certificates(connection)
    lost = []
    for product in products:
        if product.name not in held or not held[product.name].holds(now):
            continue
        if reasons := unmet(connection, product, now):
            end_certificates(connection, [product.name], now, "; ".join(reasons))
            lost.append(product.name)
    return tuple(lost)
