"""Compute the state of a product's indicators from the ledger's records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from platform_resources.ledger import tables
from platform_resources.ledger.made_up import real
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import InputState, PortPublication, check_id
from platform_resources.plan.check_plans import IndicatorPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises import fresh_time, kept_time
from platform_resources.promises.attainment import Attainment, attainment, budget_alerts
from platform_resources.promises.burn import BurnAlert, burn_alerts
from platform_resources.promises.exclusions import ExcludedPeriod, exclusion
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import DAY, Slice, Window, window_slices


@dataclass(frozen=True, slots=True)
class Standing:
    """One indicator now: in which share of its window the promise was kept, what is left of its budget, and which alerts are due.

    `budget_alerts` are levels in percent; they are for slices too coarse for burn rates. `next_deadline` is when something must have
    happened so that the promise is kept.
    """

    indicator: IndicatorPlan
    slices: tuple[Slice, ...]
    attainment: Attainment
    budget_alerts: tuple[int, ...]
    burn_alerts: tuple[BurnAlert, ...]
    next_deadline: datetime | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What one product's indicators are judged by."""

    since: datetime | None
    publications: Sequence[PortPublication]
    missing_inputs: Sequence[Period]
    made_up: bool


def standings(connection: Connection, product: ProductPlan, now: datetime, made_up: bool = False) -> tuple[Standing, ...]:
    """Every indicator of the product at `now`. The ledger must be synced before. `made_up`: history that is made up counts too."""
    if not product.indicators:
        return ()
    begin = now - 2 * max(indicator.spec.window + indicator.spec.interval for indicator in product.indicators)
    published = history.publications(connection, product.name, begin, now, made_up)
    pulled = history.input_states(connection, product.name, begin, now)
    since = _first_publication(connection, product.name, made_up)
    remembered = _Remembered(since, published, tuple(_missing_inputs(pulled, now)), made_up)
    return tuple(_standing(connection, indicator, remembered, now) for indicator in product.indicators)


def _first_publication(connection: Connection, product: str, made_up: bool) -> datetime | None:
    table = tables.publications
    query = select(func.min(table.c.published_at)).where(table.c.product == product)
    return connection.execute(query if made_up else query.where(real(table.c.run_id))).scalar()


def _missing_inputs(states: Sequence[InputState], now: datetime) -> Iterator[Period]:
    """When an input port was served from its last good data because it did not come."""
    by_port: dict[str, list[InputState]] = {}
    for state in states:
        by_port.setdefault(state.port, []).append(state)
    for ordered in by_port.values():
        for state, following in zip(ordered, [*ordered[1:], None], strict=True):
            if state.degraded:
                yield Period(state.at, following.at if following is not None else now)


def _standing(connection: Connection, indicator: IndicatorPlan, remembered: _Remembered, now: datetime) -> Standing:
    spec = indicator.spec
    window = Window(spec.window, spec.interval, ZoneInfo(spec.timezone))
    exclusions = [exclusion(written, ZoneInfo(spec.timezone)) for written in spec.exclusions]
    slices = window_slices(window, now, remembered.since)
    if indicator.max_age is not None:
        judged, deadline = _fresh(indicator, indicator.max_age, window, slices, remembered, exclusions, now)
    else:
        judged, deadline = _held(connection, indicator, slices, remembered, exclusions, now), None
    reached = attainment(judged, spec.target, spec.method, spec.slice_target)
    burning = burn_alerts(judged, window, spec.target, spec.method, spec.slice_target) if spec.target is not None else ()
    levels = budget_alerts(reached.budget) if reached.budget is not None and not burning else ()
    return Standing(indicator, judged, reached, levels, burning, deadline or reached.next_deadline)


def _fresh(
    indicator: IndicatorPlan,
    max_age: timedelta,
    window: Window,
    slices: Sequence[Slice],
    remembered: _Remembered,
    exclusions: Sequence[ExcludedPeriod],
    now: datetime,
) -> tuple[tuple[Slice, ...], datetime | None]:
    """The deadline form for whole days that are good or bad; otherwise the share of time. From publication events, never polled."""
    spec = indicator.spec
    versions: Mapping[str, PortPublication] = {p.version: p for p in remembered.publications if p.port in indicator.ports}
    events = [fresh_time.DatedVersion(version.published_at, version.watermark, version.watermark_unknown) for version in versions.values()]
    if spec.method == "timeslices" and not spec.interval % DAY:
        due_after = spec.due_after or timedelta()
        judged = fresh_time.by_deadline(slices, window, events, max_age, now, due_after, exclusions)
        return judged, fresh_time.next_deadline(window, events, max_age, now, due_after)
    return fresh_time.time_weighted(slices, events, max_age, now, exclusions), fresh_time.goes_stale(events, max_age, now)


def _held(
    connection: Connection,
    indicator: IndicatorPlan,
    slices: Sequence[Slice],
    remembered: _Remembered,
    exclusions: Sequence[ExcludedPeriod],
    now: datetime,
) -> tuple[Slice, ...]:
    spec = indicator.spec
    number = check_id(indicator.objective.key, indicator.objective.name)
    found = history.verdicts(connection, number, now - 2 * (spec.window + spec.interval), now, remembered.made_up)
    readings = [kept_time.DatedVerdict(at, verdict) for at, verdict in found]
    return kept_time.by_readings(
        slices, readings, now, spec.interval, spec.tolerance, remembered.missing_inputs, exclusions, spec.final_after
    )
