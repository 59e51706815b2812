"""The audit of a refresh: run the measures of all objectives in few queries, judge each objective, and collect example rows that fail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from platform_resources.capabilities.judgements import History, Judgement, Moment
from platform_resources.capabilities.measures import Measure, Reading
from platform_resources.capabilities.registry import Registry
from platform_resources.capabilities.support.shares import amount
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked
from platform_resources.plan.check_plans import ObjectivePlan, OwnedKey
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.zones import zone_of
from platform_resources.promises.judgement import objective_judged
from platform_resources.publications.version_records import Publication
from platform_resources.redaction.redaction import mask
from platform_resources.refresh.data_age import delivered_rows, made_from_inputs
from platform_resources.refresh.mending.proposed_repairs import most_mended
from platform_resources.refresh.scanning import days_text, scanned
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.discretion import discretion
from platform_resources.warehouses.engine_errors import EngineError, QueryTooLarge, QueryTooSlow
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import ProductDatabase

# Of so many failing rows the keys are shown, as docs/spec.md says.
SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class Audited:
    """One objective's verdict on the candidate version, with its SQL and the keys of some failing rows."""

    objective: ObjectivePlan
    judgement: Judgement
    sql: str
    sample: tuple[Mapping[str, Any], ...]

    @property
    def sentence(self) -> str:
        return f"{self.objective.check.title}: {self.judgement.reason}"

    @property
    def closes_gate(self) -> bool:
        """Unknown is not met. Of two thresholds that of the error decides."""
        return self.objective.check.blocking and self.judgement.verdict != "met" and self.judgement.severity != "warning"


def audit(
    database: ProductDatabase,
    product: ProductPlan,
    registry: Registry,
    now: datetime,
    published: Publication | None,
    before: Mapping[str, History] | None = None,
    tell: Callable[[str], object] = str,
) -> tuple[Audited, ...]:
    """Judge every objective of the product that is measured by the audit on what the build has made.

    `before` has the history of those that are compared with it, by the names of their checks. `tell` hears how much was scanned of the
    data sets that are kept by day. Objectives about keys of other products are judged by `audit_joins`.
    """
    objectives = [objective for objective in product.audited if objective.key is None]
    measures = _measures(objectives, registry, now)
    made_from, delivered = made_from_inputs(database, product, now), delivered_rows(database, product)
    scan = scanned(database, product, _asked(objectives, measures))
    readings = scan.readings
    for name, days in scan.days.items():
        tell(days_text(name, days))
    return tuple(
        _audited(
            database,
            product,
            objective,
            registry,
            measures[objective.check.name],
            readings,
            replace(_moment(product, objective, now, published, before), recency=made_from.get(objective.data_set), delivered=delivered),
        )
        for objective in objectives
    )


def audit_joins(
    database: ProductDatabase, product: ProductPlan, registry: Registry, now: datetime, missing: Mapping[OwnedKey, str]
) -> tuple[Audited, ...]:
    """Judge the objectives about keys of other products, by themselves: no SQL that a team has written runs while those keys are there.

    Of keys that are `missing` it is said why.
    """
    keyed = [(objective, objective.key) for objective in product.audited if objective.key is not None]
    there = [objective for objective, key in keyed if key not in missing]
    unknown = [Audited(objective, Judgement("unknown", missing[key]), "", ()) for objective, key in keyed if key in missing]
    return (*_judged_alone(database, product, there, registry, now), *unknown)


def audit_inputs(database: ProductDatabase, product: ProductPlan, registry: Registry, now: datetime) -> tuple[Audited, ...]:
    """Judge the objectives about inputs alone, before dbt reads them."""
    return _judged_alone(database, product, [objective for objective in product.audited if objective.before_build], registry, now)


def _judged_alone(
    database: ProductDatabase, product: ProductPlan, objectives: Sequence[ObjectivePlan], registry: Registry, now: datetime
) -> tuple[Audited, ...]:
    """Judge these by the moment alone: no history, and nothing of what was published before."""
    if not objectives:
        return ()
    measures, moment = _measures(objectives, registry, now), Moment(now, zone=zone_of(product))
    words = discretion(database, product).words
    readings = measure(_asked(objectives, measures), database.within_limits, (), {}, words, database.ruled_out)
    return tuple(
        _audited(database, product, objective, registry, measures[objective.check.name], readings, moment) for objective in objectives
    )


