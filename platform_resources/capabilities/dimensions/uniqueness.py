"""The dimension `uniqueness`."""

from collections.abc import Iterator, Mapping

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise
from platform_resources.capabilities.measures import DuplicateRows, Measure, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, as_usual, promised, promised_share
from platform_resources.capabilities.support.references import ColumnNames
from platform_resources.capabilities.support.shares import counted, judged_share, nothing_to_judge
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Percent


class UniquenessSettings(Strict):
    """Which columns together identify a row; the data set's primary key if left out."""

    columns: ColumnNames | None = None
    at_least: Percent = 100
    learned: LearnedThreshold = None


class Uniqueness(Traits):
    """What share of the rows is unique (the first of its key), counted exactly. Two rows without a key are duplicates of each other.

    With `learned`, the share of duplicates is held against what was usual.
    """

    name = "uniqueness"
    config = UniquenessSettings
    measured_by = "audit"
    predicate = "has duplicates"
    vouches_for = frozenset({"quality"})
    quotes: Quotes = "columns"
    example = """
- name: One row per household
  type: service-level-asset
  properties: {dimension: uniqueness, data_set: customers, columns: [household_id], gate: true}
"""

    def learned_kind(self, settings: UniquenessSettings) -> Kind:
        return "share"

    def promise(self, settings: UniquenessSettings, moment: Moment) -> Promise:
        return promised_share(settings)

    def columns_used(self, settings: UniquenessSettings) -> Mapping[str, tuple[str, ...]]:
        return {"columns": settings.columns} if settings.columns else {}

    def travels(self, settings: UniquenessSettings) -> bool:
        return bool(settings.columns)

    def tells_rows_apart(self, settings: UniquenessSettings) -> bool:
        return settings.at_least == 100 and settings.learned is None

    def problems(self, settings: UniquenessSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        if not _key(settings, subject):
            yield (
                "columns",
                "columns is missing, and the data set has no primary_key",
                "add columns: [...] or the data set's primary_key",
            )

    def measures(self, settings: UniquenessSettings, subject: Subject) -> Mapping[str, Measure]:
        return {"rows": RowCount(), "duplicates": DuplicateRows(_key(settings, subject))}

    def judge(self, settings: UniquenessSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        rows = counted(readings, "rows")
        if rows == 0:
            return as_usual(settings, nothing_to_judge("there are no rows", promised(settings)), "", moment)
        unique = rows - counted(readings, "duplicates")
        what = f"{', '.join(_key(settings, subject))} is unique in"
        judgement = judged_share(unique, rows, promised(settings), what=what, failing="duplicates")
        return as_usual(settings, judgement, "duplicates", moment)


def _key(settings: UniquenessSettings, subject: Subject) -> tuple[str, ...]:
    return settings.columns or subject.data_set.primary_key


CAPABILITY = Uniqueness()
