"""Turn one event into ledger records; a pure function."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from platform_resources.ledger.columns import storable
from platform_resources.ledger.events import AssetObserved, Checked, Event, FreshnessChanged, Materialised, RunEnded, RunStarted
from platform_resources.ledger.payload import CheckSaid, PublicationSaid, PullSaid, ScorecardSaid, from_metadata, moment, text
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
from platform_resources.plan.conventions import Key

# How a product is follows from the ledger, and is none of its facts.
HEALTH_KIND = "health"
NEVER = datetime.min.replace(tzinfo=UTC)
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
        case Checked(metadata=metadata):
            return _checked(event, event.what) if metadata.get("kind") != HEALTH_KIND else ()
        case RunStarted(product, job):
            return (Run(event.run_id, product, job, "started", event.at, None, "", "", event.log_id),)
        case RunEnded(status, product, job, step, reason, failures, closed):
            named = text("\n".join(failures))
            return (Run(event.run_id, product, job, status, None, event.at, text(step), text(reason), event.log_id, named, closed),)
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
        case (product, "scorecard"):
            said = from_metadata(ScorecardSaid, made.metadata)
            return () if said.evaluated else (_scorecard(event, said, product),)
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
    said = from_metadata(PublicationSaid, made.metadata)
    return PortPublication(
        product=product,
        port=port,
        version=said.version,
        published_at=said.published_at or event.at,
        product_version=said.product_version,
        watermark=said.watermark,
        watermark_unknown=bool(said.watermark_unknown),
        rows=said.rows,
        bytes=said.bytes,
        columns=made.columns,
        run_id=event.run_id,
        log_id=event.log_id,
    )


def _profiled(event: Event, made: Materialised | AssetObserved, product: str) -> Iterator[ColumnProfiled]:
    """The profile of the version, one record for each column; what is no profile is passed over."""
    metadata = made.metadata.get("profile")
    profile = metadata if isinstance(metadata, dict) and isinstance(metadata.get("columns"), list) else {}
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
    said = from_metadata(PullSaid, made.metadata)
    return InputState(
        product=product,
        port=port,
        at=said.measured_at or event.at,
        run_id=event.run_id,
        changed=bool(said.changed),
        degraded=said.degraded,
        source_version=said.version or said.cursor,
        rows=said.rows,
        columns=made.columns,
        log_id=event.log_id,
    )


def _scorecard(event: Event, said: ScorecardSaid, product: str) -> Scorecard:
    return Scorecard(
        product=product,
        at=said.measured_at or event.at,
        run_id=event.run_id,
        outcome=said.outcome,
        objectives=said.objectives or 0,
        met=said.met or 0,
        missed=said.missed or 0,
        unknown=said.unknown or 0,
        checks=said.checks or 0,
        log_id=event.log_id,
        held_back=said.held_back,
    )


def _checked(event: Event, checked: Checked) -> tuple[Record, ...]:
    said, check = from_metadata(CheckSaid, checked.metadata), check_id(checked.key, checked.name)
    reading = CheckReading(
        check_id=check,
        at=said.measured_at or event.at,
        run_id=event.run_id,
        verdict=said.verdict or ("met" if checked.passed else "missed"),
        value=said.value if isinstance(said.value, float) else None,
        shown=said.shown or (said.value if isinstance(said.value, str) else ""),
        threshold=said.threshold,
        failing_rows=said.failing_rows,
        reason=said.reason or text(checked.description),
        log_id=event.log_id,
        unit=said.unit,
        at_least=said.at_least,
        at_most=said.at_most,
        learning=said.learning,
        severity=checked.severity,
    )
    key, name = text(asset_text(checked.key)), text(checked.name)
    return Check(check, key, name, text(_product(checked.key)), _check_kind(checked), said.dimension, said.title or name), reading


def _check_kind(checked: Checked) -> CheckKind:
    """As told; evaluations that do not tell (of former platforms, of others) are known by what they carry."""
    kind = CHECK_KINDS.get(str(checked.metadata.get("kind")))
    if kind is not None:
        return kind
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
