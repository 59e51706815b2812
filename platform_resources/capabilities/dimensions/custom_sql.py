"""The dimension `custom-sql`."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.conditions.expressions import aggregate_problems, condition_problems
from platform_resources.capabilities.conditions.paired_conditions import paired_condition, paired_problems
from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import CountIf, Measure, Reading, RowCount, Scalar, Subject
from platform_resources.capabilities.protocols import Traits
from platform_resources.capabilities.support.references import ColumnNames, Reference, reference_problems
from platform_resources.capabilities.support.shares import (
    amount,
    counted,
    exact_percent,
    finite_number,
    no_number,
    number_text,
    percent_text,
    with_unit,
)
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Percent, Text

Number = Annotated[float, Field(allow_inf_nan=False)]


class CustomSqlSettings(Strict):
    """Either a condition that no row (or few) may fulfil, perhaps beside rows elsewhere, or one number over all rows and its bounds."""

    failing_rows: Text | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None
    at_most_percent: Percent | None = None
    scalar: Text | None = None
    min: Number | None = None
    max: Number | None = None
    unit: str = ""
    there: Reference | None = None
    keys: ColumnNames | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "CustomSqlSettings":
        if (self.failing_rows is None) == (self.scalar is None):
            raise ValueError("write either failing_rows: <condition> or scalar: <aggregate>")
        bounds, allowances = (self.min, self.max), (self.at_most, self.at_most_percent)
        if self.scalar is None and bounds != (None, None):
            raise ValueError("min and max are for scalar; failing_rows takes at_most or at_most_percent")
        if self.scalar is not None and (bounds == (None, None) or allowances != (None, None)):
            raise ValueError("scalar takes min, max or both, and a unit, and nothing else")
        if self.scalar is None and self.unit:
            raise ValueError("unit is for scalar; failing_rows counts rows")
        if (self.there is None) != (self.keys is None):
            raise ValueError("there and keys go together: by which columns here rows find those of another data set or input")
        if self.scalar is not None and self.there is not None:
            raise ValueError("there is for failing_rows; promise that sums agree by dimension: accuracy with sums")
        if None not in allowances:
            raise ValueError("write either at_most (rows) or at_most_percent")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is above max ({self.max:g})")
        return self


class CustomSql(Traits):
    """A rule of your own in DuckDB's SQL: rows that fulfil `failing_rows` break it, or `scalar` must lie within `min` and `max`.

    A row for which the condition is null does not fail. The SQL is one expression over the data set's columns, not a statement. With
    `there` and `keys` it may also use the rows of another data set or input port that share the keys: `there.column` is the value of the
    one row there, `sum(there.column)` and other aggregates are over all of them. Where there is none they are null, and counts 0; where the
    condition is null for every row, nothing is known.
    """

    name = "custom-sql"
    config = CustomSqlSettings
    measured_by = "audit"
    vouches_for = frozenset({"quality"})
    example = """
- name: Active customers have bought recently
  type: service-level-asset
  properties:
    dimension: custom-sql
    data_set: customers
    failing_rows: is_active and last_purchase_at < current_date - interval 90 day
    at_most_percent: 0.5
- name: The average basket is plausible
  type: service-level-asset
  properties: {dimension: custom-sql, data_set: customers, scalar: sum(revenue) / sum(orders), min: 5, max: 500}
- name: Customers have spent what their orders sum up to
  type: service-level-asset
  properties:
    dimension: custom-sql
    data_set: customers
    keys: [household_id]
    there: {input: orders, columns: [household_id]}
    failing_rows: revenue <> sum(there.amount) or count(there.order_id) = 0
