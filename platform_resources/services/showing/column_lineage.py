"""Query the lineage of one column across the mesh."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platform_resources.lineage.mesh_lineage import MeshColumn, MeshLineage, Step
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import ConsumerPlan
from platform_resources.refresh.built_lineage import kept_lineage
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.column_names import folded_column


class NoSuchColumn(Exception):
    """Raised for an unknown or ambiguous column; lists the candidates."""


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """The lineage of one column: its upstream columns, downstream columns and affected consumers.

    `unknown` says of each place at which the way ends why nothing more is known.
    """

    column: MeshColumn
    upstream: tuple[Step, ...]
    downstream: tuple[Step, ...]
    consumers: tuple[tuple[str, ConsumerPlan], ...]
    unknown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ColumnNeighbours:
    """The nearest upstream and downstream columns of a column that are outside of its product.

    `unknown` says why it is not known what the column itself is made from; empty where that is known.
    """

    column: MeshColumn
    origins: tuple[Step, ...]
    uses: tuple[Step, ...]
    unknown: str


def mesh_lineage(state: Path, plan: MeshPlan) -> MeshLineage:
    """The column lineage of the mesh, as of each product's last build."""
    return MeshLineage(plan, {product.name: kept_lineage(state, product) for product in plan.products})


def lineage_of(lineage: MeshLineage, plan: MeshPlan, column: MeshColumn) -> ColumnLineage:
    """The full lineage of a column."""
    up, down = lineage.upstream(column), lineage.downstream(column)
    places = dict.fromkeys((column.product, column.place) for column in (column, *(step.column for step in (*up, *down))))
    unknown = [(f"{product}.{place}", why) for product, place in places if (why := lineage.unresolved(product, place))]
    unknown += [(product, "it has not been built yet") for product in _unbuilt_readers(lineage, plan, column.product)]
    return ColumnLineage(column, up, down, tuple(_consumers(plan, (column, *(step.column for step in down)))), tuple(unknown))


def _unbuilt_readers(lineage: MeshLineage, plan: MeshPlan, product: str) -> list[str]:
    """Products below of which no build has told anything yet: whether they use the column is not known."""
    waiting, seen = [product], {product}
    for name in waiting:
        new = [reader for reader in plan.downstream.get(name, ()) if reader not in seen]
        waiting += new
        seen.update(new)
    return [name for name in waiting[1:] if not lineage.is_built(name)]


def neighbours(lineage: MeshLineage, product: ProductPlan) -> dict[str, tuple[ColumnNeighbours, ...]]:
    """The neighbours of each column, by data set of the product; followed once as long as the lineage is the same."""
    if product.name not in lineage.near:
        lineage.near[product.name] = {
            data_set.name: tuple(
                _neighbours(lineage, lineage.column(product.name, data_set.model, column.name)) for column in data_set.spec.columns
            )
            for data_set in product.data_sets
        }
    near: dict[str, tuple[ColumnNeighbours, ...]] = lineage.near[product.name]
    return near


def _neighbours(lineage: MeshLineage, column: MeshColumn) -> ColumnNeighbours:
    unknown = lineage.unresolved(column.product, column.place)
    return ColumnNeighbours(column, lineage.origins(column), lineage.uses(column), unknown)


def _consumers(plan: MeshPlan, columns: Iterable[MeshColumn]) -> Iterator[tuple[str, ConsumerPlan]]:
    """Known users outside the mesh of the ports and models that have these columns."""
    keys = {(column.product, *column.place.split("/")) for column in columns}
    for product in plan.products:
        yield from ((product.name, consumer) for consumer in product.consumers if keys & set(consumer.dependencies))


def named_column(lineage: MeshLineage, product: ProductPlan, written: str) -> MeshColumn:
    """The column written as `COLUMN`, `DATA_SET.COLUMN` or `MODEL.COLUMN`; a port means its data set. Raises NoSuchColumn."""
    first, _, rest = written.partition(".")
    places = {data_set.name: data_set.model for data_set in product.data_sets}
    places |= {port.name: port.model for port in product.outputs}
    models = {model.name: model.name for model in product.models} | places
    if rest and first in models:
        return _existing(lineage, product, {models[first]}, rest)
    return _existing(lineage, product, set(places.values()), written)


def column_at(lineage: MeshLineage, product: ProductPlan, written: str, place: str = "") -> MeshColumn:
    """The column at a place (`orders`, `inputs/deliveries`, `sources/deliveries`), or the only one of that name. Raises NoSuchColumn."""
    if not place:
        return named_column(lineage, product, written)
    models = {model.name for model in product.models} | {data_set.model for data_set in product.data_sets}
    inputs = {conventions.place(port.key): port for port in product.inputs}
    sources = {conventions.place(port.source): name for name, port in inputs.items() if port.source is not None}
    if place not in {*models, *inputs, *sources}:
        raise NoSuchColumn(
            f"{product.name} has no model, input or source {place}; known: {known_text(sorted({*models, *inputs, *sources}))}"
        )
    column = _existing(lineage, product, {sources.get(place, place)}, written)
    return replace(column, place=place)


def _existing(lineage: MeshLineage, product: ProductPlan, places: set[str], name: str) -> MeshColumn:
    promised = {data_set.model: [column.name for column in data_set.spec.columns] for data_set in product.data_sets}
    columns = {place: lineage.names(product.name, place) or promised.get(place, ()) for place in sorted(places)}
    having = [place for place, names in columns.items() if folded_column(name) in map(folded_column, names)]
    if len(having) == 1:
        return lineage.column(product.name, having[0], name)
    if having:
        several = known_text([f"{product.name}.{place}.{name}" for place in having])
        raise NoSuchColumn(f"several data sets of {product.name} have a column {name}; write one of: {several}")
    known = sorted({column for names in columns.values() for column in names})
    hint = did_you_mean(name, known)
    raise NoSuchColumn(f"{product.name} has no column {name}; known: {known_text(known)}" + (f"\n{hint}" if hint else ""))


def lineage_data(lineage: ColumnLineage) -> dict[str, Any]:
    """The lineage as JSON data."""
    return {
        "column": _data(lineage.column),
        "upstream": [_step(step) for step in lineage.upstream],
        "downstream": [_step(step) for step in lineage.downstream],
        "consumers": [{"product": product, "name": c.name, "kind": c.kind, "owner": c.owner} for product, c in lineage.consumers],
        "unknown": [{"place": place, "why": why} for place, why in lineage.unknown],
    }


def neighbours_data(neighbours: Mapping[str, Sequence[ColumnNeighbours]]) -> list[dict[str, Any]]:
    """The neighbours as JSON data, column by column."""
    return [
        {
            "data_set": data_set,
            "column": column.column.column,
            "made_from": [_step(step) for step in column.origins],
            "used_by": [_step(step) for step in column.uses],
            "unknown": column.unknown or None,
        }
        for data_set, columns in neighbours.items()
        for column in columns
    ]


def _data(column: MeshColumn) -> dict[str, str]:
    return {"product": column.product, "place": column.place, "column": column.column}


def _step(step: Step) -> dict[str, Any]:
    return {**_data(step.column), "how": step.kind, "distance": step.distance}
