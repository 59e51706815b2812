"""The control ports that a product declares, and the delivery state of each."""

from dataclasses import dataclass
from datetime import datetime

from platform_resources.capabilities.components.control_port import ControlPort
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.control_deliveries import ControlDelivery, control_deliveries
from platform_resources.plan.plan import ProductPlan


@dataclass(frozen=True, slots=True)
class ControlPortPlan:
    """One control port of a product."""

    name: str
    title: str
    settings: ControlPort


def control_ports(product: ProductPlan) -> tuple[ControlPortPlan, ...]:
    """The control ports that the product declares."""
    return tuple(ControlPortPlan(e.name, e.title, e.settings) for e in product.extensions if isinstance(e.settings, ControlPort))


@dataclass(frozen=True, slots=True)
class ControlPortState:
    """The state of a control port: its target, its last delivery, and the number `waiting` to be delivered."""

    title: str
    kind: str
    format: str
    place: str
    taken_at: datetime | None = None
    version: str = ""
    waiting: int = 0
    last_error: str = ""

    @property
    def text(self) -> str:
        """The state in words, without times."""
        if self.last_error:
            return f"has not taken {self.waiting} of what it was sent: {self.last_error}"
        if self.taken_at is None:
            return "has got nothing yet"
        return f"has got version {self.version}" if self.version else "has got everything"


def control_port_states(connection: Connection, product: ProductPlan) -> tuple[ControlPortState, ...]:
    """The state of each control port of the product."""
    ports = control_ports(product)
    known = control_deliveries(connection, [product.name]).values() if ports else ()
    return tuple(_state(port, [delivery for delivery in known if delivery.port == port.name]) for port in ports)


def _state(port: ControlPortPlan, known: list[ControlDelivery]) -> ControlPortState:
    said = port.settings
    taken = [delivery for delivery in known if delivery.taken_at is not None]
    waiting = [delivery for delivery in known if delivery.taken_at is None]
    newest = max(taken, key=lambda delivery: delivery.taken_at or delivery.tried_at, default=None)
    version = next((d.version for d in sorted(taken, key=lambda d: d.tried_at, reverse=True) if d.version), "")
    error = max(waiting, key=lambda delivery: delivery.tried_at).last_error if waiting else ""
    at = newest.taken_at if newest is not None else None
    return ControlPortState(port.title, said.kind, said.told_in, said.place, at, version, len(waiting), error)
