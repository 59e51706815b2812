"""The dimension `freshness`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from pydantic import field_validator

from platform_resources.capabilities.categories import may_be_named
from platform_resources.capabilities.judgements import Judgement, Moment
from platform_resources.capabilities.measures import Maximum, Measure, Reading, Subject
from platform_resources.spec.durations import Duration, duration_text
from platform_resources.spec.strict import Strict

CLOCKS_MAY_DIFFER_BY = timedelta(minutes=5)
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


class Freshness:
    """How long ago the newest row was made or changed, by the data set's `updated_at`.

    A data set without `updated_at` is as old as its published version. Times without a zone are UTC; a date is its midnight in UTC.
    An empty table, and a newest row in the future, have no known age.
    """

    name = "freshness"
    config = FreshnessSettings
    measured_by = "audit"
    example = """
- name: Refreshed daily
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, max_age: 24h}
"""

    def columns_used(self, settings: FreshnessSettings) -> Mapping[str, tuple[str, ...]]:
        return {}

    def problems(self, settings: FreshnessSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from ()

    def measures(self, settings: FreshnessSettings, subject: Subject) -> Mapping[str, Measure]:
        column = subject.data_set.updated_at
        return {} if column is None else {"newest": Maximum(column)}

    def judge(self, settings: FreshnessSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        column, promised = subject.data_set.updated_at, duration_text(settings.max_age)
        threshold = f"at most {promised} old"
        if column is None:
            return Judgement("met", "the data set has no updated_at, so its publication counts, which is now", threshold=threshold)
        value = readings["newest"].value
        if value is None:
            return Judgement("unknown", f"{column} is empty in every row, so the age is not known", threshold=threshold)
        if not isinstance(value, date):
            held = repr(str(value)) if may_be_named(column, subject) else "what may not be shown"
            return Judgement("unknown", f"{column} holds {held}, which is not a date or a time", threshold=threshold)
        age = _with_zone(moment.now) - _with_zone(value)
        if age < -CLOCKS_MAY_DIFFER_BY:
            return Judgement("unknown", f"the newest {column} lies {age_text(-age)} in the future", threshold=threshold)
        shown = age_text(max(age, timedelta()))
        reason = f"the newest {column} is {shown} old; at most {promised} promised"
        return Judgement("met" if age <= settings.max_age else "missed", reason, shown, threshold)


def _with_zone(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def age_text(age: timedelta) -> str:
    """The age in its two largest units, rounded up so that it never looks younger: `26 h 5 min`, `3 d 2 h`."""
    minutes = -(-age // timedelta(minutes=1))
    hours = -(-age // timedelta(hours=1))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return _two(minutes, 60, "h", "min")
    return _two(hours, 24, "d", "h")


def _two(count: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(count, size)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


CAPABILITY = Freshness()
