"""How a product is now: its newest version, what the last checks said, and whether it is still fresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from platform_resources.capabilities.judgements import Verdict
from platform_resources.spec.durations import duration_text

CLOCKS_MAY_DIFFER_BY = timedelta(minutes=5)
Status = Literal["healthy", "unhealthy", "unknown", "unpublished", "unreadable", "not run"]


@dataclass(frozen=True, slots=True)
class CheckState:
    """What a check last said; `at` is None if it never ran. `key` is that of the asset that it is of."""

    name: str
    title: str
    kind: str
    dimension: str
    gate: bool
    verdict: Verdict
    reason: str
    at: datetime | None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The newest version as far as health goes: `watermarks` by data set, only where one is declared."""

    version: str
    product_version: str
    published_at: datetime
    rows: Mapping[str, int]
    watermarks: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class ProductHealth:
    """A product's status and everything it follows from; `outcome` tells how its last refresh ended.

    `problem` says why its published versions are unreadable, and what to do.
    """

    product: str
    title: str
    domain: str
    status: Status
    published: PublishedState | None
    checks: tuple[CheckState, ...]
    outcome: str = ""
    problem: str = ""

    def count(self, verdict: Verdict, kind: str = "objective") -> int:
        return sum(check.verdict == verdict and check.kind == kind for check in self.checks)

    @property
    def objectives(self) -> tuple[CheckState, ...]:
        return tuple(check for check in self.checks if check.kind == "objective")


@dataclass(frozen=True, slots=True)
class Watched:
    """One check of a product as far as health goes; `dimension` and `data_set` are empty for what is no objective.

    `max_age` is given exactly for freshness objectives.
    """

    key: tuple[str, ...]
    name: str
    title: str
    kind: str
    gate: bool
    dimension: str = ""
    data_set: str = ""
    max_age: timedelta | None = None


Executions = Mapping[tuple[tuple[str, ...], str], tuple[Verdict, str, datetime]]


def check_states(
    watched: Sequence[Watched], published: PublishedState | None, executions: Executions, now: datetime
) -> tuple[CheckState, ...]:
    """What each check says at `now`. `executions` has the last verdict, reason and time of each (key, name) that ever ran."""
    return tuple(_check_state(check, published, executions, now) for check in watched)


def _check_state(check: Watched, published: PublishedState | None, executions: Executions, now: datetime) -> CheckState:
    never: tuple[Verdict, str, None] = ("unknown", "not checked yet", None)
    verdict, reason, at = executions.get((check.key, check.name), never)
    if check.max_age is not None and published is not None:
        verdict, reason = freshness_now(check.max_age, check.data_set, published, now)
    return CheckState(check.name, check.title, check.kind, check.dimension, check.gate, verdict, reason, at, check.key)


def freshness_now(max_age: timedelta, data_set: str, published: PublishedState, now: datetime) -> tuple[Verdict, str]:
    """Freshness is a fact of time: what was fresh when it was published may be late now. Late is not fresh."""
    known_until = published.watermarks.get(data_set, published.published_at)
    if known_until > now + CLOCKS_MAY_DIFFER_BY:
        return "unknown", f"it is as of {known_until:%Y-%m-%d %H:%M} UTC, which lies in the future"
    age = now - known_until
    told = (
        f"it is as of {known_until:%Y-%m-%d %H:%M} UTC, {age.total_seconds() / 3600:.1f} h ago; at most {duration_text(max_age)} promised"
    )
    return ("met" if age <= max_age else "missed"), told


def status(runs: bool, published: PublishedState | None, checks: Sequence[CheckState]) -> Status:
    """Unhealthy if a promise is broken or an input failed; unknown if a promise was not measured. Unknown is not met."""
    if not runs:
        return "not run"
    if published is None:
        return "unpublished"
    if any(check.verdict == "missed" for check in checks):
        return "unhealthy"
    return "unknown" if any(check.verdict == "unknown" for check in checks) else "healthy"
