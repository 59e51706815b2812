"""Pull an input port: by kind of source, with a record of the pull, and with the last good data if it fails."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, assert_never

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import ReaderStanding
from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Extracted, Extraction, NotPulled, PullExtractor, PullFiles, PullPort, PullRows
from platform_resources.capabilities.support.recency import of_files, of_pull
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.deliveries.arrivals import NotArrived
from platform_resources.incidents import broken_contracts
from platform_resources.plan.plan import InputPlan, ProductPlan, Upstream
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions
from platform_resources.redaction.captured_output import hiding_output
from platform_resources.redaction.redaction import Hide
from platform_resources.refresh.file_inputs import load_files
from platform_resources.refresh.views.upstream_access import (
    VIEW,
    AccessRefused,
    AccessUnknown,
    consumer_standing,
    received,
    seen_columns,
    view_record,
)
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.durations import duration_text, length_text
from platform_resources.spec.values.versions import VersionRange
from platform_resources.warehouses.extraction import ExtractorFailed, extracted, read_by
from platform_resources.warehouses.protocol import EngineError, LoadFailed, ProductDatabase


class PullFailed(Exception):
    """Raised when an input cannot be pulled; the text says why, for the owner. `check` is the input's check that fails."""

    def __init__(self, reason: str, check: str = "arrived") -> None:
        super().__init__(reason)
        self.check = check


@dataclass(frozen=True, slots=True)
class Pulled:
    """What an input port holds after a pull.

    `record` is what published versions cite: the upstream version, the cursor or the file set. `changed` says whether the data
    may differ from before; `failures` has a reason per failed check (`arrived`, `fresh`, `contract`).
    """

    port: str
    record: Mapping[str, Any]
    changed: bool
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PullContext:
    """Where and when a pull happens: the mesh's root, its state folder, the time, and the day asked for.

    `hide` takes the secrets out of what a source says. `grants` are those of the ledger, for other domains' ports.
    """

    root: Path
    state: Path
    now: datetime
    as_of: date
    product: ProductPlan
    hide: Hide
    grants: KnownGrants = field(default_factory=KnownGrants)

    @property
    def folder(self) -> Path:
        return (self.root / self.product.place.file).parent

    @property
    def clock(self) -> Clock:
        return Clock(self.product.zone, self.now)


PULLS, FAILURES, CURSORS = "pull", "pull failure", "cursor"
# Of a cursor that records must not show: since when the extractor has returned the same.
SINCE = "cursor_since"
# The fields that say when and how a pull went, not what it brought.
_CIRCUMSTANCES = ("pulled_at", "failures", "watermark", "looks", "options", "grant")


def substance(record: Mapping[str, Any]) -> dict[str, Any]:
    """A pull record without its circumstances: equal for equal data."""
    return {key: value for key, value in record.items() if key not in _CIRCUMSTANCES}


def pull(database: ProductDatabase, port: InputPlan, context: PullContext) -> Pulled:
    """Bring one input port up to date. Raises PullFailed when that fails and no last good one may be served."""
    former = database.remembered(PULLS).get(port.name)
    try:
        pulled = _pulled(database, port, context, json.loads(former) if former else None)
    except AccessRefused as refused:
        _take_away(database, port, context)
        raise PullFailed(f"input port {port.name}: {refused}") from None
    except PullFailed as found:
        error = PullFailed(context.hide(str(found)), found.check)
        database.remember(FAILURES, port.name, f"input port {port.name}: {error}")
        if not port.serve_last_good or former is None:
            raise PullFailed(f"input port {port.name}: {error}", error.check) from None
        return _kept(database, port, json.loads(former), error, context.clock)
    reason = f"input port {port.name}: {'; '.join(pulled.failures.values())}" if pulled.failures else ""
    database.remember(FAILURES, port.name, reason)
    if pulled.failures and not port.serve_last_good:
        raise PullFailed(reason, next(iter(pulled.failures)))
    return pulled


def _take_away(database: ProductDatabase, port: InputPlan, context: PullContext) -> None:
    """What may not be read any more is not read on: the relation, what is known of it, and the pin that keeps its version go."""
    database.drop(Relation("inputs", port.name))
    database.forget(PULLS, port.name)
    database.forget(FAILURES, port.name)
    if port.upstream is not None:
        shelf(context.state, port.upstream.domain, port.upstream.product).unpin(f"{context.product.name}.{port.name}")


def _pulled_at(record: Mapping[str, Any], clock: Clock) -> str:
    """` of Sat 31 Jan, 05:00 UTC`, for people; empty where it is not known."""
    told = record.get("pulled_at")
    return f" of {clock.moment(datetime.fromisoformat(told))}" if isinstance(told, str) else ""


