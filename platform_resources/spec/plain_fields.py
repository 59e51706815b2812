"""Read a document whose fields are written plainly, such as domain.yaml: what is good of it, and every problem."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from platform_resources.spec.document import Document, Place
from platform_resources.spec.field_problems import field_names, field_problems, other_base_problems
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.written_values import of_another_base


@dataclass(frozen=True, slots=True)
class ReadableFields:
    """The fields that can be read, every problem, and the places that are left out for it."""

    data: dict[str, Any]
    problems: tuple[Problem, ...]
    broken: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class _TopLevel:
    document: Document

    def at(self, location: Sequence[str | int]) -> Place:
        return tuple(location)


def readable_fields(document: Document, model: type[Strict], singly: Collection[str] = ()) -> ReadableFields:
    """What `model` can be made from. One bad field takes no other with it; of fields that are read `singly`, nor does one bad entry."""
    if not isinstance(document.data, dict):
        allowed = ", ".join(field_names(model))
        return ReadableFields({}, (document.problem((), f"the document must be a mapping; allowed: {allowed}"),))
    places: list[Place] = [place for place, _ in of_another_base(document.data)]
    problems: list[Problem] = []
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        places += [detail["loc"] for detail in error.errors(include_url=False, include_input=False, include_context=False)]
        problems += field_problems(model, error, document.data, _TopLevel(document), field_names(model))
    problems += other_base_problems(document, document.data, (), problems)
    broken = frozenset(place[:2] if place[0] in singly else place[:1] for place in places)
    kept = {field: value for field, value in document.data.items() if (field,) not in broken}
    data = {field: _good_entries(field, value, broken) if field in singly else value for field, value in kept.items()}
    return ReadableFields(data, tuple(problems), broken)


def _good_entries(field: str, value: Any, broken: frozenset[Place]) -> Any:
    if isinstance(value, dict):
        return {name: entry for name, entry in value.items() if (field, name) not in broken}
    return [entry for at, entry in enumerate(value) if (field, at) not in broken]
