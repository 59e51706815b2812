"""Would an expectation be met now? Tried on the last published version, as one reader sees it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from platform_resources.capabilities.judgements import Judgement, Moment
from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.database import Ledger
from platform_resources.measuring.metrics import Asked
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.zones import zone_of
from platform_resources.promises.judgement import objective_judged
from platform_resources.publications.consumer_queries import NothingPublished, SeenPort, answer_over, readable_ports
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.services.judged_objectives import judged_objectives
from platform_resources.services.releases.expectations import Drafted
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.published_places import Readable

WOULD = {"met": "would be met now", "missed": "would be missed now", "unknown": "cannot be told now"}


def trial(state: Path, ledger: Ledger, draft: Drafted, seen: SeenPort, now: datetime, bounds: Bounds | None = None) -> str:
    """In a sentence without its name, such as `would be met now: 98.0 % of net is filled`."""
    judgement = _judged(state, ledger, draft, seen, now, bounds)
    return f"{WOULD[judgement.verdict]}: {judgement.reason}"


def _judged(state: Path, ledger: Ledger, draft: Drafted, seen: SeenPort, now: datetime, bounds: Bounds | None) -> Judgement:
    objective, registry = draft.objective, installed_registry()
    alone = replace(draft.product, objectives=(objective,))
    if objective.measured_by != "audit":
        judged = next(judged_objectives([alone], registry, state, ledger, now), None)
        return judged[1] if judged is not None else Judgement("unknown", "the product does not run yet")
    if objective.before_build or objective.key is not None:
        return Judgement("unknown", "only a refresh sees what it is judged by")
    try:
        readable = _readable(state, draft.product, seen)
    except (NothingPublished, QueryFailed, VersionsUnreadable) as error:
        return Judgement("unknown", str(error))
    dimension = registry.dimensions()[objective.dimension]
    measures = dimension.measures(objective.settings, replace(objective.subject, now=now))
    asked = [Asked(name, objective.subject.relation, wanted) for name, wanted in measures.items()]
    readings = measure(asked, lambda sql: _first_row(state, alone.name, sql, readable, bounds), words=_in_short)
    return objective_judged(dimension, objective, readings, Moment(now, zone=zone_of(alone)))


def _readable(state: Path, product: ProductPlan, seen: SeenPort) -> Readable:
    """The published data sets under the names of the tables that a refresh measures."""
    offered = readable_ports(state, product.domain, product.name, "", None, seen)["main"]
    relations = {data_set.relation: offered[data_set.name] for data_set in product.data_sets if data_set.name in offered}
    schemas = {relation.schema for relation in relations}
    return {
        "main": {},
        **{schema: {relation.name: place for relation, place in relations.items() if relation.schema == schema} for schema in schemas},
    }


def _first_row(state: Path, product: str, sql: str, readable: Readable, bounds: Bounds | None) -> Sequence[Any]:
    """Times come as texts, so that their types are asked for too."""
    _, rows = answer_over(state, product, f"select *, typeof(columns(*)) from ({sql})", readable, bounds, as_text=False)
    values = rows[0][: len(rows[0]) // 2]
    return [_value(value, kind) for value, kind in zip(values, rows[0][len(values) :], strict=True)]


def _value(value: Any, kind: str) -> Any:
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if kind == "DATE" else datetime.fromisoformat(value) if kind.startswith("TIMESTAMP") else value


def _in_short(metric: object, error: Exception) -> str:
    return next(iter(str(error).splitlines()), "it failed")
