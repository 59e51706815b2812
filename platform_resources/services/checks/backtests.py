"""Backtest learned thresholds of a product's objectives, including objectives that do not learn yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from platform_resources.capabilities.judgements import History, Kind, Past
from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.support.learned_thresholds import LearnedSettings, can_learn, failing_shares, is_learned
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries.objective_history import history, publication_times, spent
from platform_resources.ledger.records import check_id
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.conventions import check_text
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.zones import zone_of
from platform_resources.promises.learned.backtest import BacktestedPoint, backtested
from platform_resources.promises.learned.learning import learns_of, points_of, settings_of
from platform_resources.promises.learned.usual_gaps import gaps
from platform_resources.promises.periods import Period


@dataclass(frozen=True, slots=True)
class Alert:
    """One reading that would have raised an alert; `in_trouble` if it fell into an incident that a person then fixed."""

    at: datetime
    value: float
    low: float | None
    high: float | None
    reason: str
    in_trouble: bool


@dataclass(frozen=True, slots=True)
class Backtested:
    """The backtest of one objective, by its readings `since` a time. `can_learn`: it accepts `learned`.

    `false_alerts_per_30_days`: None if nothing was judged.
    """

    objective: str
    check: str
    dimension: str
    kind: Kind
    learned: bool
    can_learn: bool
    readings: int
    since: datetime
    judged: int
    learning_days: float
    alerts: tuple[Alert, ...]
    false_alerts_per_30_days: float | None


def backtests(
    connection: Connection,
    product: ProductPlan,
    objectives: Sequence[ObjectivePlan],
    now: datetime,
    sensitivity: float | None = None,
    minimum_effect: float | None = None,
) -> Iterator[Backtested]:
    """Backtest each objective with readings in the ledger, which must be synced. Given settings override its own."""
    for objective in (objective for objective in objectives if objective.measured_by != "probe"):
        kind = traits_of(objective.dimension).learned_kind(objective.settings)
        past = _known(connection, product, objective, kind, now)
        if past.past:
            yield _backtested(objective, kind, past, zone_of(product), *_asked(objective, sensitivity, minimum_effect))


def _asked(objective: ObjectivePlan, sensitivity: float | None, minimum_effect: float | None) -> tuple[float | None, float | None]:
    own = next((value for _, value in objective.settings if isinstance(value, LearnedSettings)), None)
    if own is None:
        return sensitivity, minimum_effect
    return sensitivity or own.sensitivity, own.minimum_effect if minimum_effect is None else minimum_effect


def _known(connection: Connection, product: ProductPlan, objective: ObjectivePlan, kind: Kind, now: datetime) -> History:
    """Its readings, those of a share as the share that fails. What is judged again and again between refreshes comes from runs."""
    check = objective.check
    publishes = bool(product.outputs) and objective.measured_by == "audit"
    readings = history(connection, product.name, check_id(check.key, check.name), check_text(check.key, check.name), publishes, now)
    if kind == "gap":
        times = publication_times(connection, product.name, now)
        past = gaps(times, replace(settings_of(kind), zone=zone_of(product)), [Period(*period) for period in readings.excluded])
        return replace(readings, past=tuple(Past(gap.at, gap.value) for gap in past))
    if objective.measured_by == "history":
        runs = [run for run in spent(connection, product.name, now) if run.whole]
        values = [(run.at, run.bytes if kind == "bytes" else run.seconds) for run in runs]
        return replace(readings, past=tuple(Past(at, float(value)) for at, value in values if value is not None))
    if kind == "share":
        return replace(readings, past=tuple(failing_shares(readings.past)))
    return readings


def _backtested(
    objective: ObjectivePlan, kind: Kind, known: History, zone: tzinfo, sensitivity: float | None, minimum_effect: float | None
) -> Backtested:
    excluded = [Period(start, end) for start, end in known.excluded]
    points, values = points_of(kind, known.past), {one.at: one.value for one in known.past}
    settings = replace(settings_of(kind, sensitivity, minimum_effect), zone=zone)
    done = backtested(points, learns_of(kind), settings, excluded)
    alerts = tuple(_alert(one, values, excluded) for one in done.alerts)
    rate, false = done.alerts_per_30_days, sum(not alert.in_trouble for alert in alerts)
    return Backtested(
        objective=objective.check.title,
        check=objective.check.name,
        dimension=objective.dimension,
        kind=kind,
        learned=is_learned(objective.settings),
        can_learn=can_learn(objective.settings),
        readings=len(points),
        since=min(values),
        judged=sum(one.learned.state in ("within", "outside") for one in done.judged),
        learning_days=round(done.learning.total_seconds() / 86_400, 1),
        alerts=alerts,
        false_alerts_per_30_days=rate if rate is None else round(rate * false / max(1, len(alerts)), 2),
    )


def _alert(one: BacktestedPoint, values: dict[datetime, float], excluded: Sequence[Period]) -> Alert:
    in_trouble = any(period.start <= one.at < period.end for period in excluded)
    return Alert(one.at, values[one.at], one.learned.low, one.learned.high, one.learned.reason, in_trouble)
