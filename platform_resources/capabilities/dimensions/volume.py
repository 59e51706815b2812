"""The dimension `volume`."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.groups.group_promises import Every, group_measures, group_problems, judged_sizes, refuse_half_groups
from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise, Verdict, worst
from platform_resources.capabilities.measures import Measure, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, to_learn
from platform_resources.capabilities.support.shares import amount, counted, number_text
from platform_resources.capabilities.support.tolerances import around, greatest, least
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Text, YesNo

Rows = Annotated[int, Field(ge=0)]
Part = tuple[Verdict, str]


class VolumeSettings(Strict):
    """How many rows there may be, how their number may differ from the version published before, and from what is usual."""

    at_least: Rows | None = None
    at_most: Rows | None = None
    never_decreases: YesNo = False
    change_at_most: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    learned: LearnedThreshold = None
    group_by: ColumnName | None = None
    every: Every | None = None
    groups: tuple[Text, ...] | None = None
    per: Literal["delivery", "version"] | None = None
    input: Text | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> "VolumeSettings":
        compared = self.change_at_most is not None or self.never_decreases or self.learned is not None
        if self.at_least is None and self.at_most is None and not compared:
            raise ValueError("write at least one of at_least, at_most, never_decreases: true, change_at_most, learned: true")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least ({self.at_least}) is above at_most ({self.at_most})")
        if self.group_by is not None and (self.never_decreases or self.change_at_most is not None):
            raise ValueError("groups are not compared with the version before; take never_decreases and change_at_most away, or group_by")
        if self.per is not None and (self.never_decreases or self.change_at_most is not None or self.group_by is not None):
            raise ValueError("what a delivery brings is promised by at_least, at_most and learned; take the others away")
        if self.input is not None and self.per != "delivery":
            raise ValueError("input says whose deliveries are meant; write per: delivery, too")
        refuse_half_groups(self, self.learned)
        return self


class Volume(Traits):
    """How many rows there are: at least, at most, never fewer than before, changed by at most so many percent, as many as usual.

    The first version has nothing to be compared with and keeps `never_decreases` and `change_at_most`. No rows are a known number of rows.
    With `per: delivery` it is the rows that the newest delivery of the `input` brought: all of a full load, the new ones of a load that
    appends, those that were read of an incremental one. With `per: version` it is by how many rows a version has more than the one before.
    What is usual (`learned`) is unknown until 14 versions were published: the same weekdays, their trend and level, by medians.
    """

    name = "volume"
    config = VolumeSettings
    measured_by = "audit"
    predicate = "does not have the expected number of rows"
    vouches_for = frozenset({"amount"})
    quotes: Quotes = "rows"
    example = """
- name: Customers are never deleted
  type: service-level-asset
  properties: {dimension: volume, data_set: customers, at_least: 1000, never_decreases: true, change_at_most: 20, gate: true}
- name: About as many customers as usual
  type: service-level-asset
  properties: {dimension: volume, data_set: customers, learned: {sensitivity: 3, minimum_effect: 10}}
- name: Each week has customers
  type: service-level-asset
  properties: {dimension: volume, data_set: customers, at_least: 10, group_by: last_purchase_at, every: 1w}
- name: Each delivery of orders has about as many as usual
  type: service-level-asset
  properties: {dimension: volume, data_set: customers, per: delivery, input: orders, at_least: 1, learned: true}
