"""The cost of monitors: the queries that they add, and the rows and bytes that these read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Dimension
from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.plan.plan import ProductPlan


@dataclass(frozen=True, slots=True, order=True)
class Work:
    """One thing that measuring runs: an expression in a shared scan, a query of its own, or the probe of a port.

    Work with the same `kind` and `query` is one query. `reads` names the relations (`internal.orders`) that it reads, each as often as
    it does.
    """

    kind: Literal["scan", "query", "probe"]
    query: str
    expression: str = ""
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """How large a relation was when it was last seen; `bytes` are those of published files, None where it is not published."""

    rows: int
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class MonitorCost:
    """What one refresh computes and reads, or by how much that changes; `probes` are made by each evaluation instead.

    `unsized` counts reads of relations whose size is not known; they are in neither `rows` nor `bytes`.
    """

    expressions: int = 0
    queries: int = 0
    probes: int = 0
    rows: int = 0
    bytes: int = 0
    unsized: int = 0

    def __add__(self, other: "MonitorCost") -> "MonitorCost":
        return MonitorCost(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(MonitorCost)))

    def __sub__(self, other: "MonitorCost") -> "MonitorCost":
        return MonitorCost(*(getattr(self, field.name) - getattr(other, field.name) for field in fields(MonitorCost)))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the cost of a product's monitors depends on besides them: relation sizes, and the relations that are scanned anyway."""

    sizes: Mapping[str, Size]
    scanned: Collection[str] = ()


def cost(work: Iterable[Work], surroundings: Surroundings) -> MonitorCost:
    """What all of this together costs: work that several monitors need is done once."""
    distinct = set(work)
    queries = {(w.kind, w.query): w.reads for w in distinct if w.kind != "probe" and not _scanned_anyway(w, surroundings)}
    reads = [relation for query in queries.values() for relation in query]
    sizes = [surroundings.sizes[relation] for relation in reads if relation in surroundings.sizes]
    return MonitorCost(
        expressions=len({(w.query, w.expression) for w in distinct if w.kind == "scan"}),
        queries=len(queries),
        probes=len({w.query for w in distinct if w.kind == "probe"}),
        rows=sum(size.rows for size in sizes),
        bytes=sum(size.bytes or 0 for size in sizes),
        unsized=len(reads) - len(sizes),
    )


def _scanned_anyway(work: Work, surroundings: Surroundings) -> bool:
    return work.kind == "scan" and work.query in surroundings.scanned


def profiled_relations(product: ProductPlan) -> tuple[str, ...]:
    """The relations whose profile each refresh takes, in a scan that measures may share."""
    return tuple(sorted({relation_name(d.relation) for d in product.data_sets if d.spec.profile}))


def relation_name(relation: Relation) -> str:
    """The relation as `schema.name`."""
    return f"{relation.schema}.{relation.name}"


def objective_work(product: ProductPlan, objective: ObjectivePlan, dimensions: Mapping[str, Dimension]) -> tuple[Work, ...]:
    """What measuring the objective runs, as the measure planner decides it; nothing for what is judged from history."""
    if objective.measured_by != "audit":
        return tuple(Work("probe", port) for port in sorted(objective.ports))
    measures = dimensions[objective.dimension].measures(objective.settings, objective.subject)
    asked = [Asked(name, objective.subject.relation, measure) for name, measure in measures.items()]
    known = _relations(product)
    return tuple(sorted({_metric_work(metric, known) for query in first_queries(asked) for metric in query.metrics}))


def dbt_test_work(model: ModelPlan, test: str) -> tuple[Work, ...]:
    """A dbt test is always a query of its own."""
    return (Work("query", f"dbt test {test}", "", (relation_name(Relation("internal", model.name)),)),)


def _relations(product: ProductPlan) -> tuple[Relation, ...]:
    inputs = [Relation("inputs", port.name) for port in product.inputs]
    return (*inputs, *(Relation("internal", model.name) for model in product.models))


def _metric_work(metric: Metric, known: Iterable[Relation]) -> Work:
    if metric.alone:
        return Work("query", metric.sql, "", _reads(metric.sql, known))
    if metric.source:
        return Work("scan", metric.source, metric.sql, _reads(metric.source, known))
    name = relation_name(metric.relation)
    return Work("scan", name, metric.sql, (name,))


def _reads(sql: str, known: Iterable[Relation]) -> tuple[str, ...]:
    """The planner writes relations in one way only; what a query asks of the catalog reads none of them."""
    return tuple(sorted(relation_name(relation) for relation in known for _ in range(sql.count(relation_sql(relation)))))
