"""What domain.yaml says: a domain's title, owners, compute, shared sources, and who is told what; and the calendars that domains share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from platform_resources.spec.components import Owners
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.indicators import Exclusion
from platform_resources.spec.notifications import Channel, ChannelName, Digest, Incidents, Route
from platform_resources.spec.plain_fields import readable_fields
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Duration, Owner, Text


class Compute(Strict):
    """The domain's own compute, for warehouses that have it apart: how large, when it stops, and how much it may use.

    No statement on it takes longer than `statement_timeout`, whoever sends it.
    """

    warehouse_size: Literal["xsmall", "small", "medium", "large", "xlarge"] = "small"
    auto_suspend: Duration = timedelta(minutes=1)
    monthly_credits: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    statement_timeout: Duration | None = None

    @field_validator("auto_suspend")
    @classmethod
    def _whole_seconds(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= value <= timedelta(days=1):
            raise ValueError("write a time from 1m to 1d; compute is paid for a minute at least")
        return value

    @field_validator("statement_timeout")
    @classmethod
    def _long_enough(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and not timedelta(minutes=1) <= value <= timedelta(days=7):
            raise ValueError("write a time from 1m to 7d; what moves many rows takes minutes")
        return value


class SharedSource(Strict):
    """A source that products of the domain read by input ports with `interface: source`; its other fields are those of its interface.

    What it brings is kept for all of them, and not pulled again before `every` has passed.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    interface: Text
    every: Duration = timedelta(hours=1)


class DomainDocument(Strict):
    """A domain: its owners answer for every product that names none of its own, and its routes and incident rule are every product's.

    Its `exclusions`, and those of its `calendars`, are those of every indicator that asks for them, its `sources` those of every input port
    that does.
    """

    title: Text | None = None
    description: str = ""
    owners: Owners = Owners()
    compute: Compute = Compute()
    channels: Annotated[dict[ChannelName, Channel], Field(json_schema_extra={"additionalProperties": False})] = {}
    routes: tuple[Route, ...] = ()
    digest: Digest | None = None
    incidents: Incidents = Incidents()
    exclusions: tuple[Exclusion, ...] = ()
    sources: dict[Text, SharedSource] = {}
    calendars: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainReading:
    """What could be read of one domain.yaml, and every problem with it.

    `channels` are the names of all channels that are written, also of those that cannot be read; None where nobody can tell.
    `route_places` are where the routes that could be read are written.
    """

    domain: DomainDocument
    problems: tuple[Problem, ...] = ()
    document: Document | None = None
    channels: frozenset[str] | None = None
    route_places: tuple[Place, ...] = ()


def read_domain(text: str, file: str) -> DomainReading:
    """Read one domain.yaml. Never raises for what the text says; one bad field, or one entry of a list, invalidates no other."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return DomainReading(DomainDocument(), (document,))
    fields = readable_fields(document, DomainDocument, ("channels", "routes", "exclusions", "sources"))
    if not isinstance(document.data, dict):
        return DomainReading(DomainDocument(), fields.problems)
    channels = document.data.get("channels", {})
    names = frozenset(channels) if isinstance(channels, dict) else None
    places = tuple(_route_places(document.data.get("routes"), fields.broken)) if "routes" in fields.data else ()
    return DomainReading(DomainDocument.model_validate(fields.data), fields.problems, document, names, places)


def _route_places(written: Any, broken: frozenset[Place]) -> Iterator[Place]:
    places: list[Place] = [("routes", at) for at in range(len(written))] if isinstance(written, list) else []
    yield from (place for place in places if place not in broken)


class CalendarDocument(Strict):
    """Times that do not count in any domain that names the calendar; its owner answers for those that name no other."""

    description: str = ""
    owner: Owner
    exclusions: tuple[Exclusion, ...]


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """The exclusions that could be read of one calendar, and every problem with it."""

    exclusions: tuple[Exclusion, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_calendar(text: str, file: str) -> CalendarReading:
    """Read one calendar. Never raises for what the text says; one bad exclusion invalidates no other."""
    if not text.strip():
        hint = "write its owner and its exclusions, or take the file away"
        return CalendarReading(problems=(Problem(file, 1, "", "the calendar is empty", hint),))
    document = read_document(text, file)
    if isinstance(document, Problem):
        return CalendarReading(problems=(document,))
    fields = readable_fields(_with_owner(document), CalendarDocument, ("exclusions",))
    return CalendarReading(tuple(map(Exclusion.model_validate, fields.data.get("exclusions", ()))), fields.problems)


def _with_owner(document: Document) -> Document:
    """Each exclusion with an owner: its own, or the calendar's."""
    data: Any = document.data
    written = data.get("exclusions") if isinstance(data, dict) else None
    if not isinstance(written, list) or "owner" not in data:
        return document
    owned = [{"owner": data["owner"], **channel} if isinstance(channel, dict) else channel for channel in written]
    return replace(document, data={**data, "exclusions": owned})


def with_calendars(domain: DomainReading, calendars: Mapping[str, CalendarReading], folder: str) -> DomainReading:
    """The domain with what its calendars exclude beside its own, and the problems of these."""
    problems = list(domain.problems)
    exclusions = domain.domain.exclusions
    for at, name in enumerate(domain.domain.calendars):
        calendar = calendars.get(name)
        if calendar is not None:
            exclusions, problems = (*exclusions, *calendar.exclusions), [*problems, *calendar.problems]
        elif domain.document is not None:
            hint = did_you_mean(name, calendars) or f"write {folder}/{name}.yaml"
            problems.append(domain.document.problem(("calendars", at), f'no calendar "{name}"; known: {known_text(calendars)}', hint))
    changed = domain.domain.model_copy(update={"exclusions": exclusions})
    return replace(domain, domain=changed, problems=tuple(problems))
