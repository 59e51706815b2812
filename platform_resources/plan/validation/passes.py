"""Validation across components and products: a pipeline of passes, each of which reports all problems that it finds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh, UnreadableProduct
from platform_resources.plan.from_products.ports import (
    Resolved,
    ending_problem,
    former_name_problem,
    is_elsewhere,
    resolved_port,
    retired_problem,
    version_problem,
)
from platform_resources.plan.from_products.product_order import cycles, product_graph
from platform_resources.plan.from_products.subjects import is_about_the_product, judged_data_set, named_port
from platform_resources.plan.validation.access_validation import agreements_make_sense, inputs_are_delivered
from platform_resources.plan.validation.channel_validation import incidents_can_be, owners_are_reached, routes_lead_somewhere
from platform_resources.plan.validation.check_validation import checks_are_unique
from platform_resources.plan.validation.format_validation import formats_hold
from platform_resources.plan.validation.governance_validation import GOVERNANCE_PASSES
from platform_resources.plan.validation.model_validation import MODEL_PASSES
from platform_resources.plan.validation.objective_validation import (
    OBJECTIVE_PASSES,
    final_values_can_change,
    objectives_make_sense,
    probed_ports_exist,
)
from platform_resources.plan.validation.policy_validation import policies_hold
from platform_resources.plan.validation.port_validation import ending_ports_hold, streams_hold
from platform_resources.plan.validation.rename_validation import renames_hold
from platform_resources.plan.validation.source_validation import (
    extractors_exist,
    refresh_is_triggered,
    shared_sources_exist,
    sources_promise_columns,
)
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product, runs
from platform_resources.spec.values.names import fold

Pass = Callable[[Mesh, Product], Iterator[Problem]]


def folder_agrees(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A product lives in `dataproducts/<domain>/<product>/`."""
    *_, domain, name, _file = ("", "", *product.file.split("/"))
    if name != product.name:
        yield product.origin.problem("", f'product "{product.name}" is written in the folder "{name}"; both must have one name')
    if domain != product.domain:
        message = f'domain "{product.domain}" is written in the folder of domain "{domain}"; both must have one name'
        yield product.domain_component.origin.problem("", message)


