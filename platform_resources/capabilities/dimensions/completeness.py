"""The dimension `completeness`."""

from collections.abc import Iterator, Mapping

from pydantic import model_validator

from platform_resources.capabilities.groups.group_promises import Every, group_measures, group_problems, judged_shares, refuse_half_groups
from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise
from platform_resources.capabilities.measures import DistinctKeys, Measure, MissingKeys, NullCount, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, as_usual, promised, promised_share
from platform_resources.capabilities.support.references import ColumnNames, Reference, reference_problems
from platform_resources.capabilities.support.shares import counted, judged_share, nothing_to_judge
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Percent, Text


class CompletenessSettings(Strict):
    """Either columns that are to be filled, or a population whose keys are to be present: a share of them, or as usual."""

    columns: ColumnNames | None = None
    population: Reference | None = None
    keys: ColumnNames | None = None
    at_least: Percent = 100
    learned: LearnedThreshold = None
    group_by: ColumnName | None = None
    every: Every | None = None
    groups: tuple[Text, ...] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "CompletenessSettings":
        if (self.columns is None) == (self.population is None):
            raise ValueError("write either columns: [...] or population: {input: ..., columns: [...]} with keys: [...]")
        if (self.population is None) != (self.keys is None):
            raise ValueError("population and keys belong together: keys are the columns here, population.columns those there")
        if self.population is not None and self.group_by is not None:
            raise ValueError("a population is present or not as a whole; take population or group_by away")
        refuse_half_groups(self, self.learned)
        return self


class Completeness(Traits):
    """What share of the rows is filled in every column listed (the worst column counts), or what share of a population is present.

    With `learned`, the share that is not is held against what was usual, and `at_least` counts only if it is written.

    `population` names an input port or a data set with its key columns; `keys` are the same columns here. Null keys are no keys.
    """

    name = "completeness"
    config = CompletenessSettings
    measured_by = "audit"
    predicate = "has gaps"
    vouches_for = frozenset({"amount", "quality"})
    quotes: Quotes = "columns"
    example = """
- name: Every customer has a profile
  type: service-level-asset
  properties: {dimension: completeness, data_set: customers, columns: [age_band, income_band], at_least: 95}
- name: Every buyer is a customer
  type: service-level-asset
  properties:
    dimension: completeness
    data_set: customers
    population: {input: orders, columns: [household_id]}
    keys: [household_id]
    at_least: 99.9
- name: No more unknown ages than usual
  type: service-level-asset
  properties: {dimension: completeness, data_set: customers, columns: [age_band], learned: true}
- name: Every band has incomes
  type: service-level-asset
  properties: {dimension: completeness, data_set: customers, columns: [income_band], at_least: 90, group_by: age_band}
"""

    def learned_kind(self, settings: CompletenessSettings) -> Kind:
        return "share"

    def promise(self, settings: CompletenessSettings, moment: Moment) -> Promise:
        return promised_share(settings)

    def columns_used(self, settings: CompletenessSettings) -> Mapping[str, tuple[str, ...]]:
        named = {"columns": settings.columns, "keys": settings.keys, "group_by": (settings.group_by,) if settings.group_by else None}
        return {name: columns for name, columns in named.items() if columns}

    def travels(self, settings: CompletenessSettings) -> bool:
        return bool(settings.columns) and settings.population is None

    def problems(self, settings: CompletenessSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from group_problems(settings, subject)
        if settings.population is not None:
            yield from reference_problems(settings.population, "population", settings.keys or (), "keys", subject)

    def measures(self, settings: CompletenessSettings, subject: Subject) -> Mapping[str, Measure]:
        if settings.group_by is not None:
            return group_measures(settings, subject, [f"{quoted(column)} is null" for column in settings.columns or ()])
        if settings.population is None:
            return {"rows": RowCount(), **{_nulls(column): NullCount(column) for column in settings.columns or ()}}
        population, columns = settings.population.relation(subject), settings.population.columns
        return {
            "population": DistinctKeys(population, columns),
            "missing": MissingKeys(settings.keys or (), population, columns),
        }

    def judge(self, settings: CompletenessSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if settings.group_by is not None:
            columns = settings.columns or ()
            return judged_shares(settings, readings, len(columns), settings.at_least, f"{' and '.join(columns)} filled in")
        if settings.population is not None:
            judgement = _present(settings.population, promised(settings), readings)
        else:
            judgement = _filled(settings.columns or (), promised(settings), readings)
        return as_usual(settings, judgement, "missing", moment)


def _nulls(column: str) -> str:
    return f"nulls in {column}"


def _filled(columns: tuple[str, ...], at_least: float, readings: Mapping[str, Reading]) -> Judgement:
    rows = counted(readings, "rows")
    if rows == 0:
        return nothing_to_judge("there are no rows", at_least)
    worst = max(columns, key=lambda column: counted(readings, _nulls(column)))
    filled = rows - counted(readings, _nulls(worst))
    return judged_share(filled, rows, at_least, what=f"{worst} is filled in", failing=_nulls(worst))


def _present(population: Reference, at_least: float, readings: Mapping[str, Reading]) -> Judgement:
    keys = counted(readings, "population")
    if keys == 0:
        return nothing_to_judge(f"{population.name} has no keys", at_least)
    present = keys - counted(readings, "missing")
    what = f"{', '.join(population.columns)} of {population.name} is present for"
    return judged_share(present, keys, at_least, what=what, failing="missing", of="key")


CAPABILITY = Completeness()
