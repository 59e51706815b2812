"""What a reader is to a product: all of it, what is open, one role's view, or nothing; and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from platform_resources.access.grants import Grant, KnownGrants
from platform_resources.access.views import Attributes, DataSetViews, View


@dataclass(frozen=True, slots=True)
class OfferedRole:
    """A role that can be asked for: of which agreement, who decides, for how long, and which values its attributes may have.

    `notice` is how long before its end a grant is spoken of.
    """

    role: str
    agreement: str
    approval: Literal["automatic", "owner"]
    duration: timedelta | None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notice: timedelta | None = None

    def has(self, attributes: Attributes) -> bool:
        """Whether these are its attributes, each with one of its values."""
        known, given = dict(self.attributes), dict(attributes)
        return known.keys() == given.keys() and all(value in known[name] for name, value in given.items())


@dataclass(frozen=True, slots=True)
class Offers:
    """What a product offers to whom. `roles` is None where it has no agreement. `retired` says so of one that offers nothing any more."""

    product: str
    domain: str
    owners: tuple[str, ...]
    domain_access: bool
    roles: tuple[OfferedRole, ...] | None
    grants: tuple[Grant, ...] = ()
    retired: str | None = field(default=None, metadata={"planned": "where there is one"})

    def role(self, name: str) -> OfferedRole | None:
        """The role of this name; None if no agreement has one."""
        return next((role for role in self.roles or () if role.role == name), None)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a person, a `team:…` or a `product:…` of a domain; `groups` are those that a person belongs to.

    `role` is the one asked for, if it is said.
    """

    name: str
    domain: str = ""
    groups: tuple[str, ...] = ()
    role: str = ""

    def own_among(self, names: Iterable[str]) -> list[str]:
        """Those of the names that belong to the reader or to one of the reader's groups; upper and lower case are the same."""
        own = {name.casefold() for name in (self.name, *self.groups) if name}
        return [name for name in names if name.casefold() in own]

    def is_among(self, names: Iterable[str]) -> bool:
        """Whether the reader or a group of theirs has one of these names."""
        return bool(self.own_among(names))


@dataclass(frozen=True, slots=True)
class ReaderStanding:
    """What a reader gets. `refused` says why it is nothing, and what to ask whom; `why` says where the rest comes from."""

    sees: Literal["all", "open", "role", "nothing"]
    why: str
    role: str = ""
    attributes: Attributes = ()
    grant: str = ""
    refused: str = field(default="")

    def view(self, views: DataSetViews) -> View | None:
        """The view of a data set, for a standing that does not see all; None where it sees nothing of this one."""
        match self.sees:
            case "open":
                return views.open
            case "role":
                return views.of_role(self.role, self.attributes)
            case _:
                return None


def standing(offers: Offers, reader: Reader, known: KnownGrants, now: datetime) -> ReaderStanding:
    """Decide for one reader of one product."""
    if reader.name == f"product:{offers.product}" or reader.is_among(offers.owners):
        return ReaderStanding("all", "it is its own" if reader.name.startswith("product:") else "an owner sees everything")
    if reader.domain == offers.domain and offers.domain_access:
        return ReaderStanding("all", f"domain {offers.domain} sees everything of its products")
    if offers.roles is None:
        return ReaderStanding("open", "there is no agreement: public and internal columns")
    asked = [grant for grant in (*offers.grants, *known.grants) if _is_for(grant, reader, offers)]
    active = [grant for grant in asked if grant.state(now) == "approved" and not of_no_use(offers, grant)]
    if not active:
        return _refused(offers, reader, asked, known, now)
    receives = {(grant.role, grant.attributes) for grant in active}
    if len(receives) > 1:
        return ReaderStanding("nothing", "", refused=_ambiguous(offers, reader, active))
    grant = active[0]
    why = f"grant {grant.name} of role {grant.role}: {grant.purpose}"
    return ReaderStanding("role", why, grant.role, grant.attributes, grant.name)


def in_force(offers: Offers, known: KnownGrants, now: datetime) -> tuple[Grant, ...]:
    """The grants of the product from which something follows now."""
    own = (grant for grant in (*offers.grants, *known.grants) if grant.product == offers.product)
    return tuple(grant for grant in own if grant.state(now) == "approved" and not of_no_use(offers, grant))


def previewed(offers: Offers, role: str, attributes: Attributes) -> ReaderStanding:
    """What whoever has a role gets, for those who may see everything and look at it."""
    offered = offers.role(role)
    if offered is None:
        roles = ", ".join(role.role for role in offers.roles or ()) or "none"
        return ReaderStanding("nothing", "", refused=f'{offers.product} has no role "{role}"; it has: {roles}')
    if not offered.has(attributes):
        values = "; ".join(f"{name}: {', '.join(values)}" for name, values in offered.attributes) or "none"
        refusal = f"say one value of each attribute of role {role} of {offers.product}, which are: {values}"
        return ReaderStanding("nothing", "", refused=refusal)
    return ReaderStanding("role", f"as role {role}", role, attributes)


def _is_for(grant: Grant, reader: Reader, offers: Offers) -> bool:
    return reader.is_among((grant.subject,)) and grant.product == offers.product and reader.role in ("", grant.role)


def of_no_use(offers: Offers, grant: Grant) -> str:
    """Why nothing follows from the grant, though it is approved: its role is not as it was. Empty if something does."""
    role = offers.role(grant.role)
    if role is None:
        return "no agreement has that role any more"
    return "" if role.has(grant.attributes) else "the attributes of that role are others now, so ask for it anew"


def _ambiguous(offers: Offers, reader: Reader, active: Sequence[Grant]) -> str:
    """Say what to do about several grants, of which none may be guessed."""
    roles = sorted({grant.role for grant in active})
    if len(roles) > 1:
        return f"{reader.name} has several roles of {offers.product} ({', '.join(roles)}); say which with role"
    names = ", ".join(grant.name for grant in active)
    return f"{reader.name} has grants of role {roles[0]} of {offers.product} with different attributes ({names}); all but one must go"


def _refused(offers: Offers, reader: Reader, asked: Sequence[Grant], known: KnownGrants, now: datetime) -> ReaderStanding:
    """Say what there was, what to ask for and whom."""
    if offers.retired is not None:
        return ReaderStanding("nothing", "", refused=f"{offers.product} {offers.retired}")
    states = [f"grant {grant.name} of role {grant.role} is {_state(offers, grant, now)}" for grant in asked]
    having = f"role {reader.role}" if reader.role else "a role"
    none = f"no grant of {reader.name} is known" if known.unknown else f"{reader.name} has no grant"
    lines = [f"{none} for {having} of {offers.product}" + (f" ({'; '.join(states)})" if states else "")]
    lines += [f"the ledger's grants are not known: {known.unknown}"] if known.unknown else []
    roles = "|".join(role.role for role in offers.roles or ()) or "ROLE"
    whom = f"; {' or '.join(offers.owners)} decides" if offers.owners else ""
    lines.append(f"ask for one: mesh access request {offers.product} --role {reader.role or roles} --to {reader.name} --purpose …{whom}")
    return ReaderStanding("nothing", "", refused="; ".join(lines))


def _state(offers: Offers, grant: Grant, now: datetime) -> str:
    state = grant.state(now)
    if state == "approved":
        return f"of no use: {of_no_use(offers, grant)}"
    if state == "expired" and grant.until is not None:
        return f"expired since {grant.until:%Y-%m-%d}"
    return state if state != "requested" else "requested and not decided yet"
