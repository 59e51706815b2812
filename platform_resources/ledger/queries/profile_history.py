"""Query profiles of published versions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from platform_resources.ledger import tables
from platform_resources.measuring.version_profiles import Profile, profile_of


@dataclass(frozen=True, slots=True)
class ProfiledVersion:
    """One version of one data set as it was profiled."""

    version: str
    published_at: datetime
    profile: Profile


def profiled_versions(connection: Connection, product: str, data_set: str) -> tuple[str, ...]:
    """Versions of the data set that have a profile, newest first."""
    table = tables.profiles
    query = select(table.c.version, table.c.published_at).where(table.c.product == product, table.c.data_set == data_set).distinct()
    return tuple(row.version for row in connection.execute(query.order_by(table.c.published_at.desc(), table.c.version.desc())))


def profiled_data_sets(connection: Connection, product: str) -> tuple[str, ...]:
    """Data sets of the product of which any version has a profile."""
    table = tables.profiles
    return tuple(connection.execute(select(table.c.data_set).where(table.c.product == product).distinct().order_by("data_set")).scalars())


def profiled_version(connection: Connection, product: str, data_set: str, version: str) -> ProfiledVersion | None:
    """The profile of one version; None where it has none."""
    table = tables.profiles
    of_version = (table.c.product == product, table.c.data_set == data_set, table.c.version == version)
    rows = connection.execute(select(table).where(*of_version).order_by(table.c.position)).mappings().all()
    return ProfiledVersion(version, rows[0]["published_at"], profile_of(row["profile"] for row in rows)) if rows else None
