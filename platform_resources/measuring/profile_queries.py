"""The measures of a profile: asked in the audit's own scan, merged over days, and read back."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from platform_resources.capabilities.measures import Maximum, Measure, Minimum, NullCount, Reading, Relation, RowCount, Scalar
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.merging import Merging, greatest, least, mean, mergings
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.measuring.version_profiles import ColumnProfile, Shown
from platform_resources.spec.components import DataSet

Kind = Literal["whole", "float", "moment", "text", "boolean", "other"]
LONGEST_VALUE = 60
# The square of a greater number is none any more: a deviation could not be told, and asking for it fails.
LARGEST = "1e150"
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"(u?(tiny|small|big|huge)?int(eger)?|decimal(\(.*\))?|bignum)", "whole"),
    (r"(float|double)", "float"),
    (r"(date|timestamp.*|time|timetz)", "moment"),
    (r"(varchar|uuid|enum\(.*\))", "text"),
    (r"boolean", "boolean"),
)
_WIDE = re.compile(r"u?hugeint|bignum|decimal\((19|[23]\d),.*\)")


@dataclass(frozen=True, slots=True)
class ProfiledColumn:
    """A column to profile: its type as the database tells it, and whether its values may be shown."""

    name: str
    type: str
    shown: bool

    @property
    def kind(self) -> Kind:
        """Lists, structures, JSON, bytes and intervals are `other`: only their nulls are counted."""
        return next((kind for pattern, kind in _KINDS if re.fullmatch(pattern, self.type)), "other")

    @property
    def finite(self) -> str:
        """The column as SQL to reckon with: null where a float holds no number, binary where a sum might not fit."""
        name = quoted(self.name)
        if self.kind == "float":
            return f"case when abs({name}) < {LARGEST} then {name} end"
        return f"cast({name} as double)" if _WIDE.fullmatch(self.type) else name


@dataclass(frozen=True, slots=True)
class _Statistic:
    measure: Measure
    merging: Merging | None = None


def profiled_columns(columns: Mapping[str, str], data_set: DataSet) -> tuple[ProfiledColumn, ...]:
    """The columns that there are. Values of what the specification does not describe are not shown: nothing says that they may be."""
    shown = {column.name.lower() for column in data_set.columns if column.shown}
    return tuple(ProfiledColumn(name, kind, name.lower() in shown) for name, kind in columns.items())


def profile_asked(relation: Relation, columns: Sequence[ProfiledColumn]) -> tuple[Asked, ...]:
    """All profile measures that one scan can answer. They share the scan with objectives; a measure that both need runs once."""
    rows = Asked(_id(relation, "", "rows"), relation, RowCount())
    return (rows, *(Asked(_id(relation, c.name, name), relation, s.measure) for c in columns for name, s in _statistics(c).items()))


def profile_mergings(relation: Relation, columns: Sequence[ProfiledColumn]) -> dict[Metric, Merging]:
    """How the profile's measures are merged from days; approximate distinct values cannot be."""
    by_metric = dict(mergings(profile_asked(relation, columns)))
    for column in columns:
        for statistic in _statistics(column).values():
            if statistic.merging is not None:
                by_metric[_metric(relation, statistic.measure)] = statistic.merging
    return by_metric


def _metric(relation: Relation, measure: Measure) -> Metric:
    (query,) = first_queries([Asked("", relation, measure)])
    return query.metrics[0]


def profile_rows(relation: Relation, readings: Mapping[str, Reading]) -> int | None:
    """The number of rows that the readings report; None if it could not be measured."""
    rows = readings[_id(relation, "", "rows")].value
    return rows if isinstance(rows, int) else None


def column_profile(relation: Relation, column: ProfiledColumn, readings: Mapping[str, Reading]) -> ColumnProfile:
    """The column's part of the answers; what could not be measured is left out, with the first reason."""
    own = {name: readings[_id(relation, column.name, name)] for name in _statistics(column)}
    errors = [reading.error for reading in own.values() if reading.error]
    values: dict[str, Any] = {name: shown_value(reading.value) for name, reading in own.items() if reading.value is not None}
    return ColumnProfile(column.name, column.type, hidden=not column.shown, error=errors[0] if errors else "", **values)


def shown_value(value: Any) -> Shown:
    """A value as JSON can hold it, cut where it is long."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value).replace("\0", "")[:LONGEST_VALUE]


def _id(relation: Relation, column: str, statistic: str) -> str:
    return f"profile of {relation.schema}.{relation.name}: {statistic} of {column}"


def _statistics(column: ProfiledColumn) -> dict[str, _Statistic]:
    """By the field of a ColumnProfile."""
    nulls = {"nulls": _Statistic(NullCount(column.name))}
    distinct = {"distinct": _Statistic(Scalar(f"approx_count_distinct({quoted(column.name)})"))}
    match column.kind:
        case "other":
            return nulls
        case _ if not column.shown:
            return nulls | distinct
        case "whole" | "float":
            return nulls | distinct | _numbers(column)
        case "moment" | "text":
            return nulls | distinct | _ends(column)
        case _:
            return nulls | distinct


def _numbers(column: ProfiledColumn) -> dict[str, _Statistic]:
    number = column.finite
    average = {"mean": _Statistic(Scalar(f"avg({number})"), mean(number))}
    if column.kind == "whole":
        return {"minimum": _Statistic(Minimum(column.name)), "maximum": _Statistic(Maximum(column.name)), **average}
    unusual = f"count({quoted(column.name)}) - count({number})"
    return {
        "minimum": _Statistic(Scalar(f"min({number})"), least(number)),
        "maximum": _Statistic(Scalar(f"max({number})"), greatest(number)),
        "not_numbers": _Statistic(Scalar(unusual), Merging((unusual,), "coalesce(sum({0}), 0)")),
        **average,
    }


def _ends(column: ProfiledColumn) -> dict[str, _Statistic]:
    """As text: a driver cannot carry every time that a database can hold. Compared as what it is."""
    name = quoted(column.name)
    cut = f"left(cast({{0}} as varchar), {LONGEST_VALUE})"
    return {
        "minimum": _Statistic(Scalar(cut.format(f"min({name})")), least(name, cut)),
        "maximum": _Statistic(Scalar(cut.format(f"max({name})")), greatest(name, cut)),
    }
