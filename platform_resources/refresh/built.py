"""Record which relations the last build wrote, by model; only these are audited and published."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import NotPulled
from platform_resources.plan.needed_inputs import needed_inputs
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.refresh.relations import with_relations
from platform_resources.warehouses.protocol import ProductDatabase

_TOPIC, _RUN, _KEEPING, _BATCHES = "built", "built in", "keeping", "batches"


def make_room(database: ProductDatabase, product: ProductPlan, relations: Mapping[str, Relation], run_id: str) -> None:
    """Before a build: take away what former builds wrote and this one will not, so that no SQL reads it by its name; note the rest.

    `relations` is where this build writes each of its models, seeds and snapshots. An input port that is only described has no data either.
    """
    staying = {_folded(relation) for relation in relations.values()}
    with database.transaction():
        for model, relation in _noted(database).items():
            if _folded(relation) not in staying:
                database.drop(relation)
            if model not in relations:
                database.forget(_TOPIC, model)
        for port in product.inputs:
            if isinstance(port.pull, NotPulled):
                database.drop(Relation("inputs", port.name))
        for model, relation in relations.items():
            database.remember(_TOPIC, model, json.dumps(asdict(relation)))
        database.remember(_RUN, product.name, run_id)


def note_keeping(database: ProductDatabase, product: ProductPlan, models: Iterable[str]) -> None:
    """Note which models this build leaves with rows of earlier ones."""
    database.remember(_KEEPING, product.name, json.dumps(sorted(models)))


def note_batches(database: ProductDatabase, product: ProductPlan, days: tuple[date, date] | None, begun: datetime, is_first: bool) -> None:
    """Note until when there is every batch. Days that were made anew count where they go on from what there was, or from nothing."""
    until = begun
    if days is not None:
        first, end = (datetime.combine(day, time(), UTC) for day in (days[0], days[1] + timedelta(days=1)))
        before = batches_until(database, product) or (first if is_first else None)
        if before is None or first > before:
            return
        until = max(before, min(begun, end))
    database.remember(_BATCHES, product.name, until.isoformat())


def batches_until(database: ProductDatabase, product: ProductPlan) -> datetime | None:
    """Until when there is every batch; None where no build has noted it."""
    noted = database.remembered(_BATCHES).get(product.name)
    return datetime.fromisoformat(noted) if noted else None


def drop_made_from(database: ProductDatabase, product: ProductPlan, port: InputPlan) -> None:
    """Take away the tables that the last build made from this input; those that keep rows of earlier builds could not be made again."""
    staying, noted = keeping(database, product), _noted(database)
    for model in product.models:
        if model.name in noted and model.name not in staying and port in needed_inputs(product.inputs, product.models, model.name):
            database.drop(noted[model.name])


def keeping(database: ProductDatabase, product: ProductPlan) -> tuple[str, ...]:
    """The models that the last build left with rows of earlier ones."""
    return tuple(json.loads(database.remembered(_KEEPING).get(product.name, "[]")))


def unnoted(database: ProductDatabase, product: ProductPlan) -> str:
    """Why it is not known where the data sets were written, as in a database of an earlier platform; empty if it is."""
    noted = _noted(database)
    lost = ", ".join(data_set.model for data_set in product.data_sets if data_set.model not in noted)
    return f"no build has noted where it wrote {lost}; refresh {product.name} as a whole" if lost else ""


def as_built(database: ProductDatabase, product: ProductPlan) -> ProductPlan:
    """The product with its data sets where the last build wrote them. Raises KeyError where `unnoted` says why."""
    return with_relations(product, _noted(database))


def built_in(database: ProductDatabase, product: ProductPlan) -> str:
    """The run that built what is there now."""
    return database.remembered(_RUN).get(product.name, "")


def _noted(database: ProductDatabase) -> dict[str, Relation]:
    return {model: Relation(**json.loads(record)) for model, record in database.remembered(_TOPIC).items()}


def _folded(relation: Relation) -> tuple[str, str]:
    """Warehouses tell no capitals apart in plain names."""
    return relation.schema.casefold(), relation.name.casefold()
