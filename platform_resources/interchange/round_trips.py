"""A product as a document of another standard and back, without loss: what has no slot on one side is carried along and put back."""

from collections.abc import Callable
from dataclasses import dataclass

from platform_resources.interchange.bitol_parts import Fields, info_of
from platform_resources.interchange.contract_documents import contract, contract_components
from platform_resources.interchange.differences import applied, difference
from platform_resources.interchange.foreign_yaml import foreign_text, read_foreign
from platform_resources.interchange.official_schemas import CONTRACTS, PRODUCTS, Standard, checked
from platform_resources.interchange.older_words import understood
from platform_resources.interchange.product_documents import product_components, product_document
from platform_resources.interchange.product_text import Component, components_of, document_text
from platform_resources.spec.component_reading import Vocabulary
from platform_resources.spec.problems import Problem, errors
from platform_resources.spec.product import Product
from platform_resources.spec.reading import read_product

# The custom property in which a document carries what its standard has no slot for.
CARRIED = "mesh.carried"
# The component type in which a product carries what a document said and the platform has no word for.
CARRIER = "carried-document"


@dataclass(frozen=True, slots=True)
class Form:
    """How a product becomes a document of a standard, and a document the components of a product."""

    standard: Standard
    document: Callable[[list[Component], str], Fields]
    components: Callable[[Fields], list[Component]]


FORMS = {
    "odcs": Form(CONTRACTS, contract, contract_components),
    "odps": Form(PRODUCTS, product_document, product_components),
}


@dataclass(frozen=True, slots=True)
class Import:
    """What became of a document: the product.yaml if there was no error, the product's name and domain, what was wrong, and which places
    of the document are only carried along.
    """

    text: str
    name: str
    domain: str
    problems: tuple[Problem, ...]
    carried: tuple[str, ...] = ()


def exported(product: Product, form: Form, vocabulary: Vocabulary, version: str = "") -> Fields:
    """The product as a document, of the version asked for, else of the one that it was imported from, else of the newest."""
    every = components_of(product)
    carrier: Fields = next((component["properties"] for component in every if _carries(component, form)), {"changes": []})
    own = [component for component in every if not _carries(component, form)]
    wanted = f"v{version}" if version else str(carrier.get("version", f"v{form.standard.versions[0]}"))
    document = applied(form.document(own, wanted), carrier["changes"])
    name, domain, _ = info_of(own)
    said = _read_back(document, form, vocabulary, name, domain)
    left = list(difference([] if isinstance(said, tuple) else said, own))
    if not left:
        return dict(document)
    return {**document, "customProperties": [*document.get("customProperties", ()), {"property": CARRIED, "value": left}]}


def exported_text(product: Product, form: Form, vocabulary: Vocabulary, version: str = "") -> str:
    """The same as YAML."""
    return foreign_text(exported(product, form, vocabulary, version))


def imported(text: str, file: str, form: Form, vocabulary: Vocabulary, name: str = "", domain: str = "") -> Import:
    """The product.yaml of a document, under another name and in another domain if these are given. Nothing is made of one with errors."""
    document = read_foreign(text, file)
    if isinstance(document, Problem):
        return Import("", name, domain, (document,))
    document, problems = checked(form.standard, document)
    if errors(problems):
        return Import("", name, domain, problems)
    read_back = _read_back(document.data, form, vocabulary, name, domain)
    if isinstance(read_back, tuple):
        return Import("", name, domain, (*problems, *read_back))
    name, domain, _ = info_of(read_back)
    version = document.data["apiVersion"]
    changes = list(difference(form.document(read_back, version), _without_own(document.data)))
    carrier = {"name": form.standard.name, "type": CARRIER, "properties": {"version": version, "changes": changes}}
    components = [*read_back, carrier] if changes else read_back
    return Import(document_text(name, components), name, domain, problems, tuple(".".join(change["at"]) for change in changes))


def _carries(component: Component, form: Form) -> bool:
    return (component["type"], component["name"]) == (CARRIER, form.standard.name)


def _without_own(document: Fields) -> Fields:
    properties = [entry for entry in document.get("customProperties", ()) if entry["property"] != CARRIED]
    if len(properties) == len(document.get("customProperties", ())):
        return document
    kept = {"customProperties": properties} if properties else {}
    return {key: value for key, value in document.items() if key != "customProperties"} | kept


def _read_back(document: Fields, form: Form, vocabulary: Vocabulary, name: str, domain: str) -> list[Component] | tuple[Problem, ...]:
    """The components that a document says and carries, as the platform spells them; problems where they are no product.

    A document from elsewhere has been built by nobody here, so it begins as proposed.
    """
    left = next((entry["value"] for entry in document.get("customProperties", ()) if entry["property"] == CARRIED), None)
    said = _spelled(form.components(understood(_without_own(document))), vocabulary, name, domain)
    if left is not None:
        return _spelled(applied([] if isinstance(said, tuple) else said, left), vocabulary, name, domain)
    if not isinstance(said, tuple):
        info_of(said)[2]["lifecycle"] = "proposed"
    return said


def _spelled(components: list[Component], vocabulary: Vocabulary, name: str, domain: str) -> list[Component] | tuple[Problem, ...]:
    """The same components as they are read from a product.yaml, under another name and in another domain if these are given."""
    names = {"data-product": name, "domain": domain}
    named = [{**component, "name": names.get(component["type"]) or component["name"]} for component in components]
    reading = read_product(document_text("product", named), "product.yaml", vocabulary)
    return components_of(reading.product) if reading.product is not None else reading.problems