def _kept(database: ProductDatabase, port: InputPlan, former: Mapping[str, Any], error: PullFailed, clock: Clock) -> Pulled:
    """The last good pull goes on being served, and ages."""
    relation = Relation("inputs", port.name)
    served = f"{error}; the last good one{_pulled_at(former, clock)} is served"
    failures = {**_stale(port, former, clock), error.check: served}
    try:
        return Pulled(port.name, former, False, database.columns(relation), database.count(relation), failures)
    except Exception as lost:
        message = f"input port {port.name}: {error}; the last good one cannot be read either: {str(lost).splitlines()[0]}"
        raise PullFailed(message, error.check) from lost


def _pulled(database: ProductDatabase, port: InputPlan, context: PullContext, former: Mapping[str, Any] | None) -> Pulled:
    match port.pull:
        case PullPort():
            return _pin(database, port, context, former)
        case PullFiles():
            return _load_files(database, port, port.pull, context, former)
        case PullExtractor() | PullRows():
            return _extract(database, port, port.pull, context, former)
        case NotPulled():
            raise PullFailed("the port is only described; the platform does not load it")
        case _:
            assert_never(port.pull)


def _recorded(database: ProductDatabase, port: InputPlan, context: PullContext, record: dict[str, Any], changed: bool) -> Pulled:
    relation = Relation("inputs", port.name)
    columns, rows = database.columns(relation), database.count(relation)
    whole = {"interface": port.interface, **record, "rows": rows, "pulled_at": context.now.isoformat()}
    database.remember(PULLS, port.name, json.dumps(whole, sort_keys=True))
    return Pulled(port.name, whole, changed, columns, rows, _stale(port, whole, context.clock))


def _stale(port: InputPlan, record: Mapping[str, Any], clock: Clock) -> dict[str, str]:
    """Data of an age that is not known is not fresh."""
    if port.max_staleness is None:
        return {}
    accepted = f"at most {duration_text(port.max_staleness)} is accepted"
    recency = of_files(record) if "files" in record else of_pull(record)
    if recency.at is None:
        return {"fresh": f"the age of its data is not known: {recency.unknown}; {accepted}"}
    age = clock.now - recency.at
    if age <= port.max_staleness:
        return {}
    return {"fresh": f"its data is {length_text(age)} old (as of {clock.moment(recency.at)}); {accepted}"}


def _pin(database: ProductDatabase, port: InputPlan, context: PullContext, former: Mapping[str, Any] | None) -> Pulled:
    upstream = port.upstream
    if upstream is None:
        raise PullFailed("the product that it reads cannot be read now")
    shelves = shelf(context.state, upstream.domain, upstream.product)
    try:
        decision = consumer_standing(upstream, context.product, context.grants, context.now)
    except AccessUnknown as error:
        raise PullFailed(str(error)) from error
    publication = shelves.newest_within(VersionRange.parse(upstream.version), upstream.port)
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
                "product_version": publication.product_version,
                "watermark": known.isoformat() if known is not None else None,
                **view_record(upstream, decision),
            }
            changed = former is None or any(former.get(part, "") != record.get(part, "") for part in ("version", VIEW))
            pulled = _recorded(database, port, context, record, changed)
        shelves.pin(consumer, publication.id)
    finally:
        shelves.unpin(f"{consumer}.next")
    return pulled


def _read_columns(database: ProductDatabase, relation: Relation, shelves: Versions, version: PortVersion) -> Mapping[str, str]:
    """Point the relation at what was published, and give the columns that it is really read with."""
    try:
        database.point_at(relation, shelves.where(version))
        return database.columns(relation)
    except (OSError, EngineError) as error:
        raise PullFailed(f"the published files cannot be read: {str(error).splitlines()[0]}") from error


def _keep_contract(upstream: Upstream, publication: Publication, columns: Mapping[str, str], decision: ReaderStanding) -> None:
    """What is read must have every promised column that this reader sees, with its type; more columns are no breach."""
    promised = seen_columns(upstream, decision)
    breach = broken_contracts.breach(publication.id, upstream.product, promised, columns)
    if breach:
        raise PullFailed(breach, "contract")


