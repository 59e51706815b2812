"""Compute the state of a product's indicators from the ledger's records, anew or added to what was judged before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger import tables
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.made_up import real
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import InputState, PortPublication, check_id
from platform_resources.plan.check_plans import IndicatorPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises import fresh_time, kept_time
from platform_resources.promises.attainment import Attainment, attainment, budget_alerts
from platform_resources.promises.burn import BurnAlert, burn_alerts
from platform_resources.promises.exclusions import ExcludedPeriod, excluded_time, exclusion, is_covered
from platform_resources.promises.periods import ZERO, Period
from platform_resources.promises.slices import DAY, Slice, Window, window_slices
from platform_resources.spec.values.calendar_windows import longest, usual
from platform_resources.spec.values.deadlines import Deadlines, MaxAge, reach

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """One indicator now: in which share of its window the promise was kept, what is left of its budget, and which alerts are due.

    `budget_alerts` are levels in percent; they are for slices too coarse for burn rates. `next_deadline` is when something must have
    happened so that the promise is kept. Until `holds_until` it stays as it is, unless something is written.
    """

    indicator: IndicatorPlan
    slices: Sequence[Slice]
    attainment: Attainment
    budget_alerts: tuple[int, ...]
    burn_alerts: tuple[BurnAlert, ...]
    next_deadline: datetime | None
    holds_until: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class IndicatorEvidence:
    """What the indicators of one product are judged by. What is stamped later than a moment has not happened for it.

    `verdicts` are those of each watched check, by its number, oldest first.
    """

    since: datetime | None
    publications: Sequence[PortPublication]
    input_states: Sequence[InputState]
    verdicts: Mapping[int, Sequence[tuple[datetime, Verdict]]]


@dataclass(frozen=True, slots=True)
class JudgedBefore:
    """How indicators stood `at` a moment, and by what."""

    at: datetime
    evidence: IndicatorEvidence
    standings: tuple[Standing, ...]


def standings(connection: Connection, product: ProductPlan, now: datetime, made_up: bool = False) -> tuple[Standing, ...]:
    """Every indicator of the product at `now`. The ledger must be synced before. `made_up`: history that is made up counts too."""
    return judged(product, indicator_evidence(connection, product, now, made_up), now)


def indicator_evidence(connection: Connection, product: ProductPlan, now: datetime, made_up: bool = False) -> IndicatorEvidence:
    """What indicators are judged by, from so long before `now` that whole windows are covered, also later while nothing is written."""
    if not product.indicators:
        return IndicatorEvidence(None, (), (), {})
    reaching = max(
        max(longest(indicator.spec.window) + indicator.spec.interval, reach(indicator.max_age or ZERO)) for indicator in product.indicators
    )
    # From a mark that stays for a while, so that what is read now can be compared with what was read before.
    begin = EPOCH + (now - 2 * reaching - EPOCH) // reaching * reaching
    watched = {_objective(indicator) for indicator in product.indicators if indicator.max_age is None}
    return IndicatorEvidence(
        _first_publication(connection, product.name, made_up),
        history.publications(connection, product.name, begin, FOREVER, made_up),
        history.input_states(connection, product.name, begin, FOREVER),
        {check: history.verdicts(connection, check, begin, FOREVER, made_up) for check in sorted(watched)},
    )


def _objective(indicator: IndicatorPlan) -> int:
    return check_id(indicator.objective.key, indicator.objective.name)


def _first_publication(connection: Connection, product: str, made_up: bool) -> datetime | None:
    table = tables.publications
    query = select(func.min(table.c.published_at)).where(table.c.product == product)
    return connection.execute(query if made_up else query.where(real(table.c.run_id))).scalar()


def judged(product: ProductPlan, evidence: IndicatorEvidence, now: datetime, before: JudgedBefore | None = None) -> tuple[Standing, ...]:
    """Every indicator of the product at `now`: what cannot have changed since it was judged `before` is taken over."""
    known = {standing.indicator.check.name: standing for standing in before.standings} if before is not None and before.at <= now else {}
    standings = []
    for indicator in product.indicators:
        earlier = known.get(indicator.check.name)
        if before is None or earlier is None or earlier.indicator != indicator or before.evidence.since != evidence.since:
            standings.append(_standing(indicator, evidence, now, (), EPOCH))
            continue
        changed_at = _first_difference(indicator, before.evidence, evidence)
        same = changed_at == FOREVER and now < earlier.holds_until
        standings.append(earlier if same else _standing(indicator, evidence, now, earlier.slices, min(before.at, changed_at)))
    return tuple(standings)


def _first_difference(indicator: IndicatorPlan, before: IndicatorEvidence, after: IndicatorEvidence) -> datetime:
    """The earliest moment of what is in one of them only; FOREVER if there is nothing."""
    if before is after:
        return FOREVER
    check = _objective(indicator)
    pairs: tuple[tuple[Sequence[Any], Sequence[Any]], ...] = (
        (
            [(version.published_at, version) for version in before.publications],
            [(version.published_at, version) for version in after.publications],
        ),
        ([(state.at, state) for state in before.input_states], [(state.at, state) for state in after.input_states]),
        (before.verdicts.get(check, ()), after.verdicts.get(check, ())),
    )
    return min(_parting(one, other) for one, other in pairs)


def _parting(one: Sequence[tuple[datetime, Any]], other: Sequence[tuple[datetime, Any]]) -> datetime:
    if one == other:
        return FOREVER
    first, second = next((a, b) for a, b in zip_longest(one, other) if a != b)
    return min(entry[0] for entry in (first, second) if entry is not None)


def _missing_inputs(states: Sequence[InputState], now: datetime) -> Iterator[Period]:
    """When an input port was served from its last good data because it did not come."""
    by_port: dict[str, list[InputState]] = {}
    for state in states:
        if state.at < now:
            by_port.setdefault(state.port, []).append(state)
    for ordered in by_port.values():
        for state, following in zip(ordered, [*ordered[1:], None], strict=True):
            if state.degraded:
                yield Period(state.at, following.at if following is not None else now)


def _standing(
    indicator: IndicatorPlan, evidence: IndicatorEvidence, now: datetime, before: Sequence[Slice], settled_at: datetime
) -> Standing:
    """`before` are slices that were judged earlier; those that nothing after `settled_at` can change are taken over."""
    spec = indicator.spec
    period = None if isinstance(spec.window, timedelta) else spec.window
    window = Window(usual(spec.window), spec.interval, ZoneInfo(spec.timezone), period)
    exclusions = [exclusion(written, ZoneInfo(spec.timezone)) for written in spec.exclusions]
    # A local day may be an hour longer than that of the clock by which delays are counted.
    reach = max(_delays(indicator)) + (DAY if window.by_calendar else ZERO)
    begin = window._bound(window.first_index(now))
    kept = tuple(one for one in before if one.end > begin and one.end + reach < settled_at)
    slices = window_slices(window, now, evidence.since, kept[-1].end if kept else None)
    if indicator.max_age is not None:
        new, deadline = _fresh(indicator, indicator.max_age, window, slices, evidence, exclusions, now)
    else:
        new, deadline = _held(indicator, slices, evidence, exclusions, now), None
    all_slices = (*kept, *new)
    coming = _coming(indicator, window, exclusions, all_slices, now)
    reached = attainment(all_slices, spec.target, spec.method, spec.slice_target, coming)
    burning = burn_alerts(all_slices, window, spec.target, spec.method, spec.slice_target) if spec.target is not None else ()
    levels = budget_alerts(reached.budget) if reached.budget is not None and not burning else ()
    holds_until = _holds_until(indicator, evidence, new, now)
    if deadline is not None and deadline > now:
        holds_until = min(holds_until, deadline)
    return Standing(indicator, all_slices, reached, levels, burning, deadline or reached.next_deadline, holds_until)


def _coming(indicator: IndicatorPlan, window: Window, exclusions: Sequence[ExcludedPeriod], slices: Sequence[Slice], now: datetime) -> int:
    """How many slices of a month or a quarter are still to be judged, with those that have ended and are not due yet."""
    if window.period is None:
        return 0
    left_out, age = excluded_time(exclusions), indicator.max_age
    counted = (one for one in window.coming(now) if not is_covered(one, left_out))
    not_due_yet = sum(one.state == "pending" and one.end <= now for one in slices)
    return not_due_yet + sum(not isinstance(age, Deadlines) or bool(fresh_time.due_in(one, age, left_out)) for one in counted)


def _delays(indicator: IndicatorPlan) -> tuple[timedelta, ...]:
    """How long after its end a slice may turn by the clock alone, or by what came late."""
    spec = indicator.spec
    return tuple({spec.due_after or ZERO, spec.tolerance or ZERO, spec.final_after or ZERO})


def _holds_until(indicator: IndicatorPlan, evidence: IndicatorEvidence, slices: Sequence[Slice], now: datetime) -> datetime:
    """The next moment at which the clock alone may change something; `now` where that is not worth reckoning."""
    if indicator.spec.due_after or not slices:
        return now
    ends = (one.end + delay for one in slices for delay in (ZERO, *_delays(indicator)))
    stamped = (
        *(version.published_at for version in evidence.publications),
        *(state.at for state in evidence.input_states),
        *(at for at, _ in evidence.verdicts.get(_objective(indicator), ())),
    )
    return min(moment for moment in (*ends, *stamped, FOREVER) if moment > now)


def _fresh(
    indicator: IndicatorPlan,
    max_age: MaxAge,
    window: Window,
    slices: Sequence[Slice],
    evidence: IndicatorEvidence,
    exclusions: Sequence[ExcludedPeriod],
    now: datetime,
) -> tuple[tuple[Slice, ...], datetime | None]:
    """The deadline form for whole days that are good or bad; otherwise the share of time. From publication events, never polled."""
    spec = indicator.spec
    versions: Mapping[str, PortPublication] = {p.version: p for p in evidence.publications if p.port in indicator.ports}
    events = [fresh_time.DatedVersion(version.published_at, version.watermark, version.watermark_unknown) for version in versions.values()]
    if spec.method == "timeslices" and not spec.interval % DAY:
        due_after = spec.due_after or timedelta()
        if isinstance(max_age, Deadlines):
            kept = fresh_time.by_deadlines(slices, events, max_age, now, exclusions)
            return kept, fresh_time.next_of(max_age, events, now)
        judged = fresh_time.by_deadline(slices, window, events, max_age, now, due_after, exclusions)
        return judged, fresh_time.next_deadline(window, events, max_age, now, due_after)
    return fresh_time.time_weighted(slices, events, max_age, now, exclusions), fresh_time.goes_stale(events, max_age, now)


def _held(
    indicator: IndicatorPlan,
    slices: Sequence[Slice],
    evidence: IndicatorEvidence,
    exclusions: Sequence[ExcludedPeriod],
    now: datetime,
) -> tuple[Slice, ...]:
    spec = indicator.spec
    if not slices:
        return ()
    # What came earlier cannot have held until the first slice.
    begin = slices[0].start - spec.interval - DAY
    readings = [kept_time.DatedVerdict(at, verdict) for at, verdict in evidence.verdicts[_objective(indicator)] if at >= begin]
    missing = _missing_inputs(evidence.input_states, now)
    return kept_time.by_readings(slices, readings, now, spec.interval, spec.tolerance, missing, exclusions, spec.final_after)
