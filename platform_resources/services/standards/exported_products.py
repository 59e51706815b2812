"""Export a product as a document of another standard or tool."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from platform_resources.access.reader_standing import of_no_use
from platform_resources.capabilities.protocols import (
    AgreedRole,
    ColumnSource,
    Export,
    Exported,
    ExportEvidence,
    NothingToTell,
    ObjectiveResult,
)
from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.bitol_parts import team_of
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.grant_store import grants_of
from platform_resources.ledger.queries.history import check_states
from platform_resources.ledger.records import check_id
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import Said, Severity, check_state, shared
from platform_resources.services.product_health import watched
from platform_resources.services.showing.seen_mesh import told
from platform_resources.spec.problems import problems_text, unknown_text
from platform_resources.spec.product import Product
from platform_resources.spec.reading import read_product


class CannotExport(Exception):
    """Raised for an unknown format, wrong settings, an unreadable product.yaml, or where there is nothing to tell yet; says what to do."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One document: its file name, text and media type."""

    name: str
    text: str
    media_type: str


def known_export(name: str) -> Export:
    """The export of that name. Raises CannotExport."""
    exports = installed_registry().exports()
    if name not in exports:
        raise CannotExport(unknown_text("format", name, exports))
    return exports[name]


def export(
    root: Path, product: ProductPlan, name: str, settings: Mapping[str, Any], seen: Callable[[], ExportEvidence] = ExportEvidence
) -> ExportedFile:
    """Export the product in one format, from its current product.yaml, and from what was `seen` of it. Raises CannotExport."""
    chosen = known_export(name)
    try:
        configured = chosen.config.model_validate(settings)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in error.errors())
        raise CannotExport(f"{name} does not take these settings: {problems}") from error
    try:
        text = chosen.text(configured, Exported(_declared(root, product), seen))
    except NothingToTell as error:
        raise CannotExport(f"{product.name} cannot be written as {name}: {error}") from error
    return ExportedFile(f"{product.name}{chosen.ending}", text, chosen.media_type)


def evidence(connection: Connection, plan: MeshPlan, lineage: MeshLineage, product: ProductPlan, now: datetime) -> ExportEvidence:
    """What was seen of a product by `now`: results of objectives, the columns of others that its own are made from, who has a role."""
    results, agreed = dict(_results(connection, product, now)), tuple(_agreed(connection, plan, product, now))
    return ExportEvidence(tuple(_sources(plan, lineage, product)), results, agreed)


def _agreed(connection: Connection, plan: MeshPlan, product: ProductPlan, now: datetime) -> Iterator[AgreedRole]:
    if product.offers.retired is not None:
        return
    for grant in (*product.offers.grants, *grants_of(connection, product.name)):
        if grant.state(now) in ("approved", "to come") and not of_no_use(product.offers, grant):
            consumer = plan.by_name.get(grant.subject.removeprefix("product:"))
            team = team_of(consumer.owners, consumer.domain) if consumer is not None else ""
            yield AgreedRole(grant.name, grant.role, grant.subject, grant.purpose, team, grant.since, grant.until)


def _results(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[tuple[str, ObjectiveResult]]:
    """As told to somebody who sees none of its data: documents are handed on."""
    readings = {state.check.id: state.reading for state in check_states(connection, now, [product.name])}
    for check in watched(product):
        reading = readings.get(check_id(check.key, check.name))
        if check.kind == "objective" and reading is not None:
            said = Said(**shared(Said, reading), weighs=reading.severity)
            state = told(check_state(check, said), {}, product)
            severity: Severity = "error" if state.weight == "breaks" else "warning"
            yield check.title, ObjectiveResult(**shared(ObjectiveResult, state) | {"at": reading.at, "severity": severity})


def _sources(plan: MeshPlan, lineage: MeshLineage, product: ProductPlan) -> Iterator[ColumnSource]:
    ports = {conventions.place(port.key): port.upstream for port in product.inputs if port.upstream is not None}
    for data_set in product.data_sets:
        for column in data_set.spec.columns:
            for step in lineage.upstream(lineage.column(product.name, data_set.model, column.name)):
                upstream = ports.get(step.column.place) if step.column.product == product.name else None
                if upstream is None or step.kind not in ("passed on", "computed") or upstream.product not in plan.by_name:
                    continue
                read = next((port.data_set for port in plan.by_name[upstream.product].outputs if port.name == upstream.port), None)
                if read is not None:
                    yield ColumnSource(data_set.name, column.name, upstream.product, read, step.column.column)


def _declared(root: Path, product: ProductPlan) -> Product:
    file = product.place.file
    reading = read_product((root / file).read_text(encoding="utf-8"), file, installed_registry())
    if reading.product is None:
        raise CannotExport(problems_text(reading.problems))
    return reading.product
