"""One line of lineage for a column, with links, on its product's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from markupsafe import Markup

from platform_resources.lineage.column_uses import Kind
from platform_resources.lineage.mesh_lineage import MeshColumn, Step
from platform_resources.marketplace.display.phrases import count, listed
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.showing.column_lineage import ColumnNeighbours

MOST_NAMED = 2
# How a column is used, beside the column that is used.
USES: Mapping[Kind, str] = {
    "passed on": "same value",
    "computed": "computed",
    "conditional": "conditional",
    "row-level": "row-level",
    "unresolved": "not known for sure",
}


@dataclass(frozen=True, slots=True)
class ColumnLink:
    """A link to a column's page, with its product and how it is used."""

    name: str
    href: str
    product: str
    place: str
    how: str


def column_href(column: MeshColumn) -> str:
    """The address of a column's page."""
    return f"/products/{column.product}/columns/{quote(column.column, safe='')}?{urlencode({'of': column.place})}"


def column_link(plan: MeshPlan, column: MeshColumn, kind: Kind) -> ColumnLink:
    """The link to a column; `place` is empty if the data set has the name of its product."""
    return ColumnLink(column.column, column_href(column), plan.product(column.product).title, _place(column), USES[kind])


def _place(column: MeshColumn) -> str:
    kind, _, name = column.place.rpartition("/")
    return f"source {name}" if kind == "sources" else name


def column_way(plan: MeshPlan, near: ColumnNeighbours) -> Markup:
    """`From net_sales of Purchase orders, computed. Used in 4 columns of Revenue.`, and always a link to the column's own page."""
    return Markup("{} {}").format(_origins(plan, near), _uses(plan, near))


def _origins(plan: MeshPlan, near: ColumnNeighbours) -> Markup:
    href = column_href(near.column)
    values = [step for step in near.origins if step.kind in ("passed on", "computed")]
    named = values or [step for step in near.origins if step.kind == "conditional"]
    if near.unknown or not named:
        why = f"Not known what it is made from: {near.unknown}." if near.unknown else "Made here."
        return Markup("{}").format(why)
    return Markup("From {}.").format(_joined(plan, named, href))


def rows_way(plan: MeshPlan, columns: Sequence[ColumnNeighbours]) -> Markup:
    """`Which rows there are is decided by state of Purchase orders.`; empty if no column outside the product decides."""
    shared = set.intersection(*({step.column for step in near.origins} for near in columns)) if columns else set()
    deciding = {step.column: step for near in columns for step in near.origins if step.kind == "row-level" and step.column in shared}
    steps = list(deciding.values())
    if not steps:
        return Markup("")
    return Markup("Which rows there are is decided by {}.").format(_joined(plan, steps, f"{column_href(columns[0].column)}#made-from"))


def _joined(plan: MeshPlan, steps: Sequence[Step], href: str) -> Markup:
    """The first few, and how many more there are."""
    parts = [_named(column_link(plan, step.column, step.kind)) for step in steps[:MOST_NAMED]]
    if len(steps) > MOST_NAMED:
        parts.append(Markup('<a href="{}">{} more</a>').format(href, len(steps) - MOST_NAMED))
    return parts[0] if len(parts) == 1 else Markup(", ").join(parts[:-1]) + Markup(" and ") + parts[-1]


def _named(link: ColumnLink) -> Markup:
    whose = link.place if link.place.startswith("source ") else link.product
    how = f", {link.how}" if link.how in (USES["computed"], USES["conditional"]) else ""
    return Markup('<a href="{}">{}</a> of {}{}').format(link.href, link.name, whose, how)


def _uses(plan: MeshPlan, near: ColumnNeighbours) -> Markup:
    href, name = column_href(near.column), near.column.column
    used = [step for step in near.uses if step.kind != "unresolved"]
    if not used:
        warning = "May be used, not known for sure. " if near.uses else ""
        return Markup('{}<a href="{}" aria-label="Lineage of {}">Lineage</a>.').format(warning, href, name)
    titles = list(dict.fromkeys(plan.product(step.column.product).title for step in used))
    return Markup('<a href="{}#used">Used in {}</a> of {}.').format(href, count(len(used), "column"), listed(titles, 2))
