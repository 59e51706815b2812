"""Everything a consumer reads about a product before using it: for `mesh describe`, as text and as JSON data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.plan_text import plain
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.services.catalog.access_snippets import PLATFORM, ServerLogin, Snippet, snippets
from platform_resources.services.control_ports.declared_ports import ControlPortState
from platform_resources.services.releases.ending_ports import EndingPort, ending_data
from platform_resources.services.releases.product_life import ProductLife
from platform_resources.services.releases.stage_standings import standing_data
from platform_resources.services.releases.tombstones import Tombstone
from platform_resources.services.trust import Trust, trust_data
from platform_resources.spec.values.durations import duration_text


@dataclass(frozen=True, slots=True)
class PortAccess:
    """One output port with all snippets that read it."""

    port: OutputPlan
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class ProductDescription:
    """One product: its declaration, health, trust and access."""

    product: ProductPlan
    health: ProductHealth
    trust: Trust
    access: tuple[PortAccess, ...]
    control_ports: tuple[ControlPortState, ...] = ()
    endings: tuple[EndingPort, ...] = ()
    life: ProductLife = field(default_factory=ProductLife)


def product_description(
    product: ProductPlan,
    health: ProductHealth,
    trust: Trust,
    state: Path,
    url: str = "",
    reader: str = "",
    control_ports: tuple[ControlPortState, ...] = (),
    endings: tuple[EndingPort, ...] = (),
    life: ProductLife | None = None,
    login: ServerLogin = PLATFORM,
) -> ProductDescription:
    """Collect the description of a product; `state`, `url`, `reader` and `login` as in `snippets`."""
    life = life or ProductLife()
    live = product.outputs if life.tombstone is None else ()
    access = tuple(PortAccess(port, snippets(product, port, state, url, reader, login)) for port in live)
    return ProductDescription(product, health, trust, access, control_ports, endings, life)


def runbook_place(product: ProductPlan) -> str:
    """The runbook's web address, or its path relative to the mesh's root; empty if there is none."""
    runbook = product.info.support.runbook
    if runbook is None or "://" in runbook:
        return runbook or ""
    return f"{product.place.file.rpartition('/')[0]}/{runbook}"


def description_data(described: ProductDescription, sees_all: bool = True) -> dict[str, Any]:
    """The same as plain values, for JSON. Who reads a port that ends is told to those who see the whole product."""
    product, info = described.product, described.product.info
    return {
        "name": product.name,
        "title": product.title,
        "domain": product.domain,
        "version": info.version,
        "lifecycle": info.lifecycle,
        "archetype": info.archetype,
        "class": info.class_,
        "certified": info.certified,
        "certificate": asdict(described.life.certificate) if described.life.certificate is not None else None,
        "retired": _retired(described.life.tombstone, sees_all),
        "replacement": info.replacement,
        "stages": [standing_data(standing) for standing in described.life.stages if sees_all],
        "description": info.description,
        "purpose": info.purpose,
        "owners": plain(info.owners),
        "support": {"channel": info.support.channel, "runbook": runbook_place(product) or None},
        "tags": list(info.tags),
        "terms": dict(product.terms),
        "agreements": [{"title": agreement.title, **plain(agreement.spec)} for agreement in product.agreements],
        "health": {"status": described.health.status, "reason": described.health.reason, "columns": list(described.health.columns)},
        "promises": [asdict(check) for check in described.health.checks],
        "data_sets": [_data_set(data_set) for data_set in product.data_sets],
        "ports": [_port(access, described, sees_all) for access in described.access],
        "sample_queries": [
            {"title": query.title, "description": query.description, "port": query.port, "sql": query.sql}
            for query in product.sample_queries
        ],
        "control_ports": [asdict(control_port) for control_port in described.control_ports],
        "trust": trust_data(described.trust),
    }


def _retired(stone: Tombstone | None, sees_all: bool) -> dict[str, Any] | None:
    return None if stone is None else {**asdict(stone), **({} if sees_all else {"although": "", "ended": ()})}


def _data_set(data_set: DataSetPlan) -> Mapping[str, Any]:
    return {
        "name": data_set.name,
        "title": data_set.title,
        "description": data_set.spec.description,
        "primary_key": list(data_set.spec.primary_key),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "description": column.description,
                "classification": column.classification,
                "unit": column.unit,
                "identifier": column.identifier,
                "nullable": column.nullable,
            }
            for column in data_set.spec.columns
        ],
    }


def _port(access: PortAccess, described: ProductDescription, sees_all: bool) -> Mapping[str, Any]:
    port = access.port
    ending = next((ending_data(ending, sees_all) for ending in described.endings if ending.port == port.name), None)
    named = {
        "name": port.name,
        "title": port.title,
        "description": port.description,
        "interface": port.interface,
        "data_set": port.data_set,
        "retention": duration_text(port.retention) if port.retention is not None else None,
        "version": port.version or described.product.info.version,
        "ending": ending,
    }
    return {**named, "access": [asdict(snippet) for snippet in access.snippets]}
