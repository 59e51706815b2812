"""Profiles of what was built: the audit's own scan, and a sample for what a scan cannot tell cheaply; kept until they are published.

Exact quantiles and the most frequent values of every column cost many times the scan. Of 100,000 rows chosen at random they cost little
more than choosing those, and a quantile is off by at most half a per cent of the rows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platform_resources.capabilities.measures import Reading, Relation
from platform_resources.capabilities.support.sql_text import quoted, quoted_list, relation_sql
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.measuring.profile_queries import (
    LONGEST_VALUE,
    ProfiledColumn,
    column_profile,
    profile_asked,
    profile_mergings,
    profile_rows,
    profiled_columns,
    shown_value,
)
from platform_resources.measuring.version_profiles import QUANTILES, Histogram, Profile, Shown, profile_data, profile_of
from platform_resources.plan.plan import DataSetPlan, ProductPlan
from platform_resources.warehouses.duckdb.discretion import Words, discretion, in_full
from platform_resources.warehouses.duckdb.measured_queries import measure
from platform_resources.warehouses.duckdb.product_database import MEMORY, EngineError, ProductDatabase

SAMPLE_ROWS, TOP, BINS = 100_000, 10, 12
PART_COLUMNS = 40
_CANDIDATE, _PUBLISHED = "profile", "published profile"
_SAMPLE, _PART = "temp.mesh_sample", "temp.mesh_sample_part"


@dataclass(frozen=True, slots=True)
class ProfiledDataSet:
    """A data set to profile, with the columns that were built."""

    data_set: str
    relation: Relation
    columns: tuple[ProfiledColumn, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        return profile_asked(self.relation, self.columns)

    @property
    def mergings(self) -> Mapping[Metric, Merging]:
        return profile_mergings(self.relation, self.columns)


def subjects(database: ProductDatabase, product: ProductPlan) -> tuple[ProfiledDataSet, ...]:
    """What is to be profiled: every data set that was built, unless it says `profile: false`."""
    wanted = (data_set for data_set in product.data_sets if data_set.spec.profile and database.exists(data_set.relation))
    return tuple(_subject(database, data_set) for data_set in wanted)


def _subject(database: ProductDatabase, data_set: DataSetPlan) -> ProfiledDataSet:
    try:
        columns = profiled_columns(database.columns(data_set.relation), data_set.spec)
    except EngineError:  # a view over what is gone; the objectives that read it say so
        columns = ()
    return ProfiledDataSet(data_set.name, data_set.measured, columns)


def profile(database: ProductDatabase, subject: ProfiledDataSet, readings: Mapping[str, Reading], words: Words = in_full) -> Profile:
    """The profile from the readings of what the subject asked, and from a sample that is taken here. Never raises for what data holds."""
    columns = tuple(column_profile(subject.relation, column, readings) for column in subject.columns)
    rows = profile_rows(subject.relation, readings)
    wanted = [column for column in subject.columns if column.kind != "other"]
    if not rows or not wanted:
        return Profile(rows, rows or 0, columns)
    try:
        sampled = _sample(database, subject.relation, wanted)
        found = dict(_of_samples(database, wanted, sampled == rows))
    except Exception as error:  # a profile is never worth a refresh; why it has a gap is told in it
        told = words(Metric(subject.relation, quoted_list(column.name for column in wanted)), error)
        return Profile(rows, 0, tuple(replace(each, error=each.error or told) for each in columns))
    finally:
        database.execute(f"drop table if exists {_SAMPLE}; drop table if exists {_PART}")
    return Profile(rows, sampled, tuple(replace(each, **found.get(each.name, {})) for each in columns))


def _sample(database: ProductDatabase, relation: Relation, columns: Sequence[ProfiledColumn]) -> int:
    """Keep rows chosen at random, all of them if there are not more; gives their number."""
    names = quoted_list(column.name for column in columns)
    chosen = f"select {names} from {relation_sql(relation)} using sample reservoir({SAMPLE_ROWS} rows)"
    database.within_limits(f"create or replace temp table mesh_sample as {chosen}")
    return int(database.execute(f"select count(*) from {_SAMPLE}")[0])


def _of_samples(database: ProductDatabase, columns: Sequence[ProfiledColumn], whole: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Some columns at a time: each query about one column costs something for every column of the table."""
    for first in range(0, len(columns), PART_COLUMNS):
        part = columns[first : first + PART_COLUMNS]
        names = quoted_list(column.name for column in part)
        database.within_limits(f"create or replace temp table mesh_sample_part as select {names} from {_SAMPLE}")
        yield from ((column.name, _of_sample(database, column, whole)) for column in part)


