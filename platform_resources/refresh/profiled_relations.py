"""Profiles of what was built: the audit's own scan, and a sample for what a scan cannot tell cheaply; kept until they are published."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from platform_resources.capabilities.measures import Reading, Relation
from platform_resources.capabilities.support.sql_text import quoted_list
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.measuring.profile_queries import (
    ProfiledColumn,
    column_profile,
    profile_asked,
    profile_mergings,
    profile_rows,
    profiled_columns,
)
from platform_resources.measuring.version_profiles import Profile, profile_data, profile_of
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.warehouses.discretion import Words, discretion, in_full
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import ProductDatabase

PROFILES = _CANDIDATE, _PUBLISHED = ("profile", "published profile")


@dataclass(frozen=True, slots=True)
class ProfiledDataSet:
    """A data set to profile, with the columns that were built."""

    data_set: str
    relation: Relation
    columns: tuple[ProfiledColumn, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The measures that its profile needs."""
        return profile_asked(self.relation, self.columns)

    @property
    def mergings(self) -> Mapping[Metric, Merging]:
        """How those measures of its days become those of all rows."""
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
        sampled, samples = database.sampled(subject.relation, wanted, rows)
    except Exception as error:  # a profile is never worth a refresh; why it has a gap is told in it
        reason = words(Metric(subject.relation, quoted_list(column.name for column in wanted)), error)
        return Profile(rows, 0, tuple(replace(column, error=column.error or reason) for column in columns))
    return Profile(rows, sampled, tuple(replace(column, **samples.get(column.name, {})) for column in columns))


def keep(database: ProductDatabase, subject: ProfiledDataSet, measured: Profile) -> None:
    """Remember the candidate's profile until it is published."""
    database.remember(_CANDIDATE, subject.data_set, json.dumps(profile_data(measured)))


def forget(database: ProductDatabase) -> None:
    """What is built anew looks otherwise."""
    database.forget(_CANDIDATE)


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
    current = profile_of(json.loads(known)) if known else alone(database, subject, words)
    return Published(subject.data_set, current, profile_of(json.loads(last)) if last else None)


def settle(database: ProductDatabase, published: Iterable[Published]) -> None:
    """Remember what was published, for the next version to be compared with."""
    for data_set in published:
        database.remember(_PUBLISHED, data_set.data_set, json.dumps(profile_data(data_set.profile)))


def alone(database: ProductDatabase, subject: ProfiledDataSet, words: Words = in_full) -> Profile:
    """The profile in a scan of its own."""
    return profile(database, subject, measure((), database.within_limits, subject.asked, words=words, ruled_out=database.ruled_out), words)
