"""Who hears of a product and ends with it: subscribers, machines that are told of versions, and topics that get its changes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.control_deliveries import ControlDelivery, control_deliveries, note_delivery
from platform_resources.ledger.people.subscriptions import Subscription, VersionHook, end_hook, hooks_of, subscriptions, unsubscribe


@dataclass(frozen=True, slots=True)
class Listeners:
    """All that hears of one product. `topics` are what its change streams have sent; one that has ended names no version."""

    subscriptions: tuple[Subscription, ...]
    hooks: tuple[VersionHook, ...]
    topics: tuple[ControlDelivery, ...]

    @property
    def texts(self) -> Iterator[str]:
        """Each in a few words."""
        yield from (f"the subscription of {wish.subscriber} on {wish.channel}" for wish in self.subscriptions)
        yield from (f"hook {hook.id} of {hook.person}, which hears of versions" for hook in self.hooks)
        yield from (f"the {topic.item.rpartition(' of ')[0]}" for topic in self.topics)


def listeners(connection: Connection, product: str, as_of: datetime | None = None) -> Listeners:
    """Those that have not ended; or those that had not as of a time, whatever has become of them since."""
    sent = control_deliveries(connection, [product]).values()
    # What a change stream has sent is told from a document or an event by its content: that is its own name.
    topics = (topic for topic in sent if topic.item and topic.item == topic.content)
    return Listeners(
        subscriptions(connection, product, as_of),
        hooks_of(connection, [product], as_of=as_of),
        tuple(topic for topic in topics if topic.version or as_of is not None),
    )


def end_listeners(connection: Connection, product: str, now: datetime) -> None:
    """All of them end. What machines were still to be told of versions is withdrawn, since nothing can be read there any more."""
    ending = listeners(connection, product)
    for wish in ending.subscriptions:
        unsubscribe(connection, product, wish.subscriber, wish.channel, now)
    for hook in ending.hooks:
        end_hook(connection, hook.id, None, now)
    outbox.withdraw(
        connection, list(outbox.keys_about(connection, "version", [product])), now, f"{product} was retired before this was sent"
    )
    for topic in ending.topics:
        # Whoever is sending finds that another attempt has taken its place, and stops.
        over = replace(topic, version="", attempts=topic.attempts + 1, next_at=now, taken_at=None)
        note_delivery(connection, replace(over, last_error=f"{product} is retired"))
