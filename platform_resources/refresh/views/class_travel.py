"""The classes that the columns of a build inherit, and what its views therefore leave out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from platform_resources.access.views import KeyedRole, restricted_views
from platform_resources.lineage.inherited_classes import Said, SaidClass, inherited_classes, said_by_the_plan
from platform_resources.lineage.mesh_lineage import MeshColumn, MeshLineage
from platform_resources.plan import conventions
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.built_lineage import kept_lineage
from platform_resources.spec.components import DataSet
from platform_resources.spec.data_classes import class_named, restriction
from platform_resources.spec.values.column_names import folded_column

# By data set, the columns that are more restricted than they say, each with its class.
InheritedClasses = Mapping[str, Mapping[str, str]]


def inherited_in(state: Path, product: ProductPlan, inputs: Mapping[str, Mapping[str, Any]]) -> InheritedClasses:
    """The classes that columns inherit from these pulls, by the last build. Unknown lineage changes no class."""
    alone = MeshPlan((product,), ())
    lineage = MeshLineage(alone, {product.name: kept_lineage(state, product)})
    own, received = said_by_the_plan(alone), _received(state, product, inputs)
    by_data_set: dict[str, dict[str, str]] = {}
    for inheriting in inherited_classes(lineage, product, lambda column: own(column) or received(column)):
        data_set = next(data_set for data_set in product.data_sets if data_set.model == inheriting.column.place)
        promised = next(
            column.name for column in data_set.spec.columns if folded_column(column.name) == folded_column(inheriting.column.column)
        )
        by_data_set.setdefault(data_set.name, {})[promised] = inheriting.classification
    return by_data_set


def _received(state: Path, product: ProductPlan, inputs: Mapping[str, Mapping[str, Any]]) -> Said:
    """What other products say of the columns of the ports that were pulled, or have themselves inherited in the version that was."""
    classes: dict[tuple[str, str, str], str] = {}
    for port in product.inputs:
        upstream = port.upstream
        if upstream is None:
            continue
        place = conventions.place(conventions.output_key(upstream.product, upstream.port))
        promised = {column.name: column.classification for column in upstream.columns}
        version = inputs.get(port.name, {}).get("version")
        published = (
            publication for publication in shelf(state, upstream.domain, upstream.product).published() if publication.id == version
        )
        pulled = next((publication.port(upstream.port) for publication in published), None)
        for name, classification in (*promised.items(), *(pulled.inherited.items() if pulled is not None else ())):
            key = (upstream.product, place, folded_column(name))
            classes[key] = max(classes.get(key, classification), classification, key=lambda name: restriction(name, product.classes))

    def said(column: MeshColumn) -> SaidClass | None:
        name = classes.get((column.product, column.place, folded_column(column.column)))
        return SaidClass(name) if name is not None else None

    return said


def restricted(product: ProductPlan, inherited: InheritedClasses) -> ProductPlan:
    """The product whose columns have the classes that they inherit, so that an audit quotes no value that came from elsewhere."""
    if not inherited:
        return product
    specs = {data_set.name: _restricted(data_set.spec, inherited.get(data_set.name, {}), product) for data_set in product.data_sets}
    shown = {name: tuple(column.name for column in spec.columns if column.shown) for name, spec in specs.items()}
    data_sets = tuple(replace(data_set, spec=specs[data_set.name], shown=shown[data_set.name]) for data_set in product.data_sets)
    objectives = (
        replace(objective, subject=replace(objective.subject, data_set=specs.get(objective.data_set, objective.subject.data_set)))
        for objective in product.objectives
    )
    return replace(product, data_sets=data_sets, objectives=tuple(objectives))


def _restricted(spec: DataSet, classes: Mapping[str, str], product: ProductPlan) -> DataSet:
    columns = (
        column.inheriting(class_named(classes[column.name], product.classes) if column.name in classes else None) for column in spec.columns
    )
    return spec.model_copy(update={"columns": tuple(columns)})


def as_inherited(product: ProductPlan, data_set: DataSetPlan, inherited: InheritedClasses) -> DataSetPlan:
    """The data set with views that leave out columns made from what the reader may not see."""
    columns = {column: class_named(name, product.classes) for column, name in inherited.get(data_set.name, {}).items()}
    if not columns:
        return data_set
    roles = [KeyedRole(role, f"{product.name}.{agreement.name}") for agreement in product.agreements for role in agreement.spec.roles]
    offer = (roles, bool(product.agreements), product.name)
    return replace(data_set, views=restricted_views(data_set.spec, data_set.views, columns, offer))
