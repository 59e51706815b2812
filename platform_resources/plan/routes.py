"""Planned channels, routes and the daily digest."""

from dataclasses import dataclass
from datetime import time, timedelta

from platform_resources.plan.quiet_hours import QuietHours
from platform_resources.spec.notifications import Audience, Severity


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel: `name` is `<domain>.<channel>`, `url` an Apprise URL in which `${NAME}` stands for a variable of the environment."""

    name: str
    domain: str
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """Messages of at least this severity for this audience go to this channel (`<domain>.<channel>` or an e-mail address)."""

    channel: str
    audience: Audience
    severity: Severity
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """One message a day to the channel, at this time of the zone."""

    channel: str
    at: time
    timezone: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an incident waits before its first message, and how often people are reminded while nobody acknowledges it (None: never)."""

    wait: timedelta = timedelta(minutes=20)
    renotify: timedelta | None = timedelta(days=1)
