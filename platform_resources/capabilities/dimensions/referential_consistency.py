"""The dimension `referential-consistency`."""

from collections.abc import Iterator, Mapping

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise
from platform_resources.capabilities.measures import CountIf, Measure, OrphanRows, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, as_usual, promised, promised_share
from platform_resources.capabilities.support.references import ColumnNames, Reference, reference_problems
from platform_resources.capabilities.support.shares import counted, judged_share, nothing_to_judge
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Percent


class ReferentialConsistencySettings(Strict):
    """Which columns refer to which columns of an input port or data set."""

    columns: ColumnNames
    references: Reference
    at_least: Percent = 100
    learned: LearnedThreshold = None


class ReferentialConsistency(Traits):
    """What share of the rows that have a key refers to something that exists in an input port or another data set.

    Rows with a null in the key refer to nothing and are left out: promise completeness for them. With `learned`, the share that
    refers to nothing is held against what was usual.
    """

    name = "referential-consistency"
    config = ReferentialConsistencySettings
    measured_by = "audit"
    predicate = "refers to things that do not exist"
    vouches_for = frozenset({"quality"})
    example = """
- name: Every order belongs to a customer
  type: service-level-asset
  properties:
    dimension: referential-consistency
    data_set: orders
    columns: [household_id]
    references: {data_set: customers, columns: [household_id]}
"""

    quotes: Quotes = "columns"

    def learned_kind(self, settings: ReferentialConsistencySettings) -> Kind:
        return "share"

    def promise(self, settings: ReferentialConsistencySettings, moment: Moment) -> Promise:
        return promised_share(settings)

    def joined(self, column: str, references: Reference, at_least: float) -> ReferentialConsistencySettings:
        return ReferentialConsistencySettings(columns=(column,), references=references, at_least=at_least)

    def columns_used(self, settings: ReferentialConsistencySettings) -> Mapping[str, tuple[str, ...]]:
        return {"columns": settings.columns}

    def problems(self, settings: ReferentialConsistencySettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from reference_problems(settings.references, "references", settings.columns, "columns", subject)

    def measures(self, settings: ReferentialConsistencySettings, subject: Subject) -> Mapping[str, Measure]:
        referenced = settings.references.relation(subject)
        keyless = " or ".join(f"{quoted(column)} is null" for column in settings.columns)
        return {
            "rows": RowCount(),
            "keyless": CountIf(keyless),
            "orphans": OrphanRows(settings.columns, referenced, settings.references.columns),
        }

    def judge(
        self, settings: ReferentialConsistencySettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment
    ) -> Judgement:
        return as_usual(settings, _share_found(settings, readings), "not found", moment)


def _share_found(settings: ReferentialConsistencySettings, readings: Mapping[str, Reading]) -> Judgement:
    names, rows = ", ".join(settings.columns), counted(readings, "rows")
    keyed = rows - counted(readings, "keyless")
    if keyed == 0:
        return nothing_to_judge(f"every row lacks {names}" if rows else "there are no rows", promised(settings))
    known = keyed - counted(readings, "orphans")
    what = f"{names} is found in {settings.references.name} for"
    return judged_share(known, keyed, promised(settings), what=what, failing="orphans")


CAPABILITY = ReferentialConsistency()
