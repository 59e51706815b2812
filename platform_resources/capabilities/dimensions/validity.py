"""The dimension `validity`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from platform_resources.capabilities.groups.group_promises import Every, group_measures, group_problems, judged_shares, refuse_half_groups
from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise
from platform_resources.capabilities.measures import CountIf, Measure, NullCount, OutOfRange, Reading, RowCount, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.repairs.repair import Repair
from platform_resources.capabilities.repairs.text_repairs import accepted_repairs, pattern_repairs
from platform_resources.capabilities.support.column_types import is_numeric, may_be_nan
from platform_resources.capabilities.support.learned_thresholds import LearnedThreshold, as_usual, promised, promised_share
from platform_resources.capabilities.support.shares import counted, judged_share, nothing_filled, nothing_to_judge
from platform_resources.capabilities.support.sql_text import is_nan, literal, quoted, relation_sql
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Percent, Text, YesNo
from platform_resources.spec.values.written_values import AS_WRITTEN, has_another_base, misread

_ONLY_PYTHON = re.compile(r"\(\?(=|!|<=|<!|P=|\()|\\[1-9]")


def _bound(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _is_date(value):
        return value
    raise ValueError(f"{value!r} is not a bound; write a number or a date such as 2024-12-31")


def _is_date(text: str) -> bool:
    try:
        return re.match(r"\d{4}-\d{2}-\d{2}", text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is not a regular expression: {error}') from None
    if _ONLY_PYTHON.search(text):
        raise ValueError(f'"{text}" looks around or refers back; databases match in one pass and cannot')
    return text


Bound = Annotated[int | Annotated[float, Field(allow_inf_nan=False)] | str, BeforeValidator(_bound)]


Accepted = Annotated[bool | int | Annotated[float, Field(allow_inf_nan=False)] | str, AS_WRITTEN]


class ValiditySettings(Strict):
    """One column and one rule for its values; a rule is accepted_values, min and max, pattern or not_in_future."""

    column: ColumnName
    accepted_values: Annotated[tuple[Accepted, ...], Field(min_length=1)] | None = None
    min: Bound | None = None
    max: Bound | None = None
    pattern: Annotated[Text, AfterValidator(_regular_expression)] | None = None
    not_in_future: YesNo = False
    at_least: Percent = 100
    learned: LearnedThreshold = None
    group_by: ColumnName | None = None
    every: Every | None = None
    groups: tuple[Text, ...] | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> "ValiditySettings":
        in_range = self.min is not None or self.max is not None
        rules = (self.accepted_values is not None, in_range, self.pattern is not None, self.not_in_future)
        if sum(rules) != 1:
            raise ValueError("write exactly one rule: accepted_values, min and/or max, pattern, or not_in_future: true")
        _check_order(self.min, self.max)
        refuse_half_groups(self, self.learned)
        return self


def _check_order(low: float | str | None, high: float | str | None) -> None:
    if low is None or high is None:
        return
    if isinstance(low, str) != isinstance(high, str):
        raise ValueError(f"min ({low}) and max ({high}) must both be numbers or both be dates")
    ends = [datetime.fromisoformat(bound).replace(tzinfo=None) if isinstance(bound, str) else bound for bound in (low, high)]
    if ends[0] > ends[1]:  # type: ignore[operator]  # both are of one kind, checked above
        raise ValueError(f"min ({low}) is above max ({high}); no value can be valid")


class Validity(Traits):
    """What share of the filled values of a column is allowed: from a list, within a range, of a pattern, or not in the future.

    Bounds are inclusive; a date as a bound means its midnight. NaN lies in no range. A pattern (RE2 syntax) must match the whole value.
    Times without a zone are UTC. With `learned`, the share that is not allowed is held against what was usual.
    """

    name = "validity"
    config = ValiditySettings
    measured_by = "audit"
    predicate = "has values that are not allowed"
    vouches_for = frozenset({"quality"})
    quotes: Quotes = "columns"
    example = """
- name: Revenue is not negative
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: revenue, min: 0, at_least: 99.5}
- name: Age bands are known
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: age_band, accepted_values: [19-24, 25-34, 35-44, 45-54, 55-64, 65+]}
- name: Postcodes have five digits
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: postcode, pattern: "[0-9]{5}"}
- name: Nobody buys tomorrow
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: last_purchase_at, not_in_future: true}
- name: No more odd postcodes than usual
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: postcode, pattern: "[0-9]{5}", learned: true}
- name: Revenue is not negative on any day
  type: service-level-asset
  properties: {dimension: validity, data_set: customers, column: revenue, min: 0, at_least: 99, group_by: last_purchase_at, every: 1d}
