"""What a mesh's compute and roles are called in an account of Snowflake: all in capitals, and quoted where they are written."""

import hashlib
import os
import re

from platform_resources.access.role_folders import OPEN
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.plan.tenancy import MeshTenancy, ProductTenancy, ReaderRole
from platform_resources.settings import PREFIX
from platform_resources.warehouses.snowflake.sessions import database_name

# What comments of objects begin with that the mesh has made; nothing else is ever taken away.
MARK = "Made by the mesh"
_PLAIN = re.compile(r"[a-z0-9_]+")
# The role that everybody in an account has.
EVERYBODY = "PUBLIC"


def database_of(product: ProductTenancy) -> str:
    """The product's database."""
    return database_name(product.domain, product.name, os.environ)


def compute_name(domain: str) -> str:
    """The warehouse of a domain, and its limit."""
    return f"{PREFIX.value(os.environ)}__{domain}".upper()


def members_role(domain: str) -> str:
    """The role of those who belong to a domain. No product's role can be called so."""
    return f"{compute_name(domain)}__MEMBERS"


def team_role(database: str) -> str:
    """The role of a product's own team."""
    return f"{database}__TEAM"


def short_name(role: ReaderRole) -> str:
    """What a role of readers is called within its product; names that capitals would make alike are told apart by a digest."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", role.name).upper()
    return plain if _PLAIN.fullmatch(role.name) else f"{plain}_{hashlib.sha256(role.name.encode()).hexdigest()[:8].upper()}"


def readers_role(database: str, role: ReaderRole) -> str:
    """A role of readers of a product."""
    return f"{database}__READS_{short_name(role)}"


def readers_schema(role: ReaderRole) -> str:
    """The schema of the product's database that has what a role reads."""
    return f"AS_{short_name(role)}"


def member_of(subject: str, tenancy: MeshTenancy) -> tuple[str, str] | None:
    """Whom a grant of this subject is given to in the account: a user, a role of the same name, or the role of a product's team.

    Nobody where a team is called like the role that everybody has, or like one of the mesh, which other grants are for.
    """
    kind, _, name = subject.partition(":")
    if kind == "product":
        tenancy_of_product = next((product for product in tenancy.products if product.name == name), None)
        return ("ROLE", team_role(database_of(tenancy_of_product))) if tenancy_of_product is not None else None
    if kind != "team":
        return "USER", subject.upper()
    role = name.upper()
    return None if role == EVERYBODY or is_of_mesh(role) else ("ROLE", role)


def members_of(role: ReaderRole, tenancy: MeshTenancy) -> list[tuple[str, str]]:
    """Whom a role of readers is given to; what is open to all goes to everybody."""
    if role.name == OPEN and not role.seen.role:
        return [("ROLE", EVERYBODY)]
    return [member for reader in role.readers if (member := member_of(reader, tenancy)) is not None]


def is_of_mesh(name: str) -> bool:
    """Whether something is called as the mesh's roles and compute are."""
    return name.startswith(f"{PREFIX.value(os.environ)}__".upper())


def in_database(database: str, *parts: str) -> str:
    """A name with its database, and its schema before it, in quotes."""
    return ".".join(map(quoted, (database, *parts)))
