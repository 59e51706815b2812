"""What is wrong with a document by the JSON Schema of its standard, with the line of each mistake."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from croniter import croniter
from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError, best_match

from platform_resources.interchange.older_words import understood
from platform_resources.spec.document import Document, Place
from platform_resources.spec.problems import Problem


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard of documents: its name, the value of `kind`, and the versions whose schemas are known, newest first."""

    name: str
    kind: str
    versions: tuple[str, ...]

    def schema_version(self, api_version: str) -> str:
        """The version whose schema a document is held against; that of the former version also refuses versions that there never were."""
        newest, before = self.versions
        return newest if api_version == f"v{newest}" else before


CONTRACTS = Standard("odcs", "DataContract", ("3.2.0", "3.1.0"))
PRODUCTS = Standard("odps", "DataProduct", ("1.1.0", "1.0.0"))


@cache
def _validator(standard: Standard, version: str) -> Draft201909Validator:
    path = files("platform_resources.interchange") / "schemas" / f"{standard.name}-{version}.schema.json"
    return Draft201909Validator(json.loads(path.read_text(encoding="utf-8")))


def schema_errors(standard: Standard, data: dict[str, Any]) -> Iterator[ValidationError]:
    """Everything that the schema of the document's own version refuses."""
    version = standard.schema_version(str(data.get("apiVersion", "")))
    return iter(sorted(_validator(standard, version).iter_errors(data), key=lambda error: list(map(str, error.absolute_path))))


def checked(standard: Standard, document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """The document with texts where the schema wants texts, and what is wrong with it: errors by the schema, warnings of its schedules."""
    if document.data.get("kind") != standard.kind:
        what = f'kind is "{document.data.get("kind")}"; a document of {standard.name} has kind: {standard.kind}'
        return document, (document.problem(("kind",), what),)
    problems: list[Problem] = []
    for error in schema_errors(standard, understood(document.data)):
        place: Place = tuple(error.absolute_path)
        if error.validator == "type" and error.validator_value == "string" and isinstance(error.instance, int | float):
            document = _with_text(document, place, error.instance)
        else:
            problems += (problem for problem in _schema_problems(document, place, error) if problem not in problems)
    return document, (*problems, *_schedules(document, document.data, ()))


def _with_text(document: Document, place: Place, number: float) -> Document:
    """A version or an id that looks like a number to YAML."""
    data = json.loads(json.dumps(document.data))
    holder = data
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = json.dumps(number)
    return Document(document.file, data, document.lines)


def _schema_problems(document: Document, place: Place, error: ValidationError) -> Iterator[Problem]:
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        for field in re.findall(r"'([^']*)'", error.message.partition("(")[2]):
            yield document.problem((*place, field), f'"{field}" is no field of the standard here')
        return
    inner = best_match(error.context) if error.context else None
    message = inner.message if inner is not None else error.message
    yield document.problem(place, message if len(message) <= 300 else message[:299] + "…", "the standard's JSON Schema does not take it")


def _schedules(document: Document, value: Any, place: Place) -> Iterator[Problem]:
    """Standards' own examples hold cron expressions that name no time; those are kept as they are and told."""
    if isinstance(value, dict):
        schedule = value.get("schedule")
        if value.get("scheduler") == "cron" and isinstance(schedule, str) and not croniter.is_valid(schedule):
            what = f'"{schedule}" is no cron expression, so no time is known'
            shown = document.problem((*place, "schedule"), what, "write minute hour day month weekday")
            yield Problem(shown.file, shown.line, shown.path, shown.message, shown.hint, "warning")
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _schedules(document, item, (*place, key))
