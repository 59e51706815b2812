"""Who hears of a product and ends with it: subscribers, machines that are told of versions, and topics that get its changes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.control_deliveries import ControlDelivery, control_deliveries, note_delivery
from platform_resources.ledger.people.subscriptions import Subscription, VersionHook, end_hook, hooks_of, subscriptions, unsubscribe
from platform_resources.plan.plan import ProductPlan

# What the ledger says of a topic whose product was retired.
_ENDED = "its product is retired"


@dataclass(frozen=True, slots=True)
class Listeners:
    """All that hears of one product. `topics` are what its change streams have sent."""

    subscriptions: tuple[Subscription, ...]
    hooks: tuple[VersionHook, ...]
    topics: tuple[ControlDelivery, ...]

    @property
    def texts(self) -> Iterator[str]:
        """Each in a few words."""
        yield from (f"the subscription of {wish.subscriber} on {wish.channel}" for wish in self.subscriptions)
        yield from (f"hook {hook.id} of {hook.person}, which hears of versions" for hook in self.hooks)
        yield from (f"the {topic.item.rpartition(' of ')[0]}" for topic in self.topics)


def listeners(connection: Connection, product: ProductPlan, as_of: datetime | None = None) -> Listeners:
    """Those that have not ended; or those that had not as of a time, whatever has become of them since.

    A topic that the product sends nothing to any more, since a port has left it for another one, has ended.
    """
    topics = {port.store.stream.item for port in product.outputs if port.store.stream is not None}
    sent = (delivery for delivery in control_deliveries(connection, [product.name]).values() if delivery.item in topics)
    return Listeners(
        subscriptions(connection, product.name, as_of),
        hooks_of(connection, [product.name], as_of=as_of),
        tuple(topic for topic in sent if topic.last_error != _ENDED or (as_of is not None and topic.tried_at >= as_of)),
    )


def end_listeners(connection: Connection, product: ProductPlan, now: datetime) -> None:
    """All of them end. What machines were still to be told of versions is withdrawn, since nothing can be read there any more.

    What a topic has stays noted: should the product come back, it gets nothing twice.
    """
    ending = listeners(connection, product)
    for wish in ending.subscriptions:
        unsubscribe(connection, product.name, wish.subscriber, wish.channel, now)
    for hook in ending.hooks:
        end_hook(connection, hook.id, None, now)
    outbox.withdraw(
        connection, list(outbox.keys_about(connection, "version", [product.name])), now, f"{product.name} was retired before this was sent"
    )
    for topic in ending.topics:
        # Whoever is sending finds that another attempt has taken its place, and stops.
        over = replace(topic, attempts=topic.attempts + 1, tried_at=now, next_at=now, taken_at=None, last_error=_ENDED)
        note_delivery(connection, over)
