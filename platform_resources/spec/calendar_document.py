"""What a calendar says that several domains share: who answers for it, and which times do not count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from platform_resources.spec.document import Document, read_document
from platform_resources.spec.domain_document import DomainReading
from platform_resources.spec.indicators import Exclusion
from platform_resources.spec.plain_fields import readable_fields
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Owner


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
    owned = [{"owner": data["owner"], **each} if isinstance(each, dict) else each for each in written]
    return replace(document, data={**data, "exclusions": owned})


def with_calendars(domain: DomainReading, calendars: Mapping[str, CalendarReading], folder: str) -> DomainReading:
    """The domain with what its calendars exclude beside its own, and the problems of these."""
    problems = list(domain.problems)
    exclusions = domain.domain.exclusions
    for at, name in enumerate(domain.domain.calendars):
        found = calendars.get(name)
        if found is not None:
            exclusions, problems = (*exclusions, *found.exclusions), [*problems, *found.problems]
        elif domain.document is not None:
            hint = did_you_mean(name, calendars) or f"write {folder}/{name}.yaml"
            problems.append(domain.document.problem(("calendars", at), f'no calendar "{name}"; known: {known_text(calendars)}', hint))
    changed = domain.domain.model_copy(update={"exclusions": exclusions})
    return replace(domain, domain=changed, problems=tuple(problems))
