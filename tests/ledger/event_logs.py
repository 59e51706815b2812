"""An event log in memory that can do what real ones do: lose its tail, be replaced, show an event late."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from platform_resources.ledger.events import (
    AssetObserved,
    Checked,
    Event,
    EventKind,
    FreshnessChanged,
    Materialised,
    RunEnded,
    RunStarted,
    What,
)

START = datetime(2026, 3, 1, 5, tzinfo=UTC)
ENDS: dict[str, EventKind] = {"succeeded": "run_success", "failed": "run_failure", "canceled": "run_cancellation"}


def kind_of(what: What) -> EventKind:
    match what:
        case Materialised():
            return "materialisation"
        case AssetObserved():
            return "observation"
        case Checked():
            return "check_evaluation"
        case RunStarted():
            return "run_start"
        case RunEnded(status):
            return ENDS[status]
        case FreshnessChanged():
            return "freshness_change"


@dataclass
class MemoryLog:
    """An EventSource. Ids are given out like SQLite's: those of a lost tail are given out again."""

    events: list[Event] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    settling: timedelta = timedelta(minutes=1)

    def add(self, *events: Event) -> list[Event]:
        """Append events under the next ids; gives them with those ids."""
        added = [replace(event, log_id=self.end() + 1 + number) for number, event in enumerate(events)]
        self.events += added
        return added

    def lose(self, count: int) -> None:
        """Forget the newest events, as a log does that was restored from a backup."""
        self.events = self.events[: max(0, len(self.events) - count)]

    def after(self, kind: EventKind, log_id: int, limit: int) -> Sequence[Event]:
        found = [e for e in self.events if e.log_id > log_id and e.log_id not in self.hidden and kind_of(e.what) == kind]
        return found[:limit]

    def end(self) -> int:
        return max((event.log_id for event in self.events), default=0)


def event(what: What, seconds: float = 0, run: str = "run-1") -> Event:
    return Event(0, START + timedelta(seconds=seconds), run, what)


def reading(
    seconds: float = 0, verdict: str = "met", name: str = "complete", product: str = "orders", run: str = "run-1", **metadata
) -> Event:
    """An evaluation of an objective of `<product>/lines`."""
    told = {"verdict": verdict, "reason": f"it is {verdict}", "dimension": "completeness", "kind": "objective", **metadata}
    return event(Checked((product, "lines"), name, verdict == "met", told["reason"], told), seconds, run)


def publication(
    seconds: float = 0, version: str = "v1", product: str = "orders", port: str = "lines_sql", run: str = "run-1", **metadata
) -> Event:
    told = {"version": version, "product_version": "1.2.0", "dagster/row_count": 10, **metadata}
    return event(Materialised((product, "outputs", port), told, {"id": "bigint"}), seconds, run)


def republication(seconds: float = 0, version: str = "v1", product: str = "orders", port: str = "lines_sql", run: str = "run-1") -> Event:
    """A version without newer data, as Dagster is told of it."""
    told = {"version": version, "product_version": "1.2.0", "dagster/row_count": 10}
    return event(AssetObserved((product, "outputs", port), told, {"id": "bigint"}), seconds, run)


def pull(seconds: float = 0, degraded: str = "no", changed: bool = True, product: str = "orders", run: str = "run-1", **metadata) -> Event:
    return event(Materialised((product, "inputs", "deliveries"), {"changed": changed, "degraded": degraded, **metadata}), seconds, run)


def scorecard(seconds: float = 0, product: str = "orders", run: str = "run-1") -> Event:
    told = {"outcome": "published version v1", "objectives": 3, "met": 2, "missed": 0, "unknown": 1, "checks": 5}
    return event(Materialised((product, "scorecard"), told), seconds, run)


def started(seconds: float = 0, run: str = "run-1", product: str = "orders") -> Event:
    return event(RunStarted(product, f"refresh_{product}"), seconds, run)


def ended(
    seconds: float = 60, status: str = "succeeded", run: str = "run-1", product: str = "orders", step: str = "", reason: str = ""
) -> Event:
    return event(RunEnded(status, product, f"refresh_{product}", step, reason), seconds, run)


def freshness(seconds: float = 0, state: str = "FAIL", previous: str = "PASS", product: str = "orders") -> Event:
    return event(FreshnessChanged((product, "outputs", "lines_sql"), state, previous), seconds, "")


def generated(count: int) -> MemoryLog:
    """A log that is the same in every process: refreshes of three products, one after the other."""
    log = MemoryLog()
    for number in range(count):
        at, run, product = number * 300, f"run-{number}", ("orders", "prices", "stock")[number % 3]
        log.add(
            started(at, run, product),
            pull(at + 1, product=product, run=run),
            reading(at + 2, ("met", "missed", "unknown")[number % 3], product=product, run=run, value=number),
            reading(at + 2, name="unique", product=product, run=run),
            publication(at + 3, f"v{number}", product, run=run),
            scorecard(at + 4, product, run),
            ended(at + 5, ("succeeded", "failed", "canceled")[number % 3], run, product),
            freshness(at + 6, ("PASS", "WARN")[number % 2], product=product),
        )
    return log


SECONDS = st.integers(0, 40).map(lambda step: step * 0.25 - 3)
RUNS = st.sampled_from(["run-1", "run-2", "run-3"])
PRODUCTS = st.sampled_from(["orders", "prices"])
# Few times, runs and names, so that duplicates, ties and steps back in time come up often.
EVENTS = st.one_of(
    st.builds(reading, SECONDS, st.sampled_from(["met", "missed", "unknown"]), st.sampled_from(["complete", "unique"]), PRODUCTS, RUNS),
    st.builds(publication, SECONDS, st.sampled_from(["v1", "v2", "v3"]), PRODUCTS, run=RUNS),
    st.builds(republication, SECONDS, st.sampled_from(["v1", "v2", "v3"]), PRODUCTS, run=RUNS),
    st.builds(pull, SECONDS, st.sampled_from(["no", "late"]), st.booleans(), PRODUCTS, RUNS),
    st.builds(scorecard, SECONDS, PRODUCTS, RUNS),
    st.builds(started, SECONDS, RUNS, PRODUCTS),
    st.builds(ended, SECONDS, st.sampled_from(list(ENDS)), RUNS, PRODUCTS, st.sampled_from(["", "orders__build"])),
    st.builds(freshness, SECONDS, st.sampled_from(["PASS", "WARN", "FAIL"]), product=PRODUCTS),
)
