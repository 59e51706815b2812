"""The dimension `business-kpi`."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.conditions.expressions import aggregate_problems
from platform_resources.capabilities.judgements import Judgement, Moment, Past, Promise, Verdict, worst
from platform_resources.capabilities.measures import Measure, Reading, Scalar, Subject
from platform_resources.capabilities.protocols import Traits
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, to_learn
from platform_resources.capabilities.support.shares import finite_number, no_number, number_text, plain_number, with_unit
from platform_resources.capabilities.support.tolerances import around, greatest, least
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text

Number = Annotated[float, Field(allow_inf_nan=False)]
Part = tuple[Verdict, str]


class BusinessKpiSettings(Strict):
    """The metric, and what its value is to be: within bounds, near the last one, as usual."""

    metric: Text
    min: Number | None = None
    max: Number | None = None
    change_at_most: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    learned: LearnedThreshold = None
    unit: str = ""

    @model_validator(mode="after")
    def _promises_something(self) -> "BusinessKpiSettings":
        if self.min is None and self.max is None and self.change_at_most is None and self.learned is None:
            raise ValueError("write at least one of min, max, change_at_most, learned: true")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is above max ({self.max:g})")
        return self


class BusinessKpi(Traits):
    """A number that the business is steered by, as one aggregate in DuckDB's SQL: within bounds, near the last one, as usual.

    Bounds are inclusive. `change_at_most` is in percent of the value in the version published last; the first has nothing to be compared
    with and keeps it. What is usual (`learned`) is unknown until 14 versions were published, and knows weekdays, trend and level. A metric
    without a finite value, as over no rows, is unknown.
    """

    name = "business-kpi"
    config = BusinessKpiSettings
    measured_by = "audit"
    example = """
- name: The average basket is plausible
  type: service-level-asset
  properties:
    {dimension: business-kpi, data_set: customers, metric: sum(revenue) / sum(orders), min: 5, max: 500, change_at_most: 20, unit: EUR}
- name: Revenue is as usual
  type: service-level-asset
  properties: {dimension: business-kpi, data_set: customers, metric: sum(revenue), learned: true}
"""

    def compares(self, settings: BusinessKpiSettings) -> bool:
        return settings.change_at_most is not None

    def promise(self, settings: BusinessKpiSettings, moment: Moment) -> Promise:
        past = moment.history.past
        low, high = around(past[-1].value if past else None, settings.change_at_most)
        return Promise(settings.unit, greatest(settings.min, low), least(settings.max, high))

    def columns_used(self, settings: BusinessKpiSettings) -> Mapping[str, tuple[str, ...]]:
        return {}

    def problems(self, settings: BusinessKpiSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from aggregate_problems("metric", settings.metric, [column.name for column in subject.data_set.columns])

    def measures(self, settings: BusinessKpiSettings, subject: Subject) -> Mapping[str, Measure]:
        return {"value": Scalar(settings.metric)}

    def judge(self, settings: BusinessKpiSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        reading, threshold = readings["value"].value, ", ".join(_promises(settings))
        value = finite_number(reading)
        if value is None:
            return Judgement("unknown", no_number(settings.metric, reading), threshold=threshold)
        parts = [*_bounds(settings, value), *_against_last(settings, value, moment)]
        verdict = worst(part for part, _ in parts)
        reasons = (text for part, text in parts if part == verdict)
        learn = to_learn(settings.learned, "number", float(value))
        what = f"the value is {with_unit(_shown(settings, value), settings.unit)}"
        return Judgement(verdict, "; ".join((what, *reasons)), float(value), threshold, learn=learn)


def _bounds(settings: BusinessKpiSettings, value: Decimal) -> Iterator[Part]:
    if settings.min is not None:
        yield _met(value >= Decimal(str(settings.min))), f"at least {with_unit(number_text(settings.min), settings.unit)} promised"
    if settings.max is not None:
        yield _met(value <= Decimal(str(settings.max))), f"at most {with_unit(number_text(settings.max), settings.unit)} promised"


def _shown(settings: BusinessKpiSettings, value: Decimal) -> str:
    """Rounded, unless it would then look as if its verdict were another."""
    text = plain_number(float(value))
    rounded = Decimal(text.replace(",", ""))
    return text if [part for part, _ in _bounds(settings, rounded)] == [part for part, _ in _bounds(settings, value)] else f"{value:,}"


def _against_last(settings: BusinessKpiSettings, value: Decimal, moment: Moment) -> Iterator[Part]:
    if settings.change_at_most is None:
        return
    if moment.history.error is not None:
        yield "unknown", f"the last value is not known: {moment.history.error}"
    elif not moment.history.past:
        yield "met", "first version, so there is nothing to compare with"
    else:
        yield _change(settings.change_at_most, value, moment.history.past[-1])


def _change(at_most: float, value: Decimal, last: Past) -> Part:
    former = Decimal(str(last.value))
    if former == 0 and value != 0:
        return "unknown", "it was 0 before, so the change has no percentage"
    change = 100 * (value - former) / abs(former) if former else Decimal(0)
    # The ledger keeps binary fractions: a change is compared as exactly as those are.
    met = abs(change) <= Decimal(str(at_most)) or math.isclose(float(abs(change)), at_most, rel_tol=1e-9)
    return _met(met), f"{number_text(round(change, 1))} % change from {plain_number(last.value)}, at most {number_text(at_most)} % promised"


def _met(holds: bool) -> Verdict:
    return "met" if holds else "missed"


def _promises(settings: BusinessKpiSettings) -> Iterator[str]:
    if settings.min is not None:
        yield f"at least {with_unit(number_text(settings.min), settings.unit)}"
    if settings.max is not None:
        yield f"at most {with_unit(number_text(settings.max), settings.unit)}"
    if settings.change_at_most is not None:
        yield f"change at most {number_text(settings.change_at_most)} %"


CAPABILITY = BusinessKpi()
