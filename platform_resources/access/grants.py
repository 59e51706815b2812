"""The life of a grant: requested, approved or rejected, renewed, revoked, expired; each step is an event that is only ever added."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from platform_resources.access.views import Attributes, attributes_of
from platform_resources.spec.agreements import GrantedRole
from platform_resources.spec.values.grantees import is_same

Act = Literal["requested", "approved", "rejected", "revoked", "renewed"]
State = Literal["requested", "approved", "rejected", "revoked", "expired", "to come"]


class NotAllowed(Exception):
    """Raised when a grant cannot be changed like that, or not by this person; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class GrantEvent:
    """Something that somebody did to a grant, when and why. `until` is when it ends, as approved or renewed."""

    grant: str
    at: datetime
    act: Act
    by: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of a product for a person, a group or a product, with its purpose. `in_code` ones stand in the agreement itself.

    `last` is the last thing that was done to it. `name` is what commands call it.
    """

    name: str
    product: str
    role: str
    subject: str
    purpose: str
    attributes: Attributes
    requested_by: str
    requested_at: datetime | None
    last: Act
    last_by: str
    last_at: datetime | None
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    in_code: bool = False

    def state(self, now: datetime) -> State:
        """What it is worth at this time: one that has run out has expired by itself."""
        if self.last not in ("approved", "renewed"):
            return "requested" if self.last == "requested" else "rejected" if self.last == "rejected" else "revoked"
        if self.until is not None and now >= self.until:
            return "expired"
        return "to come" if self.since is not None and now < self.since else "approved"


@dataclass(frozen=True, slots=True)
class KnownGrants:
    """The grants of the ledger; `unknown` says why they could not be read, if so."""

    grants: tuple[Grant, ...] = ()
    unknown: str = ""


def requested(name: str, product: str, role: str, subject: str, purpose: str, attributes: Attributes, by: str, at: datetime) -> Grant:
    """A grant that somebody asks for. Raises NotAllowed without a purpose."""
    if not purpose.strip():
        raise NotAllowed("a grant needs a purpose: say what the data is for")
    return Grant(name, product, role, subject, purpose.strip(), attributes, by, at, "requested", by, at)


def after_events(grant: Grant, events: Iterable[GrantEvent]) -> Grant:
    """The grant after these events, which are in the order of time."""
    for event in events:
        until = event.until if event.act in ("approved", "renewed") else grant.until
        grant = replace(grant, last=event.act, last_by=event.by, last_at=event.at, why=event.why, until=until)
    return grant


def decided(
    grant: Grant,
    act: Act,
    by: str,
    why: str,
    now: datetime,
    duration: timedelta | None,
    until: datetime | None = None,
    deciders: Sequence[str] = (),
) -> GrantEvent:
    """What follows when somebody does this to a grant. It ends after the agreement's `duration` at the latest.

    `deciders` are those who may; whoever asked or has the role may give it up. Without any, everybody may. Raises NotAllowed.
    """
    state = grant.state(now)
    allowed: dict[str, tuple[Act, ...]] = {
        "requested": ("approved", "rejected"),
        "approved": ("revoked", "renewed"),
        "expired": ("renewed",),
    }
    if grant.in_code:
        raise NotAllowed(f"grant {grant.name} stands in the product.yaml of {grant.product}; change it there")
    if act not in allowed.get(state, ()):
        possible = " or ".join(allowed.get(state, ())) or "nothing more; request it anew"
        raise NotAllowed(f"grant {grant.name} is {state}, and cannot be {act}; it can be: {possible}")
    if act in ("approved", "renewed") and (is_same(by, grant.requested_by) or is_same(by, grant.subject)):
        raise NotAllowed(f"{by} asked for grant {grant.name} or would have it, so somebody else must decide: an owner of {grant.product}")
    own = (grant.requested_by, grant.subject) if act == "revoked" else ()
    if deciders and not any(is_same(by, decider) for decider in (*deciders, *own)):
        raise NotAllowed(f"{by} does not decide about {grant.product}; its owners do: {', '.join(deciders)} (--by says who decides)")
    if act in ("rejected", "revoked") and not why.strip():
        raise NotAllowed(f"say why grant {grant.name} is {act}")
    return GrantEvent(grant.name, now, act, by, why.strip(), _ending(now, duration, until) if act in ("approved", "renewed") else None)


def _ending(now: datetime, duration: timedelta | None, until: datetime | None) -> datetime | None:
    if until is not None and until <= now:
        raise NotAllowed(f"{until:%Y-%m-%d} is over already; name a later day")
    latest = now + duration if duration is not None else None
    return min((moment for moment in (latest, until) if moment is not None), default=None)


def in_code(product: str, agreement: str, number: int, granted: GrantedRole, duration: timedelta | None) -> Grant:
    """A grant that stands in an agreement: approved from `since` on until the end of the day before `until`, and not for longer than the
    agreement's `duration` from `since` on."""
    since, until = (datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None for day in (granted.since, granted.until))
    if since is not None and duration is not None:
        until = min(until or since + duration, since + duration)
    return Grant(
        f"{product}/{agreement}/{number}",
        product,
        granted.role,
        granted.to,
        granted.purpose,
        attributes_of(granted.attributes),
        granted.approved_by,
        since,
        "approved",
        granted.approved_by,
        since,
        since=since,
        until=until,
        in_code=True,
    )
