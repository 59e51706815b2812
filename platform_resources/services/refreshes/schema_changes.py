"""Find changed columns of published versions, and of pulls from outside the mesh."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from platform_resources.capabilities.protocols import PullPort
from platform_resources.contracts.affected_consumers import affected_products
from platform_resources.contracts.structure_changes import lost_columns
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import InputState, PortPublication
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.notify.facts import About, InputChange, SchemaChange
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.schema_difference import SchemaDifference, schema_difference

Abouts = Mapping[str, About]


def published_changes(
    connection: Connection,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    abouts: Abouts,
    lineage: MeshLineage | None,
    since: datetime,
    now: datetime,
) -> Iterator[SchemaChange]:
    """Versions whose columns differ from those of the version before, by port. `plan` covers the whole mesh.

    The version before is the last whose columns are known.
    """
    newest = history.newest_publications(connection, since, [product.name for product in products], with_columns=True)
    before = {(publication.product, publication.port): publication for publication in newest}
    for product in products:
        changes: dict[str, dict[str, tuple[PortPublication, PortPublication]]] = {}
        known = (publication for publication in history.publications(connection, product.name, since, now) if publication.columns)
        for publication in known:
            last = before.get((publication.product, publication.port))
            before[(publication.product, publication.port)] = publication
            if last is not None and schema_difference(last.columns, publication.columns):
                changes.setdefault(publication.version, {})[publication.port] = (last, publication)
        titles = {port.name: port.title for port in product.outputs}
        former = {port.name: product.data_set(port.data_set).former_columns for port in product.outputs}
        for version, ports in changes.items():
            differences = {port: schema_difference(old.columns, new.columns, former.get(port, {})) for port, (old, new) in ports.items()}
            used = _used(plan, lineage, product.name, differences)
            titled = {titles.get(port, port): difference for port, difference in differences.items()}
            yield SchemaChange(abouts[product.name], version, titled, tuple(abouts[name] for name in sorted(used) if name in abouts), used)


def _used(
    plan: MeshPlan, lineage: MeshLineage | None, product: str, differences: Mapping[str, SchemaDifference]
) -> Mapping[str, tuple[str, ...]]:
    """The products below that are concerned, and which columns lost or changed they use.

    New columns concern everybody below; all changes do where no lineage is known.
    """
    lost = {port: lost_columns(difference) for port, difference in differences.items()}
    if lineage is None or not any(lost.values()):
        return dict.fromkeys(ancestors(product, plan.downstream), ())
    used: dict[str, tuple[str, ...]] = {}
    for port, columns in lost.items():
        for consumer in affected_products(plan, lineage, product, [port], columns) if columns else ():
            used[consumer.name] = tuple(dict.fromkeys((*used.get(consumer.name, ()), *consumer.columns)))
    return used


def input_changes(
    connection: Connection, products: Sequence[ProductPlan], abouts: Abouts, since: datetime, now: datetime
) -> Iterator[InputChange]:
    """Refreshes whose columns from outside sources differ from those of the pull before, by port."""
    names = [product.name for product in products]
    before = {(state.product, state.port): state for state in history.newest_input_states(connection, since, names, with_columns=True)}
    for product in products:
        titles = {port.name: port.title for port in product.inputs if not isinstance(port.pull, PullPort)}
        changes: dict[str, dict[str, SchemaDifference]] = {}
        for state in history.input_states(connection, product.name, since, now):
            if state.port in titles and state.columns:
                difference = _difference(before.get((state.product, state.port)), state)
                before[(state.product, state.port)] = state
                if difference:
                    changes.setdefault(state.run_id, {})[titles[state.port]] = difference
        for run_id, ports in changes.items():
            yield InputChange(abouts[product.name], run_id, ports)


def _difference(former: InputState | None, pulled: InputState) -> SchemaDifference:
    """A first pull has nothing to differ from."""
    return schema_difference(former.columns, pulled.columns) if former is not None else SchemaDifference()