"""

    def promise(self, settings: CustomSqlSettings, moment: Moment) -> Promise:
        if settings.scalar is not None:
            return Promise(settings.unit, settings.min, settings.max)
        if settings.at_most_percent is not None:
            return Promise("%", at_most=settings.at_most_percent)
        return Promise("rows", at_most=settings.at_most or 0)

    def columns_used(self, settings: CustomSqlSettings) -> Mapping[str, tuple[str, ...]]:
        return {"keys": settings.keys} if settings.keys else {}

    def problems(self, settings: CustomSqlSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        known = [column.name for column in subject.data_set.columns]
        if settings.failing_rows is not None and settings.there is not None:
            yield from reference_problems(settings.there, "there", settings.keys or (), "keys", subject)
            relation = settings.there.known(subject).get(settings.there.name)
            declared = subject.declared.get(relation, ()) if relation is not None else ()
            yield from paired_problems("failing_rows", settings.failing_rows, known, settings.there.name, declared)
        elif settings.failing_rows is not None:
            yield from condition_problems("failing_rows", settings.failing_rows, known, "write scalar: with min or max")
        if settings.scalar is not None:
            yield from aggregate_problems("scalar", settings.scalar, known)

    def measures(self, settings: CustomSqlSettings, subject: Subject) -> Mapping[str, Measure]:
        if settings.scalar is not None:
            return {"value": Scalar(settings.scalar)}
        if settings.there is None:
            return {"rows": RowCount(), "failing": CountIf(settings.failing_rows or "")}
        there, keys = settings.there, settings.keys or ()
        pairs = paired_condition(settings.failing_rows or "", keys, there.relation(subject), there.columns)
        several = {"several": pairs.several} if pairs.several is not None else {}
        return {"rows": RowCount(), "failing": pairs.failing, "told": pairs.decided, **several}

    def judge(self, settings: CustomSqlSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if settings.scalar is not None:
            return _judged_value(settings, readings["value"])
        several = counted(readings, "several") if "several" in readings else 0
        if several and settings.there is not None:
            name, verb = settings.there.name, "has" if several == 1 else "have"
            reason = f"{amount(several)} {verb} a key that {name} has several times, so there is no one value to compare with"
            return Judgement("unknown", f"{reason}; write an aggregate such as max(there.…)")
        rows = counted(readings, "rows")
        if settings.there is not None and rows and not counted(readings, "told"):
            reason = f"the rule is null for all {amount(rows)}, as where {settings.there.name} has no row with their keys"
            return Judgement("unknown", f"{reason}, so nothing can be said")
        return _judged_rows(settings, counted(readings, "failing"), rows)


def _judged_rows(settings: CustomSqlSettings, failing: int, rows: int) -> Judgement:
    allowed = settings.at_most_percent
    threshold = f"at most {amount(settings.at_most or 0)}" if allowed is None else f"at most {number_text(allowed)} %"
    if rows == 0:
        return Judgement("unknown", "there are no rows, so nothing can be said", threshold=threshold)
    if allowed is None:
        met, share = failing <= (settings.at_most or 0), ""
    else:
        met, share = Decimal(100 * failing) <= Decimal(str(allowed)) * rows, f" ({percent_text(failing, rows, allowed, up=True)})"
    beside = f" with {settings.there.name}" if settings.there is not None else ""
    reason = f"{failing:,} of {amount(rows)} break{'s' if failing == 1 else ''} the rule{beside}{share}; {threshold} promised"
    value, shown = (failing, "") if allowed is None else (exact_percent(failing, rows), percent_text(failing, rows, allowed, up=True))
    return Judgement("met" if met else "missed", reason, value, threshold, failing, "failing", rows=rows, shown=shown)


def _judged_value(settings: CustomSqlSettings, reading: Reading) -> Judgement:
    threshold, value = _bounds_text(settings), finite_number(reading.value)
    if value is None:
        return Judgement("unknown", no_number(settings.scalar or "", reading.value), threshold=threshold)
    met, rounded = _within(settings, value), f"{value:.4f}".rstrip("0").rstrip(".")
    shown = f"{value:,.4f}".rstrip("0").rstrip(".") if _within(settings, Decimal(rounded)) == met else f"{value:,.15g}"
    reason = f"the value is {with_unit(shown, settings.unit)}; {threshold} promised"
    return Judgement("met" if met else "missed", reason, float(value), threshold)


def _within(settings: CustomSqlSettings, value: Decimal) -> bool:
    """Bounds are inclusive, and as they were written: 0.1 is at least 0.1."""
    low, high = (None if bound is None else Decimal(str(bound)) for bound in (settings.min, settings.max))
    return (low is None or value >= low) and (high is None or value <= high)


def _bounds_text(settings: CustomSqlSettings) -> str:
    low, high = (None if bound is None else number_text(bound) for bound in (settings.min, settings.max))
    if low is None or high is None:
        return with_unit(f"at most {high}" if low is None else f"at least {low}", settings.unit)
    return with_unit(f"between {low} and {high}", settings.unit)


CAPABILITY = CustomSql()
