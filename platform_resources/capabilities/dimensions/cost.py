"""The dimension `cost`."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Past, Promise, Spent, Verdict, worst
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import NotAudited, Quotes
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, to_learn
from platform_resources.capabilities.support.shares import bytes_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration, length_text

CostMeasure = Literal["bytes", "seconds", "credits"]
Part = tuple[Verdict, str]
_BYTES = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


class _Measured(NamedTuple):
    """How an amount is written, and what of it one refresh spent; `kind` is what is usual of such numbers."""

    example: str
    kind: Kind
    of: Callable[[Spent], float]
    text: Callable[[float], str]


_MEASURED: Mapping[CostMeasure, _Measured] = {
    "bytes": _Measured("500 MB", "bytes", lambda run: float(run.bytes or 0), bytes_text),
    "seconds": _Measured("10m", "duration", lambda run: run.seconds, length_text),
    "credits": _Measured("2.5", "number", lambda run: run.credits or 0.0, lambda value: f"{value:g} credits"),
}


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is not an amount; write a number, or one with a unit such as 500 MB or 10m")
    return str(value).strip()


AmountText = Annotated[str, BeforeValidator(_text, json_schema_input_type=Annotated[float, Field(ge=0)] | str)]


class CostBudget(Strict):
    """How much one refresh, or all of a month, may cost."""

    per_refresh: AmountText | None = None
    per_month: AmountText | None = None


class CostSettings(Strict):
    """What is counted, and how much of it may be spent: a budget, or as much as usual."""

    measure: CostMeasure
    budget: CostBudget = CostBudget()
    learned: LearnedThreshold = None

    @model_validator(mode="after")
    def _promises_something(self) -> "CostSettings":
        written = (self.budget.per_refresh, self.budget.per_month)
        if written == (None, None) and self.learned is None:
            raise ValueError("write at least one of budget.per_refresh, budget.per_month, learned: true")
        for text in written:
            if text is not None:
                spent(text, self.measure)
        return self


def spent(written: str, measure: CostMeasure) -> float:
    """The amount in bytes, seconds or credits. Raises ValueError with what is allowed."""
    match = _SIZE.fullmatch(written)
    if measure == "seconds" and match is not None and match[2]:
        return duration(written).total_seconds()
    units = _BYTES if measure == "bytes" else {}
    if match is None or (match[2] and match[2] not in units):
        known = f"; known units: {', '.join(units)}" if units else ""
        raise ValueError(f'"{written}" is no amount of {measure}; write one such as {_MEASURED[measure].example}{known}')
    return float(match[1]) * (units[match[2]] if match[2] else 1)


class Cost(NotAudited):
    """What refreshes of the product cost: bytes published, seconds of the run, or credits; against a budget, and against what was usual.

    About the product as a whole, so without a `data_set`, and measured from the history of runs. Per refresh, the last one counts that
    ended well. Per month, every run counts that began since the first of the month in UTC, also one that failed. `learned` holds the last
    refresh against those before it; only more than usual misses the promise. Credits are Snowflake's, which bills them some hours later:
    the last refresh is then the last that is billed. On DuckDB, or where the account does not tell, they are unknown.
    """

    name = "cost"
    config = CostSettings
    measured_by = "history"
    predicate = "costs more than promised"
    quotes: Quotes = "times"
    example = """
- name: Storage stays in its budget
  type: service-level-asset
  properties: {dimension: cost, measure: bytes, budget: {per_refresh: 500 MB, per_month: 20 GB}}
- name: Refreshes cost no more time than usual
  type: service-level-asset
  properties: {dimension: cost, measure: seconds, budget: {per_month: 10h}, learned: true}
