"""Read one component of a product.yaml: its name, its type's fields, and those of its interface or dimension."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import ValidationError

from platform_resources.spec.document import Document, Place
from platform_resources.spec.field_problems import (
    Written,
    field_names,
    field_problems,
    no_name,
    other_base_problems,
    unknown,
    unknown_field,
)
from platform_resources.spec.problems import Problem, known_text
from platform_resources.spec.product import Declared, Origin
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.names import LONGEST_NAME, is_name, slug


class Variant(Protocol):
    """One interface or dimension: its own fields."""

    name: str
    config: type[Strict]


class ComponentType(Protocol):
    """One registered type of component."""

    name: str
    config: type[Strict]
    variant_field: str

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """The variant meant when the field is left out; empty when it must be written."""
        ...


class Vocabulary(Protocol):
    """What a document may contain; the registry is one."""

    def component_types(self) -> Mapping[str, ComponentType]:
        """The component types by name."""

    def variants(self, component_type: str) -> Mapping[str, Variant]:
        """The interfaces or dimensions of a component type, by name."""


def read_component(document: Document, place: Place, data: Any, vocabulary: Vocabulary, problems: list[Problem]) -> Declared[Any] | None:
    """Read the component at `place`. None, and its problems added to `problems`, where it has an error."""
    if not isinstance(data, dict):
        problems.append(document.problem(place, "a component needs the fields name, type and properties"))
        return None
    before = len(problems)
    for field in data:
        if field not in ("name", "type", "properties"):
            problems.append(unknown_field(document, (*place, field), field, ("name", "type", "properties")))
    title, name = _name(document, place, data, problems)
    known = vocabulary.component_types()
    kind = known.get(str(data.get("type")))
    if kind is None:
        problems.append(unknown(document, (*place, "type"), "component type", data.get("type"), known))
        return None
    properties = data.get("properties") or {}
    if not isinstance(properties, dict):
        problems.append(document.problem((*place, "properties"), "properties must be a group of fields"))
        return None
    declared = _declared(document, place, kind, properties, vocabulary, problems)
    problems += other_base_problems(document, properties, (*place, "properties"), problems[before:])
    if declared is None or len(problems) > before:
        return None
    return replace(declared, name=name, title=title)


def _name(document: Document, place: Place, data: Mapping[str, Any], problems: list[Problem]) -> tuple[str, str]:
    title = data.get("name")
    if not isinstance(title, str) or not title.strip():
        problems.append(no_name(document, (*place, "name"), title))
        return "", ""
    name = title if is_name(title) else slug(title)
    if data.get("type") in ("data-product",) and not is_name(title):
        message = f'"{title}" is not a product name; use lower case letters, digits and _, beginning with a letter'
        problems.append(document.problem((*place, "name"), message, f'"{name}" would do' if is_name(name) else ""))
    elif not is_name(name):
        message = f'"{title[:LONGEST_NAME]}" cannot be a name; it needs a letter, and at most {LONGEST_NAME} letters, digits and _'
        problems.append(document.problem((*place, "name"), message))
    return title, name


def _declared(
    document: Document,
    place: Place,
    kind: ComponentType,
    written: Mapping[str, Any],
    vocabulary: Vocabulary,
    problems: list[Problem],
) -> Declared[Any] | None:
    properties = {key: _unwrapped(value) for key, value in written.items()}
    at = _Properties(document, (*place, "properties"), frozenset(k for k, v in written.items() if _is_wrapped(v)))
    origin = Origin(document.file, document.line(place), f"components[{place[2]}]", _lines(document, (*place, "properties"), written))
    variants = vocabulary.variants(kind.name)
    if not variants:
        config = _validated(kind.config, properties, at, problems, field_names(kind.config))
        return None if config is None else Declared("", "", kind.name, config, origin)
    chosen = _variant(kind, properties, variants, at, problems)
    if chosen is None:
        return None
    own = field_names(kind.config)
    allowed = (*own, *field_names(chosen.config))
    common = {k: v for k, v in properties.items() if k in own or k not in allowed}
    special = {k: v for k, v in properties.items() if k in allowed and k not in own}
    config = _validated(kind.config, {**common, kind.variant_field: chosen.name}, at, problems, allowed)
    if config is None or not (getattr(config, "warn", None) or getattr(config, "error", None)):
        settings = _validated(chosen.config, special, at, problems, allowed)
        return None if config is None or settings is None else Declared("", "", kind.name, config, origin, chosen.name, settings)
    milder, worse = (_level(chosen, special, properties, level, at, problems) for level in ("warn", "error"))
    if milder is None or worse is None:
        return None
    return Declared("", "", kind.name, config, origin, chosen.name, milder, worse)


def _level(
    chosen: Variant, common: Mapping[str, Any], properties: Mapping[str, Any], level: str, at: "_Properties", problems: list[Problem]
) -> Any:
    """The objective's own fields with those that are written for a warning, or an error, in their place."""
    own = properties.get(level) or {}
    return _validated(chosen.config, {**common, **own}, _Level(at, level, frozenset(own)), problems, field_names(chosen.config))


def _lines(document: Document, place: Place, written: Mapping[str, Any]) -> dict[str, int]:
    """The line of each property, and of each entry of a list: `routes` and `routes[0]`."""
    lines = {key: document.line((*place, key)) for key in written}
    for key, value in written.items():
        entries = (*place, key, "value") if _is_wrapped(value) else (*place, key)
        if isinstance(_unwrapped(value), list):
            lines |= {f"{key}[{at}]": document.line((*entries, at)) for at in range(len(_unwrapped(value)))}
    return lines


@dataclass(frozen=True, slots=True)
class _Properties:
    document: Document
    place: Place
    wrapped: frozenset[str]

    def at(self, location: Sequence[str | int]) -> Place:
        head, *rest = location or ("",)
        inner = ("value", *rest) if head in self.wrapped else tuple(rest)
        return (*self.place, head, *inner) if location else self.place


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the fields of a group within the properties stand."""

    properties: _Properties
    name: str
    fields: frozenset[str]

    @property
    def document(self) -> Document:
        return self.properties.document

    def at(self, location: Sequence[str | int]) -> Place:
        return self.properties.at((self.name, *location) if not location or location[0] in self.fields else location)


def _variant(
    kind: ComponentType, properties: Mapping[str, Any], variants: Mapping[str, Variant], at: _Properties, problems: list[Problem]
) -> Variant | None:
    written = properties.get(kind.variant_field)
    if written is None and not (inferred := kind.inferred_variant(properties)):
        problems.append(at.document.problem(at.place, f"{kind.variant_field} is missing; known: {known_text(variants)}"))
        return None
    word = inferred if written is None else "-".join(str(written).lower().replace("_", " ").split())
    if word not in variants:
        problems.append(unknown(at.document, at.at((kind.variant_field,)), kind.variant_field, written, variants))
        return None
    return variants[word]


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"value"}


def _unwrapped(value: Any) -> Any:
    return value["value"] if _is_wrapped(value) else value


def _validated(model: type[Strict], data: Mapping[str, Any], at: Written, problems: list[Problem], allowed: Sequence[str]) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(field_problems(model, error, data, at, allowed))
        return None
