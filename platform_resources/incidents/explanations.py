"""Decide which failing check can explain another one downstream.

Products that fail together need not fail for one reason, and whoever is told a false cause looks in the wrong place. What keeps a product
from being up to date (it is late, an input is missing or breaks its contract, a gate is closed, its refresh fails or hangs, nobody can
read it) explains that what reads it is late, or lacks that input. Wrong data explains other wrong data only with proof that the same
columns are involved: the input's promised column itself fails its contract, or the failing column holds the very values of the failing
column above, passed on unchanged, and a failure of that kind is passed on with them. A closed gate and a failed refresh are never
explained. In doubt a product is its own cause.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from platform_resources.capabilities.protocols import Dimension
from platform_resources.capabilities.registry import Registry
from platform_resources.incidents.broken_contracts import breached
from platform_resources.lineage.mesh_lineage import MeshColumn, MeshLineage
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.spec.values.column_names import folded_column


@dataclass(frozen=True, slots=True)
class Topic:
    """What a failing check is about, as far as it explains others or is explained by them.

    `late`: a delay above can be its reason; of `port` only, if it is about one input. `delays`: it is such a delay for what is below.
    `stops`: it ends a refresh, so it is always told. `port` of a check that is no `late` one is the input whose contract it holds against
    the version. `columns` of which data set (empty: not known) it is about. `travels` is the kind of failure that is passed on with the
    values of these columns; empty where it is not.
    """

    late: bool = False
    delays: bool = False
    stops: bool = False
    data_set: str = ""
    columns: frozenset[str] = frozenset()
    port: InputPlan | None = None
    travels: str = ""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One failing check, and what it said last."""

    product: str
    topic: Topic
    reason: str = ""


def topics(product: ProductPlan, registry: Registry) -> dict[str, Topic]:
    """The topic of each planned check of the product, by its name within the product."""
    by_check = {
        conventions.REFRESH_CHECK: Topic(delays=True, stops=True),
        conventions.VERSIONS_CHECK: Topic(delays=True),
        conventions.ENDS_CHECK: Topic(delays=True),
    }
    for port in product.inputs:
        for check in port.checks:
            late = check.name != "contract"
            by_check[conventions.check_text(check.key, check.name)] = Topic(late=late, delays=True, port=port)
    for objective in product.objectives:
        by_check[conventions.check_text(objective.check.key, objective.check.name)] = _topic(objective, registry)
    for indicator in product.indicators:
        name = conventions.check_text(indicator.check.key, indicator.check.name)
        by_check[name] = _of_dimension(registry.dimensions()[indicator.dimension], indicator.data_set)
    for model in product.models:
        for test in model.tests:
            by_check[conventions.check_text(test.key, test.name)] = Topic(
                delays=test.blocking, stops=test.blocking, data_set=model.data_set
            )
    return by_check


def _topic(objective: ObjectivePlan, registry: Registry) -> Topic:
    dimension, gate = registry.dimensions()[objective.dimension], objective.check.blocking
    used = dimension.columns_used(objective.settings)
    columns = frozenset(folded_column(column) for names in used.values() for column in names)
    topic = _of_dimension(dimension, objective.data_set)
    travels = objective.dimension if dimension.travels(objective.settings) and not gate else ""
    return replace(topic, late=topic.late and not gate, delays=topic.delays or gate, stops=gate, columns=columns, travels=travels)


def _of_dimension(dimension: Dimension, data_set: str) -> Topic:
    """What is late is explained by a delay above, and all but wrong data makes late what is below."""
    return Topic(late=dimension.failure == "lateness", delays=dimension.failure != "content", data_set=data_set)


def explained(plan: MeshPlan, symptoms: Iterable[Symptom], lineage: MeshLineage | None = None) -> dict[str, tuple[str, ...]]:
    """For each failing product, the products upstream that explain all of its failures, sorted; empty if one symptom has no explanation.

    Without `lineage`, or where it is not known, wrong values explain no others.
    """
    by_product: dict[str, list[Symptom]] = {}
    for symptom in symptoms:
        by_product.setdefault(symptom.product, []).append(symptom)
    readers, upstream = _readers(plan), plan.upstream
    explaining: dict[str, tuple[str, ...]] = {}
    for product, own in by_product.items():
        reasons = [
            {*_reasons(symptom, by_product, readers, upstream), *_wrong_above(symptom, plan, by_product, lineage)} for symptom in own
        ]
        explaining[product] = tuple(sorted(set().union(*reasons))) if all(reasons) else ()
    return explaining