def product_name_is_unique(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """No other product of the mesh has this name, also when names are folded."""
    for other in mesh.by_folded_name.get(fold(product.name), ()):
        if other.file != product.file:
            same = "is also the name of" if other.name == product.name else f'is the same to a warehouse as "{other.name}" in'
            yield product.origin.problem("", f'product name "{product.name}" {same} {other.file}; names are unique in the mesh')


def names_are_unique(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Within a product, input ports, models and output ports share one namespace; every component type has its own."""
    texts = mesh.texts_of(product)
    named = [(f'input port "{p.title}"', p.name, p.origin) for p in product.input_ports]
    named += [(f'output port "{p.title}"', p.name, p.origin) for p in product.output_ports]
    nodes = {node.name: node.kind for node in mesh.project_of(product).nodes} | {model.name: "model" for model in texts.models}
    seen = {fold(name): f'dbt {kind} "{name}"' for name, kind in nodes.items()}
    for what, name, origin in named:
        if name in conventions.RESERVED_NAMES:
            reserved = f"reserved for the platform: {known_text(conventions.RESERVED_NAMES)}"
            yield origin.problem("", f'{what} may not be called "{name}"; {reserved}')
        if fold(name) in seen:
            hint = "give one another name: input ports, models and output ports of a product are listed together"
            yield origin.problem("", f"{what} has the same name as {seen[fold(name)]}", hint)
        seen.setdefault(fold(name), what)
    for group in (product.data_sets, product.objectives, product.indicators, product.agreements, product.consumers):
        yield from _twice(group)


def _twice(components: Iterable[Declared[Any]]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for component in components:
        if fold(component.name) in seen:
            same = f'"{component.title}" is the same name as "{seen[fold(component.name)]}"'
            yield component.origin.problem("", f"{same} of another {component.type}; give it another")
        seen.setdefault(fold(component.name), component.title)


def data_sets_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every data set that a component names is declared."""
    known = [d.title for d in product.data_sets]
    objectives = [o for o in product.objectives if not is_about_the_product(mesh.registry, o)]
    components: tuple[Declared[Any], ...] = (*objectives, *product.output_ports)
    for component in components:
        if product.data_set(component.config.data_set) is not None:
            continue
        names_port = component in objectives and named_port(mesh.registry, component)
        if component.config.data_set is None and (names_port or (not known and not runs(product))):
            continue
        if component.config.data_set is None:
            message = f"data_set is missing; the product has several: {known_text(known)}" if known else "the product has no data set"
            yield component.origin.problem("", message, "" if known else "add a component of type data-set")
        else:
            message = f'no data set "{component.config.data_set}"; known: {known_text(known)}'
            yield component.origin.problem("data_set", message, did_you_mean(component.config.data_set, known))


def columns_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every column that a component names is declared."""
    for data_set in product.data_sets:
        single = {"updated_at": data_set.config.updated_at, "partition_by": data_set.config.partition_by}
        used = {"primary_key": data_set.config.primary_key, **{name: (column,) for name, column in single.items() if column}}
        yield from _unknown_columns(data_set, data_set, used)
        yield from _partitions_without_days(data_set)
    for objective in product.objectives:
        judged = judged_data_set(mesh.registry, product, objective)
        if judged is not None:
            dimension = mesh.registry.dimensions()[objective.variant]
            yield from _unknown_columns(objective, judged, dimension.columns_used(objective.settings))


def _partitions_without_days(data_set: Declared[Any]) -> Iterator[Problem]:
    wanted = data_set.config.partition_by
    kind = next((column.type for column in data_set.config.columns if column.name == wanted), "date")
    if kind not in ("date", "timestamp", "timestamptz"):
        message = f'column "{wanted}" of data set {data_set.title} has no days: its type is {kind}'
        yield data_set.origin.problem("partition_by", message, "name a column of type date, timestamp or timestamptz")


def _unknown_columns(component: Declared[Any], data_set: Declared[Any], used: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    known = [column.name for column in data_set.config.columns]
    if not known:
        return
    for property_name, columns in used.items():
        for column in columns:
            if column not in known:
                message = f'no column "{column}" in data set {data_set.title}; known: {known_text(known)}'
                yield component.origin.problem(property_name, message, did_you_mean(column, known))


def inputs_resolve(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A proposed product may still name a port that is to come; any other may not."""
    for port in product.input_ports:
        resolved = resolved_port(mesh, port)
        if isinstance(resolved, Problem):
            yield (
                resolved if runs(product) else port.origin.problem("associated_output_port", resolved.message, resolved.hint, warning=True)
            )
        if isinstance(resolved, Resolved):
            yield from filter(
                None,
                (
                    version_problem(port, resolved),
                    former_name_problem(mesh, port, resolved),
                    ending_problem(port, resolved),
                    retired_problem(mesh, port, resolved),
                ),
            )


def indicators_refer(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """An indicator names an objective of its product."""
    objectives = [o.title for o in product.objectives]
    for indicator in product.indicators:
        wanted_name = indicator.config.service_level_name
        if wanted_name not in (*objectives, *(o.name for o in product.objectives)):
            message = f'no service-level-asset "{wanted_name}"; known: {known_text(objectives)}'
            yield indicator.origin.problem("service_level_name", message, did_you_mean(wanted_name, objectives))


def indicators_leave_a_budget(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A target that the first bad interval breaks is allowed, but hardly what anybody means."""
    for indicator in product.indicators:
        warning = mesh.with_exclusions(product.domain, indicator.config).budget_warning
        if warning:
            hint = "set a lower target, a longer window or a shorter interval"
            yield indicator.origin.problem("target", warning, hint, warning=True)


def ports_refer(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Sample queries and consumers name output ports of their product."""
    ports = [p.name for p in product.output_ports]
    for query in product.sample_queries:
        yield from _unknown_port(product, query, "port", (query.config.port,), ports)
        port = product.output_port(query.config.port)
        if port is not None and is_elsewhere(mesh.registry, port):
            yield query.origin.problem("port", f"{port.name} is a {port.variant}, of which nobody can query rows", "write another port")
    for consumer in product.consumers:
        yield from _unknown_port(product, consumer, "uses", consumer.config.uses, ports)


def _unknown_port(product: Product, component: Declared[Any], field: str, names: Iterable[str], ports: list[str]) -> Iterator[Problem]:
    for name in names:
        if product.output_port(name) is None:
            yield component.origin.problem(field, f'no output port "{name}"; known: {known_text(ports)}', did_you_mean(name, ports))


def replacement_exists(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """What replaces a product is a product of the mesh."""
    replacement = product.info.replacement
    known = {*mesh.by_name, *mesh.by_former_name, *(unreadable.name for unreadable in mesh.unreadable)}
    if replacement is not None and mesh.is_whole and replacement not in known:
        message = f'no product "{replacement}" in the mesh'
        yield product.origin.problem("replacement", message, did_you_mean(replacement, mesh.by_name))


def lifecycle_is_written(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A team that has written models means them to run."""
    if "lifecycle" not in product.info.model_fields_set and mesh.texts_of(product).models:
        message = "lifecycle is missing, so it is proposed and not refreshed"
        yield product.origin.problem("", message, "write lifecycle: draft", warning=True)


def runbook_exists(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A runbook that is a file lies beside product.yaml."""
    runbook = product.info.support.runbook
    texts = mesh.texts.get(product.file)
    if runbook is None or texts is None or "://" in runbook:
        return
    file = runbook.partition("#")[0]
    if file not in texts.files:
        message = f"the runbook {file} is missing beside {product.file.rpartition('/')[2]}"
        yield product.origin.problem("support", message, did_you_mean(file, texts.files))


def find_problems(mesh: Mesh, products: Iterable[Product] | None = None) -> tuple[Problem, ...]:
    """Every problem of every product that could be read, or of these products, and every circle of products; sorted."""
    problems = {
        problem for product in (mesh.products if products is None else products) for find in PASSES for problem in find(mesh, product)
    }
    return tuple(sorted(problems | set(_circles(mesh))))


def find_further_problems(mesh: Mesh, unreadable: UnreadableProduct) -> tuple[Problem, ...]:
    """Further problems of a document that has errors, without passes that would repeat those errors."""
    partial_product = unreadable.partial
    if partial_product is None:
        return ()
    apt = [find for find in PASSES if not _NEEDED.get(find, _NOTHING) & unreadable.broken]
    return tuple(sorted({problem for find in apt for problem in find(mesh, partial_product)}))


def _circles(mesh: Mesh) -> Iterator[Problem]:
    for cycle in cycles(product_graph(mesh)):
        for at, name in enumerate(cycle):
            circle = " <- ".join((*cycle[at:], *cycle[:at], name))
            message = f"products read from each other in a circle: {circle}"
            yield mesh.by_name[name].origin.problem("", message, "take one of these input ports away")


PASSES: tuple[Pass, ...] = (
    folder_agrees,
    product_name_is_unique,
    names_are_unique,
    renames_hold,
    data_sets_exist,
    columns_exist,
    formats_hold,
    *OBJECTIVE_PASSES,
    inputs_resolve,
    agreements_make_sense,
    inputs_are_delivered,
    extractors_exist,
    sources_promise_columns,
    shared_sources_exist,
    indicators_refer,
    indicators_leave_a_budget,
    ports_refer,
    ending_ports_hold,
    streams_hold,
    refresh_is_triggered,
    checks_are_unique,
    replacement_exists,
    *GOVERNANCE_PASSES,
    lifecycle_is_written,
    runbook_exists,
    routes_lead_somewhere,
    owners_are_reached,
    incidents_can_be,
    *MODEL_PASSES,
)

# Component types that a pass looks names up in: where one of them could not be read, the pass would cry wolf.
_NOTHING: frozenset[str] = frozenset()
_NEEDED: Mapping[Pass, frozenset[str]] = {
    folder_agrees: frozenset({"domain", "data-product"}),
    data_sets_exist: frozenset({"data-set"}),
    columns_exist: frozenset({"data-set"}),
    formats_hold: frozenset({"data-set", "output-port"}),
    objectives_make_sense: frozenset({"data-set", "input-port"}),
    probed_ports_exist: frozenset({"data-set", "output-port"}),
    final_values_can_change: frozenset({"service-level-asset"}),
    indicators_refer: frozenset({"service-level-asset"}),
    ports_refer: frozenset({"output-port"}),
    ending_ports_hold: frozenset({"data-product", "data-set", "output-port", "data-sharing-agreement"}),
    streams_hold: frozenset({"data-set", "output-port", "data-sharing-agreement"}),
    agreements_make_sense: frozenset({"data-set", "data-sharing-agreement"}),
    refresh_is_triggered: frozenset({"data-product", "input-port"}),
    checks_are_unique: frozenset({"data-set"}),
    lifecycle_is_written: frozenset({"data-product"}),
    owners_are_reached: frozenset({"data-product"}),
    replacement_exists: frozenset({"data-product"}),
    policies_hold: frozenset({"data-product", "data-set", "output-port", "service-level-asset", "data-sharing-agreement"}),
}
