"""Turn pydantic's errors about the fields of one component into problems that a domain team understands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol, get_args, get_origin

from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from platform_resources.spec.document import Document, Place
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.written_values import of_another_base

# What a value must be, by pydantic's word for the error. Anything not listed here is shown in pydantic's own words.
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "yes or no",
    "bool_parsing": "yes or no",
    "tuple_type": "a list",
    "dict_type": "a group of fields",
    "model_type": "a group of fields",
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_OTHER_BASE = 'if it is text, write it in quotes: "{}"; if it is a number, without a leading zero and without a colon'


class Written(Protocol):
    """Where the properties of a component are written."""

    @property
    def document(self) -> Document:
        """The document that holds the properties."""

    def at(self, location: Sequence[str | int]) -> Place:
        """The place in the document of a location within the properties."""


def field_problems(
    model: type[Strict], error: ValidationError, data: Mapping[str, Any], at: Written, allowed: Sequence[str]
) -> Iterator[Problem]:
    """One problem per place, though pydantic reports one error for each type that a value might have had."""
    details = [(_location(detail, data), detail) for detail in error.errors(include_url=False)]
    empty = {location for location, detail in details if detail["type"] != "too_short"}
    for location, group in groupby(details, key=lambda pair: pair[0]):
        same_place = [detail for _, detail in group]
        expected = dict.fromkeys(_EXPECTED[d["type"]] for d in same_place if d["type"] in _EXPECTED)
        if expected:
            yield _wrong_kind(model, location, tuple(expected), same_place[0]["input"], at)
            continue
        for detail in same_place:
            if detail["type"] != "too_short" or not any(other[: len(location)] == location for other in empty):
                yield _problem(model, detail, location, at, allowed)


def _location(detail: ErrorDetails, data: Any) -> Place:
    """The error's place without the steps that pydantic adds for the members of a union, which nobody has written."""
    steps = detail["loc"]
    missing = steps[-1:] if detail["type"] == "missing" else ()
    location: Place = ()
    for step in steps[: len(steps) - len(missing)]:
        inside = step in data if isinstance(data, dict) else isinstance(data, list) and isinstance(step, int)
        if inside:
            data = data[step]
            location = (*location, step)
    return (*location, *missing)


def _wrong_kind(model: type[Strict], location: Place, expected: Sequence[str], value: Any, at: Written) -> Problem:
    wanted = " or ".join(expected)
    hint = ""
    if value is None:
        message = f"{_name(location)} is empty; it must be {wanted}"
        return at.document.problem(at.at(location), message, "write a value or take the line away")
    if "text" in expected and isinstance(value, bool):
        hint = 'YAML reads yes, no, on and off as true and false; put it in quotes to make it text, as "no"'
    elif "text" in expected and isinstance(value, (int, float)):
        hint = f'put it in quotes to make it text: "{_shown(value)}"'
    elif expected == ("a list",) and isinstance(value, (str, int, float)):
        hint = f"write [{value}] for a list of one"
    elif expected == ("a group of fields",):
        fields = _nested_names(model, location)
        hint = f"its fields: {known_text(fields)}" if fields else ""
    return at.document.problem(at.at(location), f"{_name(location)} must be {wanted}, not {_kind_and_value(value)}", hint)


def _problem(model: type[Strict], detail: ErrorDetails, location: Place, at: Written, allowed: Sequence[str]) -> Problem:
    place, name = at.at(location), _name(location)
    match detail["type"]:
        case "extra_forbidden":
            field = str(location[-1])
            names = allowed if len(location) == 1 else _nested_names(model, location[:-1])
            if field in names:
                message = f'"{field}" says again what another field says already; write one of them'
                return at.document.problem(place, message, _same_as(model, field))
            return unknown_field(at.document, place, field, names)
        case "missing":
            return at.document.problem(place, f"{name} is missing")
        case "literal_error":
            return unknown(at.document, place, name, detail["input"], _literal_words(detail))
        case "value_error":  # raised as ValueError(message) or ValueError(message, hint)
            return at.document.problem(place, *map(str, detail["ctx"]["error"].args))
        case "string_too_short":
            return at.document.problem(place, f"{name} may not be empty")
        case "too_short":
            return at.document.problem(place, f"{name} needs at least {detail['ctx']['min_length']} entry")
        case kind if kind in _LIMITS:
            word, key = _LIMITS[kind]
            return at.document.problem(place, f"{name} must be {word} {detail['ctx'][key]:g}, not {_shown(detail['input'])}")
        case _:
            message = detail["msg"][0].lower() + detail["msg"][1:]
            return at.document.problem(place, f"{name}: {message}, not {_shown(detail['input'])}")


