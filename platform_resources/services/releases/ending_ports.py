"""Output ports with an end date: their remaining readers, and the consumers that have moved to the replacement."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from platform_resources.access.grants import NotAllowed
from platform_resources.contracts.affected_consumers import AffectedConsumer, Consumption, affected_consumers, affected_products
from platform_resources.contracts.change import ContractChange
from platform_resources.contracts.planned_contract import contract_of
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.published_contracts import PortSwitch, note_switch, port_switches_of
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.services.releases.release_checks import consumptions, port_places


@dataclass(frozen=True, slots=True)
class EndingPort:
    """One ending port. `readers` still read it, or may, with the columns that products use; `moved` consumers no longer do."""

    product: str
    port: str
    title: str
    version: str
    replacement: str
    end_date: date | None
    readers: tuple[AffectedConsumer, ...] = ()
    moved: tuple[PortSwitch, ...] = ()

    def text(self, today: date) -> str:
        """What its readers must know, in a sentence."""
        keeps = "kept" if self._is_over(today) else "keeps"
        until = f"until {self.end_date}" if self.end_date is not None else "until further notice"
        instead = f"; move to {self.replacement}" if self.replacement else ""
        return f"it {keeps} its promises as version {self.version} {until}{instead}"

    def may_end(self, today: date) -> bool:
        """Whether nobody reads it any more, or its end date has come."""
        return not self.readers or self._is_over(today)

    def _is_over(self, today: date) -> bool:
        return self.end_date is not None and self.end_date <= today


def ending_ports(
    connection: Connection, plan: MeshPlan, lineage: MeshLineage, products: Collection[ProductPlan], now: datetime
) -> tuple[EndingPort, ...]:
    """The ending ports of these products, in the order of the plan."""
    having = [product for product in products if any(port.is_ending for port in product.outputs)]
    if not having:
        return ()
    names, in_code = [product.name for product in having], [grant for product in having for grant in product.offers.grants]
    consumed = consumptions(connection, plan, lineage, names, now, in_code)
    switches = port_switches_of(connection, port_places(plan, names))
    return tuple(_ending(product, port, consumed, switches) for product in having for port in product.outputs if port.is_ending)


def _ending(product: ProductPlan, port: OutputPlan, consumed: Mapping[str, Consumption], switches: Collection[PortSwitch]) -> EndingPort:
    known, contract = consumed[product.name], contract_of(product, {})
    gone = ContractChange("major", "structure", f"output port {port.name} is gone", port.data_set, port=port.name)
    columns = tuple(column.name for column in product.data_set(port.data_set).spec.columns)
    used = {product.name: product for product in affected_products(known.plan, known.lineage, product.name, [port.name], columns)}
    readers = tuple(
        replace(consumer, why=used[consumer.name].why, columns=used[consumer.name].columns)
        if consumer.kind == "product" and consumer.name in used
        else consumer
        for consumer in affected_consumers(contract, gone, known)
    )
    moved = tuple(switch for switch in switches if (switch.product, switch.port) == (product.name, port.name))
    version = port.version or product.info.version
    return EndingPort(product.name, port.name, port.title, version, port.replacement or "", port.end_date, readers, moved)


def switched(connection: Connection, product: ProductPlan, port: str, consumer: str, person: str, now: datetime) -> PortSwitch:
    """Record that a consumer has moved from an ending port. Raises NotAllowed if the port or consumer does not fit."""
    ending = [output.name for output in product.outputs if output.is_ending]
    if port not in ending:
        raise NotAllowed(f"{product.name} has no output port {port} that ends; those that do: {', '.join(ending) or 'none'}")
    if consumer.startswith("product:"):
        raise NotAllowed(f"{consumer} moves by reading another port: change associated_output_port and version of its input port")
    switch = PortSwitch(product.name, port, consumer, person, now)
    note_switch(connection, switch)
    return switch


def ending_data(ending: EndingPort, with_readers: bool) -> dict[str, Any]:
    """The port as JSON data; its readers are shown only to those who see the whole product."""
    facts = {"port": ending.port, "version": ending.version, "replacement": ending.replacement or None, "end_date": ending.end_date}
    if not with_readers:
        return {**facts, "readers": None, "moved": None}
    moved = [{"consumer": switch.consumer, "by": switch.person, "at": switch.at} for switch in ending.moved]
    return {**facts, "readers": [asdict(reader) for reader in ending.readers], "moved": moved}
