"""Judge readings, as data: the verdict, the moment and history that it depends on, and what may be learned from history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from platform_resources.capabilities.support.recency import Recency
from platform_resources.capabilities.work import RefreshWork

Verdict = Literal["met", "missed", "unknown"]
_WORST_FIRST: tuple[Verdict, ...] = ("missed", "unknown", "met")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """What all of them together say: what is broken goes before what is not known; met if there are none."""
    return min(verdicts, key=_WORST_FIRST.index, default="met")


@dataclass(frozen=True, slots=True)
class Refreshes:
    """How long refreshes of a product took, in seconds: those that ended well, oldest first, and the one that goes on, if any.

    `run_ids` and `running_id` are theirs.
    """

    seconds: tuple[float, ...] = ()
    running: float | None = None
    run_ids: tuple[str, ...] = field(default=(), compare=False)
    running_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run of a product cost: when it started, its seconds, the bytes that it published, and credits of a warehouse.

    `whole` runs ended well and refreshed all of the product; others cost something too. `bytes` and `credits` are None where they are not
    known.
    """

    at: datetime
    seconds: float
    bytes: int | None
    whole: bool
    credits: float | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What an objective's reading was before: its number, and how many rows failed, where it counts rows."""

    at: datetime
    value: float
    failing_rows: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What an objective can be compared with: its readings in published versions, oldest first, and periods to learn nothing from.

    `error` says why there is none.
    """

    past: tuple[Past, ...] = ()
    excluded: tuple[tuple[datetime, datetime], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When and against what readings are judged: the time, the rows of the version published before (None if there is none), and history.

    `refreshes`, `spent` (of a year) and the times of `publications`, all oldest first, are told only for what is measured from history;
    `history` only to objectives that need it. `recency` is that of what the data was made from, if its rows do not tell theirs. `zone` is
    the product's. `delivered` are the rows that the newest delivery of each input port brought, as far as that is known.
    `work` is what the last refreshes did, for what is measured from history.
    """

    now: datetime
    previous_rows: int | None = None
    refreshes: Refreshes = Refreshes()
    spent: tuple[Spent, ...] = ()
    history: History = History()
    publications: tuple[datetime, ...] = ()
    recency: Recency | None = None
    zone: tzinfo = UTC
    delivered: Mapping[str, int] = field(default_factory=dict)
    work: tuple[RefreshWork, ...] = ()


# How a number behaves: rows, a share from 0 to 1, seconds of a refresh, seconds between two versions, bytes, or any number at all.
Kind = Literal["count", "share", "duration", "gap", "bytes", "number"]


@dataclass(frozen=True, slots=True)
class ToLearn:
    """A number that is also to be held against what was usual. `sensitivity` in standard deviations, `minimum_effect` in percent.

    `what` the number is, if that needs to be said; `rows`: of how many it is a share. It was so `at` a time, which is now if left out, and
    before as the moment's history says, or as `past` does.
    """

    kind: Kind
    value: float
    sensitivity: float
    minimum_effect: float | None = None
    what: str = ""
    rows: int | None = None
    at: datetime | None = None
    past: tuple[Past, ...] | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """Between which numbers a value is to lie, both ends included, and in which unit all of them are counted."""

    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def comparison(self) -> str:
        """`at least`, `at most` or `between`; empty where nothing is promised in numbers."""
        if self.at_least is not None and self.at_most is not None:
            return "between"
        return "at least" if self.at_least is not None else "at most" if self.at_most is not None else ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what a person needs to understand it.

    `value` is exact, so that it can be learned from; `shown` is its text, where a person should not read it as it is. `failing_rows` failed
    of `rows`; `failing` names the measure whose rows they are. `learn` is what remains to be held against history: the verdict is without
    it. `promise` is what was promised of the value, as numbers. `learning`: unknown only because
    there is too little past, which time will bring. `severity` is told where the objective has a threshold for each.
    """

    verdict: Verdict
    reason: str
    value: float | int | str | None = None
    threshold: str = ""
    failing_rows: int | None = None
    failing: str | None = None
    learn: ToLearn | None = None
    rows: int | None = None
    shown: str = ""
    promise: Promise = Promise()
    learning: bool = False
    severity: Literal["error", "warning"] | None = None
