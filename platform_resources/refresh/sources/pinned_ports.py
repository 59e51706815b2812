"""Pin a version of another product's output port, and hold what is read of it against its contract."""

from collections.abc import Mapping
from typing import Any

from platform_resources.access.reader_standing import ReaderStanding
from platform_resources.capabilities.measures import Relation
from platform_resources.incidents import broken_contracts
from platform_resources.plan.port_plans import InputPlan, Upstream
from platform_resources.publications.former_folders import former_shelf
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions
from platform_resources.refresh.sources.pull_records import PullContext, Pulled, PullFailed, recorded
from platform_resources.refresh.views.upstream_access import VIEW, AccessUnknown, consumer_standing, received, seen_columns, view_record
from platform_resources.spec.values.versions import VersionRange
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.protocol import ProductDatabase


def pin(database: ProductDatabase, port: InputPlan, context: PullContext, former: Mapping[str, Any] | None) -> Pulled:
    """Read the newest version that the port accepts, and keep it from being pruned. Raises PullFailed and AccessRefused."""
    upstream = port.upstream
    if upstream is None:
        raise PullFailed("the product that it reads cannot be read now")
    shelves = former_shelf(context.state, upstream.domain, upstream.product, upstream.former_products)
    try:
        decision = consumer_standing(upstream, context.product, context.grants, context.now)
    except AccessUnknown as error:
        raise PullFailed(str(error)) from error
    publication = shelves.newest_within(VersionRange.parse(upstream.version), upstream.port)
    if publication is None and upstream.offers is not None and upstream.offers.retired is not None:
        raise PullFailed(f"{upstream.product} {upstream.offers.retired}")
    if publication is None:
        within = f" within {upstream.version}" if upstream.version != "*" else ""
        raise PullFailed(f"{upstream.product} has not published a version{within} of its port {upstream.port} yet")
    try:
        version = received(upstream, publication, decision, former)
    except AccessUnknown as error:
        raise PullFailed(str(error)) from error
    consumer, relation = f"{context.product.name}.{port.name}", Relation("inputs", port.name)
    # Both versions are pinned until the view has moved from one to the other, so that a kill in between leaves neither to pruning.
    shelves.pin(f"{consumer}.next", publication.id)
    try:
        with database.transaction():
            _keep_contract(upstream, publication, _read_columns(database, relation, shelves, version), decision)
            known = version.known_until(publication.published_at)
            record = {
                "product": upstream.product,
                "port": upstream.port,
                "version": publication.id,
                "product_version": version.version or publication.product_version,
                "watermark": known.isoformat() if known is not None else None,
                **view_record(upstream, decision),
            }
            changed = former is None or any(former.get(part, "") != record.get(part, "") for part in ("version", VIEW))
            pulled = recorded(database, port, context, record, changed)
        # What another machine that refreshes the consumer by now has pinned is its own.
        shelf(context.state, context.product.domain, context.product.name).confirm()
        shelves.pin(consumer, publication.id)
    finally:
        shelves.unpin(f"{consumer}.next")
    return pulled


def _read_columns(database: ProductDatabase, relation: Relation, shelves: Versions, version: PortVersion) -> Mapping[str, str]:
    """Point the relation at what was published, and give the columns that it is really read with."""
    try:
        database.point_at(relation, shelves.where(version))
        return database.columns(relation, version.columns)
    except (OSError, EngineError) as error:
        raise PullFailed(f"the published files cannot be read: {str(error).splitlines()[0]}") from error


def read_here(database: ProductDatabase, port: InputPlan, context: PullContext) -> None:
    """Have what was pulled last read from files of this state: a database of another machine, or of a backup, names those there."""
    relation, upstream = Relation("inputs", port.name), port.upstream
    sql = database.view_sql(relation)
    if upstream is None or not sql:
        return
    shelves = former_shelf(context.state, upstream.domain, upstream.product, upstream.former_products)
    for version in (version for publication in shelves.published() for version in publication.ports):
        for part in (part for part in version.parts if any(f"/{file}'" in sql for file in part.files)):
            database.point_at(relation, shelves.where(part))


def _keep_contract(upstream: Upstream, publication: Publication, columns: Mapping[str, str], decision: ReaderStanding) -> None:
    """What is read must have every promised column that this reader sees, with its type; more columns are no breach."""
    promised = seen_columns(upstream, decision)
    breach = broken_contracts.breach(publication.id, upstream.product, promised, columns)
    if breach:
        raise PullFailed(breach, "contract")
