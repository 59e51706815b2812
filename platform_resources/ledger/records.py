"""The ledger's records of events: one frozen dataclass per row."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from platform_resources.capabilities.judgements import Verdict
from platform_resources.capabilities.support.recency import known_until
from platform_resources.ledger.events import RunStatus
from platform_resources.plan.conventions import Key
from platform_resources.promises.grades import Severity

CheckKind = Literal["objective", "dbt_test", "input", "indicator", "imported", "other"]


def asset_text(key: Key) -> str:
    """The asset key as one text."""
    return "/".join(key)


@lru_cache(maxsize=65_536)
def check_id(key: Key, name: str) -> int:
    """63 bits that follow from the check's asset and name, so that a ledger rebuilt from nothing has the same ones."""
    digest = hashlib.sha256(f"{asset_text(key)}\0{name}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8]) >> 1


@dataclass(frozen=True, slots=True)
class Check:
    """One check that was ever seen or planned; `retired_at` is when the plan was first found without it."""

    id: int
    asset_key: str
    name: str
    product: str
    kind: CheckKind
    dimension: str
    title: str
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckReading:
    """What a check said once. `value` if it is a finite number; `shown` is its text, of a number only where people read another.

    It was promised to lie between `at_least` and `at_most`, all in `unit`. `learning`: unknown because what is usual is not known yet.
    `severity`: how a miss weighs where no plan says so.
    """

    check_id: int
    at: datetime
    run_id: str
    verdict: Verdict
    value: float | None
    shown: str
    threshold: str
    failing_rows: int | None
    reason: str
    log_id: int
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    learning: bool = False
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class PortPublication:
    """One version of one output port; `watermark` is until when it knows the world, if it tells another time than its publication.

    `watermark_unknown` says that it is not known until when.
    """

    product: str
    port: str
    version: str
    published_at: datetime
    product_version: str
    watermark: datetime | None
    rows: int | None
    bytes: int | None
    columns: Mapping[str, str]
    run_id: str
    log_id: int
    watermark_unknown: bool = False

    @property
    def known_until(self) -> datetime | None:
        """The moment that the version describes, never after its publication; None where that is unknown."""
        return known_until(self.published_at, self.watermark, self.watermark_unknown)


@dataclass(frozen=True, slots=True)
class ColumnProfiled:
    """What one column of a published version of a data set looked like, as JSON; `position` is its place among the columns."""

    product: str
    data_set: str
    version: str
    column_name: str
    position: int
    published_at: datetime
    profile: Mapping[str, Any]
    run_id: str
    log_id: int


@dataclass(frozen=True, slots=True)
class InputState:
    """What one pull brought into an input port: whether it changed, and why its last good data is served (empty if it is not)."""

    product: str
    port: str
    at: datetime
    run_id: str
    changed: bool
    degraded: str
    source_version: str
    rows: int | None
    columns: Mapping[str, str]
    log_id: int


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The verdicts of one refresh in numbers, also of one that published nothing.

    `held_back` says why the version that it made was not published; empty if none was.
    """

    product: str
    at: datetime
    run_id: str
    outcome: str
    objectives: int
    met: int
    missed: int
    unknown: int
    checks: int
    log_id: int
    held_back: str = ""


@dataclass(frozen=True, slots=True)
class FreshnessState:
    """A change of the state that Dagster's freshness policy holds of an asset."""

    asset_key: str
    at: datetime
    state: str
    previous: str
    product: str
    run_id: str
    log_id: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run as far as it is known: its start, its end, or both. `log_id` is that of its newest event.

    `failures` names what failed, one a line: an input's check, a model, or the step and what sort of error it was.
    `closed_gate`: it failed because a gate was closed.
    """

    run_id: str
    product: str
    job: str
    status: RunStatus
    started_at: datetime | None
    ended_at: datetime | None
    failed_step: str
    reason: str
    log_id: int
    failures: str = ""
    closed_gate: bool = False

    @property
    def seconds(self) -> float | None:
        """None while it runs, where its start is not in the log, and where the clock stepped back in between."""
        if self.started_at is None or self.ended_at is None or self.ended_at < self.started_at:
            return None
        return (self.ended_at - self.started_at).total_seconds()


Record = Check | CheckReading | PortPublication | ColumnProfiled | InputState | Scorecard | FreshnessState | Run
