"""The page of one column: its upstream columns, and what a change would affect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_resources.lineage.column_uses import Kind
from platform_resources.lineage.mesh_lineage import Step
from platform_resources.marketplace.display.column_ways import ColumnLink, column_link
from platform_resources.marketplace.display.phrases import PageTimes, count, listed
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.shop import Missing
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import ConsumerPlan
from platform_resources.services.showing.column_lineage import ColumnLineage, NoSuchColumn, column_at, lineage_of
from platform_resources.services.showing.mesh_overview import MeshOverview

MOST_SHOWN = 8
GROUPS: tuple[tuple[tuple[Kind, ...], str, str], ...] = (
    (("passed on", "computed"), "Its value is made from", "Their value is made from it"),
    (("conditional",), "Decides which value it has", "It decides which value they have"),
    (("row-level",), "Decides which rows there are", "It decides which rows they have"),
    (("unresolved",), "May be read; nobody knows for sure", "May read it; nobody knows for sure"),
)


@dataclass(frozen=True, slots=True)
class WayGroup:
    """Columns used in the same way, nearest first; `folded` are shown on request."""

    title: str
    shown: tuple[ColumnLink, ...]
    folded: tuple[ColumnLink, ...]


def asked_lineage(market: Market, view: MeshOverview, product: ProductPlan, column: str, place: str) -> ColumnLineage:
    """The lineage of a column of the product. Raises Missing, with the known columns."""
    known = market.lineage(view)
    try:
        return lineage_of(known, view.plan, column_at(known, product, column, place))
    except NoSuchColumn as error:
        said, _, hint = str(error).partition("\n")
        raise Missing(f"{said[0].upper()}{said[1:]}.", hint) from error


def column_page(market: Market, view: MeshOverview, product: ProductPlan, column: str, place: str) -> dict[str, Any]:
    """The context of the template `column.html`."""
    lineage = asked_lineage(market, view, product, column, place)
    at = lineage.column
    up, down = _without_ports(lineage.upstream), _without_ports(lineage.downstream)
    data_set = next((offered for offered in product.data_sets if offered.model == at.place), None)
    return {
        "page": "product",
        "times": PageTimes(view.at, product.zone),
        "product": product,
        "domain": view.plan.domain_titles[product.domain],
        "column": at.column,
        "where": f"data set {data_set.name}" if data_set is not None else _where(at.place),
        "data_set": data_set,
        "spec": next((c for c in data_set.spec.columns if c.name == at.column), None) if data_set is not None else None,
        "say": _say(view.plan, up, down, lineage.consumers),
        "above": _groups(view.plan, up, 1),
        "below": _groups(view.plan, down, 2),
        "consumers": [(view.plan.product(name), consumer) for name, consumer in lineage.consumers],
        "unknown": lineage.unknown,
    }


def _without_ports(steps: Iterable[Step]) -> list[Step]:
    """Ports hand columns on as they are."""
    return [step for step in steps if not step.column.place.startswith(("inputs/", "outputs/"))]


def _where(place: str) -> str:
    kind, _, name = place.rpartition("/")
    return {"inputs": f"input port {name}", "sources": f"source {name}, outside of the mesh"}.get(kind, f"internal model {name}")


def _say(plan: MeshPlan, up: Sequence[Step], down: Sequence[Step], consumers: Sequence[tuple[str, ConsumerPlan]]) -> str:
    """`Its value is made from 2 columns of Purchase orders. 7 columns of Revenue and Customers use it, and 1 dashboard may.`"""
    titles = {product.name: product.title for product in plan.products}
    direct = [step for step in up if step.kind in ("passed on", "computed")]
    made = f"Its value is made from {_columns_of(direct, titles)}." if direct else "No column is known that its value is made from."
    used = f"It is used in {_columns_of(down, titles)}." if down else "No column is known that is made from it."
    outside = f" {count(len(consumers), 'known consumer')} outside of the mesh can read it." if consumers else ""
    return f"{made} {used}{outside}"


def _columns_of(steps: Sequence[Step], titles: Mapping[str, str]) -> str:
    products = dict.fromkeys(titles[step.column.product] for step in steps)
    return f"{count(len(steps), 'column')} of {listed(products, 3)}"


def _groups(plan: MeshPlan, steps: Sequence[Step], title: int) -> list[WayGroup]:
    groups = []
    for group in GROUPS:
        links = tuple(column_link(plan, step.column, step.kind) for step in steps if step.kind in group[0])
        if links:
            groups.append(WayGroup(str(group[title]), links[:MOST_SHOWN], links[MOST_SHOWN:]))
    return groups
