"""Messages and channels for tests of sending."""

from datetime import UTC, datetime

from platform_resources.incidents.messages import Message
from platform_resources.plan.plan import DomainPlan, MeshPlan
from platform_resources.plan.routes import ChannelPlan

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def message(channel: str, number: int = 1, **told) -> Message:
    facts = {
        "key": f"incident/orders#{number}/{channel}",
        "kind": "incident",
        "channel": channel,
        "product": "orders",
        "domain": "sales",
        "incident": f"orders#{number}",
        "subject": f"Orders are late ({number})",
        "body": "**Orders** are late.\n\n- since *six* o'clock – in Köln",
        "not_before": NOW,
    }
    return Message(**facts | told)


def channels(**urls: str) -> dict[str, ChannelPlan]:
    """`oncall="…"` is the channel `sales.oncall`."""
    return {f"sales.{name}": ChannelPlan(f"sales.{name}", "sales", url) for name, url in urls.items()}


def plan(**urls: str) -> MeshPlan:
    return MeshPlan((), (), (DomainPlan("sales", "Sales", "", (), "small", tuple(channels(**urls).values())),))