def _of_sample(database: ProductDatabase, column: ProfiledColumn, whole: bool) -> dict[str, Any]:
    """The fields of the column's profile that the sample tells; of hidden columns no value."""
    found: dict[str, Any] = {}
    if whole:
        (found["distinct"],) = database.within_limits(f"select count(distinct {quoted(column.name)}) from {_PART}")
    if not column.shown:
        return found
    found["top"] = _top(database, column)
    if column.kind in ("whole", "float", "moment"):
        found["quantiles"] = _quantiles(database, column)
    if column.kind in ("whole", "float"):
        found["histogram"] = _histogram(database, column)
    return found


def _top(database: ProductDatabase, column: ProfiledColumn) -> tuple[tuple[str, int], ...]:
    """The most frequent values; none where no value comes twice."""
    name = quoted(column.name)
    value = f"left(cast(value as varchar), {LONGEST_VALUE})"
    counted = f"select {name} as value, count(*) as rows_of_it from {_PART} where {name} is not null group by {name} having count(*) > 1"
    with database.limited():
        rows = database.rows(f"select {value} as shown, rows_of_it from ({counted}) order by 2 desc, 1 limit {TOP}")
    return tuple((str(shown_value(row["shown"])), row["rows_of_it"]) for row in rows)


def _quantiles(database: ProductDatabase, column: ProfiledColumn) -> tuple[Shown, ...]:
    """Values that there are, not points between two."""
    value = f"quantile_disc({column.finite}, {list(QUANTILES)})"
    sql = f"cast({value} as varchar[])" if column.kind == "moment" else value
    (found,) = database.within_limits(f"select {sql} from {_PART}")
    return tuple(shown_value(each) for each in found or ())


def _histogram(database: ProductDatabase, column: ProfiledColumn) -> Histogram | None:
    number = f"cast({column.finite} as double)"
    low, high = database.within_limits(f"select min({number}), max({number}) from {_PART}")
    if low is None or low == high:
        return None
    bin_ = f"least({BINS - 1}, cast(floor(({number} - {low!r}) / {(high - low)!r} * {BINS}) as integer))"
    with database.limited():
        rows = database.rows(f"select {bin_} as bin, count(*) as rows_in_it from {_PART} where {number} is not null group by 1")
    counts = {row["bin"]: row["rows_in_it"] for row in rows}
    return Histogram(low, high, tuple(counts.get(number, 0) for number in range(BINS)))


def keep(database: ProductDatabase, subject: ProfiledDataSet, found: Profile) -> None:
    """Remember the candidate's profile until it is published."""
    database.remember(_CANDIDATE, subject.data_set, json.dumps(profile_data(found)))


def forget(database: ProductDatabase) -> None:
    """What is built anew looks otherwise."""
    database.execute(f"delete from {MEMORY} where topic = '{_CANDIDATE}'")


@dataclass(frozen=True, slots=True)
class Published:
    """The profile of a version of a data set, and that of the version before."""

    data_set: str
    profile: Profile
    before: Profile | None


def profiles(database: ProductDatabase, product: ProductPlan) -> tuple[Published, ...]:
    """Profiles of the version that is about to be published. What no audit has profiled is profiled now."""
    kept, before = database.remembered(_CANDIDATE), database.remembered(_PUBLISHED)
    words = discretion(database, product).words
    return tuple(_published(database, subject, kept, before, words) for subject in subjects(database, product))


def _published(
    database: ProductDatabase, subject: ProfiledDataSet, kept: Mapping[str, str], before: Mapping[str, str], words: Words
) -> Published:
    known, last = kept.get(subject.data_set), before.get(subject.data_set)
    found = profile_of(json.loads(known)) if known else alone(database, subject, words)
    return Published(subject.data_set, found, profile_of(json.loads(last)) if last else None)


def settle(database: ProductDatabase, published: Iterable[Published]) -> None:
    """Remember what was published, for the next version to be compared with."""
    for each in published:
        database.remember(_PUBLISHED, each.data_set, json.dumps(profile_data(each.profile)))


def alone(database: ProductDatabase, subject: ProfiledDataSet, words: Words = in_full) -> Profile:
    """The profile in a scan of its own."""
    return profile(database, subject, measure((), database.within_limits, subject.asked, words=words), words)
