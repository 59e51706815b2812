"""Make the days of a range anew, one run for each part of it, and go on where a former attempt has ended."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

from platform_resources.orchestration.refresh_runs import Report, refresh
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.refreshes.outcomes import Refreshed

DONE = ("published", "unchanged")
# Not Dagster's own tags of back-fills: its page of runs leaves out what has them, and its daemon does none of these runs again.
BACKFILL, ATTEMPT, FIRST_DAY, LAST_DAY = "backfill", "backfill_began", "backfill_from", "backfill_to"


@dataclass(frozen=True, slots=True)
class DayRange:
    """Some days in a row, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def ranges(first: date, last: date, days: int) -> tuple[DayRange, ...]:
    """The days from the first to the last, so many together."""
    starts = (first + timedelta(days=begin) for begin in range(0, (last - first).days + 1, days))
    return tuple(DayRange(start, min(start + timedelta(days=days - 1), last)) for start in starts)


def days_of_utc(product: ProductPlan, days: DayRange, now: datetime) -> DayRange:
    """The days of UTC, by which batches and extractors go, of all batches that hold something of these days of the product's time zone.

    A date, and a time without a zone, is of the day that it says.
    """
    data_sets = [data_set.spec for data_set in product.data_sets if data_set.spec.partition_by]
    kinds = {next((c.type for c in spec.columns if c.name == spec.partition_by), "") for spec in data_sets}
    first, last, sizes = days.first, days.last, {model.batch for model in product.models}
    if not kinds <= {"date", "timestamp"}:
        zone = ZoneInfo(product.zone)
        first = datetime.combine(first, time(), zone).astimezone(UTC).date()
        ends = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta.resolution
        last = min(ends, now).date()
    whole = last
    if not sizes.isdisjoint({"month", "year"}):
        first, whole = first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
    if "year" in sizes:
        first, whole = first.replace(month=1), last.replace(month=12, day=31)
    return DayRange(first, max(last, min(whole, now.date())))


def backfill_id(product: str, parts: Sequence[DayRange]) -> str:
    """The same for the same days: a repeated command goes on, also when it makes more or fewer of them together."""
    return f"{product} {parts[0].first} {parts[-1].last}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """When somebody began to make all of these days anew, and the parts of them that are made since."""

    began: str
    made: frozenset[DayRange] = frozenset()


def last_attempt(instance: dg.DagsterInstance, product: ProductPlan, parts: Sequence[DayRange]) -> Attempt | None:
    """What the last attempt has made, however it divided the days. A day that was not over then is still to be made."""
    of_runs = dg.RunsFilter(job_name=conventions.job_name(product.name), tags={BACKFILL: backfill_id(product.name, parts)})
    records, zone = instance.get_run_records(of_runs), ZoneInfo(product.zone)
    began = max((record.dagster_run.tags[ATTEMPT] for record in records), default="")
    days: set[DayRange] = set()
    for record in records:
        run = record.dagster_run
        if run.tags[ATTEMPT] == began and run.status is dg.DagsterRunStatus.SUCCESS:
            over = record.create_timestamp.astimezone(zone).date() - timedelta(days=1)
            days.update(ranges(date.fromisoformat(run.tags[FIRST_DAY]), min(date.fromisoformat(run.tags[LAST_DAY]), over), 1))
    made = frozenset(part for part in parts if days.issuperset(ranges(part.first, part.last, 1)))
    return Attempt(began, made) if began else None


def backfilled(
    root: Path,
    plan: MeshPlan,
    product: ProductPlan,
    parts: Sequence[DayRange],
    attempt: Attempt,
    instance: dg.DagsterInstance,
    report: Report,
) -> Iterator[tuple[DayRange, Refreshed]]:
    """Refresh the product for each part not made yet, the earliest first, up to the first that fails; each publishes a version.

    Dagster's list of runs finds them, and the days of each, by their tags.
    """
    for part in parts:
        if part in attempt.made:
            continue
        days = days_of_utc(product, part, datetime.now(UTC))
        of_days = {FIRST_DAY: str(part.first), LAST_DAY: str(part.last)}
        tags = {BACKFILL: backfill_id(product.name, parts), ATTEMPT: attempt.began, **of_days}
        (done,) = refresh(root, plan, [product.name], instance, str(days.last), report, since=str(days.first), tags=tags)
        yield part, done
        if done.outcome not in DONE:
            return
