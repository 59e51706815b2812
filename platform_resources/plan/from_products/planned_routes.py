"""Resolve routes to channels, and combine a product's own routes and rules with those of its domain."""

from collections.abc import Iterable, Iterator
from datetime import time

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.incident_rules import Rule
from platform_resources.plan.quiet_hours import QuietHours
from platform_resources.plan.routes import ChannelPlan, DigestPlan, Patience, RoutePlan
from platform_resources.spec.notifications import OWNERS, Incidents, QuietTimes, Route
from platform_resources.spec.product import Product
from platform_resources.spec.values.field_types import is_email


def owners_of(mesh: Mesh, product: Product) -> tuple[str, ...]:
    """Who answers for the product: its own owners, or those of its domain."""
    return product.info.owners.names or mesh.domain(product.domain).owners.names


def channels_of(mesh: Mesh, domain: str) -> tuple[ChannelPlan, ...]:
    """The channels that a domain declares."""
    return tuple(ChannelPlan(f"{domain}.{name}", domain, c.url, c.description) for name, c in sorted(mesh.domain(domain).channels.items()))


def product_routes(mesh: Mesh, product: Product) -> tuple[RoutePlan, ...]:
    """The domain's routes and then the product's own, each once; of a channel that there is not, none: validation has told."""
    owners = owners_of(mesh, product)
    routes = (*mesh.domain(product.domain).routes, *product.info.routes)
    return _each_once(mesh, product.domain, routes, owners)


def domain_routes(mesh: Mesh, domain: str) -> tuple[RoutePlan, ...]:
    """The routes of everything in the domain, where `owners` are the domain's."""
    return _each_once(mesh, domain, mesh.domain(domain).routes, mesh.domain(domain).owners.names)


def domain_digest(mesh: Mesh, domain: str) -> DigestPlan | None:
    """The daily digest of a domain; None if it declares none."""
    digest = mesh.domain(domain).digest
    target = next(iter(targets(mesh, domain, digest.channel)), None) if digest is not None else None
    return DigestPlan(target, _time(digest.at), digest.timezone) if digest is not None and target is not None else None


def incidents_of(mesh: Mesh, product: Product) -> Incidents:
    """What the product says of its incidents, and for the rest what its domain says."""
    own, inherited = product.info.incidents, mesh.domain(product.domain).incidents
    return own.over(inherited) if own is not None else inherited


def rule_of(incidents: Incidents) -> Rule:
    """When failures become an incident and when it ends, from the settings."""
    of = incidents.of if incidents.of is not None else incidents.bad
    return Rule(incidents.bad, of, incidents.good, incidents.cooldown, incidents.settle)


def targets(mesh: Mesh, domain: str, written: str, owners: Iterable[str] = ()) -> tuple[str, ...]:
    """Full channel names or e-mail addresses for a channel as a team of this domain writes it."""
    if written == OWNERS:
        return tuple(filter(is_email, owners))
    if is_email(written):
        return (written,)
    other, name = address(domain, written)
    return (f"{other}.{name}",) if name in mesh.domain(other).channels else ()


def address(domain: str, written: str) -> tuple[str, str]:
    """A channel's domain and name; `alerts` alone is one of the domain's own."""
    other, point, name = written.partition(".")
    return (other, name) if point else (domain, written)


def patience_of(incidents: Incidents) -> Patience:
    """How long an incident waits before its first message, and how often people are reminded, from the settings."""
    return Patience(incidents.wait, incidents.renotify)


def _each_once(mesh: Mesh, domain: str, routes: Iterable[Route], owners: tuple[str, ...]) -> tuple[RoutePlan, ...]:
    return tuple(dict.fromkeys(planned for route in routes for planned in _routes(mesh, domain, route, owners)))


def _routes(mesh: Mesh, domain: str, route: Route, owners: tuple[str, ...]) -> Iterator[RoutePlan]:
    quiet = _quiet_hours(route.quiet_hours) if route.quiet_hours is not None else None
    for target in targets(mesh, domain, route.channel, owners):
        yield RoutePlan(target, route.for_, route.severity, quiet)


def _quiet_hours(written: QuietTimes) -> QuietHours:
    return QuietHours(_time(written.from_), _time(written.to), written.timezone, written.days)


def _time(clock: str) -> time:
    """24:00 is the next day's 00:00."""
    return time.min if clock == "24:00" else time.fromisoformat(clock)
