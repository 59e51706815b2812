"""Find where the mesh stores a person: the products and versions that contain an identifier's value, and what to rebuild."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.spec.governance import Identifier
from platform_resources.spec.values.column_names import folded_column


@dataclass(frozen=True, slots=True)
class Holding:
    """How many rows of a data set, in one version, contain the person's identifier, and in which columns."""

    product: str
    data_set: str
    columns: tuple[str, ...]
    version: str
    is_newest: bool
    rows: int


def identifying_columns(plan: MeshPlan, lineage: MeshLineage, identifier: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Columns that carry the identifier, by product and data set: those that declare it, and those that receive its values."""
    columns: dict[tuple[str, str], dict[str, None]] = {}
    models = {(product.name, data_set.model): data_set.name for product in plan.products for data_set in product.data_sets}
    for product in plan.products:
        for data_set in product.data_sets:
            for column in data_set.spec.columns:
                if column.identifier == identifier:
                    columns.setdefault((product.name, data_set.name), {})[column.name] = None
                    start = lineage.column(product.name, data_set.model, column.name)
                    for step in lineage.downstream(start):
                        at = step.column
                        if step.kind == "passed on" and (at.product, at.place) in models:
                            columns.setdefault((at.product, models[at.product, at.place]), {})[at.column] = None
    return {place: tuple({folded_column(name): name for name in reversed(names)}.values()) for place, names in columns.items()}


def holdings(state: Path, plan: MeshPlan, lineage: MeshLineage, identifier: Identifier, value: str) -> Iterator[Holding]:
    """Every kept version that contains the value. Raises VersionsUnreadable, QueryFailed."""
    columns = identifying_columns(plan, lineage, identifier.name)
    for product in plan.products:
        published = shelf(state, product.domain, product.name).published()
        for (name, data_set), names in columns.items():
            for publication in published if name == product.name else ():
                yield from _held(state, product, publication, data_set, names, identifier, value, publication is published[-1])


def _held(
    state: Path,
    product: ProductPlan,
    publication: Publication,
    data_set: str,
    names: tuple[str, ...],
    identifier: Identifier,
    value: str,
    is_newest: bool,
) -> Iterator[Holding]:
    port = next((port for port in publication.ports if port.data_set == data_set), None)
    there = {folded_column(name): name for name in port.columns} if port is not None else {}
    columns = tuple(there[folded_column(name)] for name in names if folded_column(name) in there)
    if port is None or not columns:
        return
    sought = f"cast({literal(value)} as {identifier.type})"
    rows = " or ".join(f"{quoted(column)} = {sought}" for column in columns)
    sql = f"select count(*) from {quoted(port.port)} where {rows}"
    ((count,),) = queried(state, product.domain, product.name, sql, publication.id, is_ours=True)[1]
    if count:
        yield Holding(product.name, data_set, columns, publication.id, is_newest, count)


def to_rebuild(plan: MeshPlan, holdings: tuple[Holding, ...]) -> tuple[ProductPlan, ...]:
    """The products to rebuild, upstream first: those that hold the person, and everything derived from them, even counts."""
    readers: dict[str, list[str]] = {}
    for name, sources in plan.upstream.items():
        for source in sources:
            readers.setdefault(source, []).append(name)
    holding = {held.product for held in holdings}
    reached, waiting = set(holding), list(holding)
    while waiting:
        new = [name for name in readers.get(waiting.pop(), ()) if name not in reached]
        reached.update(new)
        waiting += new
    return tuple(product for product in plan.products if product.name in reached and product.runs)
