"""Load rows from an extractor, an interface's reader or a shared source, and record how far they were read."""

import json
from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Extracted, Extraction, PullExtractor, PullRows, PullShared
from platform_resources.plan.port_plans import InputPlan
from platform_resources.redaction.captured_output import hiding_output
from platform_resources.refresh.sources.kept_contracts import (
    BreaksContract,
    columns_before,
    contract_of,
    keep_source_contract,
    refuse_lost_columns,
)
from platform_resources.refresh.sources.pull_records import CURSORS, SINCE, PullContext, Pulled, PullFailed, not_loaded, recorded
from platform_resources.refresh.sources.shared_pulls import BROUGHT, shared_rows
from platform_resources.warehouses.engine_errors import LoadFailed
from platform_resources.warehouses.extraction import ExtractorFailed, extracted, read_by
from platform_resources.warehouses.protocol import ProductDatabase


def extract(
    database: ProductDatabase, port: InputPlan, source: PullExtractor | PullRows, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    """Load what an extractor or an interface's reader returns, from where it stopped last. Raises PullFailed."""
    cursor = _last_cursor(database, port, former)
    options, named = (source.options, {"extractor": source.extractor}) if isinstance(source, PullExtractor) else ({}, {})
    before = columns_before(database, port) if former is not None and isinstance(source, PullRows) else {}
    with database.keeping(port.name), database.transaction():
        replay = context.replay.get(port.name)
        given = _asked_cursor(replay, cursor) if replay is not None and isinstance(source, PullExtractor) else cursor
        promised = {column.source_name: column.type for column in port.columns}
        extraction = Extraction(
            database.connection, context.as_of, options, given, context.folder, port.name, replay, promised, context.since
        )
        with hiding_output(context.hide):
            extracted = _try_extract(port.interface, source, extraction)
        _load_extracted(database, port, source, extracted.data, context, before)
        since = former.get(SINCE) if former is not None and extracted.cursor == cursor else None
        noted = _noted_cursor(database, port, context, extracted.cursor, since)
        record = {**named, "as_of": context.as_of.isoformat(), **noted}
        return recorded(database, port, context, record, True, extracted.brought)


def take_shared(
    database: ProductDatabase, port: InputPlan, source: PullShared, context: PullContext, former: Mapping[str, Any] | None
) -> Pulled:
    """What the domain's source has brought, as old as it was when it was pulled."""
    before = columns_before(database, port) if former is not None else {}
    try:
        replay = context.replay.get(port.name)
        named = f"{source.domain}.{source.source}"
        known = former["pulled_at"] if former is not None and former.get("source") == named else ""
        shared = shared_rows(context.state, context.folder, source, context.now, context.as_of, replay, known)
        with hiding_output(context.hide), shared as rows, database.transaction():
            _load_extracted(database, port, source, database.connection.sql(rows.sql), context, before)
            noted = _noted_cursor(database, port, context, rows.record["cursor"], None)
            taken = {name: rows.record[name] for name in ("pull", "pulled_at")}
            changed = former is None or former.get("pull") != rows.record["pull"]
            record = {"source": named, **taken, **noted}
            return recorded(database, port, context, record, changed, rows.record.get(BROUGHT))
    except ExtractorFailed as error:
        raise PullFailed(f"source {source.source}: {error}") from error


def _last_cursor(database: ProductDatabase, port: InputPlan, former: Mapping[str, Any] | None) -> Any:
    """What the last successful extraction returned, as it did."""
    if former is not None and SINCE in former:
        return json.loads(database.remembered(CURSORS)[port.name])
    return (former or {}).get("cursor")


def _asked_cursor(replay: str, last: Any) -> Any:
    """The cursor that a person has typed, as the extractor returns it: a text, or what it is as JSON."""
    try:
        return replay if isinstance(last, str) else json.loads(replay)
    except ValueError:
        return replay


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
        raise not_loaded(what, error, port, context) from error
    except Exception as error:
        raise PullFailed(f"{what}: {str(error).splitlines()[0]}") from error
