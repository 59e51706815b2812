"""Objectives that the platform adds: how many values of a global identifier are known to the product that owns it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

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
    """One objective for each column with a global identifier, except the key itself and where the column or the company asks for none.

    They follow from governance.yaml alone, whichever other products were read. An objective that the team has written under the same
    name, or that promises the same, goes before it.
    """
    for data_set in product.data_sets:
        for column in data_set.config.columns:
            identifier = mesh.governance.governance.identifier(column.identifier)
            if identifier is not None and not _is_key(product, data_set, column, identifier):
                rate = identifier.join_rate if column.join_rate is None else column.join_rate
                yield from _join(mesh, product, data_set, column, identifier, rate) if rate else ()


def _is_key(product: Product, data_set: Declared[DataSet], column: Column, identifier: Identifier) -> bool:
    same_column = folded_column(column.name) == folded_column(identifier.column)
    return product.name == identifier.product and same_column and product.data_set(identifier.data_set) in (data_set, None)


def _join(
    mesh: Mesh, product: Product, data_set: Declared[DataSet], column: Column, identifier: Identifier, rate: float
) -> Iterator[ObjectivePlan]:
    about, key = subject(mesh, product, data_set), None
    own = product.data_set(identifier.data_set) if identifier.product == product.name else None
    if own is not None:
        reference = Reference(data_set=own.name, columns=(identifier.column,))
    else:
        key = OwnedKey(identifier.name, identifier.product, identifier.data_set or "", identifier.column, identifier.type)
        about = replace(about, inputs={**about.inputs, key.product: key.relation})
        reference = Reference(input=identifier.product, columns=(identifier.column,))
    title = f"{data_set.name}.{column.name} is a known {identifier.name}"
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
    dimensions = mesh.registry.dimensions().items()
    joined = ((name, dimension.joined(column.name, reference, rate)) for name, dimension in dimensions)
    for name, settings in joined:
        if settings is not None and not _is_written(product, data_set, check.name, name, settings):
            yield ObjectivePlan(check, name, settings, data_set.name, about, key=key)


def _is_written(product: Product, data_set: Declared[DataSet], check: str, dimension: str, settings: Any) -> bool:
    """Whether the team has an objective of that name, or one of the same columns on both sides."""
    return any(
        objective.name == check
        or (
            objective.variant == dimension
            and product.data_set(objective.config.data_set) is data_set
            and objective.settings.model_copy(update={"at_least": settings.at_least, "learned": None}) == settings
        )
        for objective in product.objectives
    )
