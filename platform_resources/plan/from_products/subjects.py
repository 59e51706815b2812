"""What an objective is about: a data set, the data set of a port, or the whole product; and which ports are probed for it."""

from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.measures import Relation, Subject, measured_relation
from platform_resources.capabilities.protocols import MeasuredBy
from platform_resources.capabilities.registry import Registry
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.ports import Resolved, resolved_port
from platform_resources.spec.components import DataSet, ServiceLevelAsset
from platform_resources.spec.product import Declared, Product, model_name

Objective = Declared[ServiceLevelAsset]


def measured_by(registry: Registry, objective: Objective) -> MeasuredBy:
    """How the objective is measured: by the audit of a refresh, by probes, or from the history."""
    return registry.dimensions()[objective.variant].measured_by


def is_about_the_product(registry: Registry, objective: Objective) -> bool:
    """Whether the objective is about the whole product, because it is measured from the history of refreshes."""
    return measured_by(registry, objective) == "history"


def judged_data_set(registry: Registry, product: Product, objective: Objective) -> Declared[DataSet] | None:
    """The data set that it names, or that the port it names exposes, or the only one; None also if it is about the whole product."""
    if is_about_the_product(registry, objective):
        return None
    port = product.output_port(named_port(registry, objective)) if objective.config.data_set is None else None
    return product.data_set(port.config.data_set if port is not None else objective.config.data_set)


def named_port(registry: Registry, objective: Objective) -> str:
    """The one output port that the objective names; empty if it names none."""
    return registry.dimensions()[objective.variant].port(objective.settings)


def probed_ports(registry: Registry, product: Product, objective: Objective) -> tuple[str, ...]:
    """The output ports that a probe reads: the one named, or all of the data set; none for an objective that is measured otherwise."""
    if measured_by(registry, objective) != "probe":
        return ()
    data_set = judged_data_set(registry, product, objective)
    ports = [port for port in product.output_ports if data_set is not None and product.data_set(port.config.data_set) is data_set]
    name = named_port(registry, objective)
    named = product.output_port(name) if name else None
    return tuple(port.name for port in ports if named in (None, port))


def declared_columns(mesh: Mesh, product: Product) -> Mapping[Relation, tuple[str, ...]]:
    """The columns that data sets of the product promise, and those of the ports that it reads; what promises none is left out."""
    declared = {relation_of(mesh, product, model_name(d)): d.config.columns for d in product.data_sets}
    ports = ((port.name, resolved_port(mesh, port)) for port in product.input_ports)
    declared |= {Relation("inputs", name): port.columns for name, port in ports if isinstance(port, Resolved)}
    return {relation: tuple(column.name for column in columns) for relation, columns in declared.items() if columns}


def relation_of(mesh: Mesh, product: Product, model: str) -> Relation:
    """The relation that dbt will write the model to; its usual place where dbt was not asked."""
    node = mesh.project_of(product).node(model)
    return Relation(node.schema, node.alias) if node is not None else Relation("internal", model)


def subject(mesh: Mesh, product: Product, data_set: Declared[Any] | None) -> Subject:
    """What an objective on this data set is about, and what it may compare with; without one, an empty data set and no relation's name."""
    internal = {d.name: measured_relation(relation_of(mesh, product, model_name(d)), d.config) for d in product.data_sets}
    inputs = {port.name: Relation("inputs", port.name) for port in product.input_ports}
    if data_set is None:
        return Subject(DataSet(), Relation("internal", ""), inputs, internal)
    spec = next(d.config for d in product.data_sets if d.name == data_set.name)
    return Subject(spec, internal[data_set.name], inputs, internal)
