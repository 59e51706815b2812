"""What contracts and products of Bitol's standards have in common: status, owners, help, texts, identity; both ways."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from platform_resources.interchange.product_text import Component
from platform_resources.spec.values.field_types import is_owner
from platform_resources.spec.values.names import is_name, slug
from platform_resources.spec.values.versions import Version

Fields = dict[str, Any]
_STATUS = {"proposed": "proposed", "draft": "draft", "production": "active", "deprecated": "deprecated", "retired": "retired"}
_LIFECYCLE = {status: lifecycle for lifecycle, status in _STATUS.items()}
# Titles of the two owners among the members of a team.
BUSINESS, TECHNICAL = "business owner", "technical owner"
_BUSINESS_ROLES = (BUSINESS, "owner", "data product owner", "product owner")
_RANKS = ("domain", "data-product", "input-port", "data-set", "output-port")


def filled(**fields: Any) -> Fields:
    """The fields that say something; a name that ends in _ is a word of Python."""
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, "", [], {})}


def group(document: Mapping[str, Any], field: str) -> Fields:
    """A group of fields; none where there is no such group."""
    fields = document.get(field)
    return fields if isinstance(fields, dict) else {}


def identity(product: str) -> str:
    """The id of a product's documents, the same for ever."""
    return str(uuid5(NAMESPACE_URL, f"urn:data-product:{product}"))


def of_type(components: Iterable[Component], kind: str) -> list[Component]:
    """The components of this type, in their order."""
    return [component for component in components if component["type"] == kind]


def info_of(components: Iterable[Component]) -> tuple[str, str, Fields]:
    """The product's name, its domain, and what it says of itself."""
    every = list(components)
    product = of_type(every, "data-product")[0]
    return product["name"], of_type(every, "domain")[0]["name"], product["properties"]


def title_of(name: str, info: Mapping[str, Any]) -> str:
    """What people call the product: its title, else its name with spaces."""
    return str(info.get("title") or name.replace("_", " ").capitalize())


def custom(properties: Mapping[str, Any]) -> list[Fields]:
    """Custom properties, of those that say something."""
    return [{"property": name, "value": value} for name, value in properties.items() if value not in (None, "", [], {})]


def of_custom(properties: Any) -> Fields:
    """The values of custom properties by their names; the first one of several."""
    return {entry["property"]: entry.get("value") for entry in reversed(properties or ())}


def head(components: Iterable[Component], kind: str, version: str) -> Fields:
    """The fields that both standards begin with."""
    name, domain, info = info_of(components)
    return {
        "apiVersion": version,
        "kind": kind,
        "id": identity(name),
        "name": title_of(name, info),
        "version": info.get("version", "0.1.0"),
        "status": _STATUS[info.get("lifecycle", "proposed")],
        "domain": domain,
    }


def description(components: list[Component]) -> Fields:
    """What the data are for, and the terms of the first agreement."""
    info = info_of(components)[2]
    terms: Fields = next((agreement["properties"] for agreement in of_type(components, "data-sharing-agreement")), {})
    return filled(purpose=info.get("purpose"), usage=info.get("description"), limitations=terms.get("terms"))


def team_of(owners: Iterable[str | None], domain: str) -> str:
    """The first team among a product's owners, else its domain."""
    teams = (owner.removeprefix("team:") for owner in owners if owner is not None and owner.startswith("team:"))
    return next(teams, domain)


def team(info: Mapping[str, Any]) -> Fields:
    """The owners as members of a team."""
    owners = info.get("owners") or {}
    roles = ((BUSINESS, owners.get("business")), (TECHNICAL, owners.get("technical")))
    return filled(members=[{"username": owner, "role": role} for role, owner in roles if owner])


def support(info: Mapping[str, Any]) -> list[Fields]:
    """The channels that have an address; which both standards can say."""
    channel = (info.get("support") or {}).get("channel") or ""
    return [{"channel": channel, "url": channel, "scope": "interactive"}] if re.match(r"[a-z]+:", channel) else []


def named(document: Mapping[str, Any], *fields: str) -> str:
    """The first of these fields from which a name can be made, as that name."""
    texts = [str(document.get(field) or "") for field in fields]
    return next((name for name in map(slug, texts) if is_name(name)), "imported_product")


def first_components(document: Mapping[str, Any], name: str, archetype: str | None = None) -> list[Component]:
    """The domain, the data product, and an agreement where the document has terms."""
    texts = group(document, "description")
    version = str(document.get("version") or "")
    info = filled(
        title=document.get("name"),
        description=texts.get("usage"),
        purpose=texts.get("purpose"),
        version=version if _is_version(version) else None,
        lifecycle=_LIFECYCLE.get(str(document.get("status")), "draft"),
        archetype=archetype,
        owners=_owners(document.get("team")),
        support=_support(document.get("support")),
        tags=document.get("tags"),
    )
    domain = slug(str(document.get("domain") or ""))
    return [
        {"name": domain if is_name(domain) else "imported", "type": "domain", "properties": {}},
        {"name": name, "type": "data-product", "properties": info},
    ]


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except ValueError:
        return False
    return True


def _owners(team: Any) -> Fields:
    """A team is a list of members, or has one; who has left owns nothing."""
    members = team.get("members") if isinstance(team, dict) else team
    there = [member for member in members or () if not member.get("dateOut") and is_owner(str(member.get("username")))]
    by_role = {str(member.get("role", "")).lower(): member["username"] for member in reversed(there)}
    business = next((by_role[role] for role in _BUSINESS_ROLES if role in by_role), None)
    return filled(business=business, technical=by_role.get(TECHNICAL))


def _support(channels: Any) -> Fields:
    """The first channel that people talk in."""
    return filled(channel=next((way.get("url") for way in channels or () if way.get("url") and way.get("scope") == "interactive"), None))


def unique_titles(components: Iterable[Component]) -> Iterator[Component]:
    """The components under titles whose names in code do not collide; a number is put behind those that would."""
    taken: set[tuple[str, str]] = set()
    for component in components:
        title = component["name"] if slug(component["name"]) else f"{component['type']}"
        number = 1
        while (component["type"], slug(name := title if number == 1 else f"{title} {number}")) in taken:
            number += 1
        taken.add((component["type"], slug(name)))
        yield {**component, "name": name}


def ordered(components: Iterable[Component]) -> list[Component]:
    """The components in the order in which a product.yaml reads best."""
    rank = {kind: number for number, kind in enumerate(_RANKS)}
    return sorted(components, key=lambda component: rank.get(component["type"], len(rank)))