Readers = Mapping[str, tuple[tuple[str, str], ...]]
Upstream = Mapping[str, Collection[str]]


def _readers(plan: MeshPlan) -> Readers:
    """Of each product who reads it, and the data set that comes through the port (empty: not known)."""
    data_sets = {(product.name, port.name): port.data_set for product in plan.products for port in product.outputs}
    readers: dict[str, list[tuple[str, str]]] = {}
    for product in plan.products:
        for port in product.inputs:
            if port.upstream is not None:
                data_set = data_sets.get((port.upstream.product, port.upstream.port), "")
                readers.setdefault(port.upstream.product, []).append((product.name, data_set))
    return {name: tuple(ports) for name, ports in readers.items()}


def _reasons(effect: Symptom, by_product: Mapping[str, Collection[Symptom]], readers: Readers, upstream: Upstream) -> Iterator[str]:
    topic = effect.topic
    if topic.late:
        above = _above(effect, upstream)
        way_down = {*above, effect.product}
        for name in above & by_product.keys():
            read = [data_set for reader, data_set in readers.get(name, ()) if reader in way_down]
            if any(cause.topic.delays and _is_read(cause.topic, read) for cause in by_product[name]):
                yield name
    elif topic.port is not None and topic.port.upstream is not None:
        name = topic.port.upstream.product
        broken = {folded_column(column) for column in breached(effect.reason, topic.port.upstream.columns)}
        read = [data_set for reader, data_set in readers.get(name, ()) if reader == effect.product]
        if any(cause.topic.columns & broken and _is_read(cause.topic, read) for cause in by_product.get(name, ())):
            yield name


def _wrong_above(
    effect: Symptom, plan: MeshPlan, by_product: Mapping[str, Collection[Symptom]], lineage: MeshLineage | None
) -> Iterator[str]:
    """Products that fail in the same way in columns whose values the columns of this symptom hold. A closed gate lets none through."""
    if lineage is None or not effect.topic.travels:
        return
    held = [lineage.passed_on_from(column) for column in _columns(effect, plan, lineage)]
    for name, causes in by_product.items():
        alike = [cause for cause in causes if name != effect.product and cause.topic.travels == effect.topic.travels]
        wrong = [frozenset(_columns(cause, plan, lineage)) for cause in alike]
        every = frozenset[MeshColumn]().union(*held)
        if held and any(columns and columns <= every and all(columns & origins for origins in held) for columns in wrong):
            yield name


def holds_values_from_above(symptom: Symptom, plan: MeshPlan, lineage: MeshLineage | None) -> bool:
    """Whether what fails may be mended by a repair of another product: all of its columns hold values of others'."""
    if lineage is None or not symptom.topic.travels:
        return False
    columns = _columns(symptom, plan, lineage)
    return bool(columns) and all(any(source.product != symptom.product for source in lineage.passed_on_from(column)) for column in columns)


def _columns(symptom: Symptom, plan: MeshPlan, lineage: MeshLineage) -> list[MeshColumn]:
    topic = symptom.topic
    if not topic.data_set:
        return []
    model = plan.product(symptom.product).data_set(topic.data_set).model
    return [lineage.column(symptom.product, model, column) for column in sorted(topic.columns)]


def _above(effect: Symptom, upstream: Upstream) -> frozenset[str]:
    """What the product is made from; if the symptom is about one input, what that is made from."""
    port = effect.topic.port
    if port is None:
        return ancestors(effect.product, upstream)
    return frozenset() if port.upstream is None else ancestors(port.upstream.product, upstream) | {port.upstream.product}


def _is_read(topic: Topic, read: Iterable[str]) -> bool:
    """Whether what fails gets down at all: another data set of the product is nobody's matter there."""
    return any(not topic.data_set or not data_set or data_set == topic.data_set for data_set in read)
