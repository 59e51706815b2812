"""List notification channels, what each lacks in this environment, and send test messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from platform_resources.incidents.messages import Message
from platform_resources.notify.addresses import address, missing, secrets
from platform_resources.notify.delivery import send
from platform_resources.plan.plan import MeshPlan
from platform_resources.plan.routes import ChannelPlan
from platform_resources.redaction.redaction import shown_url
from platform_resources.settings import MAIL

E_MAIL = "e-mail addresses"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel with its URL without secrets; `missing` is empty if the channel is ready."""

    channel: str
    domain: str
    url: str
    description: str
    ready: bool
    missing: str


def channels_of(plan: MeshPlan) -> dict[str, ChannelPlan]:
    """The channels of all domains, by name."""
    return {channel.name: channel for domain in plan.domains for channel in domain.channels}


def channel_states(known: Mapping[str, ChannelPlan], environment: Mapping[str, str]) -> list[ChannelState]:
    """The state of each channel by name, e-mail last."""
    shown = [(name, known[name].domain, shown_url(known[name].url), known[name].description) for name in sorted(known)]
    lacking = {name: missing(name, known, environment) for name in known}
    lacking[E_MAIL] = missing("somebody@example.com", known, environment).replace("e-mail to somebody@example.com", "e-mail")
    shown.append((E_MAIL, "", shown_url(MAIL.value(environment)) or f"${{{MAIL.name}}}", ""))
    return [ChannelState(*channel, ready=not lacking[channel[0]], missing=lacking[channel[0]]) for channel in shown]


def send_test(known: Mapping[str, ChannelPlan], name: str, environment: Mapping[str, str], now: datetime) -> None:
    """Send a test message to a channel. Raises ChannelUnusable and DeliveryFailed."""
    body = "Somebody has tried this channel with `mesh channels --test`. Nothing is wrong."
    message = Message(f"test:{name}:{now:%Y%m%dT%H%M%S%f}", "test", name, "", "", "", f"Test of the channel {name}", body, now)
    send(address(name, known, environment), message, secrets(name, known, environment))
