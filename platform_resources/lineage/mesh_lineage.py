"""Follow a column through the whole mesh: what it is made from, what is made from it, and how."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from platform_resources.lineage.column_uses import Kind, stronger, weaker
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan
from platform_resources.plan.port_plans import InputPlan, OutputPlan
from platform_resources.spec.values.column_names import folded_column


@dataclass(frozen=True, slots=True, order=True)
class MeshColumn:
    """A column of a product's model, `inputs/<port>`, `outputs/<port>` or `sources/<port>`."""

    product: str
    place: str
    column: str

    @property
    def text(self) -> str:
        """`orders.outputs/orders_sql.order_id`"""
        return f"{self.product}.{self.place}.{self.column}"


@dataclass(frozen=True, slots=True)
class Step:
    """A column on the way, how it is used over the whole way, and how many steps away it is."""

    column: MeshColumn
    kind: Kind
    distance: int


Neighbours = Mapping[MeshColumn, Kind]


class MeshLineage:
    """The columns of all products of a plan; `built` is what each product's last build has told.

    `near` has of products what was found by following all their columns.
    """

    def __init__(self, plan: MeshPlan, built: Mapping[str, ProductLineage]) -> None:
        self.near: dict[str, Any] = {}
        self._built = built
        self._inputs: dict[tuple[str, str], InputPlan] = {}
        self._outputs: dict[tuple[str, str], OutputPlan] = {}
        self._data_sets = {(product.name, data_set.model) for product in plan.products for data_set in product.data_sets}
        for product in plan.products:
            self._inputs |= {(product.name, conventions.place(port.key)): port for port in product.inputs}
            self._outputs |= {(product.name, conventions.place(port.key)): port for port in product.outputs}

    def names(self, product: str, place: str) -> tuple[str, ...]:
        """The columns that the last build has found there; none where there was no build."""
        port = self._outputs.get((product, place))
        return self._built.get(product, ProductLineage()).names(port.model if port is not None else place)

    def is_built(self, product: str) -> bool:
        """Whether a build has recorded lineage of the product."""
        return bool(self._built.get(product, ProductLineage()).models)

    def unresolved(self, product: str, place: str) -> str:
        """Why it is not known what a model's columns are made from; empty where it is known."""
        model = self._built.get(product, ProductLineage()).models.get(place)
        if model is not None:
            return model.unresolved
        return "" if "/" in place else "it has not been built yet"

    def column(self, product: str, place: str, name: str) -> MeshColumn:
        """The column as the build has written it."""
        same = (known for known in self.names(product, place) if folded_column(known) == folded_column(name))
        return MeshColumn(product, place, next(same, name))

    def made_from(self, column: MeshColumn) -> Neighbours:
        """What the column is made from in one step."""
        key = (column.product, column.place)
        if key in self._outputs:
            return {self.column(column.product, self._outputs[key].model, column.column): "passed on"}
        if key in self._inputs:
            return dict.fromkeys(self._before(self._inputs[key], column), "passed on")
        uses = self._built.get(column.product, ProductLineage()).made_from(column.place, column.column)
        return {MeshColumn(column.product, ref.place, ref.column): kind for ref, kind in uses.items()}

    def _before(self, port: InputPlan, column: MeshColumn) -> Iterator[MeshColumn]:
        """Another product's port, or what lies outside the mesh."""
        if port.upstream is not None:
            place = conventions.place(conventions.output_key(port.upstream.product, port.upstream.port))
            yield self.column(port.upstream.product, place, column.column)
        elif port.source is not None:
            yield MeshColumn(column.product, conventions.place(port.source), column.column)

    @cached_property
    def _readers(self) -> Mapping[MeshColumn, Neighbours]:
        places = {key: self.names(*key) for key in (*self._inputs, *self._outputs)}
        places |= {(name, model): lineage.names(model) for name, lineage in self._built.items() for model in lineage.models}
        readers: dict[MeshColumn, dict[MeshColumn, Kind]] = {}
        for (product, place), names in places.items():
            for name in names:
                reader = MeshColumn(product, place, name)
                for column, kind in self.made_from(reader).items():
                    readers.setdefault(column, {})[reader] = kind
        return readers

    def read_by(self, column: MeshColumn) -> Neighbours:
        """What is made from the column in one step."""
        return self._readers.get(column, {})

    def upstream(self, column: MeshColumn) -> tuple[Step, ...]:
        """All that the column is made from, the nearest first."""
        return _followed(column, self.made_from)

    def downstream(self, column: MeshColumn) -> tuple[Step, ...]:
        """All that is made from the column, the nearest first: what a change of it concerns."""
        return _followed(column, self.read_by)

    def origins(self, column: MeshColumn) -> tuple[Step, ...]:
        """The nearest columns outside of its product that the column is made from: of other products' models, or outside the mesh."""

        def is_origin(at: MeshColumn) -> bool:
            return at.place.startswith("sources/") or (at.product != column.product and "/" not in at.place)

        steps = _followed(column, lambda at: {} if is_origin(at) else self.made_from(at))
        return tuple(step for step in steps if is_origin(step.column))

    def uses(self, column: MeshColumn) -> tuple[Step, ...]:
        """The nearest columns in data sets of other products that are made from the column."""

        def is_use(at: MeshColumn) -> bool:
            return at.product != column.product and (at.product, at.place) in self._data_sets

        steps = _followed(column, lambda at: {} if is_use(at) else self.read_by(at))
        return tuple(step for step in steps if is_use(step.column))

    def passed_on_from(self, column: MeshColumn) -> frozenset[MeshColumn]:
        """The columns whose values are those of this one, unchanged."""
        return frozenset(step.column for step in self.upstream(column) if step.kind == "passed on")


def _followed(column: MeshColumn, neighbours: Callable[[MeshColumn], Neighbours]) -> tuple[Step, ...]:
    """Where several ways lead to a column, the one on which most is left of it counts."""
    steps: dict[MeshColumn, Step] = {}
    waiting = [Step(column, "passed on", 0)]
    while waiting:
        step = waiting.pop(0)
        for near, how in neighbours(step.column).items():
            kind = weaker(step.kind, how)
            before = steps.get(near)
            if near != column and (before is None or stronger(before.kind, kind) != before.kind):
                steps[near] = Step(near, kind, before.distance if before is not None else step.distance + 1)
                waiting.append(Step(near, kind, step.distance + 1))
    return tuple(sorted(steps.values(), key=lambda step: (step.distance, step.column)))
