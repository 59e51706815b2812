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
from platform_resources.capabilities.protocols import (
    Extracted,
    Extraction,
    NotPulled,
    PullExtractor,
    PullFiles,
    PullPort,
    PullRows,
    PullShared,
)
from platform_resources.capabilities.support.recency import of_files, of_pull
from platform_resources.deliveries.arrivals import NotArrived
from platform_resources.incidents import broken_contracts
from platform_resources.plan import conventions
from platform_resources.plan.plan import InputPlan, ProductPlan, Upstream
from platform_resources.publications.former_folders import former_shelf
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions
from platform_resources.redaction.captured_output import hiding_output
from platform_resources.redaction.redaction import Hide
from platform_resources.refresh.built import drop_made_from
from platform_resources.refresh.sources.file_inputs import load_files
from platform_resources.refresh.sources.kept_contracts import (
    BreaksContract,
    columns_before,
    contract_of,
    hidden_columns,
    keep_source_contract,
    refuse_lost_columns,
    with_contract,
)
from platform_resources.refresh.sources.quarantine import quarantine_text, quarantined_count
from platform_resources.refresh.sources.shared_pulls import BROUGHT, shared_rows
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

    @property
    def degraded(self) -> str:
        """Why not all of it is new and good; rows in quarantine keep no others back."""
        aside = QUARANTINED in self.record
        return "; ".join(reason for check, reason in self.failures.items() if check != "contract" or not aside)


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
# Of a record: how many rows of the input are in quarantine.
QUARANTINED = "quarantined"
# Of a cursor that records must not show: since when the extractor has returned the same.
SINCE = "cursor_since"
# The fields that say when and how a pull went, not what it brought.
_CIRCUMSTANCES = ("pulled_at", "failures", "watermark", "looks", "options", "grant", BROUGHT)


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
    except PullFailed as failure:
        error = PullFailed(context.hide(str(failure)), failure.check)
        database.remember(FAILURES, port.name, f"input port {port.name}: {error}")
        if not port.serve_last_good or former is None:
            raise PullFailed(f"input port {port.name}: {error}", error.check) from None
        return _kept(database, port, json.loads(former), error, context)
    _note_failures(database, pulled)
    if pulled.degraded and not port.serve_last_good:
        raise PullFailed(f"input port {port.name}: {pulled.degraded}", next(iter(pulled.failures)))
    return pulled


def note_mended(database: ProductDatabase, port: InputPlan, context: PullContext) -> Pulled:
    """Record that rows of the input have left its quarantine; it is as old as it was."""
    former = json.loads(database.remembered(PULLS)[port.name])
    kept = {key: value for key, value in former.items() if key != QUARANTINED}
    pulled = _recorded(database, port, context, kept, True, former.get(BROUGHT))
    _note_failures(database, pulled)
    return pulled


def _note_failures(database: ProductDatabase, pulled: Pulled) -> None:
    reason = f"input port {pulled.port}: {'; '.join(pulled.failures.values())}" if pulled.failures else ""
    database.remember(FAILURES, pulled.port, reason)


def _take_away(database: ProductDatabase, port: InputPlan, context: PullContext) -> None:
    """What may not be read any more is not read on: the relation, what was built from it, what is known of it, and the pin that keeps
    its version go."""
    drop_made_from(database, context.product, port)
    database.drop(Relation("inputs", port.name))
    database.forget(PULLS, port.name)
    database.forget(FAILURES, port.name)
    if port.upstream is not None:
        shelf(context.state, port.upstream.domain, port.upstream.product).unpin(f"{context.product.name}.{port.name}")


def _pulled_at(record: Mapping[str, Any], clock: Clock) -> str:
    """` of Sat 31 Jan, 05:00 UTC`, for people; empty where it is not known."""
    moment = record.get("pulled_at")
    return f" of {clock.moment(datetime.fromisoformat(moment))}" if isinstance(moment, str) else ""


def _kept(database: ProductDatabase, port: InputPlan, former: Mapping[str, Any], error: PullFailed, context: PullContext) -> Pulled:
    """The last good pull goes on being served, and ages."""
    relation, clock = Relation("inputs", port.name), context.clock
    served = f"{error}; the last good one{_pulled_at(former, clock)} is served"
    try:
        rows, aside = database.count(relation), quarantined_count(database, port.name)
        failures = {**_stale(port, former, clock), **_set_aside(database, port, context, rows, aside), error.check: served}
        return Pulled(port.name, former, False, database.columns(relation), rows, failures)
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
        case PullShared():
            return _take_shared(database, port, port.pull, context, former)
        case NotPulled():
            raise PullFailed("the port is only described; the platform does not load it")
        case _:
            assert_never(port.pull)


def _recorded(
    database: ProductDatabase, port: InputPlan, context: PullContext, record: dict[str, Any], changed: bool, brought: int | None = None
) -> Pulled:
    """Note the pull. `brought` is how many rows it delivered, all of them if left out; where nothing has changed, what it was goes on."""
    relation = Relation("inputs", port.name)
    columns, rows = database.columns(relation), database.count(relation)
    aside = quarantined_count(database, port.name) if port.set_aside else 0
    whole = {"interface": port.interface, "pulled_at": context.now.isoformat(), **record, "rows": rows}
    whole |= {QUARANTINED: aside} if aside else {}
    whole |= {BROUGHT: rows if brought is None else brought} if changed else _brought_before(database, port)
    database.remember(PULLS, port.name, json.dumps(whole, sort_keys=True))
    failures = {**_stale(port, whole, context.clock), **_set_aside(database, port, context, rows, aside)}
    return Pulled(port.name, whole, changed, columns, rows, failures)