"""

    def learned_kind(self, settings: VolumeSettings) -> Kind:
        return "count"

    def promise(self, settings: VolumeSettings, moment: Moment) -> Promise:
        """Within all bounds at once: those that are written, and those that follow from the version before."""
        fewest = moment.previous_rows if settings.never_decreases else None
        low, high = around(moment.previous_rows, settings.change_at_most)
        return Promise("rows", greatest(settings.at_least, fewest, low), least(settings.at_most, high))

    def columns_used(self, settings: VolumeSettings) -> Mapping[str, tuple[str, ...]]:
        return {"group_by": (settings.group_by,)} if settings.group_by else {}

    def problems(self, settings: VolumeSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from group_problems(settings, subject)
        if settings.per == "delivery" and settings.input is None and len(subject.inputs) != 1:
            yield "per", f"input is missing: the product has {amount(len(subject.inputs), 'input port')}", known_text(subject.inputs)
        elif settings.input is not None and settings.input not in subject.inputs:
            message = f'unknown input port "{settings.input}"; known: {known_text(subject.inputs)}'
            yield "input", message, did_you_mean(settings.input, subject.inputs)

    def measures(self, settings: VolumeSettings, subject: Subject) -> Mapping[str, Measure]:
        return {"rows": RowCount()} if settings.group_by is None else group_measures(settings, subject, ())

    def judge(self, settings: VolumeSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if settings.group_by is not None:
            return judged_sizes(settings, readings, settings.at_least, settings.at_most)
        if settings.per is not None:
            return _judged_delivery(settings, counted(readings, "rows"), subject, moment)
        rows = counted(readings, "rows")
        parts = [*_bounds(settings, rows), *_against_former(settings, rows, moment.previous_rows)]
        verdict = worst(part for part, _ in parts)
        texts = dict.fromkeys(text for part, text in parts if part == verdict)
        learn = to_learn(settings.learned, "count", rows)
        return Judgement(verdict, "; ".join((amount(rows), *texts)), rows, ", ".join(_promises(settings)), learn=learn)


def _judged_delivery(settings: VolumeSettings, rows: int, subject: Subject, moment: Moment) -> Judgement:
    threshold = ", ".join(_promises(settings))
    if settings.per == "version":
        brought, what = (
            rows - (moment.previous_rows or 0),
            "more than in the version before" if moment.previous_rows is not None else "in all",
        )
    else:
        port = settings.input or next(iter(subject.inputs))
        if port not in moment.delivered:
            reason = f"how many rows the newest delivery of {port} brought is not known; it is from its next one on"
            return Judgement("unknown", reason, threshold=threshold)
        brought, what = moment.delivered[port], f"in the newest delivery of {port}"
    parts = list(_bounds(settings, brought))
    verdict = worst(part for part, _ in parts)
    texts = dict.fromkeys(text for part, text in parts if part == verdict)
    learn = to_learn(settings.learned, "count", max(brought, 0), what)
    return Judgement(verdict, "; ".join((f"{amount(brought)} {what}", *texts)), brought, threshold, learn=learn)


def _bounds(settings: VolumeSettings, rows: int) -> Iterator[Part]:
    if settings.at_least is not None:
        yield _met(rows >= settings.at_least), f"at least {settings.at_least:,} promised"
    if settings.at_most is not None:
        yield _met(rows <= settings.at_most), f"at most {settings.at_most:,} promised"


def _against_former(settings: VolumeSettings, rows: int, former: int | None) -> Iterator[Part]:
    if former is None:
        if settings.never_decreases or settings.change_at_most is not None:
            yield "met", "first version, so there is nothing to compare with"
        return
    if settings.never_decreases:
        yield _met(rows >= former), f"never fewer than before promised, {former:,} before"
    if settings.change_at_most is not None:
        yield _change(settings.change_at_most, rows, former)


def _change(at_most: float, rows: int, former: int) -> Part:
    if former == 0 and rows > 0:
        return "unknown", "there were no rows before, so the change has no percentage"
    change = Decimal(100 * (rows - former)) / max(former, 1)
    text = f"{number_text(round(change, 1))} % change from {former:,}, at most {number_text(at_most)} % promised"
    return _met(abs(100 * (rows - former)) <= Decimal(str(at_most)) * former), text


def _met(holds: bool) -> Verdict:
    return "met" if holds else "missed"


def _promises(settings: VolumeSettings) -> Iterator[str]:
    if settings.at_least is not None:
        yield f"at least {amount(settings.at_least)}"
    if settings.at_most is not None:
        yield f"at most {amount(settings.at_most)}"
    if settings.never_decreases:
        yield "never fewer than before"
    if settings.change_at_most is not None:
        yield f"change at most {number_text(settings.change_at_most)} %"


CAPABILITY = Volume()
