"""A product as a data contract of the Open Data Contract Standard (ODCS), and back."""

import re
from collections.abc import Mapping
from typing import Any

from platform_resources.interchange import contract_quality, service_levels
from platform_resources.interchange.bitol_parts import (
    Fields,
    description,
    filled,
    first_components,
    group,
    head,
    info_of,
    named,
    of_type,
    ordered,
    support,
    team,
    unique_titles,
)
from platform_resources.interchange.contract_columns import data_set, schema_object
from platform_resources.interchange.product_text import Component
from platform_resources.spec.values.names import IDENTIFIER


def contract(components: list[Component], version: str) -> Fields:
    """The contract in which all data sets of the product stand."""
    name, _, info = info_of(components)
    newest = version not in ("v3.1.0",) and not version.startswith("v3.0")
    schema = [schema_object(component, newest) for component in of_type(components, "data-set")]
    return {
        **head(components, "DataContract", version),
        **filled(
            dataProduct=name,
            tags=info.get("tags"),
            description=description(components),
            schema=contract_quality.with_quality(schema, components),
            slaProperties=service_levels.service_levels(components),
            roles=_roles(components, info),
            team=team(info),
            support=support(info),
        ),
    }


def _roles(components: list[Component], info: Mapping[str, Any]) -> list[Fields]:
    business = (info.get("owners") or {}).get("business")
    return [
        filled(
            role=role["role"],
            access="read",
            description=agreement["properties"].get("purpose"),
            firstLevelApprovers=business if agreement["properties"].get("approval", "owner") == "owner" else None,
        )
        for agreement in of_type(components, "data-sharing-agreement")
        for role in agreement["properties"].get("roles", ())
    ]


def contract_components(document: Fields) -> list[Component]:
    """What a contract says in the platform's words; what these have no word for is left out."""
    domain, product = first_components(document, named(document, "dataProduct", "name"))
    levels = document.get("slaProperties")
    data_sets = {component["name"]: component for component in map(data_set, document.get("schema") or ())}
    for table, column in service_levels.newest_columns(levels, data_sets):
        data_sets[table]["properties"].setdefault("updated_at", column)
    product["properties"] |= service_levels.of_product(levels)
    components = [
        *data_sets.values(),
        *contract_quality.objectives_of(document.get("schema")),
        *service_levels.objectives_of(levels, data_sets),
        *_agreement(document),
    ]
    return ordered([domain, product, *unique_titles(components)])


def _agreement(document: Fields) -> list[Component]:
    """Roles that may read, and the terms; a role sees nothing until its owner writes which classifications it sees."""
    texts = group(document, "description")
    names = dict.fromkeys(role["role"] for role in document.get("roles") or () if role.get("access", "read") == "read")
    terms = filled(terms=texts.get("limitations"), roles=[{"role": name} for name in names if re.fullmatch(IDENTIFIER, name)])
    return [{"name": "Contract", "type": "data-sharing-agreement", "properties": terms}] if terms else []