"""

    def learned_kind(self, settings: CostSettings) -> Kind:
        return _MEASURED[settings.measure].kind

    def promise(self, settings: CostSettings, moment: Moment) -> Promise:
        return Promise("s" if settings.measure == "seconds" else settings.measure)

    def judge(self, settings: CostSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        threshold = ", ".join(_promises(settings))
        if settings.measure == "credits" and all(run.credits is None for run in moment.spent):
            return Judgement("unknown", "credits are counted by Snowflake, and there is no reading of them", threshold=threshold)
        if settings.measure == "bytes" and any(run.bytes is None for run in moment.spent):
            return Judgement("unknown", "the warehouse does not tell how many bytes a version has", threshold=threshold)
        whole = [run for run in moment.spent if run.whole and (settings.measure != "credits" or run.credits is not None)]
        if not moment.spent or (not whole and settings.budget.per_month is None):
            return Judgement("unknown", "no refresh has ended well yet", threshold=threshold, learning=True)
        parts = list(_parts(settings, moment, whole))
        verdict = worst(part for part, _ in parts)
        reason = "; ".join(text for part, text in parts if part == verdict)
        value, promise = _deciding(settings, moment, whole)
        judgement = Judgement(verdict, reason, value, threshold, promise=promise, learning=verdict == "unknown")
        if not whole:
            return judgement
        past = tuple(Past(run.at, _MEASURED[settings.measure].of(run)) for run in whole)
        learn = to_learn(settings.learned, _MEASURED[settings.measure].kind, _MEASURED[settings.measure].of(whole[-1]), "the last refresh")
        return replace(judgement, learn=replace(learn, at=whole[-1].at, past=past) if learn else None)


def _deciding(settings: CostSettings, moment: Moment, whole: list[Spent]) -> tuple[float, Promise]:
    """The amount that decides the verdict, and what was promised of it: the last refresh, or the month if only that is above its budget."""
    measure, budget, month = settings.measure, settings.budget, _this_month(settings.measure, moment)
    unit = "s" if measure == "seconds" else measure
    of_refresh = Promise(unit, at_most=spent(budget.per_refresh, measure) if budget.per_refresh is not None else None)
    of_month = Promise(unit, at_most=spent(budget.per_month, measure) if budget.per_month is not None else None)
    last = _MEASURED[measure].of(whole[-1]) if whole else None
    if last is None or (budget.per_refresh is None and settings.learned is None):
        return month, of_month
    above = _is_above(month, of_month) and not _is_above(last, of_refresh)
    return (month, of_month) if above else (last, of_refresh)


def _is_above(value: float, promise: Promise) -> bool:
    return promise.at_most is not None and value > promise.at_most


def _parts(settings: CostSettings, moment: Moment, whole: list[Spent]) -> Iterator[Part]:
    measure, budget = settings.measure, settings.budget
    if not whole:
        if budget.per_refresh is not None or settings.learned is not None:
            yield "unknown", "no refresh has ended well yet"
    else:
        last = _MEASURED[measure].of(whole[-1])
        text = f"the last refresh {'published' if measure == 'bytes' else 'took'} {_MEASURED[measure].text(last)}"
        allowed = spent(budget.per_refresh, measure) if budget.per_refresh is not None else None
        promised = f"; at most {budget.per_refresh} promised" if allowed is not None else ""
        if allowed is not None or settings.learned is not None:
            yield ("met" if allowed is None or last <= allowed else "missed"), f"{text}{promised}"
    if budget.per_month is not None:
        total = _this_month(measure, moment)
        verdict: Verdict = "met" if total <= spent(budget.per_month, measure) else "missed"
        yield verdict, f"{_MEASURED[measure].text(total)} since the first of the month; at most {budget.per_month} promised"


def _this_month(measure: CostMeasure, moment: Moment) -> float:
    now = moment.now.astimezone(UTC)
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    return sum(_MEASURED[measure].of(run) for run in moment.spent if run.at >= first)


def _promises(settings: CostSettings) -> Iterator[str]:
    if settings.budget.per_refresh is not None:
        yield f"at most {settings.budget.per_refresh} of {settings.measure} per refresh"
    if settings.budget.per_month is not None:
        yield f"at most {settings.budget.per_month} of {settings.measure} per month"


CAPABILITY = Cost()