"""

    def learned_kind(self, settings: ValiditySettings) -> Kind:
        return "share"

    def promise(self, settings: ValiditySettings, moment: Moment) -> Promise:
        return promised_share(settings)

    def columns_used(self, settings: ValiditySettings) -> Mapping[str, tuple[str, ...]]:
        return {"column": (settings.column,), **({"group_by": (settings.group_by,)} if settings.group_by else {})}

    def problems(self, settings: ValiditySettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        yield from group_problems(settings, subject)
        declared = _type(settings, subject)
        numeric = declared is not None and is_numeric(declared)
        values = (value for value in settings.accepted_values or () if not has_another_base(value))  # told when the file was read
        for message, hint in misread(values, declared, numeric):
            yield "accepted_values", message, hint

    def measures(self, settings: ValiditySettings, subject: Subject) -> Mapping[str, Measure]:
        if settings.group_by is not None:
            among = f"{quoted(settings.column)} is not null"
            return group_measures(settings, subject, [_predicate(_invalid(settings, _type(settings, subject)))], among)
        return {"rows": RowCount(), "nulls": NullCount(settings.column), "invalid": _invalid(settings, _type(settings, subject))}

    def judge(self, settings: ValiditySettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if settings.group_by is not None:
            return judged_shares(settings, readings, 1, settings.at_least, f"{settings.column} is {_rule(settings)} in")
        return as_usual(settings, _valid(settings, readings), "invalid", moment)

    def failing_values(self, settings: ValiditySettings, subject: Subject) -> str:
        if settings.accepted_values is None or not (_type(settings, subject) or "").startswith("varchar"):
            return ""
        column, listed = quoted(settings.column), ", ".join(literal(str(value)) for value in settings.accepted_values)
        values = f"select {column} as value from {relation_sql(subject.relation)} where {column} not in ({listed})"
        return f"{values} group by 1 order by count(*) desc"

    def repairs(self, settings: ValiditySettings, subject: Subject, failing: Sequence[str]) -> Iterator[Repair]:
        if settings.accepted_values is not None and (_type(settings, subject) or "").startswith("varchar"):
            yield from accepted_repairs(settings.column, [str(value) for value in settings.accepted_values], failing)
        elif settings.pattern is not None:
            yield from pattern_repairs(settings.column, settings.pattern)


def _valid(settings: ValiditySettings, readings: Mapping[str, Reading]) -> Judgement:
    rows = counted(readings, "rows")
    filled = rows - counted(readings, "nulls")
    if filled == 0:
        return nothing_to_judge(nothing_filled(rows, settings.column), promised(settings))
    valid = filled - counted(readings, "invalid")
    what = f"{settings.column} is {_rule(settings)} in"
    return judged_share(valid, filled, promised(settings), what=what, failing="invalid", of="filled row")


def _type(settings: ValiditySettings, subject: Subject) -> str | None:
    named = {column.name.lower(): column.type for column in subject.data_set.columns}
    return named.get(settings.column.lower())


def _invalid(settings: ValiditySettings, declared: str | None) -> CountIf | OutOfRange:
    column = quoted(settings.column)
    if settings.accepted_values is not None:
        as_text = declared is not None and declared.startswith("varchar")
        if as_text:
            # The same as `not in`, which DuckDB looks at row by row and this once for each entry of a dictionary.
            known = " ".join(f"when {literal(str(value))} then false" for value in settings.accepted_values)
            return CountIf(f"case {column} {known} else {column} is not null end", settings.column)
        return CountIf(f"{column} not in ({', '.join(literal(value) for value in settings.accepted_values)})", settings.column)
    if settings.pattern is not None:
        return CountIf(f"not regexp_full_match(cast({column} as varchar), {literal(settings.pattern)})")
    if settings.not_in_future:
        return CountIf(f"{column} > now()" if declared == "timestamptz" else f"{column} > now() at time zone 'UTC'")
    low, high = (None if bound is None else literal(bound) for bound in (settings.min, settings.max))
    return OutOfRange(settings.column, low, high, isinstance(settings.min, int | float) and may_be_nan(declared))


def _predicate(measure: CountIf | OutOfRange) -> str:
    """What is true of a row that is not allowed."""
    if isinstance(measure, CountIf):
        return measure.predicate
    column = quoted(measure.column)
    low = [f"{column} < {measure.low}"] if measure.low is not None else []
    high = [f"{column} > {measure.high}"] if measure.high is not None else []
    neither = [is_nan(measure.column)] if low and not high and measure.holds_nan else []
    return " or ".join([*low, *high, *neither])


def _rule(settings: ValiditySettings) -> str:
    if settings.accepted_values is not None:
        return "an accepted value"
    if settings.pattern is not None:
        return f"of the pattern {settings.pattern}"
    if settings.not_in_future:
        return "not in the future"
    if settings.min is None or settings.max is None:
        return f"at most {settings.max}" if settings.min is None else f"at least {settings.min}"
    return f"between {settings.min} and {settings.max}"


CAPABILITY = Validity()
