"""Pull an input port: by kind of source, and with the last good data if it fails."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import NotPulled, PullExtractor, PullFiles, PullPort, PullRows, PullShared
from platform_resources.deliveries.arrivals import NotArrived
from platform_resources.plan import conventions
from platform_resources.plan.port_plans import InputPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.built import drop_made_from
from platform_resources.refresh.sources.extracted_rows import extract, take_shared
from platform_resources.refresh.sources.file_inputs import load_files
from platform_resources.refresh.sources.kept_contracts import BreaksContract, keep_source_contract, with_contract
from platform_resources.refresh.sources.pinned_ports import pin, read_here
from platform_resources.refresh.sources.pull_records import (
    FAILURES,
    PULLS,
    QUARANTINED,
    PullContext,
    Pulled,
    PullFailed,
    failed_checks,
    not_loaded,
    note_failures,
    recorded,
)
from platform_resources.refresh.sources.quarantine import quarantined_count
from platform_resources.refresh.sources.shared_pulls import BROUGHT
from platform_resources.refresh.views.upstream_access import AccessRefused
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.engine_errors import LoadFailed
from platform_resources.warehouses.protocol import ProductDatabase


def pull(database: ProductDatabase, port: InputPlan, context: PullContext) -> Pulled:
    """Bring one input port up to date. Raises PullFailed when that fails and no last good one may be served.

    Days of the past are not made anew from what was good before: nobody would know that they were not.
    """
    former = database.remembered(PULLS).get(port.name)
    try:
        pulled = _pulled(database, port, context, json.loads(former) if former else None)
    except AccessRefused as refused:
        _take_away(database, port, context)
        raise PullFailed(f"input port {port.name}: {refused}") from None
    except PullFailed as failure:
        error = PullFailed(context.hide(str(failure)), failure.check)
        database.remember(FAILURES, port.name, f"input port {port.name}: {error}")
        if not port.serve_last_good or former is None or context.since is not None:
            raise PullFailed(f"input port {port.name}: {error}", error.check) from None
        return _kept(database, port, json.loads(former), error, context)
    note_failures(database, pulled)
    if pulled.degraded and not port.serve_last_good:
        raise PullFailed(f"input port {port.name}: {pulled.degraded}", next(iter(pulled.failures)))
    return pulled


def note_mended(database: ProductDatabase, port: InputPlan, context: PullContext) -> Pulled:
    """Record that rows of the input have left its quarantine; it is as old as it was."""
    former = json.loads(database.remembered(PULLS)[port.name])
    kept = {key: value for key, value in former.items() if key != QUARANTINED}
    pulled = recorded(database, port, context, kept, True, former.get(BROUGHT))
    note_failures(database, pulled)
    return pulled


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
        read_here(database, port, context)
        rows, aside = database.count(relation), quarantined_count(database, port.name)
        failures = {**failed_checks(database, port, context, former, rows, aside), error.check: served}
        return Pulled(port.name, former, False, database.columns(relation), rows, failures)
    except Exception as lost:
        message = f"input port {port.name}: {error}; the last good one cannot be read either: {str(lost).splitlines()[0]}"
        raise PullFailed(message, error.check) from lost


def _pulled(database: ProductDatabase, port: InputPlan, context: PullContext, former: Mapping[str, Any] | None) -> Pulled:
    match port.pull:
        case PullPort():
            return pin(database, port, context, former)
        case PullFiles():
            return _load_files(database, port, port.pull, context, former)
        case PullExtractor() | PullRows():
            return extract(database, port, port.pull, context, former)
        case PullShared():
            return take_shared(database, port, port.pull, context, former)
        case NotPulled():
            raise PullFailed("the port is only described; the platform does not load it")
        case _:
            assert_never(port.pull)


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
            pulled = recorded(database, port, context, loaded.record, loaded.changed, brought)
    except NotArrived as error:
        raise PullFailed(str(error)) from error
    except LoadFailed as error:
        raise not_loaded("the files could not be loaded", error, port, context) from error
    except BreaksContract as error:
        raise PullFailed(str(error), "contract") from error
    except OSError as error:
        raise PullFailed(f"the files could not be loaded: {error}") from error
    return replace(pulled, failures={**pulled.failures, "arrived": loaded.missing}) if loaded.missing else pulled
