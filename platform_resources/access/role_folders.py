"""Which folders of views a product gives: one for each role that somebody has now, and why."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from platform_resources.access.grants import Grant, KnownGrants
from platform_resources.access.reader_standing import Offers, in_force
from platform_resources.access.views import Attributes, DataSetViews, View

Act = Literal["revoke", "change", "create", "close", "release"]
# The folder of a product without an agreement, which shows what is public and internal.
OPEN = "open"
_PLAIN = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One difference between what is and what is wanted: what to do, where (a path from the state folder on, for files), and why.

    `statements` are what does it in a warehouse.
    """

    act: Act
    place: str
    why: str
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleFolder:
    """What whoever has a role reads, under a name that is a folder's; `readers` have it now, `why` says by which grants."""

    name: str
    readers: tuple[str, ...]
    why: str
    role: str = ""
    attributes: Attributes = ()

    def view(self, views: DataSetViews) -> View | None:
        """What it shows of a data set; None where that is nothing."""
        return views.of_role(self.role, self.attributes) if self.role else views.open


def wanted_folders(offers: Offers, known: KnownGrants, now: datetime) -> tuple[RoleFolder, ...]:
    """One folder for each role and its attributes with a grant in force; the open one for all where there is no agreement."""
    if offers.roles is None:
        return (RoleFolder(OPEN, (), "there is no agreement: public and internal columns"),)
    having: dict[tuple[str, Attributes], list[Grant]] = {}
    for grant in in_force(offers, known, now):
        having.setdefault((grant.role, grant.attributes), []).append(grant)
    return tuple(_folder(role, attributes, grants) for (role, attributes), grants in sorted(having.items()))


def _folder(role: str, attributes: Attributes, grants: list[Grant]) -> RoleFolder:
    readers = tuple(sorted({grant.subject for grant in grants}))
    why = "; ".join(f"grant {grant.name} of {grant.subject}" for grant in grants)
    return RoleFolder(folder_name(role, attributes), readers, why, role, attributes)


def folder_name(role: str, attributes: Attributes) -> str:
    """`analyst` or `analyst-region-EU`; attribute values that are no plain words are replaced by a digest, so that no path shows them."""
    parts = [part for pair in attributes for part in pair]
    if all(_PLAIN.fullmatch(part) for part in parts):
        return "-".join((role, *parts))
    return f"{role}--{hashlib.sha256(repr(attributes).encode()).hexdigest()[:12]}"


def why_gone(offers: Offers, name: str, known: KnownGrants, now: datetime) -> str:
    """Why a product does not give this folder any more, as far as its grants tell."""
    if offers.roles is None:
        return "the product has no agreement any more, so there are no roles"
    if name == OPEN and offers.role(OPEN) is None:
        return "the product has an agreement now: only its roles are given"
    ends = sorted(set(_ends(offers, name, known, now)))
    return "; ".join(ends) or "nobody has a grant of it"


def _ends(offers: Offers, name: str, known: KnownGrants, now: datetime) -> Iterator[str]:
    for grant in (*offers.grants, *known.grants):
        if grant.product == offers.product and folder_name(grant.role, grant.attributes) == name:
            state = grant.state(now)
            by = f" by {grant.last_by}" if state in ("revoked", "rejected") else ""
            until = f" since {grant.until:%Y-%m-%d}" if state == "expired" and grant.until is not None else ""
            yield f"grant {grant.name} is {state if state != 'approved' else 'of no use'}{by}{until}"
