"""Read a product.yaml: validate each component with its registered type, and report all problems at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from platform_resources.spec.component_reading import Vocabulary, read_component
from platform_resources.spec.components import DataProduct, Domain
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.field_problems import shortened, unknown_field
from platform_resources.spec.problems import Problem, errors
from platform_resources.spec.product import Declared, Origin, Product
from platform_resources.spec.strict import Strict

API_VERSION, KIND = "core.oam.dev/v1beta1", "DataProduct"


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
        of_kind = [c for c in components if c.type == kind]
        if not of_kind and kind not in broken:
            yield document.problem(("spec", "components"), f"no component of type {kind}; exactly one is needed")
        yield from (c.origin.problem("", f"a second component of type {kind}; exactly one is allowed") for c in of_kind[1:])


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
        component = read_component(document, ("spec", "components", index), data, vocabulary, problems)
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
