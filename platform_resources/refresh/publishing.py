"""Publish a version: write every output port whole, then flip the pointer in one step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.support.file_formats import holds
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.publications.published_versions import shelf, version_id
from platform_resources.publications.version_records import (
    Keeping,
    PortDraft,
    PortVersion,
    Publication,
    Versions,
    VersionsUnreadable,
    WriterFailed,
    catalog_view,
    kept_longer,
)
from platform_resources.refresh.data_age import recency
from platform_resources.refresh.sources.pull_records import FAILURES, substance
from platform_resources.refresh.views.class_travel import InheritedClasses, as_inherited, inherited_in
from platform_resources.refresh.views.folder_modes import NoGroup
from platform_resources.refresh.views.published_views import NotPublishable, PortPart, written_views
from platform_resources.refresh.views.role_files import give_roles
from platform_resources.refresh.views.role_views import show_to_roles
from platform_resources.refresh.views.served_versions import shown_by_server, tidied_server
from platform_resources.warehouses.engine_errors import EngineError, NotSupported
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import PublishedPort
from platform_resources.warehouses.table_servers import ServingFailed
from platform_resources.warehouses.targets import warehouse


@dataclass(frozen=True, slots=True)
class Candidate:
    """The version about to be published. `built_in` is the run that built what it holds, which may be an earlier one."""

    product: ProductPlan
    state: Path
    now: datetime
    run_id: str
    fingerprint: str
    built_in: str = ""

    @property
    def shelf(self) -> Versions:
        """The product's published versions."""
        return shelf(self.state, self.product.domain, self.product.name)


def failing_inputs(database: ProductDatabase, product: ProductPlan) -> dict[str, str]:
    """Input ports whose last pull failed, and why; their last good data is served."""
    ports = {port.name for port in product.inputs}
    return {port: reason for port, reason in database.remembered(FAILURES).items() if reason and port in ports}


def unchanged_text(candidate: Candidate, inputs: Mapping[str, Mapping[str, Any]], failing: Mapping[str, str]) -> str:
    """Why what is published would be published again; empty if the candidate is new."""
    latest = candidate.shelf.latest()
    if latest is not None and candidate.built_in and latest.built_in == candidate.built_in:
        return f"version {latest.id} holds what was built last"
    return "; ".join(failing.values()) if failing and nothing_changed(candidate, inputs) else ""


