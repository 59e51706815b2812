"""What domain.yaml says: a domain's title, owners and compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from platform_resources.spec.components import Owners
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.field_problems import field_names, field_problems
from platform_resources.spec.field_types import Text
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict


class Compute(Strict):
    """What the domain's refreshes may use, where a warehouse has sizes."""

    warehouse_size: Literal["xsmall", "small", "medium", "large", "xlarge"] = "small"


class DomainDocument(Strict):
    """A domain: its owners answer for every product that names none of its own."""

    title: Text | None = None
    description: str = ""
    owners: Owners = Owners()
    compute: Compute = Compute()


@dataclass(frozen=True, slots=True)
class _TopLevel:
    document: Document

    def at(self, location: Sequence[str | int]) -> Place:
        return tuple(location)


def read_domain(text: str, file: str) -> DomainDocument | tuple[Problem, ...]:
    """Read one domain.yaml: the domain, or every problem with it. Never raises for what the text says."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return (document,)
    if not isinstance(document.data, dict):
        return (document.problem((), f"the document must be a mapping; allowed: {', '.join(field_names(DomainDocument))}"),)
    try:
        return DomainDocument.model_validate(document.data)
    except ValidationError as error:
        at = _TopLevel(document)
        return tuple(field_problems(DomainDocument, error, document.data, at, field_names(DomainDocument)))