def _load_files(
    database: ProductDatabase, port: InputPlan, pull_files: PullFiles, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    try:
        with database.transaction():
            wanted = _with_promised_types(port, pull_files)
            loaded = load_files(database, Relation("inputs", port.name), wanted, context.folder, context.clock, former)
            _keep_source_contract(database, port)
            pulled = _recorded(database, port, context, loaded.record, loaded.changed)
    except NotArrived as error:
        raise PullFailed(str(error)) from error
    except LoadFailed as error:
        reason = error.without_value() if folded_column(error.column) in _hidden(context.product) else str(error)
        check = "contract" if folded_column(error.column) in map(folded_column, _promised(port)) else "arrived"
        raise PullFailed(f"the files could not be loaded: {reason}", check) from error
    except OSError as error:
        raise PullFailed(f"the files could not be loaded: {error}") from error
    return replace(pulled, failures={**pulled.failures, "arrived": loaded.missing}) if loaded.missing else pulled


def _promised(port: InputPlan) -> list[str]:
    return [column.name for column in port.columns]


def _with_promised_types(port: InputPlan, pull_files: PullFiles) -> PullFiles:
    """Text is read as the promised types at once, so that the first value that is none is told with its line."""
    if pull_files.format == "parquet" or not port.columns:
        return pull_files
    return replace(pull_files, types={column.name: column.type for column in port.columns})


def _keep_source_contract(database: ProductDatabase, port: InputPlan) -> None:
    """What was loaded must have every promised column, of its type, and filled where it must be; more columns are no breach."""
    if not port.columns:
        return
    relation = Relation("inputs", port.name)
    columns = database.columns(relation)
    there = set(map(folded_column, columns))
    required = [column.name for column in port.columns if not column.nullable and folded_column(column.name) in there]
    counts = ", ".join(f"count(*) - count({quoted(name)})" for name in required)
    empty = dict(zip(required, database.execute(f"select {counts} from {relation_sql(relation)}"), strict=True)) if required else {}
    breach = broken_contracts.source_breach(port.columns, columns, empty)
    if breach:
        raise PullFailed(breach, "contract")


def _hidden(product: ProductPlan) -> set[str]:
    """The columns of the product's data sets whose values not everybody may see; a column of an input has no class of its own."""
    columns = (column for data_set in product.data_sets for column in data_set.spec.columns)
    return {folded_column(column.name) for column in columns if not column.shown}


def _extract(
    database: ProductDatabase, port: InputPlan, source: PullExtractor | PullRows, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    cursor = _last_cursor(database, port, former)
    options, named = (source.options, {"extractor": source.extractor}) if isinstance(source, PullExtractor) else ({}, {})
    with database.transaction():
        extraction = Extraction(database.connection, context.as_of, options, cursor, context.folder)
        with hiding_output(context.hide):
            found = _try_extract(port.interface, source, extraction)
        _load_extracted(database, port, source, found.data)
        _keep_source_contract(database, port)
        since = former.get(SINCE) if former is not None and found.cursor == cursor else None
        noted = _noted_cursor(database, port, context, found.cursor, since)
        record = {**named, "as_of": context.as_of.isoformat(), **noted}
        return _recorded(database, port, context, record, True)


def _last_cursor(database: ProductDatabase, port: InputPlan, former: Mapping[str, Any] | None) -> Any:
    """What the last successful extraction returned, as it did."""
    if former is not None and SINCE in former:
        return json.loads(database.remembered(CURSORS)[port.name])
    return (former or {}).get("cursor")


def _noted_cursor(database: ProductDatabase, port: InputPlan, context: PullContext, cursor: Any, since: str | None) -> dict[str, Any]:
    """The cursor as records have it. One with a secret is kept in the product's own database alone; `since` tells whether it changed."""
    text = cursor if isinstance(cursor, str) else json.dumps(cursor)
    shown = context.hide(text)
    if shown == text:
        database.forget(CURSORS, port.name)
        return {"cursor": cursor}
    database.remember(CURSORS, port.name, json.dumps(cursor))
    return {"cursor": shown, SINCE: since or context.now.isoformat()}


def _try_extract(interface: str, source: PullExtractor | PullRows, extraction: Extraction) -> Extracted:
    try:
        if isinstance(source, PullRows):
            return read_by(interface, source.reader, extraction)
        return extracted(source.extractor, extraction)
    except ExtractorFailed as error:
        raise PullFailed(str(error)) from error


def _load_extracted(database: ProductDatabase, port: InputPlan, source: PullExtractor | PullRows, data: Any) -> None:
    try:
        database.load_data(Relation("inputs", port.name), data)
    except Exception as error:
        title = f"extractor {source.extractor}" if isinstance(source, PullExtractor) else f"interface {port.interface}"
        raise PullFailed(f"what {title} returned cannot be loaded: {str(error).splitlines()[0]}") from error
