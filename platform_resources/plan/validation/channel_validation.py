"""Problems with routes, digests and incident rules that can be seen only across files."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.planned_routes import address, incidents_of, owners_of
from platform_resources.plan.shared_sources import sources_are_shared
from platform_resources.spec.notifications import OWNERS, impossible
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product
from platform_resources.spec.values.field_types import is_email

Complaint = tuple[str, str]


def domain_problems(mesh: Mesh) -> Iterator[Problem]:
    """Every problem of every domain.yaml: what reading found, sources that cannot be read, and routes and digests that lead nowhere."""
    for domain, reading in mesh.domains.items():
        yield from reading.problems
        document = reading.document
        if document is None:
            continue
        yield from sources_are_shared(mesh, domain)
        named = [((*place, "channel"), route.channel) for place, route in zip(reading.route_places, reading.domain.routes, strict=True)]
        named += [(("digest", "channel"), reading.domain.digest.channel)] if reading.domain.digest is not None else []
        for place, channel in named:
            complaint = _unknown(mesh, domain, channel)
            if complaint is not None:
                yield document.problem(place, *complaint)
            elif (lost := _unreadable(mesh, domain, channel)) is not None:
                yield replace(document.problem(place, *lost), severity="warning")


def routes_lead_somewhere(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A product's routes name channels that there are; one that cannot be read is its domain's mistake."""
    for at, route in enumerate(product.info.routes):
        complaint = _unknown(mesh, product.domain, route.channel)
        if complaint is not None:
            yield product.origin.problem(f"routes[{at}]", *complaint)
        elif (lost := _unreadable(mesh, product.domain, route.channel)) is not None:
            yield product.origin.problem(f"routes[{at}]", *lost, warning=True)


def owners_are_reached(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A route to the owners needs an owner with an e-mail address."""
    routes = (*mesh.domain(product.domain).routes, *product.info.routes)
    owners = owners_of(mesh, product)
    if any(route.channel == OWNERS for route in routes) and not any(map(is_email, owners)):
        message = f"a route leads to the owners, but none of them is an e-mail address: {known_text(owners)}"
        yield product.origin.problem("owners", message, "name an owner by an e-mail address, or a channel in the route", warning=True)


def incidents_can_be(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A product's incident settings, combined with those of its domain, must be possible."""
    incidents = incidents_of(mesh, product)
    if impossible(incidents.bad, incidents.of):
        message = f"together with domain.yaml, {incidents.bad} of {incidents.of} readings can never be bad; write 1 <= bad <= of"
        yield product.origin.problem("incidents", message)


def _unknown(mesh: Mesh, domain: str, written: str) -> Complaint | None:
    if written == OWNERS or is_email(written):
        return None
    if "@" in written:
        return f'"{written}" is not an e-mail address', ""
    other, name = address(domain, written)
    domains = {*mesh.domains, *(p.domain for p in mesh.products), *(u.domain for u in mesh.unreadable), domain}
    if other not in domains:
        return f'no domain "{other}"; known: {known_text(domains)}', did_you_mean(other, domains)
    known = _written_channels(mesh, other)
    if known is None or name in known:
        return None
    hint = did_you_mean(name, known) or f"declare it under channels in {_domain_file(other)}"
    return f'no channel "{name}" in domain {other}; known: {known_text(known)}', hint


def _unreadable(mesh: Mesh, domain: str, written: str) -> Complaint | None:
    other, name = address(domain, written)
    if written == OWNERS or is_email(written) or name in mesh.domain(other).channels:
        return None
    return f'channel "{name}" of domain {other} cannot be read, so nothing is sent there', f"mend {_domain_file(other)}"


def _written_channels(mesh: Mesh, domain: str) -> Collection[str] | None:
    """The names of the domain's channels, also of those that cannot be read; None where nobody can tell."""
    reading = mesh.domains.get(domain)
    return reading.channels if reading is not None else ()


def _domain_file(domain: str) -> str:
    return f"{conventions.PRODUCTS_FOLDER}/{domain}/domain.yaml"
