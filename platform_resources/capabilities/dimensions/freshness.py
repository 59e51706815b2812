"""The dimension `freshness`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, field_validator, model_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Measure, NullCount, Reading, RowCount, Scalar, Subject
from platform_resources.capabilities.protocols import Quotes, Traits, WhatFails
from platform_resources.capabilities.support.categories import declared_type, may_be_named
from platform_resources.capabilities.support.recency import Recency, ahead_sql, ahead_text, by_its_days, newest_sql, of_inputs, of_rows
from platform_resources.capabilities.support.shares import counted
from platform_resources.spec.notifications import Clock
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.deadlines import Covered, Deadlines, MaxAge, age_text, asked_at, promised_text
from platform_resources.spec.values.durations import duration_text, length_text
from platform_resources.spec.values.field_types import Cron, Duration, TimeZone, YesNo
from platform_resources.spec.values.working_days import WorkingDays, public_holidays

SHORTEST_MAX_AGE = timedelta(minutes=1)
_ONLY_WITH_DEADLINES = ("timezone", "working_days", "holidays", "covers")


def _days_off(value: Any) -> Any:
    """A country that is known, or days."""
    if isinstance(value, str):
        public_holidays(value)
        return value
    return _DAYS.validate_python(value)


_DAYS = TypeAdapter(tuple[date, ...])
Holidays = Annotated[str | tuple[date, ...], BeforeValidator(_days_off, json_schema_input_type=str | tuple[date, ...])]


class FreshnessSettings(Strict):
    """How old the newest row may be: at any time, or at deadlines by the clock and the calendar."""

    max_age: Duration = timedelta(days=1)
    by: Clock | None = None
    cron: Cron | None = None
    timezone: TimeZone | None = None
    working_days: YesNo | None = None
    holidays: Holidays | None = None
    covers: Covered | None = None

    @field_validator("max_age")
    @classmethod
    def _dagster_can_watch_it(cls, max_age: timedelta) -> timedelta:
        """Dagster's freshness policies know no window under a minute."""
        if max_age < SHORTEST_MAX_AGE:
            raise ValueError(
                f"{duration_text(max_age)} is too short to be kept; at least {duration_text(SHORTEST_MAX_AGE)} may be promised"
            )
        return max_age

    @model_validator(mode="after")
    def _deadlines_that_come(self) -> "FreshnessSettings":
        if self.by is None and self.cron is None:
            for name in _ONLY_WITH_DEADLINES:
                if getattr(self, name) is not None:
                    raise ValueError(f'{name} has no meaning without deadlines; write by: "06:00", or a cron expression, or take it away')
            return self
        if self.by is not None and self.cron is not None:
            raise ValueError("by and cron both say when data is due; take one of them away")
        if self.covers is not None and "max_age" in self.model_fields_set:
            raise ValueError("max_age and covers both say what is due by the deadline; take one of them away")
        if next(self.deadlines.after(datetime(2024, 1, 1, tzinfo=UTC)), None) is None:
            raise ValueError(f"{self.deadlines.text}: that is a time that never comes")
        return self

    @property
    def deadlines(self) -> Deadlines:
        """By when newer data must be there. Only for settings that have deadlines."""
        hour, minute = (self.by or "00:00").split(":")
        listed = self.holidays if isinstance(self.holidays, tuple) else ()
        return Deadlines(
            self.cron or f"{int(minute)} {int(hour)} * * *",
            self.timezone or "UTC",
            WorkingDays(bool(self.working_days), self.holidays if isinstance(self.holidays, str) else "", listed),
            self.max_age,
            self.covers,
            said=f"by {self.by}" if self.by else "",
        )

    @property
    def age(self) -> MaxAge:
        """How old data may be: a length of time, or by deadlines."""
        return self.max_age if self.by is None and self.cron is None else self.deadlines


class Freshness(Traits):
    """How long ago the newest row was made or changed, by the data set's `updated_at`.

    Times without a zone are UTC; a date is its midnight in UTC. Rows dated in the future tell nothing: the newest before them counts. A
    table without any other has no known age. A data set without `updated_at` is as old as the oldest input that it is made from, and one
    made from none as its publication.
    """

    name = "freshness"
    config = FreshnessSettings
    measured_by = "audit"
    failure: WhatFails = "lateness"
    breaks = True
    predicate = "is not fresh"
    vouches_for = frozenset({"age"})
    quotes: Quotes = "times"
    example = """
- name: Refreshed daily
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, max_age: 24h}
- name: There at six on working days
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, by: "06:00", timezone: Europe/Berlin, working_days: yes, holidays: DE-BY}
- name: Yesterday is there at nine
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, cron: "0 9 * * 1-5", covers: working-day}
"""

    def max_age(self, settings: FreshnessSettings) -> MaxAge | None:
        return settings.age

    def promise(self, settings: FreshnessSettings, moment: Moment) -> Promise:
        return Promise("s", at_most=(moment.now - asked_at(settings.age, moment.now)).total_seconds())

    def columns_used(self, settings: FreshnessSettings) -> Mapping[str, tuple[str, ...]]:
        return {}

    def problems(self, settings: FreshnessSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        if settings.covers is not None and subject.data_set.updated_at is None:
            message = "no row tells which period it belongs to: the data set names no column under updated_at"
            yield "covers", message, "give the data set an updated_at, or write max_age in place of covers"

    def measures(self, settings: FreshnessSettings, subject: Subject) -> Mapping[str, Measure]:
        column = subject.data_set.updated_at
        if column is None:
            return {}
        zoned = declared_type(column, subject) == "timestamptz"
        newest, ahead = newest_sql(column, subject.now, zoned), ahead_sql(column, subject.now, zoned)
        return {"rows": RowCount(), "nulls": NullCount(column), "newest": Scalar(newest), "ahead": Scalar(ahead)}

    def judge(self, settings: FreshnessSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        age = by_its_days(settings.age, subject)
        threshold = age_text(age) if isinstance(age, Deadlines) else f"{age_text(age)} old"
        recency = _recency(readings, subject, moment)
        if recency.at is None:
            return Judgement("unknown", f"{recency.unknown}, so the age is not known{ahead_text(recency)}", threshold=threshold)
        asked = asked_at(age, moment.now)
        seconds, shown = (moment.now - recency.at).total_seconds(), length_text(moment.now - recency.at)
        reason = f"{recency.by} is {shown} old; {promised_text(age, moment.now)}{ahead_text(recency)}"
        promise = Promise("s", at_most=(moment.now - asked).total_seconds())
        return Judgement("met" if recency.at >= asked else "missed", reason, seconds, threshold, shown=shown, promise=promise)


def _recency(readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Recency:
    column = subject.data_set.updated_at
    if column is None:
        return moment.recency or of_inputs({}, moment.now)
    newest, filled = readings["newest"].value, counted(readings, "rows") - counted(readings, "nulls")
    if newest is not None and not isinstance(newest, date):
        held = repr(str(newest)) if may_be_named(column, subject) else "what may not be shown"
        return Recency(None, unknown=f"{column} holds {held}, which is not a date or a time")
    return of_rows(column, newest, counted(readings, "ahead"), filled, moment.now)


CAPABILITY = Freshness()
