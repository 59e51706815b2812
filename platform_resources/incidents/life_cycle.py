"""The states of an incident: open, acknowledged, in progress, resolved, reopened.

Every transition gives the new incident and what happened, and changes nothing else. Times never run backwards: what a clock that went back
calls earlier than the last event is recorded at that event's time.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from platform_resources.spec.values.moments import in_utc

Status = Literal["open", "acknowledged", "in progress", "resolved"]
Resolution = Literal["fixed", "auto-recovered", "expected", "false positive", "no action", "moved"]
Happening = Literal["opened", "acknowledged", "started", "resolved", "reopened", "attached", "noticed"]
PLATFORM = "platform"
# How people may say that an incident ended, by the words that they write.
BY_HAND: Mapping[str, Resolution] = {
    "fixed": "fixed",
    "expected": "expected",
    "false-positive": "false positive",
    "no-action": "no action",
}

# Resolved so, the checks that failed are accepted as they are; resolved so, a failure soon after is the same trouble again.
NO_TROUBLE: tuple[Resolution, ...] = ("expected", "false positive", "no action")
OVER: tuple[Resolution, ...] = ("fixed", "auto-recovered")

# From which states each act leads on; anything else is refused.
ALLOWED: dict[Happening, tuple[Status, ...]] = {
    "acknowledged": ("open",),
    "started": ("open", "acknowledged"),
    "resolved": ("open", "acknowledged", "in progress", "resolved"),
    "reopened": ("resolved",),
}
# Stands in a message for a time.
_SINCE = "{since}"


class IllegalTransition(ValueError):
    """The act does not fit the incident's state; `told` says which states it fits, and since when it is in its own."""

    def __init__(self, text: str, since: datetime | None = None) -> None:
        super().__init__(text)
        self.since = since

    def told(self, moment: Callable[[datetime], str]) -> str:
        """The message, with its time as `moment` writes it for the reader."""
        return str(self) if self.since is None else str(self).replace(_SINCE, moment(self.since))


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One thing that happened to an incident.

    `note` is free text; for "attached" it is the product, for "noticed" the check, for a move the causes moved to.
    """

    incident: str
    kind: Happening
    at: datetime
    by: str = PLATFORM
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: the `number`th of its cause, which is the product at the root.

    `began_at` is when the trouble began, `opened_at` when it was noticed. `checks` are the cause's own checks that failed during it and
    `impacted` the products below that failed because of it, also those that are well again; both sorted. One resolved as "moved" lives on
    in the incidents of the causes in `moved_to`.
    """

    cause: str
    number: int
    began_at: datetime
    opened_at: datetime
    changed_at: datetime
    status: Status = "open"
    acknowledged_at: datetime | None = None
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
    reopened: int = 0
    impacted: tuple[str, ...] = ()
    moved_to: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The incident's name: `<cause>#<number>`."""
        return f"{self.cause}#{self.number}"

    @property
    def live(self) -> bool:
        """Whether the incident is not resolved."""
        return self.status != "resolved"


Change = tuple[Incident, tuple[IncidentEvent, ...]]


def opened(cause: str, began_at: datetime, at: datetime, number: int = 1, checks: Iterable[str] = ()) -> Change:
    """A new incident. Trouble cannot have begun after it was noticed, so `began_at` is at most `at`. `checks` are those that fail."""
    at = in_utc(at)
    incident = Incident(cause, number, min(in_utc(began_at), at), at, at, checks=tuple(sorted(set(checks))))
    return incident, (IncidentEvent(incident.name, "opened", at),)


def acknowledged(incident: Incident, at: datetime, by: str, note: str = "") -> Change:
    """Somebody has seen it. Raises IllegalTransition unless it is open."""
    at = _at(incident, "acknowledged", at)
    return replace(incident, status="acknowledged", acknowledged_at=at, changed_at=at), (_event(incident, "acknowledged", at, by, note),)


def started(incident: Incident, at: datetime, by: str, note: str = "") -> Change:
    """Somebody works on it, which acknowledges it too. Raises IllegalTransition if it is in progress already, or resolved."""
    at = _at(incident, "started", at)
    seen = at if incident.acknowledged_at is None else incident.acknowledged_at
    changed = replace(incident, status="in progress", acknowledged_at=seen, started_at=at, changed_at=at)
    return changed, (_event(incident, "started", at, by, note),)


