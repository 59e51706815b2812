"""Problems with objectives and indicators that do not fit how they are measured."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from platform_resources.capabilities.judgements import Moment, Promise
from platform_resources.capabilities.protocols import MeasuredBy
from platform_resources.capabilities.support.learned_thresholds import is_learned
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.subjects import (
    declared_columns,
    is_about_the_product,
    judged_data_set,
    measured_by,
    named_port,
    probed_ports,
    subject,
)
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product, runs
from platform_resources.spec.values.deadlines import Deadlines

_NO_GATE: dict[MeasuredBy, str] = {
    "probe": "reads what is published already",
    "history": "looks at refreshes that are over",
}


def objectives_make_sense(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """What a dimension itself finds wrong with its objective."""
    declared = declared_columns(mesh, product) if product.objectives else {}
    for objective in product.objectives:
        data_set = judged_data_set(mesh.registry, product, objective)
        if data_set is None and not is_about_the_product(mesh.registry, objective):
            continue
        dimension = mesh.registry.dimensions()[objective.variant]
        about = replace(subject(mesh, product, data_set), declared=declared)
        for property_name, message, hint in dimension.problems(objective.settings, about):
            yield objective.origin.problem(property_name, message, hint)


def gates_are_audited(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A gate stands before the publication, so only what the audit measures can close it."""
    for objective in product.objectives:
        reason = _NO_GATE.get(measured_by(mesh.registry, objective))
        if objective.config.gate and reason is not None:
            message = f"{objective.variant} cannot be a gate: a gate is decided before the publication, and {objective.variant} {reason}"
            yield objective.origin.problem("gate", message, "take gate away")


def learned_thresholds_are_no_gates(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """What is usual is unknown at first, which keeps a gate closed; and it is learned from what was published."""
    for objective in product.objectives:
        if objective.config.gate and is_learned(objective.settings):
            message = "a learned threshold cannot be a gate: nothing would be published while it learns, and so it would learn nothing"
            yield objective.origin.problem("gate", message, "take gate away, and promise bounds in an objective of their own")


def levels_differ_in_thresholds(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A warning and an error are two thresholds for one number, the error's the wider; late data is an error at once."""
    for objective in product.objectives:
        data_set = judged_data_set(mesh.registry, product, objective)
        if objective.error_settings is None or (data_set is None and not is_about_the_product(mesh.registry, objective)):
            continue
        dimension, about = mesh.registry.dimensions()[objective.variant], subject(mesh, product, data_set)
        milder, worse = objective.settings, objective.error_settings
        at = "error" if objective.config.error is not None else "warn"
        if dimension.breaks:
            yield objective.origin.problem(at, f"a miss of {objective.variant} is always an error", f"take {at} away")
        elif is_learned(milder) or is_learned(worse):
            yield objective.origin.problem(at, "a learned threshold is a warning of its own", "write it as an objective of its own")
        elif dimension.measures(milder, about) != dimension.measures(worse, about):
            yield objective.origin.problem(at, "warn and error measure two things", "let them differ in thresholds alone")
        elif milder == worse or _is_stricter(dimension.promise(worse, _NOW), dimension.promise(milder, _NOW)):
            yield objective.origin.problem(
                at, "the error's threshold is not wider than the warning's", "then nothing would ever be a warning"
            )


_NOW = Moment(datetime(2000, 1, 1, tzinfo=UTC))


def _is_stricter(one: Promise, other: Promise) -> bool:
    """Whether one of its bounds leaves less room."""
    lower = None not in (one.at_least, other.at_least) and (one.at_least or 0) > (other.at_least or 0)
    return lower or (None not in (one.at_most, other.at_most) and (one.at_most or 0) < (other.at_most or 0))


def late_data_is_no_business_target(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Old data, and data that nobody can read, are never as promised, so a miss is more than a note."""
    for objective in product.objectives:
        if objective.config.business_target and mesh.registry.dimensions()[objective.variant].breaks:
            message = (
                f"{objective.variant} cannot be a business target: a miss of one says nothing against the data, "
                "and data that is late or cannot be read is not as promised"
            )
            yield objective.origin.problem("business_target", message, "take business_target away; the aim itself may be a business-kpi")


def products_as_a_whole_name_no_data_set(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """An objective about the whole product names no data set."""
    for objective in product.objectives:
        if is_about_the_product(mesh.registry, objective) and objective.config.data_set is not None:
            message = f"{objective.variant} is about refreshes of the whole product, not about one data set"
            yield objective.origin.problem("data_set", message, "take data_set away")


def probed_ports_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A probe needs a port to read: the one that is named, which is of the data set that is named, or any."""
    known = [port.name for port in product.output_ports]
    for objective in product.objectives:
        name, data_set = named_port(mesh.registry, objective), judged_data_set(mesh.registry, product, objective)
        if name and product.output_port(name) is None:
            yield objective.origin.problem("port", f'no output port "{name}"; known: {known_text(known)}', did_you_mean(name, known))
        elif measured_by(mesh.registry, objective) != "probe" or data_set is None or probed_ports(mesh.registry, product, objective):
            continue
        elif name:
            message = f'output port "{name}" is not of the data set {data_set.title}'
            yield objective.origin.problem("port", message, "take data_set or port away")
        elif runs(product):
            message = f"the data set {data_set.title} has no output port, so nobody could read it"
            yield objective.origin.problem("", message, "add a component of type output-port")


def final_values_can_change(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Only what is said about data can change when data comes late; what was published, read or refreshed when is final at once."""
    for indicator in product.indicators:
        named = indicator.config.service_level_name
        objective = next((o for o in product.objectives if named in (o.title, o.name)), None)
        if objective is None or indicator.config.final_after is None:
            continue
        dimension = mesh.registry.dimensions()[objective.variant]
        if dimension.failure == "lateness" or dimension.measured_by != "audit":
            message = f"final_after has no meaning for {objective.variant}: late data does not change what was the case at the time"
            ages = dimension.max_age(objective.settings) is not None
            hint = "take final_after away" + ("; due_after allows for a late version" if ages else "")
            yield indicator.origin.problem("final_after", message, hint)


def deadlines_are_the_objectives(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """An objective with deadlines says itself by when its data is due."""
    for indicator in product.indicators:
        named = indicator.config.service_level_name
        objective = next((o for o in product.objectives if named in (o.title, o.name)), None)
        if objective is None or indicator.config.due_after is None:
            continue
        if isinstance(mesh.registry.dimensions()[objective.variant].max_age(objective.settings), Deadlines):
            message = f"due_after has no meaning for {objective.title}, which has deadlines of its own"
            yield indicator.origin.problem("due_after", message, "take due_after away, or promise a max_age without by and cron")


def shared_exclusions_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """An indicator that asks for its domain's exclusions needs a domain that has some."""
    reading = mesh.domains.get(product.domain)
    if (reading is not None and reading.problems) or mesh.domain(product.domain).exclusions:
        return
    for indicator in product.indicators:
        if indicator.config.domain_exclusions:
            file = f"{Path(product.file).parent.parent.as_posix()}/domain.yaml"
            message = f"the domain {product.domain} excludes nothing"
            yield indicator.origin.problem(
                "domain_exclusions", message, f"write exclusions or calendars in {file}, or take domain_exclusions away"
            )


OBJECTIVE_PASSES = (
    objectives_make_sense,
    gates_are_audited,
    learned_thresholds_are_no_gates,
    levels_differ_in_thresholds,
    late_data_is_no_business_target,
    products_as_a_whole_name_no_data_set,
    probed_ports_exist,
    final_values_can_change,
    deadlines_are_the_objectives,
    shared_exclusions_exist,
)
