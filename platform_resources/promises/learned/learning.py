"""Judge one number against the usual range of its own history, for each kind of number."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Past, Promise, ToLearn, Verdict, worst
from platform_resources.capabilities.support.shares import bytes_text, plain_number
from platform_resources.promises.learned.backtest import Learns
from platform_resources.promises.learned.forecasts import forecast, places, season_words
from platform_resources.promises.learned.points import (
    ENOUGH,
    LARGEST,
    Learned,
    NotYet,
    Point,
    Settings,
    Usual,
    considered,
    judged,
    too_few,
)
from platform_resources.promises.learned.robust import bound, scale
from platform_resources.promises.learned.usual_counts import COUNTS, learned_count
from platform_resources.promises.learned.usual_durations import DURATIONS, learned_duration, usual_duration
from platform_resources.promises.learned.usual_gaps import GAPS, learned_gap, next_due
from platform_resources.promises.learned.usual_shares import SHARES, FailingShare, learned_share
from platform_resources.promises.periods import Period
from platform_resources.spec.values.moments import in_utc

NUMBERS = Settings(min_amount=0.0)
BYTES = Settings(min_change=0.2, min_amount=0.0, sides="upper")


@dataclass(frozen=True, slots=True, order=True)
class Measured:
    """A finite number and its time."""

    at: datetime
    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", in_utc(self.at))


def learned_number(
    history: Iterable[Measured], current: Measured, settings: Settings = NUMBERS, excluded: Iterable[Period] = ()
) -> Learned:
    """Whether a number that may also be negative is usual, on its own scale. History at or after its time takes no part."""
    return judged(current.value, _usual_number(history, current.at, settings, excluded), plain_number)


def _usual_number(history: Iterable[Measured], at: datetime, settings: Settings, excluded: Iterable[Period]) -> Usual | NotYet:
    points = considered(history, at, settings, excluded)
    if len(points) < ENOUGH:
        return too_few(len(points))
    where, season = places([point.at for point in points], at, settings)
    ahead = forecast([point.value for point in points], where, season, settings)
    if isinstance(ahead, NotYet):
        return ahead
    half = bound(settings.sensitivity, ahead.degrees) * scale([error.error for error in ahead.errors]) * ahead.widening + ahead.doubt
    half = max(half, abs(ahead.expected) * settings.min_change, settings.min_amount)
    return Usual(ahead.expected - half, ahead.expected + half, ahead.expected, len(points), season_words(season))


def learned_bytes(history: Iterable[Point], current: Point, settings: Settings = BYTES, excluded: Iterable[Period] = ()) -> Learned:
    """Whether so many bytes are usual: like a duration, only too many are outside, by default."""
    return judged(current.value, usual_duration(history, current.at, settings, excluded), bytes_text, "more")


class _Learning(NamedTuple):
    """What values of a kind are, in words, and how one is judged by the others."""

    possible: str
    settings: Settings
    learns: Learns[Any]


_LEARNING: Mapping[Kind, _Learning] = {
    "count": _Learning("a number of rows", COUNTS, learned_count),
    "share": _Learning("a share from 0 to 1", SHARES, learned_share),
    "duration": _Learning("a number of seconds", DURATIONS, learned_duration),
    "gap": _Learning("a number of seconds", GAPS, learned_gap),
    "bytes": _Learning("a number of bytes", BYTES, learned_bytes),
    "number": _Learning("a finite number", NUMBERS, learned_number),
}


def settings_of(kind: Kind, sensitivity: float | None = None, minimum_effect: float | None = None) -> Settings:
    """The settings of a kind of number, changed as asked. `minimum_effect` is in percent of what is expected; of a share in its points."""
    settings = _LEARNING[kind].settings
    if sensitivity is not None:
        settings = replace(settings, sensitivity=sensitivity)
    return settings if minimum_effect is None else replace(settings, min_change=minimum_effect / 100)


def learns_of(kind: Kind) -> Learns[Any]:
    """The function that judges one point of this kind by the others."""
    return _LEARNING[kind].learns


def points_of(kind: Kind, past: Sequence[Past], rows: int | None = None) -> list[Any]:
    """History as points of this kind; values that the kind cannot have, such as negative row counts, are left out.

    A share is of as many rows as its failing ones tell. Where none failed, of `rows`, or of as many as usual.
    """
    match kind:
        case "number":
            return [Measured(one.at, one.value) for one in past if math.isfinite(one.value)]
        case "share":
            return _parts([one for one in past if 0 <= one.value <= 1], rows)
        case _:
            return [Point(one.at, one.value) for one in past if 0 <= one.value <= LARGEST]


def _parts(past: Sequence[Past], rows: int | None) -> list[FailingShare]:
    known = sorted(rows_then for one in past if (rows_then := _rows(one)) is not None)
    otherwise = float(rows) if rows is not None else known[len(known) // 2] if known else 1.0
    return [FailingShare(one.at, one.value * rows_then, rows_then) for one in past for rows_then in [_rows(one) or otherwise]]


def _rows(one: Past) -> float | None:
    """None also for a share so small that it would be of more rows than there can be."""
    if not one.failing_rows or one.failing_rows < 0 or not one.value:
        return None
    rows = one.failing_rows / one.value
    return rows if rows <= LARGEST else None


def with_learned(judgement: Judgement, moment: Moment) -> Judgement:
    """The judgement with the learned threshold applied, if the objective asks for one. A threshold that is not known yet is never met."""
    if judgement.learn is None:
        return judgement
    learned, verdict, reason = _against_usual(judgement.learn, moment)
    both = worst((judgement.verdict, verdict))
    return replace(
        judgement,
        verdict=both,
        promise=_with_usual(judgement.promise, judgement.learn, learned),
        learning=both == "unknown" and (judgement.learning or (judgement.verdict == "met" and _is_learning(learned))),
        reason=f"{judgement.reason}; {reason}",
        threshold=", ".join(part for part in (judgement.threshold, "as usual") if part),
        learn=None,
    )


def _is_learning(learned: Learned | None) -> bool:
    return learned is not None and learned.state == "learning"


def _with_usual(promise: Promise, learn: ToLearn, learned: Learned | None) -> Promise:
    """What is written goes before what was learned. Of a share the rows that fail are learned, and its value is of those that do not."""
    if promise.comparison or learned is None or learned.low is None or learned.high is None:
        return promise
    low, high = (100 * (1 - learned.high), 100 * (1 - learned.low)) if learn.kind == "share" else (learned.low, learned.high)
    return replace(promise, at_least=low, at_most=high)


def _against_usual(learn: ToLearn, moment: Moment) -> tuple[Learned | None, Verdict, str]:
    if moment.history.error is not None:
        return None, "unknown", f"what is usual is not known: {moment.history.error}"
    learned = _learned(learn, moment)
    reason = f"{learn.what}: {learned.reason}" if learn.what and learned.state in ("within", "outside") else learned.reason
    return learned, ("met" if learned.state == "within" else "missed" if learned.state == "outside" else "unknown"), reason


def _learned(learn: ToLearn, moment: Moment) -> Learned:
    settings = replace(settings_of(learn.kind, learn.sensitivity, learn.minimum_effect), zone=moment.zone)
    excluded = [Period(start, end) for start, end in moment.history.excluded]
    if learn.kind == "gap":
        return next_due(moment.publications, moment.now, settings, excluded).learned
    past = moment.history.past if learn.past is None else learn.past
    current = points_of(learn.kind, [Past(learn.at or moment.now, learn.value)], learn.rows)
    if not current:
        reason = f"{learn.value:g} is not {_LEARNING[learn.kind].possible}, so it cannot be held against what was usual"
        return Learned("unknown", None, None, None, 0, reason)
    return learns_of(learn.kind)(points_of(learn.kind, past, learn.rows), current[0], settings, excluded)
