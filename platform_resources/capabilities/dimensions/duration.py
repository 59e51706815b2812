"""The dimension `duration`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Past, Promise, Refreshes, ToLearn, Verdict, worst
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import NotAudited, Quotes, WhatFails
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, to_learn
from platform_resources.capabilities.support.shares import number_text
from platform_resources.capabilities.support.slowness import why_slow
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration_text, length_text
from platform_resources.spec.values.field_types import Duration

# Two weeks of days: under so many refreshes nothing can be called usual.
FEWEST_RUNS = 14
Part = tuple[Verdict, str]


class DurationSettings(Strict):
    """How long a refresh may take, and how much longer than usual: than the median of the last `runs` before it, or as learned."""

    at_most: Duration | None = None
    slower_than_usual: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    runs: Annotated[int, Field(ge=FEWEST_RUNS, le=1000)] = 20
    learned: LearnedThreshold = None

    @model_validator(mode="after")
    def _promises_something(self) -> "DurationSettings":
        if self.at_most is None and self.slower_than_usual is None and self.learned is None:
            raise ValueError("write at least one of at_most, slower_than_usual, learned: true")
        if self.slower_than_usual is None and "runs" in self.model_fields_set:
            raise ValueError("runs belongs to slower_than_usual; write both, or take runs away")
        return self


class RefreshDuration(NotAudited):
    """How long refreshes of the product take: at most so long, and at most so many times the median of those before.

    About the product as a whole, so without a `data_set`. Refreshes that ended well count, and one that still goes on once it is too
    long. Under 14 of them before it, what is usual is still being learned, which is unknown. `learned` also knows weekdays and trends,
    and how much durations vary; only slower than that misses the promise. Of a refresh that is too long the reason tells which step and
    model grew, how much the model read, kept and spilled, and whether that is due to the data, to how it is written, or to the machine.
    """

    name = "duration"
    config = DurationSettings
    measured_by = "history"
    failure: WhatFails = "delivery"
    predicate = "takes too long to refresh"
    quotes: Quotes = "rows"
    example = """
- name: Refreshed in ten minutes
  type: service-level-asset
  properties: {dimension: duration, at_most: 10m}
- name: Refreshed as fast as usual
  type: service-level-asset
  properties: {dimension: duration, slower_than_usual: 2, runs: 20}
- name: No slower than usual on that weekday
  type: service-level-asset
  properties: {dimension: duration, learned: true}
"""

    def learned_kind(self, settings: DurationSettings) -> Kind:
        return "duration"

    def promise(self, settings: DurationSettings, moment: Moment) -> Promise:
        return Promise("s", at_most=settings.at_most.total_seconds() if settings.at_most is not None else None)

    def judge(self, settings: DurationSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        threshold = ", ".join(_promises(settings))
        seconds, before, going_on = _looked_at(settings, moment.refreshes)
        if seconds is None:
            return Judgement("unknown", "no refresh has ended well yet", threshold=threshold, learning=True)
        parts = list(_parts(settings, seconds, before))
        verdict = worst(part for part, _ in parts)
        reasons = (text for part, text in parts if part == verdict)
        what = "the refresh that goes on has taken" if going_on else "the last refresh took"
        learn = _to_learn(settings, seconds, moment, going_on)
        learning = verdict == "unknown" and settings.slower_than_usual is not None and len(before) < FEWEST_RUNS
        shown = length_text(seconds)
        why = _why(moment, going_on) if verdict == "missed" else ""
        reason = "; ".join((f"{what} {shown}", *reasons, *filter(None, [why])))
        return Judgement(verdict, reason, seconds, threshold, learn=learn, shown=shown, learning=learning)


def _why(moment: Moment, going_on: bool) -> str:
    """What is known of that very refresh, against those before it that ended well; others that failed or were killed tell nothing of it."""
    well = moment.refreshes.run_ids
    judged = moment.refreshes.running_id if going_on else next(reversed(well), "")
    at = next((place for place, work in enumerate(moment.work) if work.run_id == judged), None)
    return why_slow(moment.work[at], [work for work in moment.work[:at] if work.run_id in well]) if at is not None else ""


def _to_learn(settings: DurationSettings, seconds: float, moment: Moment, going_on: bool) -> ToLearn | None:
    """The duration at the time when its refresh began, and those before it."""
    learn = to_learn(settings.learned, "duration", seconds)
    if learn is None:
        return None
    past = tuple(Past(run.at, run.seconds) for run in moment.spent if run.whole)
    begun = moment.now - timedelta(seconds=seconds) if going_on or not past else past[-1].at
    return replace(learn, at=begun, past=past)


def _looked_at(settings: DurationSettings, refreshes: Refreshes) -> tuple[float | None, tuple[float, ...], bool]:
    """The duration to judge, those before it, and whether it still grows: a refresh that goes on counts once it breaks the promise.

    Whether it breaks what was learned is found out later, so there it counts once it has taken longer than each before it.
    """
    if refreshes.running is not None and _broken(settings, refreshes.running, refreshes.seconds):
        return refreshes.running, refreshes.seconds, True
    if not refreshes.seconds:
        return None, (), False
    return refreshes.seconds[-1], refreshes.seconds[:-1], False


def _broken(settings: DurationSettings, seconds: float, before: tuple[float, ...]) -> bool:
    if settings.learned is not None and before and seconds > max(before):
        return True
    return any(verdict == "missed" for verdict, _ in _parts(settings, seconds, before))


def _parts(settings: DurationSettings, seconds: float, before: tuple[float, ...]) -> Iterator[Part]:
    if settings.at_most is not None:
        yield _met(seconds <= settings.at_most.total_seconds()), f"at most {duration_text(settings.at_most)} promised"
    if settings.slower_than_usual is not None:
        yield _against_usual(settings.slower_than_usual, seconds, before[-settings.runs :])


def _against_usual(times: float, seconds: float, before: tuple[float, ...]) -> Part:
    if len(before) < FEWEST_RUNS:
        return "unknown", f"learning what is usual: {len(before)} of {FEWEST_RUNS} refreshes before it"
    usual = median(before)
    return _met(seconds <= times * usual), f"at most {number_text(times)} times the usual {length_text(usual)} promised"


def _met(holds: bool) -> Verdict:
    return "met" if holds else "missed"


def _promises(settings: DurationSettings) -> Iterator[str]:
    if settings.at_most is not None:
        yield f"at most {duration_text(settings.at_most)}"
    if settings.slower_than_usual is not None:
        yield f"at most {number_text(settings.slower_than_usual)} times as long as usual"


CAPABILITY = RefreshDuration()
