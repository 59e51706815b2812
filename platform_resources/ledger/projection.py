"""Turn one event into ledger records; a pure function."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.events import AssetObserved, Checked, Event, FreshnessChanged, Materialised, RunEnded, RunStarted
from platform_resources.ledger.records import (
    Check,
    CheckKind,
    CheckReading,
    ColumnProfiled,
    FreshnessState,
    InputState,
    PortPublication,
    Record,
    Run,
    Scorecard,
    asset_text,
    check_id,
)
from platform_resources.ledger.storable_text import storable
from platform_resources.plan.conventions import Key

LONGEST_TEXT = 4000
# What an evaluation says of a product follows from the ledger, and is none of its facts.
EVALUATED, HEALTH_KIND = "evaluated", "health"
NEVER = datetime.min.replace(tzinfo=UTC)
VERDICTS: Mapping[str, Verdict] = {"met": "met", "missed": "missed", "unknown": "unknown"}
CHECK_KINDS: Mapping[str, CheckKind] = {
    "objective": "objective",
    "dbt_test": "dbt_test",
    "input": "input",
    "indicator": "indicator",
    "imported": "imported",
}


def projected(event: Event) -> tuple[Record, ...]:
    """The records of one event; none where it concerns no port, scorecard, check, run or freshness state."""
    match event.what:
        case Materialised():
            return _materialised(event, event.what)
        case AssetObserved():
            return _published(event, event.what)
        case Checked(metadata=told):
            return _checked(event, event.what) if told.get("kind") != HEALTH_KIND else ()
        case RunStarted(product, job):
            return (Run(event.run_id, product, job, "started", event.at, None, "", "", event.log_id),)
        case RunEnded(status, product, job, step, reason, failures):
            named = text("\n".join(failures))
            return (Run(event.run_id, product, job, status, None, event.at, text(step), text(reason), event.log_id, named),)
        case FreshnessChanged(key, state, previous):
            return (FreshnessState(asset_text(key), event.at, state, previous, _product(key), event.run_id, event.log_id),)
        case _:
            assert_never(event.what)


def _materialised(event: Event, made: Materialised) -> tuple[Record, ...]:
    match made.key:
        case (_, "outputs", _):
            return _published(event, made)
        case (product, "inputs", port):
            return (_input_state(event, made, product, port),)
        case (product, "scorecard") if not made.metadata.get(EVALUATED):
            return (_scorecard(event, made.metadata, product),)
        case _:
            return ()


def _published(event: Event, made: Materialised | AssetObserved) -> tuple[Record, ...]:
    """A version of an output port, which is observed where its data is no newer than what was published before."""
    match made.key:
        case (product, "outputs", port) if made.metadata.get("version"):
            return (_publication(event, made, product, port), *_profiled(event, made, product))
        case _:
            return ()


def _publication(event: Event, made: Materialised | AssetObserved, product: str, port: str) -> PortPublication:
    """The platform's own time of publication counts where it is told: Dagster hears of it a moment later."""
    told = made.metadata
    return PortPublication(
        product=product,
        port=port,
        version=text(told["version"]),
        published_at=moment(told.get("published_at")) or event.at,
        product_version=text(told.get("product_version")),
        watermark=moment(told.get("watermark")),
        watermark_unknown=bool(told.get("watermark_unknown")),
        rows=_count(told.get("dagster/row_count")),
        bytes=_count(told.get("bytes")),
        columns=made.columns,
        run_id=event.run_id,
        log_id=event.log_id,
    )


def _profiled(event: Event, made: Materialised | AssetObserved, product: str) -> Iterator[ColumnProfiled]:
    """The profile of the version, one record for each column; what is no profile is passed over."""
    told = made.metadata.get("profile")
    profile = told if isinstance(told, dict) and isinstance(told.get("columns"), list) else {}
    for position, column in enumerate(profile.get("columns", ())):
        if isinstance(column, dict) and column.get("name"):
            yield ColumnProfiled(
                product=product,
                data_set=text(profile.get("data_set")),
                version=text(made.metadata["version"]),
                column_name=text(column["name"]),
                position=position,
                published_at=moment(made.metadata.get("published_at")) or event.at,
                profile=_storable(column),
                run_id=event.run_id,
                log_id=event.log_id,
            )