def _name(location: Place) -> str:
    """The last field of the location with the numbers behind it: `tests[0]`."""
    names = [at for at, step in enumerate(location) if isinstance(step, str)]
    if not names:
        return "the value"
    first, *rest = location[names[-1] :]
    return f"{first}" + "".join(f"[{step}]" for step in rest)


def _kind_and_value(value: Any) -> str:
    match value:
        case dict():
            return "a group of fields"
        case list() | tuple():
            return "a list"
        case _:
            return _shown(value)


def _shown(value: Any) -> str:
    """The value as it is written in YAML, cut short."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return f'"{shortened(value)}"'
        case _:
            return shortened(getattr(value, "written", "") or str(value))


def shortened(text: str) -> str:
    """The text in one line of at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:77] + "..."


def _literal_words(detail: ErrorDetails) -> list[str]:
    return [word.strip("'") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]


def no_name(document: Document, place: Place, written: Any) -> Problem:
    """A problem about a component whose name is missing or is not text."""
    if isinstance(written, int | float | dict | list):
        quotes = "" if isinstance(written, dict | list | bool) else f': "{_shown(written)}"'
        return document.problem(place, f"the name must be text, not {_kind_and_value(written)}", f"put it in quotes{quotes}")
    return document.problem(place, "a component needs a name")


def other_base_problems(document: Document, data: Any, place: Place, known_problems: Iterable[Problem]) -> Iterator[Problem]:
    """Problems about numbers such as `010` and `10:30` at or below the place, except where a problem is already reported."""
    paths = tuple(problem.path for problem in known_problems)
    for inner, value in of_another_base(data):
        problem = document.problem((*place, *inner), f"{value.written} is the number {value} to YAML", _OTHER_BASE.format(value.written))
        if not any(problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")) for path in paths):
            yield problem


def written_names(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The names a team may write for one field: its name or alias, and its older names."""
    other = field.validation_alias
    if isinstance(other, AliasChoices):
        return tuple(choice for choice in other.choices if isinstance(choice, str))
    return (field.alias or name,)


def field_names(model: type[Strict]) -> tuple[str, ...]:
    """The names a team may write for the fields of `model`."""
    return tuple(written for name, field in model.model_fields.items() for written in written_names(name, field))


def _same_as(model: type[Strict], written: str) -> str:
    names = next((names for n, f in model.model_fields.items() if written in (names := written_names(n, f))), ())
    others = [name for name in names if name != written]
    return f"{written} is another word for {known_text(others)}" if others else ""


def _nested_names(model: type[Strict], location: Sequence[str | int]) -> Sequence[str]:
    """The fields allowed at a nested place, found by following the annotations down; none where the team chooses the names."""
    current, chosen = model, False
    for step in filter(lambda step: isinstance(step, str), location):
        if chosen:
            chosen = False
            continue
        field = next((f for n, f in current.model_fields.items() if step in written_names(n, f)), None)
        nested = _models_in(field.annotation) if field is not None else []
        if field is None or not nested:
            return ()
        current, chosen = nested[0], get_origin(field.annotation) is dict
    return () if chosen else field_names(current)


def _models_in(annotation: Any) -> list[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def unknown_field(document: Document, place: Place, field: str, allowed: Iterable[str]) -> Problem:
    """A problem about a field that does not exist; lists those that do and suggests the nearest."""
    allowed = tuple(allowed)
    return document.problem(place, f'unknown field "{shortened(field)}"; allowed: {known_text(allowed)}', did_you_mean(field, allowed))


def unknown(document: Document, place: Place, what: str, word: Any, known: Iterable[str]) -> Problem:
    """A problem about an unknown word; lists the known words and suggests the nearest."""
    known = tuple(known)
    if word is None:
        return document.problem(place, f"{what} is missing; known: {known_text(known)}")
    if not isinstance(word, (str, int, float)):
        return document.problem(place, f"{what} must be one word, not {_kind_and_value(word)}; known: {known_text(known)}")
    return document.problem(place, f'unknown {what} "{shortened(str(word))}"; known: {known_text(known)}', did_you_mean(str(word), known))
