"""The rows of a data set's column table: description, visibility and profile of each column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from platform_resources.marketplace.display import charts
from platform_resources.marketplace.display.phrases import SPACE, count, number
from platform_resources.measuring.version_profiles import ColumnProfile, Profile, null_rate, shown
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.services.showing.profiled_versions import Profiled
from platform_resources.spec.components import Column

FEW = 6
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}($|[ T]\d{2}:)")


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One column. `values` is a chart of its values, `short` the same in words, `change` the difference from the last version."""

    name: str
    type: str
    text: str
    classification: str
    hidden: bool
    filled: str
    values: Markup
    short: str
    unit: str
    tags: tuple[str, ...]
    change: str
    missed: bool


def column_rows(
    data_set: DataSetPlan, profiled: Profiled | None, joins: Mapping[str, int], missed: frozenset[str]
) -> tuple[ColumnRow, ...]:
    """The rows; `joins` counts other products by identifier, `missed` are columns of missed promises."""
    profile = profiled.now.profile if profiled is not None else None
    changes = {difference.column: difference.words for difference in profiled.differences} if profiled is not None else {}
    return tuple(_row(column, data_set, profile, joins, changes, missed) for column in data_set.spec.columns)


def _row(
    column: Column,
    data_set: DataSetPlan,
    profile: Profile | None,
    joins: Mapping[str, int],
    changes: Mapping[str, str],
    missed: frozenset[str],
) -> ColumnRow:
    profiled = profile.column(column.name) if profile is not None else None
    rate = null_rate(profile, profiled) if profile is not None and profiled is not None else None
    is_missed = f"{data_set.name}.{column.name}" in missed
    return ColumnRow(
        name=column.name,
        type=column.type,
        text=column.description,
        classification=column.classification,
        hidden=profiled.hidden if profiled is not None else not column.shown,
        filled="" if rate is None else f"{_filled(rate):g}{SPACE}%",
        values=_values(profiled, rate, is_missed) if profiled is not None else Markup(""),
        short=_short(profiled, profile.rows) if profiled is not None and profile is not None else "not profiled yet",
        unit=column.unit or "",
        tags=tuple(_tags(column, data_set, joins)),
        change=changes.get(column.name, ""),
        missed=is_missed,
    )


def _filled(nulls: float) -> float:
    """Per cent, down to one decimal: 100 only if nothing at all is empty."""
    return int((100 - nulls) * 10 + 1e-9) / 10


def _tags(column: Column, data_set: DataSetPlan, joins: Mapping[str, int]) -> list[str]:
    tags = ["Key"] if column.name in data_set.spec.primary_key else []
    if column.identifier:
        others = joins.get(column.identifier, 0)
        tags.append(f"{column.identifier}: joins with {count(others, 'product')}" if others else f"identifies a {column.identifier}")
    return tags


def _values(column: ColumnProfile, nulls: float | None, missed: bool) -> Markup:
    """How the rows are distributed; of a column whose values are not shown only how full it is."""
    if column.histogram is not None and any(column.histogram.counts):
        low, high = number(column.histogram.low), number(column.histogram.high)
        return charts.histogram(column.histogram.counts, f"Rows by value, from {low} to {high}")
    if column.top and column.distinct is not None and column.distinct <= FEW:
        counts = ", ".join(f"{value}: {rows:,}" for value, rows in column.top)
        return charts.split([rows for _, rows in column.top], f"Rows by value. {counts}")
    if nulls is not None and nulls > 0:
        return charts.meter(100 - nulls, "bad" if missed else "mark", 132, 12)
    return Markup("")


def _short(column: ColumnProfile, rows: int | None) -> str:
    """What is in a column, in a few words."""
    if column.error:
        return "could not be profiled"
    if column.hidden:
        return f"{column.distinct:,} different; values hidden" if column.distinct is not None else "values hidden"
    if column.distinct == 1 and column.minimum is not None and column.minimum == column.maximum:
        return f"always {_shown(column.minimum)}"
    if column.top and column.distinct is not None and column.distinct <= FEW:
        return ", ".join(f"{value} {rows:,}" for value, rows in column.top[:3]) + (", …" if len(column.top) > 3 else "")
    if column.minimum is None:
        return f"{column.distinct:,} different" if column.distinct is not None else ""
    ends = f"{_shown(column.minimum)} to {_shown(column.maximum)}"
    if column.distinct is not None and column.distinct == rows:
        return f"{ends}, all different"
    half = f", half up to {_shown(column.quantiles[2])}" if len(column.quantiles) > 2 else ""
    return f"{ends}{half}"


def _shown(value: int | float | str | None) -> str:
    """Long texts are cut, and of moments the day is said."""
    text = shown(value)
    if isinstance(value, str) and MOMENT.match(value):
        try:
            day = date.fromisoformat(value[:10])
        except ValueError:
            return text
        return f"{day.day} {day:%b} {day.year}"
    return text if len(text) <= 24 else f"{text[:23]}…"
