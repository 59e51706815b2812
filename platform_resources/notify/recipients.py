"""Choose the channels that receive an incident, the part that concerns each, and their quiet hours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_resources.incidents.severity import rank
from platform_resources.notify.facts import About, Impact, Subscriber, Trouble
from platform_resources.plan.quiet_hours import QuietHours, not_before
from platform_resources.plan.routes import RoutePlan
from platform_resources.spec.notifications import Severity


@dataclass(frozen=True, slots=True)
class Way:
    """One reason to notify a channel about a product: a route or a subscription. Subscriptions have no quiet hours."""

    channel: str
    owner: bool
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel with everything that concerns it: as owner or consumer of the root, and for affected products."""

    channel: str
    owner: bool = False
    consumer: bool = False
    impacts: tuple[Impact, ...] = ()
    quiets: tuple[QuietHours | None, ...] = (None,)
    owner_quiets: tuple[QuietHours | None, ...] = ()


def recipients(
    trouble: Trouble, impacts: Iterable[Impact], subscriptions: Sequence[Subscriber], severity: Severity
) -> tuple[Recipient, ...]:
    """Every channel that receives an incident of this severity with these impacts, once each, by name."""
    by_channel: dict[str, list[tuple[Way, Impact | None]]] = {}
    for way in ways(trouble.root, subscriptions, severity):
        by_channel.setdefault(way.channel, []).append((way, None))
    for impact in impacts:
        for way in ways(impact.about, subscriptions, severity):
            by_channel.setdefault(way.channel, []).append((way, impact))
    return tuple(_recipient(channel, reasons) for channel, reasons in sorted(by_channel.items()))


def ways(about: About, subscriptions: Sequence[Subscriber], severity: Severity) -> Iterator[Way]:
    """Every route and subscription of the product that accepts this severity."""
    for route in about.routes:
        if _takes(route, severity):
            yield Way(route.channel, route.audience == "owner", route.quiet)
    for subscription in subscriptions:
        if subscription.product == about.name and _takes(subscription, severity):
            yield Way(subscription.channel, False)


def owner_ways(about: About) -> list[Way]:
    """The channels of the product's owners; where there is none, their e-mail addresses."""
    own = [way for way in ways(about, (), "high") if way.owner]
    return own or [Way(owner, True) for owner in about.owners if "@" in owner]


def first_loud(quiets: Iterable[QuietHours | None], at: datetime, severity: Severity) -> datetime:
    """The earliest time from `at` on at which one of the ways is not quiet; at once if critical."""
    return at if severity == "critical" else min((not_before(quiet, at) for quiet in quiets), default=at)


def _takes(wanted: RoutePlan | Subscriber, severity: Severity) -> bool:
    return rank(wanted.severity) <= rank(severity)


def _recipient(channel: str, reasons: Sequence[tuple[Way, Impact | None]]) -> Recipient:
    of_root = [way for way, impact in reasons if impact is None]
    impacts = {impact.about.name: impact for _, impact in reasons if impact is not None}
    return Recipient(
        channel,
        any(way.owner for way in of_root),
        any(not way.owner for way in of_root),
        tuple(impacts.values()),
        tuple(way.quiet for way, _ in reasons),
        tuple(way.quiet for way in of_root if way.owner),
    )
