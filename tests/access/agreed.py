"""A product with two agreements and what others of the mesh are to it, for tests."""

from datetime import UTC, datetime, timedelta

from platform_resources.access.grants import Grant, KnownGrants
from platform_resources.access.reader_standing import OfferedRole, Offers

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def offers(*grants, roles=("analyst", "crm"), domain_access=True, agreed=True, attributes=()):
    offered = tuple(OfferedRole(role, "Internal use", "owner", YEAR, attributes) for role in roles)
    return Offers("customers", "crm", ("lead@example.com",), domain_access, offered if agreed else None, grants)


def grant(role="analyst", subject="product:revenue", last="approved", **changes):
    told = {"name": "g1", "product": "customers", "role": role, "subject": subject, "purpose": "Reporting.", "attributes": ()}
    acts = {"requested_by": "ana", "requested_at": NOW, "last": last, "last_by": "ben", "last_at": NOW}
    return Grant(**{**told, **acts, **changes})


def known(*grants):
    return KnownGrants(grants)
