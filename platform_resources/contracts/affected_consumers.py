"""Find the consumers affected by a contract change: those that use the changed parts, or may use them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from platform_resources.access.grants import Grant
from platform_resources.contracts.change import ContractChange
from platform_resources.contracts.contract import Contract
from platform_resources.lineage.mesh_lineage import MeshColumn, MeshLineage, Step
from platform_resources.plan import conventions
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.spec.values.column_names import folded_column

ConsumerKind = Literal["product", "grant", "reader", "known consumer"]


@dataclass(frozen=True, slots=True)
class AffectedConsumer:
    """A consumer of something that changed, and `why` it counts as affected; `columns` are those it uses (empty: unknown)."""

    kind: ConsumerKind
    name: str
    why: str
    columns: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumption:
    """What is known about consumers: the plan and column lineage, current grants, and recent readers of each port.

    `moved` are the folded names of those that do without a port by now; of a product the plan tells it.
    """

    plan: MeshPlan
    lineage: MeshLineage
    grants: tuple[Grant, ...] = ()
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moved: Mapping[str, frozenset[str]] = field(default_factory=dict)


def affected_consumers(contract: Contract, change: ContractChange, known: Consumption) -> tuple[AffectedConsumer, ...]:
    """The consumers affected by the change, without duplicates; `contract` is the old one, which they rely on."""
    ports = [port.name for port in contract.ports if change.port in ("", port.name) and change.data_set in ("", port.data_set)]
    consumers = chain(
        _products(contract, change, ports, known),
        _granted(contract, change, known),
        _known_consumers(contract, change, ports, known.plan),
        _readers(change, ports, known),
    )
    moved = [known.moved.get(port, frozenset()) for port in ports]
    by_name: dict[str, AffectedConsumer] = {}
    for consumer in consumers:
        if consumer.kind != "product" and moved and all(consumer.name.casefold() in names for names in moved):
            continue
        by_name.setdefault(consumer.name, consumer)
    return tuple(sorted(by_name.values(), key=lambda consumer: (consumer.kind != "product", consumer.kind, consumer.name)))


def _products(contract: Contract, change: ContractChange, ports: Collection[str], known: Consumption) -> Iterator[AffectedConsumer]:
    reading = [
        (product, port)
        for product, port in _reading(known.plan, contract.product, ports)
        if not _is_spared(contract, change, product, port, known)
    ]
    yield from _affected(known.plan, known.lineage, contract.product, reading, change.columns)
    for rejected in known.plan.rejected:
        if rejected.name != contract.product:
            yield AffectedConsumer("product", rejected.name, "is not loaded, so nobody knows what it reads; mend its document first")


def affected_products(
    plan: MeshPlan, lineage: MeshLineage, product: str, ports: Collection[str], columns: tuple[str, ...]
) -> tuple[AffectedConsumer, ...]:
    """Downstream products that use these columns of the ports; those with unknown lineage count as using all."""
    affected = _affected(plan, lineage, product, list(_reading(plan, product, ports)), columns)
    return tuple({consumer.name: consumer for consumer in reversed(tuple(affected))}.values())


_Reading = tuple[ProductPlan, InputPlan]


def _reading(plan: MeshPlan, product: str, ports: Collection[str]) -> Iterator[_Reading]:
    """What is retired reads nothing any more."""
    for reader in (product for product in plan.products if product.offers.retired is None):
        for port in reader.inputs:
            if port.upstream is not None and port.upstream.product == product and port.upstream.port in ports:
                yield reader, port


def _affected(
    plan: MeshPlan, lineage: MeshLineage, product: str, reading: Iterable[_Reading], columns: tuple[str, ...]
) -> Iterator[AffectedConsumer]:
    """Those that read a port and use a column of it, then those below that are made from such a column, or may be."""
    further: dict[str, list[str]] = {}
    reached: list[str] = []
    for reader, port in reading:
        uses = {column: _uses(lineage, reader.name, port, column) for column in columns}
        for consumer in _direct(reader, port, columns, uses, lineage):
            reached.append(consumer.name)
            yield consumer
        for column, steps in uses.items():
            for name in {step.column.product for step in steps} - {reader.name, product}:
                further.setdefault(name, []).append(column)
    for name, used in sorted(further.items()):
        named = tuple(dict.fromkeys(used))
        yield AffectedConsumer("product", name, f"is made from {', '.join(named)} by way of others", named, plan.product(name).owners)
    if columns:
        yield from _unknown_below(plan, lineage, [*reached, *further])


def _unknown_below(plan: MeshPlan, lineage: MeshLineage, reached: Collection[str]) -> Iterator[AffectedConsumer]:
    """What reads from an affected product and was never built, and all that is made from that."""
    readers = {name for product in reached for name in plan.downstream.get(product, ())}
    unbuilt = {name for name in (*reached, *readers) if not lineage.is_built(name)}
    below = {name for product in unbuilt for name in ancestors(product, plan.downstream)} | (unbuilt - set(reached))
    for name in sorted(below - set(reached)):
        why = "is made from what is different, and nobody knows which columns are used, since not everything was built"
        yield AffectedConsumer("product", name, why, (), plan.product(name).owners)


def _uses(lineage: MeshLineage, product: str, port: InputPlan, column: str) -> tuple[Step, ...]:
    """What is made from a column of the input port, as its last build has told."""
    place = conventions.place(port.key)
    named = (name for name in lineage.names(product, place) if folded_column(name) == folded_column(column))
    return tuple(step for name in named for step in lineage.downstream(MeshColumn(product, place, name)))


def _direct(
    product: ProductPlan, port: InputPlan, columns: tuple[str, ...], uses: Mapping[str, tuple[Step, ...]], lineage: MeshLineage
) -> Iterator[AffectedConsumer]:
    pinned = f"input port {port.name} ({port.upstream.version if port.upstream else ''})"
    if not columns:
        yield AffectedConsumer("product", product.name, f"reads it by its {pinned}", (), product.owners)
    elif not lineage.names(product.name, conventions.place(port.key)):
        why = f"reads it by its {pinned}, and was not built yet, so nobody knows which columns it uses"
        yield AffectedConsumer("product", product.name, why, (), product.owners)
    elif used := tuple(column for column, steps in uses.items() if steps):
        yield AffectedConsumer("product", product.name, f"uses {', '.join(used)} of its {pinned}", used, product.owners)


def _is_spared(contract: Contract, change: ContractChange, product: ProductPlan, port: InputPlan, known: Consumption) -> bool:
    """Whether a change of what readers see is none for this product: it sees everything, or has another role."""
    if change.profile != "governance" or not (change.data_set or change.readers):
        return False
    if contract.domain_access and port.upstream is not None and port.upstream.domain == product.domain:
        return True
    roles = {grant.role for grant in known.grants if grant.subject == f"product:{product.name}"}
    roles |= {port.upstream.role} if port.upstream is not None and port.upstream.role else set()
    return bool(change.readers and roles and not roles & set(change.readers))


def _granted(contract: Contract, change: ContractChange, known: Consumption) -> Iterator[AffectedConsumer]:
    products = {f"product:{product.name}" for product in known.plan.products}
    for grant in known.grants:
        if grant.subject in products or (change.readers and grant.role not in change.readers):
            continue
        seen = {folded_column(column) for column in _seen_by(contract, change.data_set, grant.role)}
        if change.columns and not seen & set(map(folded_column, change.columns)):
            continue
        yield AffectedConsumer("grant", grant.subject, f"has role {grant.role}: {grant.purpose}".removesuffix(": "), change.columns)


def _seen_by(contract: Contract, data_set: str, role: str) -> set[str]:
    """The columns that a role sees, with any of its attributes."""
    views = (offered.seen for offered in contract.data_sets if data_set in ("", offered.name))
    return {column for seen in views for reader, columns in seen.items() if reader.partition(" ")[0] == role for column in columns}


def _known_consumers(contract: Contract, change: ContractChange, ports: Collection[str], plan: MeshPlan) -> Iterator[AffectedConsumer]:
    """Dashboards and applications. Which columns they use nobody has said."""
    tables = [offered.table for offered in contract.data_sets if change.data_set in ("", offered.name)]
    keys = {conventions.output_key(contract.product, port) for port in ports}
    keys |= {conventions.model_key(contract.product, table) for table in tables}
    for product in (product for product in plan.products if product.name == contract.product):
        for consumer in product.consumers:
            if keys & set(consumer.dependencies):
                owners = (consumer.owner,) if consumer.owner else ()
                yield AffectedConsumer("known consumer", consumer.title, f"is a {consumer.kind} that uses it", (), owners)


def _readers(change: ContractChange, ports: Collection[str], known: Consumption) -> Iterator[AffectedConsumer]:
    """Whoever has asked lately. A query that named no port may have read any. Of products the column lineage says what they use."""
    places = set(known.readers) if not change.data_set else {change.data_set, *ports, ""}
    names = {
        name: place
        for place in sorted(places & set(known.readers))
        for name in known.readers[place]
        if name.casefold() not in known.moved.get(place, ())
    }
    for name, place in sorted(names.items()):
        if not name.startswith("product:") and name not in known.plan.by_name:
            yield AffectedConsumer("reader", name, f"has read {place or 'it'} lately")
