"""Check governance.yaml, and hold every product against it: classes, identifiers, policies."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from platform_resources.access.agreement_problems import open_mask_problems
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.validation.policy_validation import policies_hold, policy_problems
from platform_resources.spec.components import Column
from platform_resources.spec.document import Place
from platform_resources.spec.governance import Identifier
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.field_types import UNCLASSIFIED

# A place in governance.yaml, what is wrong there, and what to do.
Complaint = tuple[Place, str, str]


def governance_problems(mesh: Mesh) -> Iterator[Problem]:
    """Every problem of governance.yaml: what reading found, and what leads nowhere."""
    reading = mesh.governance
    yield from reading.problems
    if reading.document is not None:
        yield from (
            reading.document.problem(*complaint) for complaint in (*_classes(mesh), *_identifiers(mesh), *_terms(mesh), *_stages(mesh))
        )
        yield from policy_problems(mesh, reading.document)


def _classes(mesh: Mesh) -> Iterator[Complaint]:
    masks, governance = mesh.registry.masks(), mesh.governance.governance
    times = Counter(governance.class_names)
    for at, data_class in enumerate(governance.classes):
        if data_class.name == UNCLASSIFIED:
            yield ("classes", at, "name"), f"{UNCLASSIFIED} is a column that says no class; it cannot be described", "take the entry away"
        if times[data_class.name] > 1:
            yield ("classes", at, "name"), f"class {data_class.name} is described {times[data_class.name]} times", "describe it once"
        if data_class.mask.mask not in masks:
            message = f'unknown mask "{data_class.mask.mask}"; known: {known_text(masks)}'
            yield ("classes", at, "mask"), message, did_you_mean(data_class.mask.mask, masks)


def _identifiers(mesh: Mesh) -> Iterator[Complaint]:
    reading = mesh.governance
    times = Counter(identifier.name for identifier in reading.governance.identifiers)
    for at, identifier in zip(reading.identifier_places, reading.governance.identifiers, strict=True):
        if times[identifier.name] > 1:
            yield (
                ("identifiers", at, "name"),
                f"identifier {identifier.name} is described {times[identifier.name]} times",
                "describe it once",
            )
        if why := _no_pattern(identifier.format):
            yield ("identifiers", at, "format"), f'"{identifier.format}" is no regular expression: {why}', ""
        yield from ((("identifiers", at, field), message, hint) for field, message, hint in _owner_problems(mesh, identifier))


def _terms(mesh: Mesh) -> Iterator[Complaint]:
    times = Counter(term.name for term in mesh.governance.governance.terms)
    twice = [name for name, count in times.items() if count > 1]
    yield from ((("terms",), f"term {name} is described {times[name]} times", "describe it once") for name in twice)


def _stages(mesh: Mesh) -> Iterator[Complaint]:
    known = (*mesh.registry.policies(), *mesh.registry.criteria())
    settings = mesh.governance.governance.stages
    times = Counter(setting.stage for setting in settings)
    for at, setting in zip(mesh.governance.stage_places, settings, strict=True):
        if times[setting.stage] > 1:
            yield ("stages", at, "stage"), f"stage {setting.stage} is described {times[setting.stage]} times", "describe it once"
        for name in (name for name in setting.needs if name not in known):
            yield ("stages", at, "needs"), f'no policy and no criterion "{name}"; `mesh capabilities` lists them', did_you_mean(name, known)


def _no_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return str(error)
    return ""


def _owner_problems(mesh: Mesh, identifier: Identifier) -> Iterator[tuple[str, str, str]]:
    """Where the owner's key is not what the identifier says. Of a product that was not read, or cannot be, nothing is known."""
    product = mesh.by_name.get(identifier.product)
    if product is None:
        if mesh.is_whole and identifier.product not in {unread.name for unread in mesh.unreadable}:
            yield "product", f'no product "{identifier.product}" in the mesh', did_you_mean(identifier.product, mesh.by_name)
        return
    key = owning_column(product, identifier)
    if key is None:
        names = [column.name for data_set in product.data_sets for column in data_set.config.columns]
        message = f'{product.name} has no single data set with a column "{identifier.column}"; its columns: {known_text(names)}'
        hint = "name its data_set too" if identifier.column in names else did_you_mean(identifier.column, names)
        yield "column", message, hint
    elif key.type != identifier.type:
        yield "type", f"{identifier.name} is {identifier.type}, and its owner {product.name}.{key.name} is {key.type}", "say one type"


def owning_column(product: Product, identifier: Identifier) -> Column | None:
    """The column of the product that is the identifier's key; None if it has none, or cannot tell the data set."""
    data_set = product.data_set(identifier.data_set)
    columns = data_set.config.columns if data_set is not None else ()
    return next((column for column in columns if folded_column(column.name) == folded_column(identifier.column)), None)


def classes_are_known(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every class that the product names is one of the mesh."""
    known = {*mesh.governance.governance.class_names, UNCLASSIFIED}
    for data_set in product.data_sets:
        if data_set.config.classification not in known:
            yield data_set.origin.problem("classification", *_unknown_class(data_set.config.classification, known))
        for at, column in enumerate(data_set.config.columns):
            if column.classification not in known and column.classification != data_set.config.classification:
                problem = data_set.origin.problem(f"columns[{at}]", *_unknown_class(column.classification, known))
                yield replace(problem, path=f"{problem.path}.classification")
    for agreement in product.agreements:
        named = {name: None for role in agreement.config.roles for name in (*role.sees, *role.masked, *role.masks)}
        yield from (agreement.origin.problem("roles", *_unknown_class(name, known)) for name in named if name not in known)


def default_masks_fit(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """What a class gives masked to others can be masked like that."""
    for data_set, at, message in open_mask_problems(product):
        hint = "classify the column otherwise, write an agreement, or give the class another mask in governance.yaml"
        yield data_set.origin.problem(f"columns[{at}]", message, hint)


def _unknown_class(name: str, known: Collection[str]) -> tuple[str, str]:
    return f'unknown classification "{name}"; known: {known_text(known)}', did_you_mean(name, known)


def identifiers_agree(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A column that uses a global identifier has its type. In a mesh that declares some, a column uses one of these."""
    governance = mesh.governance.governance
    known = {identifier.name for identifier in governance.identifiers}
    for data_set in product.data_sets:
        for at, column in enumerate(data_set.config.columns):
            identifier = governance.identifier(column.identifier)
            if identifier is not None and identifier.type != column.type:
                message = (
                    f"column {column.name} is {column.type}, and the identifier {identifier.name} is {identifier.type} in the whole mesh"
                )
                yield data_set.origin.problem(f"columns[{at}]", message, f"write type: {identifier.type}, and cast it in the SQL")
            elif identifier is None and column.identifier is not None and known:
                message = f'no identifier "{column.identifier}" in governance.yaml; known: {known_text(known)}'
                yield data_set.origin.problem(f"columns[{at}]", message, did_you_mean(column.identifier, known), warning=True)
            if column.join_rate is not None and column.identifier is None:
                message = f"column {column.name} says a join_rate, and which identifier it holds is not said"
                yield data_set.origin.problem(f"columns[{at}]", message, "write identifier: …, or take join_rate away")


GOVERNANCE_PASSES = (classes_are_known, default_masks_fit, identifiers_agree, policies_hold)
