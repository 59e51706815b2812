"""The dimension `schema`."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Columns, Elsewhere, Measure, PresentNulls, Reading, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.column_types import is_type, observed_columns
from platform_resources.capabilities.support.shares import amount, counted
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnType, Text, YesNo


class SchemaSettings(Strict):
    """What is compared: the data set with its own columns, or an input port with the columns written here; and how strictly."""

    extra_columns: Literal["allow", "forbid"] = "allow"
    nullability: YesNo = True
    input: Text | None = None
    columns: Annotated[Mapping[Text, ColumnType], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _input_with_columns(self) -> "SchemaSettings":
        if (self.input is None) != (self.columns is None):
            raise ValueError("input and columns belong together: an input port has no columns of its own to be compared with")
        if self.input is not None and "nullability" in self.model_fields_set:
            raise ValueError("nullability is of the data set's own columns; take it away, or take input away")
        return self


class Schema(Traits):
    """Whether the columns are as promised: each there, of its type, and without nulls unless it is nullable. Their order does not matter.

    Columns beyond the promised ones are allowed unless `extra_columns: forbid`. With `input`, the columns of an input port are compared
    with those written here, before dbt builds. A table without rows still has columns.
    """

    name = "schema"
    config = SchemaSettings
    measured_by = "audit"
    predicate = "does not have the promised columns"
    quotes: Quotes = "rows"
    example = """
- name: Customers have exactly the promised columns
  type: service-level-asset
  properties: {dimension: schema, data_set: customers, extra_columns: forbid, gate: true}
- name: Orders come with the columns that we read
  type: service-level-asset
  properties: {dimension: schema, data_set: customers, input: orders, columns: {household_id: bigint, revenue: "decimal(18,2)"}}
"""

    def promise(self, settings: SchemaSettings, moment: Moment) -> Promise:
        return Promise("differences", at_most=0)

    def before_build(self, settings: SchemaSettings) -> bool:
        return settings.input is not None

    def columns_used(self, settings: SchemaSettings) -> Mapping[str, tuple[str, ...]]:
        return {}

    def problems(self, settings: SchemaSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        if settings.input is None and not subject.data_set.columns:
            yield "", "the data set promises no columns, so there is nothing to compare with", "add columns to the data set"
        if settings.input is not None and settings.input not in subject.inputs:
            message = f'unknown input port "{settings.input}"; known: {known_text(subject.inputs)}'
            yield "input", message, did_you_mean(settings.input, subject.inputs)

    def measures(self, settings: SchemaSettings, subject: Subject) -> Mapping[str, Measure]:
        if settings.input is not None:
            return {"columns": Elsewhere(Columns(), subject.inputs[settings.input])}
        return {"columns": Columns(), **{_nulls(name): PresentNulls(name) for name in _without_nulls(settings, subject)}}

    def judge(self, settings: SchemaSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        promised, threshold = _promised(settings, subject), _threshold(settings)
        observed = observed_columns(readings["columns"].value)
        if not observed:
            return Judgement("unknown", f"{settings.input or subject.relation.name} is not there, or has no columns", threshold=threshold)
        nulls = {name: counted(readings, _nulls(name)) for name in _present(_without_nulls(settings, subject), observed)}
        broken = {name: count for name, count in nulls.items() if count}
        parts = [*_differences(promised, observed, settings.extra_columns), *_null_parts(broken)]
        if not parts:
            return Judgement("met", f"{amount(len(promised), 'column')} as promised", 0, threshold)
        worst = max(broken, key=lambda name: broken[name]) if broken else None
        failing_rows, failing = (broken[worst], _nulls(worst)) if worst is not None else (None, None)
        return Judgement("missed", "; ".join(parts), len(parts), threshold, failing_rows, failing)


def _nulls(column: str) -> str:
    return f"nulls in {column}"


def _promised(settings: SchemaSettings, subject: Subject) -> Mapping[str, str]:
    if settings.columns is not None:
        return settings.columns
    return {column.name: column.type for column in subject.data_set.columns}


def _without_nulls(settings: SchemaSettings, subject: Subject) -> tuple[str, ...]:
    """The columns that may hold no null: those that are not nullable."""
    checked = settings.nullability and settings.input is None
    return tuple(column.name for column in subject.data_set.columns if checked and not column.nullable)


def _present(names: tuple[str, ...], observed: Mapping[str, str]) -> Iterator[str]:
    lowered = {name.lower() for name in observed}
    return (name for name in names if name.lower() in lowered)


def _differences(promised: Mapping[str, str], observed: Mapping[str, str], extra: Literal["allow", "forbid"]) -> Iterator[str]:
    """Capitals make no difference in names: warehouses fold them."""
    types = {name.lower(): kind for name, kind in observed.items()}
    for name, kind in promised.items():
        observed_type = types.get(name.lower())
        if observed_type is None:
            yield f"{name} is missing"
        elif not is_type(kind, observed_type):
            yield f"{name} is {observed_type}, {kind} was promised"
    known = {name.lower() for name in promised}
    yield from (f"{name} was not promised" for name in observed if extra == "forbid" and name.lower() not in known)


def _null_parts(broken: Mapping[str, int]) -> Iterator[str]:
    return (f"{name} is null in {amount(count)}" for name, count in broken.items())


def _threshold(settings: SchemaSettings) -> str:
    return "the promised columns and no other" if settings.extra_columns == "forbid" else "the promised columns"


CAPABILITY = Schema()