def _brought_before(database: ProductDatabase, port: InputPlan) -> dict[str, int]:
    former = json.loads(database.remembered(PULLS).get(port.name, "{}"))
    return {BROUGHT: former[BROUGHT]} if BROUGHT in former else {}


def _set_aside(database: ProductDatabase, port: InputPlan, context: PullContext, rows: int, aside: int) -> dict[str, str]:
    """What the check `contract` says of rows in quarantine."""
    if not aside:
        return {}
    hidden = hidden_columns(context.product, port)
    return {"contract": quarantine_text(database, context.product.name, port, aside, rows, hidden)}


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
    shelves = former_shelf(context.state, upstream.domain, upstream.product, upstream.former_products)
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
                "product_version": version.version or publication.product_version,
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
        return database.columns(relation, version.columns)
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
            wanted = with_contract(port, pull_files)
            relation = Relation("inputs", port.name)
            grows = pull_files.load == "append" and former is not None and database.exists(relation)
            before = database.count(relation) if grows else 0
            kept = [context.state / name for name in conventions.KEPT_FOLDERS]
            loaded = load_files(database, relation, wanted, context.folder, context.clock, former, kept)
            keep_source_contract(database, port)
            brought = max(database.count(relation) - before, 0)
            pulled = _recorded(database, port, context, loaded.record, loaded.changed, brought)
    except NotArrived as error:
        raise PullFailed(str(error)) from error
    except LoadFailed as error:
        raise _not_loaded("the files could not be loaded", error, port, context) from error
    except BreaksContract as error:
        raise PullFailed(str(error), "contract") from error
    except OSError as error:
        raise PullFailed(f"the files could not be loaded: {error}") from error
    return replace(pulled, failures={**pulled.failures, "arrived": loaded.missing}) if loaded.missing else pulled


def _not_loaded(what: str, error: LoadFailed, port: InputPlan, context: PullContext) -> PullFailed:
    columns = set(map(folded_column, error.column.split(", ")))
    reason = error.without_value() if columns & hidden_columns(context.product, port) else str(error)
    promised = {folded_column(column.name) for column in port.columns}
    return PullFailed(f"{what}: {reason}", "contract" if columns & promised else "arrived")


def _extract(
    database: ProductDatabase, port: InputPlan, source: PullExtractor | PullRows, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    cursor = _last_cursor(database, port, former)
    options, named = (source.options, {"extractor": source.extractor}) if isinstance(source, PullExtractor) else ({}, {})
    before = columns_before(database, port) if former is not None and isinstance(source, PullRows) else {}
    with database.transaction():
        extraction = Extraction(database.connection, context.as_of, options, cursor, context.folder, port.name)
        with hiding_output(context.hide):
            extracted = _try_extract(port.interface, source, extraction)
        _load_extracted(database, port, source, extracted.data, context, before)
        since = former.get(SINCE) if former is not None and extracted.cursor == cursor else None
        noted = _noted_cursor(database, port, context, extracted.cursor, since)
        record = {**named, "as_of": context.as_of.isoformat(), **noted}
        return _recorded(database, port, context, record, True, extracted.brought)


def _take_shared(
    database: ProductDatabase, port: InputPlan, source: PullShared, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    """What the domain's source has brought, as old as it was when it was pulled."""
    before = columns_before(database, port) if former is not None else {}
    try:
        shared = shared_rows(context.state, context.folder, source, context.now, context.as_of)
        with hiding_output(context.hide), shared as rows, database.transaction():
            _load_extracted(database, port, source, database.connection.sql(rows.sql), context, before)
            noted = _noted_cursor(database, port, context, rows.record["cursor"], None)
            taken = {name: rows.record[name] for name in ("pull", "pulled_at")}
            changed = former is None or former.get("pull") != rows.record["pull"]
            record = {"source": f"{source.domain}.{source.source}", **taken, **noted}
            return _recorded(database, port, context, record, changed, rows.record.get(BROUGHT))
    except ExtractorFailed as error:
        raise PullFailed(f"source {source.source}: {error}") from error


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


def _load_extracted(
    database: ProductDatabase,
    port: InputPlan,
    source: PullExtractor | PullRows | PullShared,
    data: Any,
    context: PullContext,
    before: Mapping[str, str],
) -> None:
    title = f"extractor {source.extractor}" if isinstance(source, PullExtractor) else f"interface {port.interface}"
    what = f"what {title} returned cannot be loaded"
    try:
        database.load_data(Relation("inputs", port.name), data, contract_of(port), title)
        keep_source_contract(database, port)
        refuse_lost_columns(database, port, before)
    except BreaksContract as error:
        raise PullFailed(str(error), "contract" if port.columns else "arrived") from error
    except LoadFailed as error:
        raise _not_loaded(what, error, port, context) from error
    except Exception as error:
        raise PullFailed(f"{what}: {str(error).splitlines()[0]}") from error
