"""What domain.yaml says: a domain's title, owners, compute, and who is told what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from platform_resources.spec.components import Owners
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.field_problems import field_names, field_problems, other_base_problems
from platform_resources.spec.notifications import Channel, ChannelName, Digest, Incidents, Route
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text
from platform_resources.spec.values.written_values import of_another_base


class Compute(Strict):
    """Compute settings of the domain's refreshes, for warehouses that have sizes."""

    warehouse_size: Literal["xsmall", "small", "medium", "large", "xlarge"] = "small"


class DomainDocument(Strict):
    """A domain: its owners answer for every product that names none of its own, and its routes and incident rule are every product's."""

    title: Text | None = None
    description: str = ""
    owners: Owners = Owners()
    compute: Compute = Compute()
    channels: Annotated[dict[ChannelName, Channel], Field(json_schema_extra={"additionalProperties": False})] = {}
    routes: tuple[Route, ...] = ()
    digest: Digest | None = None
    incidents: Incidents = Incidents()


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


@dataclass(frozen=True, slots=True)
class _TopLevel:
    document: Document

    def at(self, location: Sequence[str | int]) -> Place:
        return tuple(location)


def read_domain(text: str, file: str) -> DomainReading:
    """Read one domain.yaml. Never raises for what the text says; one bad field, channel or route invalidates no other."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return DomainReading(DomainDocument(), (document,))
    if not isinstance(document.data, dict):
        allowed = ", ".join(field_names(DomainDocument))
        return DomainReading(DomainDocument(), (document.problem((), f"the document must be a mapping; allowed: {allowed}"),))
    channels = document.data.get("channels", {})
    names = frozenset(channels) if isinstance(channels, dict) else None
    broken, problems = _errors(document)
    readable = _without(document.data, broken)
    places = tuple(_route_places(document.data.get("routes"), broken)) if "routes" in readable else ()
    return DomainReading(DomainDocument.model_validate(readable), problems, document, names, places)


_SINGLY = ("channels", "routes")


def _errors(document: Document) -> tuple[frozenset[Place], tuple[Problem, ...]]:
    """The fields with an error, of channels and routes the single entries; and what is wrong with them."""
    places: list[Place] = [place for place, _ in of_another_base(document.data)]
    problems: list[Problem] = []
    try:
        DomainDocument.model_validate(document.data)
    except ValidationError as error:
        places += [detail["loc"] for detail in error.errors(include_url=False, include_input=False, include_context=False)]
        problems += field_problems(DomainDocument, error, document.data, _TopLevel(document), field_names(DomainDocument))
    problems += other_base_problems(document, document.data, (), problems)
    return frozenset(place[:2] if place[0] in _SINGLY else place[:1] for place in places), tuple(problems)


def _route_places(written: Any, broken: frozenset[Place]) -> Iterator[Place]:
    places: list[Place] = [("routes", at) for at in range(len(written))] if isinstance(written, list) else []
    yield from (place for place in places if place not in broken)


def _without(data: Mapping[str, Any], broken: frozenset[Place]) -> dict[str, Any]:
    kept = {field: value for field, value in data.items() if (field,) not in broken}
    return {field: _entries(field, value, broken) if field in _SINGLY else value for field, value in kept.items()}


def _entries(field: str, value: Any, broken: frozenset[Place]) -> Any:
    if isinstance(value, dict):
        return {name: entry for name, entry in value.items() if (field, name) not in broken}
    return [entry for at, entry in enumerate(value) if (field, at) not in broken]
