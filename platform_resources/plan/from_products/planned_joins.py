"""Objectives that nobody writes: how many values of a global identifier are among those of the product that owns it."""

from collections.abc import Iterator
from dataclasses import replace

from platform_resources.capabilities.dimensions.referential_consistency import ReferentialConsistencySettings
from platform_resources.capabilities.support.references import Reference
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan, OwnedKey, SourceLine
from platform_resources.plan.from_products.concerned_columns import qualified
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.subjects import subject
from platform_resources.spec.components import Column, DataSet
from platform_resources.spec.governance import Identifier
from platform_resources.spec.product import Declared, Product, model_name
from platform_resources.spec.values.column_names import folded_column


def planned_joins(mesh: Mesh, product: Product) -> Iterator[ObjectivePlan]:
    """One for each column with an identifier of the mesh, but for the key itself and where the column or the company asks for none.

    They follow from governance.yaml alone, whichever other products were read. An objective that the team has written under the same
    name, or that compares the same columns of the product, goes before it.
    """
    written = {objective.name for objective in product.objectives}
    for data_set in product.data_sets:
        for column in data_set.config.columns:
            identifier = mesh.governance.governance.identifier(column.identifier)
            if identifier is None or _is_key(product, data_set, column, identifier) or _is_promised(product, data_set, column, identifier):
                continue
            rate = identifier.join_rate if column.join_rate is None else column.join_rate
            title = f"{data_set.name}.{column.name} is a known {identifier.name}"
            if rate and conventions.check_name(title) not in written:
                yield _join(mesh, product, data_set, column, identifier, rate, title)


def _is_key(product: Product, data_set: Declared[DataSet], column: Column, identifier: Identifier) -> bool:
    same_column = folded_column(column.name) == folded_column(identifier.column)
    return product.name == identifier.product and same_column and product.data_set(identifier.data_set) in (data_set, None)


def _is_promised(product: Product, data_set: Declared[DataSet], column: Column, identifier: Identifier) -> bool:
    """Whether the team itself compares the column with the key, where both are its own."""
    own = product.data_set(identifier.data_set) if identifier.product == product.name else None
    settings = (o.settings for o in product.objectives if product.data_set(o.config.data_set) is data_set)
    compared = (each for each in settings if isinstance(each, ReferentialConsistencySettings) and each.columns == (column.name,))
    return own is not None and any(product.data_set(each.references.data_set or "") is own for each in compared)


def _join(
    mesh: Mesh, product: Product, data_set: Declared[DataSet], column: Column, identifier: Identifier, rate: float, title: str
) -> ObjectivePlan:
    about, key = subject(mesh, product, data_set), None
    own = product.data_set(identifier.data_set) if identifier.product == product.name else None
    if own is not None:
        reference = Reference(data_set=own.name, columns=(identifier.column,))
    else:
        key = OwnedKey(identifier.name, identifier.product, identifier.data_set or "", identifier.column, identifier.type)
        about = replace(about, inputs={**about.inputs, key.product: key.relation})
        reference = Reference(input=identifier.product, columns=(identifier.column,))
    check = CheckPlan(
        name=conventions.check_name(title),
        key=conventions.model_key(product.name, model_name(data_set)),
        kind="objective",
        title=title,
        description=f"What the company calls a {identifier.name} is one that {identifier.product} has.",
        blocking=False,
        severity="warning",
        place=SourceLine.of(data_set.origin),
        columns=qualified(data_set.name, [column.name]),
    )
    settings = ReferentialConsistencySettings(columns=(column.name,), references=reference, at_least=rate)
    return ObjectivePlan(check, "referential-consistency", settings, data_set.name, about, key=key)
