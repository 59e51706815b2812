"""The dimension `freshness`."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from pydantic import field_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Measure, NullCount, Reading, RowCount, Scalar, Subject
from platform_resources.capabilities.protocols import Traits, WhatFails
from platform_resources.capabilities.support.categories import declared_type, may_be_named
from platform_resources.capabilities.support.recency import Recency, ahead_sql, ahead_text, newest_sql, of_inputs, of_rows
from platform_resources.capabilities.support.shares import counted
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import Duration, duration_text, length_text

SHORTEST_MAX_AGE = timedelta(minutes=1)


class FreshnessSettings(Strict):
    """How old the newest row may be."""

    max_age: Duration = timedelta(days=1)

    @field_validator("max_age")
    @classmethod
    def _dagster_can_watch_it(cls, max_age: timedelta) -> timedelta:
        """Dagster's freshness policies know no window under a minute."""
        if max_age < SHORTEST_MAX_AGE:
            raise ValueError(
                f"{duration_text(max_age)} is too short to be kept; at least {duration_text(SHORTEST_MAX_AGE)} may be promised"
            )
        return max_age


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
    example = """
- name: Refreshed daily
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, max_age: 24h}
"""

    def max_age(self, settings: FreshnessSettings) -> timedelta | None:
        return settings.max_age

    def promise(self, settings: FreshnessSettings, moment: Moment) -> Promise:
        return Promise("s", at_most=settings.max_age.total_seconds())

    def columns_used(self, settings: FreshnessSettings) -> Mapping[str, tuple[str, ...]]:
        return {}

    def problems(self, settings: FreshnessSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from ()

    def measures(self, settings: FreshnessSettings, subject: Subject) -> Mapping[str, Measure]:
        column = subject.data_set.updated_at
        if column is None:
            return {}
        zoned = declared_type(column, subject) == "timestamptz"
        newest, ahead = newest_sql(column, subject.now, zoned), ahead_sql(column, subject.now, zoned)
        return {"rows": RowCount(), "nulls": NullCount(column), "newest": Scalar(newest), "ahead": Scalar(ahead)}

    def judge(self, settings: FreshnessSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        promised = duration_text(settings.max_age)
        threshold = f"at most {promised} old"
        recency = _recency(readings, subject, moment)
        if recency.at is None:
            return Judgement("unknown", f"{recency.unknown}, so the age is not known{ahead_text(recency)}", threshold=threshold)
        age = moment.now - recency.at
        shown = length_text(age)
        reason = f"{recency.by} is {shown} old; at most {promised} promised{ahead_text(recency)}"
        return Judgement("met" if age <= settings.max_age else "missed", reason, age.total_seconds(), threshold, shown=shown)


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
