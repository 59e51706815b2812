"""Read from dbt's manifest where each model will be written, and why a product cannot be built."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.plan.plan import ProductPlan

# What makes a table or a view; tests and functions do not.
MAKERS = ("model", "seed", "snapshot")
# Between planning a build and dbt's own look at the clock.
_UNTIL_DBT_BEGINS = timedelta(minutes=10)
_WRITTEN = "in its config(), in its dbt YAML, or in dbt_project.yml"
_WAY_OUT = "a data set is published from what dbt builds in this refresh, so its model must make a table or a view"


def node_name(node: Any) -> str:
    """The name of a node within its product; of a model with versions each has a name of its own."""
    version = getattr(node, "version", None)
    return node.name if version is None else f"{node.name}_v{version}"


def short_name(unique_id: str) -> str:
    """The same from dbt's unique id: `model.mesh.orders.v2` is `orders_v2`."""
    return "_".join(unique_id.split(".")[2:])


def source_table(manifest: Any, unique_id: str, product: str) -> str:
    """A source's table as `source.table`; where a team's own YAML calls an input port's table something else, the port's."""
    source = manifest.sources.get(unique_id)
    if source is None:
        return ".".join(unique_id.split(".")[2:])
    ports = (port for port in manifest.sources.values() if port.source_name == product and _place(port) == _place(source))
    # dbt-duckdb reads such a source from a file, not from the table.
    named = source if "external_location" in {**source.source_meta, **source.meta} else next(ports, source)
    return f"{named.source_name}.{named.name}"


def _place(source: Any) -> tuple[str, ...]:
    return (source.database or "").casefold(), source.schema.casefold(), source.identifier.casefold()


def read_name(manifest: Any, unique_id: str, product: str) -> str:
    """What a node reads by its name within the product: a model, or an input port."""
    return source_table(manifest, unique_id, product).rpartition(".")[2] if unique_id.startswith("source.") else short_name(unique_id)


def relations(manifest: Any) -> Mapping[str, Relation]:
    """Where each model, seed and snapshot will be written, by name; what is ephemeral is written nowhere."""
    return {node_name(node): Relation(node.schema, node.alias) for node in _makers(manifest)}


def incremental(manifest: Any) -> frozenset[str]:
    """The models that keep rows of earlier builds unless they are built from scratch; one of `full_refresh: false` is none: it never is."""
    kept = (node for node in _makers(manifest) if node.config.materialized == "incremental" and node.config.full_refresh is not False)
    return frozenset(node_name(node) for node in kept)


def lost_rows(manifest: Any, columns: Callable[[Relation], Mapping[str, str]]) -> Iterator[str]:
    """Models whose batches dbt cannot tell apart by the column that they name, as it was built: it leaves rows out, and says nothing."""
    for node in filter(batch_size, _makers(manifest)):
        time, size = str(node.config.event_time or "").casefold().strip('"'), batch_size(node)
        kind = next((kind for name, kind in columns(Relation(node.schema, node.alias)).items() if name.casefold() == time), "timestamp")
        if not kind.startswith("timestamp") and (kind != "date" or size == "hour"):
            wanted = "a timestamp" if size == "hour" else "a date or a timestamp"
            yield (
                f"model {node_name(node)} is built by the {size} of its column {node.config.event_time}, which is {kind}, and loses rows "
                f"by that; make it {wanted} in the model, then build it from scratch with --full-refresh"
            )


def catch_up(manifest: Any, until: datetime, now: datetime) -> None:
    """Have a build also make the batches that have begun since the last one, however long ago: dbt looks back from now alone.

    Now is when dbt begins, which may be in the next batch already.
    """
    for node in filter(batch_size, _makers(manifest)):
        size, own = batch_size(node), node.config.lookback
        begun = _batch(size, now + _UNTIL_DBT_BEGINS) - _batch(size, until)
        node.config.lookback = max(own, begun, own + begun - 1)


def batch_size(node: Any) -> str:
    """The size of the batches of a model of the strategy microbatch; empty for any other node."""
    is_of_batches = node.config.materialized == "incremental" and node.config.incremental_strategy == "microbatch"
    return str(node.config.batch_size) if is_of_batches else ""


def _batch(size: str, at: datetime) -> int:
    """The number of the batch that a time is in: batches of this size are counted through."""
    in_months = at.year * 12 + at.month
    return {"hour": int(at.timestamp() // 3600), "day": at.toordinal(), "month": in_months, "year": at.year}[size]


def _makers(manifest: Any) -> Iterator[Any]:
    nodes = (node for node in manifest.nodes.values() if node.resource_type in MAKERS)
    return (node for node in nodes if node.config.materialized != "ephemeral")


def unfit(product: ProductPlan, manifest: Any) -> Iterator[str]:
    """Why the product cannot be built as it must be: a data set without a table, and models that would overwrite what is not theirs."""
    models = {node.name: node for node in manifest.nodes.values() if node.resource_type == "model"}
    disabled = {node.name for nodes in manifest.disabled.values() for node in nodes if node.resource_type == "model"}
    for data_set in product.data_sets:
        model, node = data_set.model, models.get(data_set.model)
        if node is None:
            why = f"it is disabled (enabled: false {_WRITTEN})" if model in disabled else "dbt does not find it; look at model-paths"
            yield f"model {model} is not built: {why}; {_WAY_OUT}"
        elif node.config.materialized == "ephemeral":
            yield f"model {model} is not built: it is ephemeral (materialized: ephemeral {_WRITTEN}); {_WAY_OUT}"
    for node in _makers(manifest):
        where = Relation(node.schema.casefold(), node.alias.casefold())
        if where.schema == "inputs" or (where.schema == "main" and where.name.startswith("mesh_")):
            yield f"model {node.name} would overwrite {node.schema}.{node.alias}, which is the platform's; choose another schema or alias"


def left_out(manifest: Any, built: Iterable[str], only: Collection[str] | None = None) -> Iterator[str]:
    """What a build has not touched, though it is there: what is left of the last build would be taken for new. `built` are unique ids.

    `only` names the models that were to be built, where not all were.
    """
    done = frozenset(built)
    wanted = (node for node in _makers(manifest) if only is None or node_name(node) in only)
    way_out = "take away DBT_SELECT, DBT_EXCLUDE and a default selector in selectors.yml"
    yield from (f"dbt left {node.resource_type} {node.name} out; {way_out}" for node in wanted if node.unique_id not in done)
