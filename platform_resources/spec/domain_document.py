"""What domain.yaml says: a domain's title, owners, compute, and who is told what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from platform_resources.spec.components import Owners
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.indicators import Exclusion
from platform_resources.spec.notifications import Channel, ChannelName, Digest, Incidents, Route
from platform_resources.spec.plain_fields import readable_fields
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text


class Compute(Strict):
    """Compute settings of the domain's refreshes, for warehouses that have sizes."""

    warehouse_size: Literal["xsmall", "small", "medium", "large", "xlarge"] = "small"


class DomainDocument(Strict):
    """A domain: its owners answer for every product that names none of its own, and its routes and incident rule are every product's.

    Its `exclusions` are those of every indicator that asks for them.
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
    """Read one domain.yaml. Never raises for what the text says; one bad field, channel, route or exclusion invalidates no other."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return DomainReading(DomainDocument(), (document,))
    fields = readable_fields(document, DomainDocument, ("channels", "routes", "exclusions"))
    if not isinstance(document.data, dict):
        return DomainReading(DomainDocument(), fields.problems)
    channels = document.data.get("channels", {})
    names = frozenset(channels) if isinstance(channels, dict) else None
    places = tuple(_route_places(document.data.get("routes"), fields.broken)) if "routes" in fields.data else ()
    return DomainReading(DomainDocument.model_validate(fields.data), fields.problems, document, names, places)


def _route_places(written: Any, broken: frozenset[Place]) -> Iterator[Place]:
    places: list[Place] = [("routes", at) for at in range(len(written))] if isinstance(written, list) else []
    yield from (place for place in places if place not in broken)
