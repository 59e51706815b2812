"""The dimension `distribution`."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise, Verdict
from platform_resources.capabilities.measures import CountIf, Measure, NullCount, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.categories import (
    category_predicate,
    declared_type,
    no_categories,
    not_numeric,
    other_predicate,
)
from platform_resources.capabilities.support.distribution_rules import (
    QuietEntities,
    ShareBounds,
    UsualRange,
    check_possible,
    entity_measures,
    range_measures,
)
from platform_resources.capabilities.support.references import unknown_reference_column, unknown_relation
from platform_resources.capabilities.support.shares import (
    amount,
    at_least_percent,
    counted,
    exact_percent,
    nothing_filled,
    number_text,
    percent_text,
)
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.field_types import ColumnName, Percent, Text


class DistributionSettings(Strict):
    """One rule: values outside of the usual range, shares of categories, or active entities that have fallen silent."""

    column: ColumnName | None = None
    outside_usual: UsualRange | None = None
    shares: Annotated[Mapping[Text, ShareBounds], Field(min_length=1)] | None = None
    other_categories: Literal["allow", "forbid"] = "allow"
    quiet_entities: QuietEntities | None = None
    at_most: Percent | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> "DistributionSettings":
        if sum(rule is not None for rule in (self.outside_usual, self.shares, self.quiet_entities)) != 1:
            raise ValueError("write exactly one rule: outside_usual, shares or quiet_entities")
        if (self.column is None) == (self.quiet_entities is None):
            raise ValueError("outside_usual and shares need column; quiet_entities names its own columns")
        if (self.at_most is None) == (self.shares is None):
            raise ValueError("outside_usual and quiet_entities need at_most: <percent>; shares have bounds of their own")
        if self.shares is None and "other_categories" in self.model_fields_set:
            raise ValueError("other_categories belongs to shares")
        if self.shares is not None:
            check_possible(self.shares, self.other_categories)
        return self


class Distribution(Traits):
    """How values are spread: few outside of the usual range, each category with its share, few active entities that fall silent.

    `outside_usual` is measured on the column itself or on a reference; infinite values and NaN lie outside, and are left out of what is
    usual. Extreme values widen standard deviations, and at most 1/k² of a column can lie k of its own deviations away: `iqr` or a
    reference sees more. Shares are of the filled rows. Categories are compared as values of the
    column's type.
    """

    name = "distribution"
    config = DistributionSettings
    measured_by = "audit"
    predicate = "has values that are spread in another way than promised"
    quotes: Quotes = "columns"
    example = """
- name: Few revenues are outliers
  type: service-level-asset
  properties: {dimension: distribution, data_set: customers, column: revenue, outside_usual: {iqr: 3}, at_most: 1}
- name: Revenues are where those of the orders are
  type: service-level-asset
  properties:
    dimension: distribution
    data_set: customers
    column: revenue
    outside_usual: {quantiles: [0.01, 0.99], input: orders, column: amount}
    at_most: 5
- name: Both channels sell
  type: service-level-asset
  properties:
    dimension: distribution
    data_set: orders
    column: channel
    shares: {online: {min: 20, max: 60}, store: {min: 40}}
    other_categories: forbid
- name: Stores keep reporting
  type: service-level-asset
  properties:
    dimension: distribution
    data_set: orders
    quiet_entities: {entities: [store_id], event_time: ordered_at, quiet_for: 7d, active_within: 30d, at_least_events: 3}
    at_most: 2
