"""Make the days of a range anew, one run for each part of it, and go on where a former attempt has ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG, BACKFILL_ID_TAG

from platform_resources.orchestration.refresh_runs import Report, refresh
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.refreshes.outcomes import Refreshed

DONE = ("published", "unchanged")


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


def backfill_id(product: str, parts: Sequence[DayRange]) -> str:
    """The same for the same days: a repeated command goes on, also when it makes more or fewer of them together."""
    return f"{product} {parts[0].first} {parts[-1].last}"


def done_before(instance: dg.DagsterInstance, product: str, parts: Sequence[DayRange]) -> frozenset[DayRange]:
    """The parts all of whose days a former attempt has made, however it divided them."""
    tags = {BACKFILL_ID_TAG: backfill_id(product, parts)}
    runs = instance.get_runs(dg.RunsFilter(job_name=conventions.job_name(product), statuses=[dg.DagsterRunStatus.SUCCESS], tags=tags))
    said = ((run.tags[ASSET_PARTITION_RANGE_START_TAG], run.tags[ASSET_PARTITION_RANGE_END_TAG]) for run in runs)
    made = {day for first, last in said for day in ranges(date.fromisoformat(first), date.fromisoformat(last), 1)}
    return frozenset(part for part in parts if made.issuperset(ranges(part.first, part.last, 1)))


def backfilled(
    root: Path,
    plan: MeshPlan,
    product: str,
    parts: Sequence[DayRange],
    left: Sequence[DayRange],
    instance: dg.DagsterInstance,
    report: Report,
) -> Iterator[tuple[DayRange, Refreshed]]:
    """Refresh the product for each part that is left, the earliest first, up to the first that fails; each publishes a version.

    Dagster shows the runs together, and the days of each, by its own tags for backfills and ranges of partitions.
    """
    for part in left:
        first, last = part.first.isoformat(), part.last.isoformat()
        tags = {
            BACKFILL_ID_TAG: backfill_id(product, parts),
            ASSET_PARTITION_RANGE_START_TAG: first,
            ASSET_PARTITION_RANGE_END_TAG: last,
        }
        (done,) = refresh(root, plan, [product], instance, last, report, since=first, tags=tags)
        yield part, done
        if done.outcome not in DONE:
            return