def nothing_changed(candidate: Candidate, inputs: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the newest version was made from the same inputs by the same code."""
    latest = candidate.shelf.latest()
    if latest is None or latest.fingerprint != candidate.fingerprint:
        return False
    return {p: substance(r) for p, r in inputs.items()} == {p: substance(r) for p, r in latest.inputs.items()}


def publish(database: ProductDatabase, candidate: Candidate, inputs: Mapping[str, Mapping[str, Any]]) -> Publication:
    """Publish all output ports of the product as one version."""
    shelves, product = candidate.shelf, candidate.product
    version = version_id(candidate.now)
    shelves.begin(version)
    inherited = inherited_in(candidate.state, product, inputs)
    ports = tuple(_write(database, candidate, port, version, inherited) for port in product.outputs)
    publication = Publication(
        id=version,
        product=product.name,
        product_version=product.info.version,
        published_at=candidate.now.isoformat(),
        run_id=candidate.run_id,
        fingerprint=candidate.fingerprint,
        built_in=candidate.built_in,
        inputs=dict(inputs),
        ports=ports,
    )
    try:
        with shown_by_server(product, shelves, publication):
            shelves.publish(publication)
    except (ServingFailed, SettingInvalid) as error:
        raise NotPublishable(f"the server of tables cannot show it: {error}") from error
    return publication


def tidied(candidate: Candidate, publication: Publication, root: Path, known: KnownGrants) -> Iterator[str]:
    """What follows a publication: the catalog shows it, versions no longer kept go, roles have it in their folders. Gives what went wrong.

    The version is published already, so a failure here is a warning; the next publication does all of it again. Who has lost its claim
    leaves the rest to its successor.
    """
    shelves, product = candidate.shelf, candidate.product
    try:
        shelves.confirm()
        yield from _brought_up_to_date(candidate, publication, root, known)
        shelves.confirm()
        yield from (f"published, but {trouble}" for trouble in tidied_server(product, known, candidate.now))
    except (EngineError, VersionsUnreadable) as error:
        yield f"published, but what follows a publication is left to the next one: {error}"


def _brought_up_to_date(candidate: Candidate, publication: Publication, root: Path, known: KnownGrants) -> Iterator[str]:
    shelves, product = candidate.shelf, candidate.product
    try:
        released = shelves.release_pins(lambda consumer: _is_gone(root, consumer))
        yield from (f"the version pinned by {consumer} is let go: the mesh has no such product any more" for consumer in released)
    except (EngineError, VersionsUnreadable) as error:
        yield f"published, but pins of products that are gone are still there: {error}"
    try:
        refresh_catalog(candidate.state, product, publication)
    except Exception as error:
        yield f"published, but the catalog still shows an older version: {error}"
    if not known.unknown:
        try:
            show_to_roles(candidate.state, product, known, candidate.now)
        except (EngineError, VersionsUnreadable) as error:
            yield f"published, but what roles read in the warehouse is not as it should be: {error}; `mesh access plan` lists what differs"
    yield from old_versions_gone(shelves, product, candidate.now)
    yield from (f"published, but {trouble}" for trouble in roles_given(candidate.state, product, known, candidate.now))


def keeping(product: ProductPlan) -> Keeping:
    """How many versions stay, and for how long."""
    return Keeping({port.name: port.keep_versions for port in product.outputs}, product.retention)


def old_versions_gone(shelves: Versions, product: ProductPlan, now: datetime) -> Iterator[str]:
    """Take away versions that are no longer kept, or older than they may be. Gives what went wrong, and what stays longer and why."""
    try:
        shelves.prune(keeping(product), now)
        yield from kept_longer(shelves.published(), shelves.pins(), product.retention, now)
    except (OSError, EngineError, VersionsUnreadable) as error:
        yield f"older versions could not be taken away: {error}"


def roles_given(state: Path, product: ProductPlan, known: KnownGrants, now: datetime) -> Iterator[str]:
    """Bring the folders of roles up to date. Gives what went wrong."""
    if known.unknown:
        yield f"the folders of roles are as they were, since the grants are not known: {known.unknown}"
        return
    try:
        give_roles(state, product, known, now)
    except (OSError, NoGroup, EngineError, VersionsUnreadable) as error:
        yield f"the folders of roles are not as they should be: {error}; `mesh access plan` lists what differs"


def holds_newer_data(publication: Publication, before: Publication | None, port: str) -> bool:
    """Whether all that the port holds was taken in after the version `before` was published; not where it is not known as of when it is."""
    version = publication.port(port)
    known = version.known_until(publication.published_at) if version is not None else None
    return before is None or (known is not None and known > datetime.fromisoformat(before.published_at))


def _is_gone(root: Path, consumer: str) -> bool:
    """Whether the product of a pin (`<product>.<input port>`) has no folder in the mesh, and none was called so before.

    One that was takes its pins over with its next refresh, or an evaluation.
    """
    name, products = consumer.partition(".")[0], root / conventions.PRODUCTS_FOLDER
    if any(products.glob(f"*/{name}")):
        return False
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in products.glob("*/*/product.yaml"))
    return not any("renamed_from" in text and name in re.findall(r"\w+", text) for text in texts)


def _write(database: ProductDatabase, candidate: Candidate, port: OutputPlan, version: str, inherited: InheritedClasses) -> PortVersion:
    data_set = as_inherited(candidate.product, candidate.product.data_set(port.data_set), inherited)
    promised = {column.name: column.type for column in data_set.spec.columns}
    columns, rows = database.columns(data_set.relation, promised), database.count(data_set.relation)
    draft = PortDraft(
        version, port.version or candidate.product.info.version, port.name, port.data_set, port.store, data_set.relation, columns
    )
    _refuse_unheld(port, columns)
    try:
        written = candidate.shelf.write(database, draft)
    except (NotSupported, WriterFailed) as error:
        raise NotPublishable(f"output port {port.title}: {error}") from error
    if not written.shared:
        _read_again(database, port, written.published, rows)
    part = PortPart(rows, columns, written)
    views = dict(written_views(database, candidate.shelf, candidate.state, port, data_set, draft, part))
    known = recency(database, candidate.product, data_set, candidate.now)
    return PortVersion(
        port=port.name,
        version=port.version or "",
        data_set=port.data_set,
        format=port.store.format,
        rows=rows,
        columns=columns,
        watermark=known.at.isoformat() if known.at is not None else None,
        files=written.files,
        bytes=written.bytes,
        watermark_unknown=known.unknown,
        rows_ahead=known.rows_ahead,
        views=views,
        inherited=inherited.get(data_set.name, {}),
        own_files=written.own_files,
    )


def _refuse_unheld(port: OutputPlan, columns: Mapping[str, str]) -> None:
    """Raises NotPublishable where a file of the port's format would not say what was built."""
    unheld = [f"{name} ({kind})" for name, kind in columns.items() if not holds(port.store.format, kind)]
    if unheld:
        fault = f"output port {port.title}: a {port.store.format} file cannot hold {', '.join(unheld)}"
        raise NotPublishable(f"{fault}; publish it with format: parquet, or turn it into text in model {port.model}")


def _read_again(database: ProductDatabase, port: OutputPlan, published: PublishedPort, rows: int) -> None:
    """Read what was written as its consumers will. Raises NotPublishable where they would not find what was built."""
    try:
        readable = database.published_rows(published)
    except EngineError as error:
        raise NotPublishable(f"output port {port.title}: what was written cannot be read: {str(error).splitlines()[0]}") from error
    if readable != rows:
        raise NotPublishable(f"output port {port.title}: {rows:,} rows were written, and {readable:,} can be read")


def refresh_catalog(state: Path, product: ProductPlan, publication: Publication) -> None:
    """Have the catalog that SQL clients open show this version."""
    shelves = shelf(state, product.domain, product.name)
    in_catalog = {port.name for port in product.outputs if port.store.in_catalog}
    views = {p.data_set: catalog_view(product, p, shelves.where(p)) for p in publication.ports if p.port in in_catalog}
    warehouse().show(state, product.domain, product.name, tuple(views.values()))