def resolved(
    incident: Incident, resolution: Resolution, at: datetime, by: str = PLATFORM, note: str = "", only: Collection[str] = ()
) -> Change:
    """End the incident with a resolution, or correct the resolution of an ended one; only `fixed` sets the time of the end to now.

    It is `only` about these of its checks then, if any are named: what else fails is no trouble of it any more, and of the next incident.
    Raises IllegalTransition if it is resolved in this way already, or lives on as others, or `only` cannot be said of it.
    """
    at = _at(incident, "resolved", at)
    if only:
        _refuse_other_than(incident, resolution, only)
        incident = replace(incident, checks=tuple(sorted(only)))
    if not incident.live and resolution in ("moved", incident.resolution):
        raise IllegalTransition(
            f"{incident.name} is resolved as {incident.resolution} since {_SINCE}; it can be resolved in another way, or reopened",
            incident.changed_at,
        )
    over = at if incident.live or resolution == "fixed" else incident.resolved_at
    changed = replace(incident, status="resolved", resolution=resolution, resolved_at=over, changed_at=at)
    return changed, (_event(incident, "resolved", at, by, f"{resolution}: {note}" if note else resolution),)


def _refuse_other_than(incident: Incident, resolution: Resolution, only: Collection[str]) -> None:
    others = sorted({*only} - {*incident.checks})
    if others:
        raise IllegalTransition(f"{incident.name} is not about {', '.join(others)}; it is about: {', '.join(incident.checks)}")
    if resolution not in NO_TROUBLE or not incident.live:
        raise IllegalTransition(
            f"only some faults of an open incident can be accepted, as {', '.join(NO_TROUBLE)}; {incident.name} is {incident.status}, and"
            f" as {resolution} it is resolved whole"
        )


def moved(incident: Incident, causes: Iterable[str], at: datetime) -> Change:
    """Its root causes were found upstream; their incidents continue it. Raises IllegalTransition if it is resolved already."""
    to = tuple(sorted(causes))
    changed, events = resolved(incident, "moved", at, note=", ".join(to))
    return replace(changed, moved_to=to), events


def reopened(incident: Incident, at: datetime, by: str = PLATFORM, note: str = "") -> Change:
    """The same trouble again; whoever acknowledged it before has to see it again. Raises IllegalTransition unless it is resolved."""
    at = _at(incident, "reopened", at)
    changed = replace(
        incident,
        status="open",
        changed_at=at,
        acknowledged_at=None,
        started_at=None,
        resolved_at=None,
        resolution=None,
        moved_to=(),
        reopened=incident.reopened + 1,
    )
    return changed, (_event(incident, "reopened", at, by, note),)


def attached(incident: Incident, products: Iterable[str], at: datetime) -> Change:
    """Products that fail because of it; those attached already change nothing. A resolved one still explains failures on their way down."""
    new = sorted(set(products) - {*incident.impacted, incident.cause})
    if not new:
        return incident, ()
    at = max(in_utc(at), incident.changed_at)
    changed = replace(incident, impacted=tuple(sorted((*incident.impacted, *new))), changed_at=at)
    return changed, tuple(_event(incident, "attached", at, PLATFORM, product) for product in new)


def noticed(incident: Incident, checks: Iterable[str], at: datetime, again: Iterable[str] = ()) -> Change:
    """Add failing checks of the cause. Known ones change nothing, unless they fail `again`. The status stays.

    The status stays: whoever has seen it has seen it.
    """
    new = sorted(set(checks) - set(incident.checks) | set(again))
    if not new:
        return incident, ()
    at = max(in_utc(at), incident.changed_at)
    changed = replace(incident, checks=tuple(sorted({*incident.checks, *new})), changed_at=at)
    return changed, tuple(_event(incident, "noticed", at, PLATFORM, check) for check in new)


def _event(incident: Incident, kind: Happening, at: datetime, by: str, note: str) -> IncidentEvent:
    return IncidentEvent(incident.name, kind, at, by, note)


def _at(incident: Incident, act: Happening, at: datetime) -> datetime:
    if incident.moved_to:
        raise IllegalTransition(f"{incident.name} has moved to {', '.join(incident.moved_to)}: its cause is there, act on that incident")
    if incident.status not in ALLOWED[act]:
        how = f" as {incident.resolution}" if incident.resolution else ""
        allowed = ", ".join(ALLOWED[act])
        raise IllegalTransition(
            f"{incident.name} is {incident.status}{how} since {_SINCE} and cannot be {act}; only an incident that is {allowed} can",
            incident.changed_at,
        )
    return max(in_utc(at), incident.changed_at)
