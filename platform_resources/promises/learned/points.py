"""Data of learned thresholds: points in time, settings, usual ranges, and the judgement of a value."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal, Protocol, TypeVar

from platform_resources.promises.periods import Cover, Period, cover
from platform_resources.spec.values.moments import in_utc

State = Literal["learning", "within", "outside", "unknown"]
Season = Literal["none", "weekday", "hour-of-week"]
Sides = Literal["both", "upper"]

ENOUGH = 14  # points, below which nothing is judged
LARGEST = 1e300


class Timed(Protocol):
    """A value with a time, ordered among values of the same time."""

    @property
    def at(self) -> datetime:
        """When it was measured."""

    def __lt__(self, other: Any, /) -> bool: ...


AnyPoint = TypeVar("AnyPoint", bound=Timed)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A number of rows, or of seconds, and when it was so. Raises ValueError without a zone, or for a value that no count can have."""

    at: datetime
    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", in_utc(self.at))
        if not 0 <= self.value <= LARGEST:  # false for NaN too
            raise ValueError(f"{self.value} at {self.at.isoformat()} is not a number of rows or seconds; allowed: finite, at least 0")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to learn. Defaults per kind of metric lie beside the kind.

    `sensitivity`: bounds so many standard deviations from what is expected, in the tail probability of a normal distribution: 2.8 lets one
    healthy value in 200 out, 3 one in 370. `min_change` (a share of what is expected; of shares, 0.01 is a percentage point) and
    `min_amount` (rows, or seconds): a smaller change is never outside. `sides`: "upper" lets anything low pass, but not no rows at all.
    `memory`: how far back to look, though for at least `at_least` points. `level_points`: the median of so many is the level; a shift of
    it is therefore taken over after `level_points // 2 + 1` points. Raises ValueError.
    """

    sensitivity: float = 2.8
    min_change: float = 0.05
    min_amount: float = 5.0
    zone: tzinfo = UTC
    season: Season = "weekday"
    sides: Sides = "both"
    memory: timedelta = timedelta(weeks=8)
    at_least: int = 56
    level_points: int = 14

    def __post_init__(self) -> None:
        if not 0 < self.sensitivity <= 8:
            raise ValueError(f"sensitivity {self.sensitivity} is not possible; allowed: above 0, at most 8 standard deviations")
        if not 0 <= self.min_change <= LARGEST or not 0 <= self.min_amount <= LARGEST:
            raise ValueError(f"a minimum effect of {self.min_change} or {self.min_amount} is not possible; allowed: finite, at least 0")
        if self.level_points < 3 or self.at_least < ENOUGH:
            raise ValueError(f"level_points {self.level_points} must be at least 3, at_least {self.at_least} at least {ENOUGH}")


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual range at a moment, before its value is known: `low` to `high`, both included."""

    low: float
    high: float
    expected: float
    points: int
    season: str = ""


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why there is no usual range yet."""

    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Learned:
    """Whether a value is usual, and why. Bounds and expectation are None unless `state` is "within" or "outside"."""

    state: State
    low: float | None
    high: float | None
    expected: float | None
    points: int
    reason: str


def judged(value: float, usual: Usual | NotYet, shown: Callable[[float], str], more: str = "") -> Learned:
    """Judge a value by its usual range. `shown` writes a number with its unit; `more` is the word for "too much" where there is no lower
    bound.
    """
    if isinstance(usual, NotYet):
        return Learned("learning", None, None, None, usual.points, usual.reason)
    state: State = "within" if usual.low <= value <= usual.high else "outside"
    said = _up_to(value, usual, shown, more) if more and usual.low <= 0 else _between(value, usual, shown)
    reason = f"{said}{usual.season} by {usual.points} points; expected {shown(usual.expected)}"
    return Learned(state, usual.low, usual.high, usual.expected, usual.points, reason)


def _between(value: float, usual: Usual, shown: Callable[[float], str]) -> str:
    where = "below" if value < usual.low else "above" if value > usual.high else "within"
    return f"{shown(value)} is {where} {shown(usual.low)} to {shown(usual.high)}, usual"


def _up_to(value: float, usual: Usual, shown: Callable[[float], str], more: str) -> str:
    """A value beyond its bound by so little that both are written alike is said to be just that."""
    if value <= usual.high:
        return f"{shown(value)} is as usual: up to {shown(usual.high)}"
    just = "a little " if shown(value) == shown(usual.high) else ""
    return f"{shown(value)} is {just}{more} than usual: up to {shown(usual.high)}"


def considered(history: Iterable[AnyPoint], at: datetime, settings: Settings, excluded: Iterable[Period] = ()) -> list[AnyPoint]:
    """The points to learn from at a moment, oldest first: before it, in memory, and in no excluded period. Their order does not matter."""
    at, left_out = in_utc(at), cover(excluded)
    earlier = sorted(point for point in history if point.at < at and not _covers(left_out, point.at))
    recent = [point for point in earlier if point.at >= at - settings.memory]
    return recent if len(recent) >= settings.at_least else earlier[-settings.at_least :]


def _covers(left_out: Cover, moment: datetime) -> bool:
    before = bisect_right(left_out.starts, moment) - 1
    return before >= 0 and moment < left_out.ends[before]


def too_few(points: int) -> NotYet:
    """There are fewer points than a usual range needs."""
    return NotYet(points, f"learning: {points} of {ENOUGH} points, so nothing can be judged yet")
