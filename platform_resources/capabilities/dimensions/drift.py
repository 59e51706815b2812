"""The dimension `drift`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Measure, NullCount, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.categories import no_categories, not_numeric
from platform_resources.capabilities.support.drift_bins import Bin, DriftReference, bin_measures, bins
from platform_resources.capabilities.support.drift_statistics import (
    Shares,
    jensen_shannon_distance,
    kolmogorov_smirnov,
    population_stability_index,
    total_variation,
)
from platform_resources.capabilities.support.references import unknown_reference_column, unknown_relation
from platform_resources.capabilities.support.shares import amount, counted, number_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName

Method = Literal["psi", "jensen-shannon", "kolmogorov-smirnov", "total-variation"]
STATISTICS: Mapping[Method, Callable[[Shares, Shares], float]] = {
    "psi": population_stability_index,
    "jensen-shannon": jensen_shannon_distance,
    "kolmogorov-smirnov": kolmogorov_smirnov,
    "total-variation": total_variation,
}
# PSI: credit scoring calls it another population from 0.25 on, and worth a look from 0.1. The others: a tenth of the way to disjoint.
USUAL_THRESHOLDS: Mapping[Method, float] = {"psi": 0.25, "jensen-shannon": 0.1, "kolmogorov-smirnov": 0.1, "total-variation": 0.1}


class DriftSettings(Strict):
    """Which column, against which reference, by which measure of difference, and how much of it is allowed."""

    column: ColumnName
    reference: DriftReference
    method: Method = "psi"
    at_most: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    least_rows: Annotated[int, Field(ge=1)] = 100

    @model_validator(mode="after")
    def _fits(self) -> "DriftSettings":
        if self.at_most is not None and self.at_most >= 1 and self.method != "psi":
            raise ValueError(f"at_most is {self.at_most:g}, but {self.method} is never above 1; write a number between 0 and 1")
        if self.method == "kolmogorov-smirnov" and not self.reference.numeric:
            raise ValueError("kolmogorov-smirnov compares numbers; give the reference edges or bins, or choose another method")
        return self

    @property
    def threshold(self) -> float:
        """The promised limit of the statistic, or the usual one of its method."""
        return USUAL_THRESHOLDS[self.method] if self.at_most is None else self.at_most


class Drift(Traits):
    """How far the values of a column have moved away from a reference: frozen shares, an input port, or another data set.

    `psi` is the population stability index: under 0.1 is customarily stable, 0.1 to 0.25 worth a look, above it another population.
    `jensen-shannon` (distance, base 2), `kolmogorov-smirnov` (numbers, at the edges of the bins) and `total-variation` go from 0 to 1.
    Nulls are left out; an infinite value is in the first or the last bin, and NaN in the last. For `psi`, an empty bin counts as
    0.01 %, and few rows look like drift: by chance alone it is about the number of bins divided by the number of rows.
    """

    name = "drift"
    config = DriftSettings
    measured_by = "audit"
    predicate = "has drifted away from its reference"
    quotes: Quotes = "columns"
    example = """
- name: Revenues are distributed as in the first year
  type: service-level-asset
  properties:
    dimension: drift
    data_set: customers
    column: revenue
    reference: {edges: [0, 50, 200, 1000], shares: [1, 39, 35, 20, 5]}
- name: Channels are used as agreed
  type: service-level-asset
  properties:
    dimension: drift
    data_set: orders
    column: channel
    reference: {categories: {online: 40, store: 60}}
    method: total-variation
    at_most: 0.15
- name: Customers pay what the orders say
  type: service-level-asset
  properties:
    dimension: drift
    data_set: customers
    column: revenue
    reference: {input: orders, column: amount, bins: 4}
    method: kolmogorov-smirnov
- name: Customers use the channels of the orders
  type: service-level-asset
  properties: {dimension: drift, data_set: customers, column: channel, reference: {input: orders}, method: jensen-shannon}
"""

    def promise(self, settings: DriftSettings, moment: Moment) -> Promise:
        return Promise("", at_most=settings.threshold)

    def columns_used(self, settings: DriftSettings) -> Mapping[str, tuple[str, ...]]:
        return {"column": (settings.column,)}

    def problems(self, settings: DriftSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        reference = settings.reference
        yield from no_categories(reference.categories or (), settings.column, subject, "reference")
        if reference.name is not None and reference.name not in reference.known(subject):
            yield unknown_relation("reference", reference.name, reference.data_set, reference.known(subject))
        elif reference.name is not None:
            there = subject.declared.get(reference.relation(subject), ())
            yield from unknown_reference_column("reference", reference.column or settings.column, reference.name, there)
        if reference.numeric:
            yield from not_numeric(settings.column, subject, "column")

    def measures(self, settings: DriftSettings, subject: Subject) -> Mapping[str, Measure]:
        counts: dict[str, Measure] = {"rows": RowCount(), "nulls": NullCount(settings.column)}
        return {**counts, **bin_measures(settings.column, settings.reference, subject)}

    def judge(self, settings: DriftSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        threshold = f"{settings.method} at most {number_text(settings.threshold)}"
        filled = counted(readings, "rows") - counted(readings, "nulls")
        if filled < settings.least_rows:
            needed = f"at least {settings.least_rows:,} are needed to tell drift from chance"
            reason = f"{settings.column} has {amount(filled, 'filled row')}; {needed}"
            return Judgement("unknown", reason, threshold=threshold)
        compared = bins(settings.reference, readings, filled)
        if not compared:
            return Judgement("unknown", f"{settings.reference.name} has no values to compare with", threshold=threshold)
        return _judged(settings, compared, filled, threshold)


def _judged(settings: DriftSettings, compared: tuple[Bin, ...], filled: int, threshold: str) -> Judgement:
    value = STATISTICS[settings.method]([bin_.before for bin_ in compared], [bin_.now for bin_ in compared])
    verdict: Literal["met", "missed"] = "met" if value <= settings.threshold else "missed"
    most = max(compared, key=lambda bin_: abs(bin_.now - bin_.before))
    moved = f"; most moved: {most.label}, {_percent(most.before)} before and {_percent(most.now)} now" if most.now != most.before else ""
    what = f"{settings.method} of {settings.column} is {_shown(value, settings.threshold)}"
    promised = f"at most {number_text(settings.threshold)} promised"
    reason = f"{what} over {amount(len(compared), 'bin')} of {amount(filled, 'filled row')}; {promised}{moved}"
    return Judgement(verdict, reason, value, threshold, shown=_shown(value, settings.threshold))


def _shown(value: float, threshold: float) -> str:
    """With as few decimals, from three on, as leave it on its side of the promise."""
    texts = (f"{value:.{places}f}" for places in range(3, 17))
    return next((text for text in texts if (float(text) <= threshold) == (value <= threshold)), f"{value!r}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


CAPABILITY = Drift()
