"""Which failing check can be the reason that another one fails further down the lineage.

Products that fail together need not fail together for one reason. A check can explain one below it only if it is of the same sort (data
that is late makes data late, data that is wrong makes data wrong), if its data set and columns are read on the way down, and, for wrong
data, if it did not begin long after. Where that cannot be told, it can.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.capabilities.registry import Registry
from platform_resources.objectives.lineage import ancestors
from platform_resources.planning import conventions
from platform_resources.planning.check_plans import ObjectivePlan
from platform_resources.planning.column_use import named_columns
from platform_resources.planning.plan import InputPlan, MeshPlan, ProductPlan

TIMELY_DIMENSIONS = frozenset({"freshness", "cadence", "availability", "duration"})
# What a product costs makes no data late or wrong, and no data makes it cost too much.
HARMLESS_DIMENSIONS = frozenset({"cost"})
ABOUT_TIME, ABOUT_CONTENT, ABOUT_NOTHING = frozenset({"time"}), frozenset({"content"}), frozenset[str]()
ABOUT_BOTH = ABOUT_TIME | ABOUT_CONTENT


@dataclass(frozen=True, slots=True)
class Topic:
    """What a check is about: time, content, both or neither; which data set and columns (empty: all). `gate`: it can stop a publication."""

    about: frozenset[str] = ABOUT_BOTH
    data_set: str = ""
    columns: frozenset[str] = frozenset()
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Symptom:
    """One failing check, and since when it fails."""

    product: str
    since: datetime
    topic: Topic


def topics(product: ProductPlan, registry: Registry) -> dict[str, Topic]:
    """What each check of the product is about, by its name within the product; any other check may be about anything."""
    found = {conventions.REFRESH_CHECK: Topic(), conventions.VERSIONS_CHECK: Topic(ABOUT_TIME)}
    for port in product.inputs:
        for check in port.checks:
            about = ABOUT_CONTENT if check.name == "contract" else ABOUT_TIME
            found[conventions.check_text(check.key, check.name)] = Topic(about)
    for objective in product.objectives:
        found[conventions.check_text(objective.check.key, objective.check.name)] = _topic(objective, registry)
    for indicator in product.indicators:
        about = _about(indicator.dimension)
        found[conventions.check_text(indicator.check.key, indicator.check.name)] = Topic(about, indicator.data_set)
    for model in product.models:
        for test in model.tests:
            found[conventions.check_text(test.key, test.name)] = Topic(ABOUT_CONTENT, model.data_set, gate=test.blocking)
    return found


def _topic(objective: ObjectivePlan, registry: Registry) -> Topic:
    used = registry.dimensions()[objective.dimension].columns_used(objective.settings)
    columns = frozenset(column.lower() for names in used.values() for column in names) | _named_in_sql(objective)
    return Topic(_about(objective.dimension), objective.data_set, columns, objective.check.blocking)


def _named_in_sql(objective: ObjectivePlan) -> frozenset[str]:
    """The data set's columns that stand in texts of the objective, such as a rule in SQL."""
    texts = [value for value in objective.settings.model_dump().values() if isinstance(value, str)]
    named = named_columns((column.name for column in objective.subject.data_set.columns), texts)
    return frozenset(name.lower() for name in named)


def _about(dimension: str) -> frozenset[str]:
    if dimension in HARMLESS_DIMENSIONS:
        return ABOUT_NOTHING
    return ABOUT_TIME if dimension in TIMELY_DIMENSIONS else ABOUT_CONTENT


def explained(plan: MeshPlan, symptoms: Iterable[Symptom], within: timedelta) -> dict[str, tuple[str, ...]]:
    """Of each failing product those above it that explain all that fails of it, sorted; none if one symptom has no explanation.

    Wrong data explains only what began to fail at most `within` before it.
    """
    by_product: dict[str, list[Symptom]] = {}
    for symptom in symptoms:
        by_product.setdefault(symptom.product, []).append(symptom)
    readers = _readers(plan)
    upstream = plan.upstream
    found: dict[str, tuple[str, ...]] = {}
    for product, own in by_product.items():
        above = sorted(ancestors(product, upstream) & by_product.keys())
        way_down = {*ancestors(product, upstream), product}
        reasons = [
            {name for name in above if _one_explains(by_product[name], symptom, readers.get(name, ()), way_down, within)} for symptom in own
        ]
        found[product] = tuple(sorted(set().union(*reasons))) if all(reasons) else ()
    return found


Readers = Mapping[str, tuple[tuple[str, InputPlan, str], ...]]


def _readers(plan: MeshPlan) -> Readers:
    """Of each product the input ports that read it: the reader, the port, and the data set that comes through it (empty: not known)."""
    data_sets = {(product.name, port.name): port.data_set for product in plan.products for port in product.outputs}
    found: dict[str, list[tuple[str, InputPlan, str]]] = {product.name: [] for product in plan.products}
    for product in plan.products:
        for port in product.inputs:
            if port.upstream is not None:
                data_set = data_sets.get((port.upstream.product, port.upstream.port), "")
                found.setdefault(port.upstream.product, []).append((product.name, port, data_set))
    return {name: tuple(ports) for name, ports in found.items()}


def _one_explains(
    causes: Iterable[Symptom],
    effect: Symptom,
    readers: Iterable[tuple[str, InputPlan, str]],
    way_down: Collection[str],
    within: timedelta,
) -> bool:
    ways = [(port, data_set) for reader, port, data_set in readers if reader in way_down]
    return any(_is_of_its_sort(cause, effect, within) and _gets_through(cause.topic, ways) for cause in causes)


def _is_of_its_sort(cause: Symptom, effect: Symptom, within: timedelta) -> bool:
    """What is wrong and closes a gate makes what is below it late. Late data may be why something is wrong."""
    if not cause.topic.about:
        return False
    if "time" in effect.topic.about and ("time" in cause.topic.about or cause.topic.gate):
        return True
    return "content" in effect.topic.about and cause.since <= effect.since + within


def _gets_through(topic: Topic, ways: Iterable[tuple[InputPlan, str]]) -> bool:
    return any(
        (not topic.data_set or not data_set or data_set == topic.data_set)
        and ("time" in topic.about or not topic.columns or bool(topic.columns & {column.lower() for column in port.used_columns}))
        for port, data_set in ways
    )