def _storable(value: Any) -> Any:
    """JSON whose texts every database takes."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(str(name)): _storable(item) for name, item in value.items()}
        case list():
            return [_storable(item) for item in value]
        case _:
            return value


def _input_state(event: Event, made: Materialised, product: str, port: str) -> InputState:
    told = made.metadata
    degraded = text(told.get("degraded"))
    return InputState(
        product=product,
        port=port,
        at=moment(told.get("measured_at")) or event.at,
        run_id=event.run_id,
        changed=bool(told.get("changed")),
        degraded="" if degraded == "no" else degraded,
        source_version=text(told.get("version") or told.get("cursor")),
        rows=_count(told.get("dagster/row_count")),
        columns=made.columns,
        log_id=event.log_id,
    )


def _scorecard(event: Event, told: Mapping[str, Any], product: str) -> Scorecard:
    numbers = {name: _count(told.get(name)) or 0 for name in ("objectives", "met", "missed", "unknown", "checks")}
    at = moment(told.get("measured_at")) or event.at
    return Scorecard(product=product, at=at, run_id=event.run_id, outcome=text(told.get("outcome")), log_id=event.log_id, **numbers)


def _checked(event: Event, checked: Checked) -> tuple[Record, ...]:
    told, number = checked.metadata, check_id(checked.key, checked.name)
    value, shown = _value(told.get("value"))
    reading = CheckReading(
        check_id=number,
        at=moment(told.get("measured_at")) or event.at,
        run_id=event.run_id,
        verdict=VERDICTS.get(str(told.get("verdict")), "met" if checked.passed else "missed"),
        value=value,
        shown=text(told.get("shown")) or shown,
        threshold=text(told.get("threshold")),
        failing_rows=_count(told.get("failing_rows")),
        reason=text(told.get("reason") or checked.description),
        log_id=event.log_id,
        unit=text(told.get("unit")),
        at_least=_value(told.get("at_least"))[0],
        at_most=_value(told.get("at_most"))[0],
        learning=told.get("learning") is True,
        severity=checked.severity,
    )
    return (_check(checked, number), reading)


def _check(checked: Checked, number: int) -> Check:
    told = checked.metadata
    dimension, title = text(told.get("dimension")), text(told.get("objective")) or text(checked.name)
    key, name = text(asset_text(checked.key)), text(checked.name)
    return Check(number, key, name, text(_product(checked.key)), _check_kind(checked), dimension, title)


def _check_kind(checked: Checked) -> CheckKind:
    """As told; evaluations that do not tell (of former platforms, of others) are known by what they carry."""
    told = CHECK_KINDS.get(str(checked.metadata.get("kind")))
    if told is not None:
        return told
    if "dimension" in checked.metadata:
        return "objective"
    match checked.key:
        case (_, "inputs", _):
            return "input"
        case _:
            return "dbt_test" if "failing_rows" in checked.metadata else "other"


def merged(one: Run, other: Run) -> Run:
    """What is known of a run from two of its events; neither their order nor how often each comes matters."""
    starts = [run.started_at for run in (one, other) if run.started_at is not None]
    return replace(
        max(one, other, key=_end),
        product=max(one.product, other.product),
        job=max(one.job, other.job),
        started_at=min(starts, default=None),
        log_id=max(one.log_id, other.log_id),
    )


def _end(run: Run) -> tuple[datetime, str, str, str, str]:
    """A run that was taken up again ends when it ended last."""
    return (run.ended_at or NEVER, run.status, run.failed_step, run.reason, run.failures)


def _product(key: Key) -> str:
    return key[0] if key else ""


def text(value: Any) -> str:
    """A value as text that every database takes, cut where it is very long."""
    return "" if value is None else storable(str(value)[:LONGEST_TEXT])


def moment(value: Any) -> datetime | None:
    """An ISO 8601 text as a time; None for what is none. Without a time zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _value(value: Any) -> tuple[float | None, str]:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value), ""
    return None, text(value)


def _count(value: Any) -> int | None:
    """A number of rows, bytes or checks; None for what is none or does not fit 63 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