def _measures(objectives: Iterable[ObjectivePlan], registry: Registry, now: datetime) -> dict[str, Mapping[str, Measure]]:
    """What each asks for, by the name of its check."""
    dimensions = registry.dimensions()
    return {o.check.name: dimensions[o.dimension].measures(o.settings, replace(o.subject, now=now)) for o in objectives}


def _asked(objectives: Iterable[ObjectivePlan], measures: Mapping[str, Mapping[str, Measure]]) -> list[Asked]:
    return [
        Asked(f"{o.data_set}.{o.check.name}.{name}", o.subject.relation, wanted)
        for o in objectives
        for name, wanted in measures[o.check.name].items()
    ]


def unaudited(product: ProductPlan, reason: str) -> tuple[Audited, ...]:
    """Every objective as unknown, since only an earlier build is there to look at."""
    unknown = Judgement("unknown", f"not audited: {reason}")
    return tuple(Audited(objective, unknown, "", ()) for objective in product.audited)


def _audited(
    database: ProductDatabase,
    product: ProductPlan,
    objective: ObjectivePlan,
    registry: Registry,
    measures: Mapping[str, Measure],
    readings: Mapping[str, Reading],
    moment: Moment,
) -> Audited:
    own = {name: readings[f"{objective.data_set}.{objective.check.name}.{name}"] for name in measures}
    judgement = objective_judged(registry.dimensions()[objective.dimension], objective, own, moment)
    sql = _sql(objective, measures)
    sample = _sample(database, product.data_set(objective.data_set), objective, measures, judgement)
    if judgement.verdict == "missed" and (mended := most_mended(database, product, objective, registry)):
        reason = f"{judgement.reason}; {amount(mended)} could be mended, see `mesh repairs {product.name}`"
        judgement = replace(judgement, reason=reason)
    return Audited(objective, judgement, sql, sample)


def _sql(objective: ObjectivePlan, measures: Mapping[str, Measure]) -> str:
    """The objective's measures as queries of their own; the audit itself fuses them with others."""
    asked = (Asked(name, objective.subject.relation, wanted) for name, wanted in measures.items())
    return mask(";\n".join(query.sql for query in first_queries(asked)))


def _moment(
    product: ProductPlan, objective: ObjectivePlan, now: datetime, published: Publication | None, before: Mapping[str, History] | None
) -> Moment:
    history = (before or {}).get(objective.check.name, History())
    return Moment(now, _rows_before(published, objective.data_set), history=history, zone=zone_of(product))


def _rows_before(published: Publication | None, data_set: str) -> int | None:
    return next((port.rows for port in published.ports if port.data_set == data_set), None) if published else None


def _sample(
    database: ProductDatabase,
    data_set: DataSetPlan,
    objective: ObjectivePlan,
    measures: Mapping[str, Measure],
    judgement: Judgement,
) -> tuple[Mapping[str, Any], ...]:
    """Keys of some failing rows; never the value of a personal or sensitive column."""
    if judgement.verdict != "missed" or judgement.failing is None:
        return ()
    relation = objective.subject.relation
    try:
        there = frozenset(map(folded_column, database.columns(relation)))
        shown = [column for column in _shown_columns(data_set) if folded_column(column) in there]
        sql = failing_rows_sql(measures[judgement.failing], relation, shown, SAMPLE_ROWS)
        with database.limited():
            return tuple(database.rows(sql)) if sql else ()
    except (EngineError, QueryTooSlow, QueryTooLarge):  # the verdict stands without examples
        return ()


def _shown_columns(data_set: DataSetPlan) -> tuple[str, ...]:
    classified = {column.name for column in data_set.spec.columns if not column.shown}
    return tuple(column for column in data_set.spec.primary_key if column not in classified)
