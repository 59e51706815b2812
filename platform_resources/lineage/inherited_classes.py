"""The least class of a column: that of the most restricted column whose values it contains."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from platform_resources.lineage.column_uses import Kind
from platform_resources.lineage.mesh_lineage import MeshColumn, MeshLineage
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.spec.data_classes import DataClass, restriction
from platform_resources.spec.values.column_names import folded_column

# What only decides which value or which rows there are gives none of its own values away.
_CARRIES: tuple[Kind, ...] = ("passed on", "computed")


@dataclass(frozen=True, slots=True)
class SaidClass:
    """What is said of a column; one that is `declassified` is no reason any more to restrict what is made from it."""

    classification: str
    declassified: bool = False


# What is said of a column; None of one that nothing is said of.
Said = Callable[[MeshColumn], SaidClass | None]


@dataclass(frozen=True, slots=True)
class Inherited:
    """A column that is less restricted than what it is made from, which class it has from there, and the way, the origin first."""

    column: MeshColumn
    now: str
    classification: str
    way: tuple[MeshColumn, ...]

    @property
    def path(self) -> str:
        """`crm.customers.email -> sales.orders.contact`"""
        return " -> ".join(column.text for column in self.way)


def inherited_classes(lineage: MeshLineage, product: ProductPlan, said: Said) -> Iterator[Inherited]:
    """The promised columns of the product that say less than what they are made from, and not why that is right."""
    for data_set in product.data_sets:
        for promised in data_set.spec.columns:
            if promised.declassified is None:
                column = lineage.column(product.name, data_set.model, promised.name)
                worst = _most_restricted(lineage, column, said, product.classes)
                if worst is not None and restriction(worst[0], product.classes) > restriction(promised.classification, product.classes):
                    yield Inherited(column, promised.classification, *worst)


def _most_restricted(
    lineage: MeshLineage, column: MeshColumn, said: Said, classes: tuple[DataClass, ...]
) -> tuple[str, tuple[MeshColumn, ...]] | None:
    """The nearest of the most restricted classes behind the column, and the way from there."""
    best: tuple[str, tuple[MeshColumn, ...]] | None = None
    ways: dict[MeshColumn, tuple[MeshColumn, ...]] = {column: (column,)}
    waiting = [column]
    for at in waiting:
        for before, kind in lineage.made_from(at).items():
            if kind not in _CARRIES or before in ways:
                continue
            ways[before] = (before, *ways[at])
            stated = said(before)
            if stated is not None and stated.declassified:
                continue
            if stated is not None and (best is None or restriction(stated.classification, classes) > restriction(best[0], classes)):
                best = stated.classification, ways[before]
            waiting.append(before)
    return best


def said_by_the_plan(plan: MeshPlan) -> Said:
    """What the product.yaml of each product says of the columns of its data sets."""
    columns = {
        (product.name, data_set.model, folded_column(column.name)): SaidClass(column.classification, column.declassified is not None)
        for product in plan.products
        for data_set in product.data_sets
        for column in data_set.spec.columns
    }
    return lambda column: columns.get((column.product, column.place, folded_column(column.column)))
