"""Read a product.yaml: validate each component with its registered type, and report all problems at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import ValidationError

from platform_resources.spec.components import DataProduct, Domain
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.field_problems import (
    Written,
    field_names,
    field_problems,
    no_name,
    other_base_problems,
    shortened,
    unknown,
    unknown_field,
)
from platform_resources.spec.problems import Problem, errors, known_text
from platform_resources.spec.product import Declared, Origin, Product
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.names import LONGEST_NAME, is_name, slug

API_VERSION, KIND = "core.oam.dev/v1beta1", "DataProduct"


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


@dataclass(frozen=True, slots=True)
class ProductReading:
    """The product if the document has no error, and every problem found.

    Of a document with errors `partial` has what could be read, so that the rest of it can be checked too; `broken` are the types
    of which a component is missing there.
    """

    product: Product | None
    problems: tuple[Problem, ...]
    partial: Product | None = None
    broken: frozenset[str] = frozenset()


def read_product(text: str, file: str, vocabulary: Vocabulary) -> ProductReading:
    """Read one document. Never raises for what the text says; a product is given exactly when there is no error."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return ProductReading(None, (document,))
    components, broken, problems = _components(document, vocabulary)
    problems += _counted(document, components, broken)
    product = _product(document, components) if components else None
    if errors(problems):
        return ProductReading(None, tuple(problems), product, broken)
    return ProductReading(product, tuple(problems))


# The order in which Product holds the built-in component types.
_FIELDS = {
    "data-set": "data_sets",
    "input-port": "input_ports",
    "output-port": "output_ports",
    "service-level-asset": "objectives",
    "service-level-indicator": "indicators",
    "data-sharing-agreement": "agreements",
    "sample-query": "sample_queries",
    "consumer": "consumers",
}
_ONCE = ("domain", "data-product")


def _counted(document: Document, components: Sequence[Declared[Any]], broken: frozenset[str]) -> Iterator[Problem]:
    """A document has one domain and one data product."""
    if not components and not broken:
        return
    for kind in _ONCE:
        found = [c for c in components if c.type == kind]
        if not found and kind not in broken:
            yield document.problem(("spec", "components"), f"no component of type {kind}; exactly one is needed")
        yield from (c.origin.problem("", f"a second component of type {kind}; exactly one is allowed") for c in found[1:])


def _product(document: Document, components: Sequence[Declared[Any]]) -> Product:
    """What was read as a product; where its domain or its data product is missing, the folder's names stand in."""
    first = {component.type: component for component in reversed(components)}
    domain = first.get("domain") or _stand_in(document, -3, "domain", Domain())
    info = first.get("data-product") or _stand_in(document, -2, "data-product", DataProduct(lifecycle="draft"))
    grouped = {field: tuple(c for c in components if c.type == kind) for kind, field in _FIELDS.items()}
    extensions = tuple(c for c in components if c.type not in {*_FIELDS, *_ONCE})
    return Product(info.name, domain.name, document.file, info.origin, info.config, domain, extensions=extensions, **grouped)


def _stand_in(document: Document, folder: int, kind: str, config: Strict) -> Declared[Any]:
    name = ["", "", "", *document.file.split("/")][folder]
    return Declared(name, name, kind, config, Origin(document.file, 1, ""))


def _components(document: Document, vocabulary: Vocabulary) -> tuple[list[Declared[Any]], frozenset[str], list[Problem]]:
    problems = list(_frame_problems(document))
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    written = spec.get("components") if isinstance(spec, dict) else None
    if not isinstance(written, list) or not written:
        missing = document.problem(("spec", "components"), "spec.components must be a list with at least one component")
        return [], frozenset(), problems + ([missing] if isinstance(document.data, dict) else [])
    components, broken = [], set()
    for index, data in enumerate(written):
        component = _component(document, ("spec", "components", index), data, vocabulary, problems)
        if component is not None:
            components.append(component)
        else:
            broken |= _possible_types(data, vocabulary)
    return components, frozenset(broken), problems


def _possible_types(data: Any, vocabulary: Vocabulary) -> set[str]:
    """The type of a component that could not be read; any, if even that is unclear."""
    known = vocabulary.component_types()
    written = data.get("type") if isinstance(data, dict) else None
    return {written} if isinstance(written, str) and written in known else set(known)


def _frame_problems(document: Document) -> Iterator[Problem]:
    if not isinstance(document.data, dict):
        yield document.problem((), "the file must begin with the fields apiVersion, kind and spec")
        return
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if document.data.get(field) is None:
            yield document.problem((field,), f"{field} is missing", f"write {field}: {expected}")
        elif document.data[field] != expected:
            yield document.problem((field,), f'{field} must be "{expected}", not "{shortened(str(document.data[field]))}"')
    allowed = ("apiVersion", "kind", "metadata", "spec")
    for field in document.data:
        if field not in allowed:
            yield unknown_field(document, (field,), field, allowed)
    spec = document.data.get("spec")
    for field in spec if isinstance(spec, dict) else ():
        if field != "components":
            yield unknown_field(document, ("spec", field), field, ("components",))


def _component(document: Document, place: Place, data: Any, vocabulary: Vocabulary, problems: list[Problem]) -> Declared[Any] | None:
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