"""

    def promise(self, settings: DistributionSettings, moment: Moment) -> Promise:
        return Promise("categories", at_most=0) if settings.shares is not None else Promise("%", at_most=settings.at_most or 0)

    def columns_used(self, settings: DistributionSettings) -> Mapping[str, tuple[str, ...]]:
        quiet = settings.quiet_entities
        if quiet is not None:
            return {"quiet_entities": (*quiet.entities, quiet.event_time)}
        return {"column": (settings.column or "",)}

    def problems(self, settings: DistributionSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        usual = settings.outside_usual
        yield from no_categories(settings.shares or (), settings.column or "", subject, "shares")
        if usual is None:
            return
        if usual.name is not None and usual.name not in usual.known(subject):
            yield unknown_relation("outside_usual", usual.name, usual.data_set, usual.known(subject))
        elif usual.name is not None:
            there = subject.declared.get(usual.relation(subject), ())
            yield from unknown_reference_column("outside_usual", usual.column or settings.column or "", usual.name, there)
        yield from not_numeric(settings.column or "", subject, "outside_usual")

    def measures(self, settings: DistributionSettings, subject: Subject) -> Mapping[str, Measure]:
        if settings.quiet_entities is not None:
            return entity_measures(settings.quiet_entities, subject)
        column = settings.column or ""
        counts: dict[str, Measure] = {"rows": RowCount(), "nulls": NullCount(column)}
        if settings.outside_usual is not None:
            return {**counts, **range_measures(column, settings.outside_usual, subject)}
        declared, shares = declared_type(column, subject), settings.shares or {}
        counts |= {_of(name): CountIf(category_predicate(column, name, declared)) for name in shares}
        return {**counts, "others": CountIf(other_predicate(column, tuple(shares), declared))}

    def judge(self, settings: DistributionSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if settings.quiet_entities is not None:
            return _quiet(settings.quiet_entities, settings.at_most or 0, readings)
        filled = counted(readings, "rows") - counted(readings, "nulls")
        if settings.shares is not None:
            return _shares(settings, settings.shares, readings, filled)
        return _outside(settings, readings, filled)


def _of(category: str) -> str:
    return f"rows of {category}"


def _outside(settings: DistributionSettings, readings: Mapping[str, Reading], filled: int) -> Judgement:
    at_most, low, high = settings.at_most or 0, readings["low"].value, readings["high"].value
    if filled == 0:
        return Judgement("unknown", _nothing(settings, readings), threshold=_at_most(at_most))
    if not isinstance(low, (int, float, Decimal)) or not isinstance(high, (int, float, Decimal)):
        return Judgement("unknown", "there are no values to tell what is usual", threshold=_at_most(at_most))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Judgement("unknown", "the values are too large to tell what is usual", threshold=_at_most(at_most))
    below, above = counted(readings, "below"), counted(readings, "above")
    what = f"{settings.column} lies outside of the usual {low:.6g} to {high:.6g} in"
    return _few(below + above, filled, at_most, what, amount(filled, "filled row"), "above" if above >= below else "below")


def _nothing(settings: DistributionSettings, readings: Mapping[str, Reading]) -> str:
    return f"{nothing_filled(counted(readings, 'rows'), settings.column or '')}, so nothing can be said"


def _quiet(quiet: QuietEntities, at_most: float, readings: Mapping[str, Reading]) -> Judgement:
    active, silent, names = counted(readings, "active"), counted(readings, "quiet"), ", ".join(quiet.entities)
    if active == 0:
        events, window = amount(quiet.at_least_events, "event"), duration_text(quiet.active_within)
        return Judgement("unknown", f"no {names} was active: none had {events} within {window}", threshold=_at_most(at_most))
    what, of = f"{names} had no event for {duration_text(quiet.quiet_for)} in", f"{active:,} that {'was' if active == 1 else 'were'} active"
    return _few(silent, active, at_most, what, of, "quiet")


def _few(bad: int, whole: int, at_most: float, what: str, of: str, failing: str) -> Judgement:
    met = Decimal(100 * bad) <= Decimal(str(at_most)) * whole
    verdict: Verdict = "met" if met else "missed"
    shown, threshold = percent_text(bad, whole, at_most, up=True), _at_most(at_most)
    reason = f"{what} {shown} of {of}; {threshold} promised"
    return Judgement(verdict, reason, exact_percent(bad, whole), threshold, bad, failing, rows=whole, shown=shown)


def _shares(settings: DistributionSettings, shares: Mapping[str, ShareBounds], readings: Mapping[str, Reading], filled: int) -> Judgement:
    """All categories outside of their bounds are told; the value is their number."""
    threshold = "; ".join(f"{name} {bounds.text}" for name, bounds in shares.items())
    if filled == 0:
        return Judgement("unknown", _nothing(settings, readings), threshold=threshold)
    broken = {name: bounds for name, bounds in shares.items() if not _within(bounds, counted(readings, _of(name)), filled)}
    others = counted(readings, "others") if settings.other_categories == "forbid" else 0
    parts = [_share_text(name, bounds, counted(readings, _of(name)), filled) for name, bounds in broken.items()]
    parts += [f"{amount(others)} {'is' if others == 1 else 'are'} of another category, which is forbidden"] if others else []
    if not parts:
        return Judgement("met", f"every category has its share of {amount(filled, 'filled row')}", 0, threshold)
    reason = f"{'; '.join(parts)} (of {amount(filled, 'filled row')})"
    judgement = Judgement("missed", reason, len(parts), threshold)
    return replace(judgement, failing_rows=others, failing="others", rows=filled) if others else judgement


def _within(bounds: ShareBounds, rows: int, filled: int) -> bool:
    return at_least_percent(rows, filled, bounds.min) and Decimal(100 * rows) <= Decimal(str(bounds.max)) * filled


def _share_text(name: str, bounds: ShareBounds, rows: int, filled: int) -> str:
    too_few = not at_least_percent(rows, filled, bounds.min)
    share = percent_text(rows, filled, bounds.min if too_few else bounds.max, up=not too_few)
    return f"{name} has {share}, {bounds.text} promised"


def _at_most(percentage: float) -> str:
    return f"at most {number_text(percentage)} %"


CAPABILITY = Distribution()
