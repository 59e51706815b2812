"""Profiles of published versions, column by column, and the differences between two versions."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.access.views import View

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# A share of nulls or a count of distinct values that moved by less is not told as a difference: approximate counts differ that much.
LEAST_NULL_POINTS, LEAST_CHANGE, APPROXIMATE_CHANGE = 0.1, 0.01, 0.2

Shown = int | float | str | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Rows in equally wide bins from `low` to `high`; of the sampled rows."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. What was not measured is None or empty; `hidden` columns show no value, because of their classification.

    `not_numbers` are rows with NaN, infinity or a number beyond 1e150, which all other numbers leave out. `quantiles` are as QUANTILES,
    `top` the most frequent values with their rows, both of the sampled rows.
    """

    name: str
    type: str
    nulls: int | None = None
    distinct: int | None = None
    minimum: Shown = None
    maximum: Shown = None
    mean: float | None = None
    deviation: float | None = None
    not_numbers: int | None = None
    quantiles: tuple[Shown, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    histogram: Histogram | None = None
    hidden: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A data set. Where all its rows were sampled everything is exact; else `distinct` is approximate, and what is said to be of the
    sample is of `sampled` rows chosen at random."""

    rows: int | None
    sampled: int
    columns: tuple[ColumnProfile, ...]

    @property
    def exact(self) -> bool:
        """Whether all rows were sampled, so that every number is exact."""
        return self.sampled == self.rows

    def column(self, name: str) -> ColumnProfile | None:
        """The profile of one column; None if there is none."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of one column, in words."""

    column: str
    words: str


def profile_data(profile: Profile) -> list[dict[str, Any]]:
    """A profile as JSON: one object per column, in their order, without what was not measured."""
    return [{"rows": profile.rows, "sampled": profile.sampled, **_column_data(column)} for column in profile.columns]


def _column_data(column: ColumnProfile) -> dict[str, Any]:
    data = dataclasses.asdict(column)
    return {name: value for name, value in data.items() if value is not None and value is not False and value != "" and value != ()}


def profile_of(data: Iterable[Mapping[str, Any]]) -> Profile:
    """What `profile_data` wrote. Fields that this platform does not know are left out."""
    columns = list(data)
    rows, sampled = (columns[0].get("rows"), int(columns[0].get("sampled") or 0)) if columns else (None, 0)
    return Profile(rows, sampled, tuple(map(_column_of, columns)))


_FIELDS = {field.name for field in dataclasses.fields(ColumnProfile)}


def _column_of(data: Mapping[str, Any]) -> ColumnProfile:
    known = {name: value for name, value in data.items() if name in _FIELDS}
    histogram = known.get("histogram")
    return ColumnProfile(
        **{
            **known,
            "quantiles": tuple(known.get("quantiles", ())),
            "top": tuple((str(value), int(rows)) for value, rows in known.get("top", ())),
            "histogram": Histogram(histogram["low"], histogram["high"], tuple(histogram["counts"])) if histogram else None,
        }
    )


def seen_profile(profile: Profile, view: View | None) -> Profile:
    """The profile for whoever sees the data through this view: no value of a column that it does not show whole, nothing of one whose
    nulls and different values it does not show either."""
    return dataclasses.replace(profile, columns=tuple(_seen(column, view) for column in profile.columns))


def _seen(column: ColumnProfile, view: View | None) -> ColumnProfile:
    if view is None or not view.tells_apart(column.name):
        return ColumnProfile(column.name, column.type, hidden=True)
    if view.tells(column.name):
        return column
    return ColumnProfile(column.name, column.type, column.nulls, column.distinct, hidden=True)


def null_rate(profile: Profile, column: ColumnProfile) -> float | None:
    """Per cent of the rows; None for a data set without rows."""
    return 100 * column.nulls / profile.rows if profile.rows and column.nulls is not None else None


def differences(before: Profile, now: Profile) -> tuple[Difference, ...]:
    """What changed of each column: that it is new or gone, its type, null rate, distinct values, mean and range."""
    gone = [Difference(column.name, "gone") for column in before.columns if now.column(column.name) is None]
    return (*(difference for column in now.columns for difference in _different(before, now, column)), *gone)


def _different(before: Profile, now: Profile, column: ColumnProfile) -> Iterator[Difference]:
    old = before.column(column.name)
    if old is None:
        yield Difference(column.name, "new")
        return
    words = [*_type(old, column), *_nulls(before, now, old, column), *_distinct(before, now, old, column), *_mean(old, column)]
    words += _end("least", old.minimum, column.minimum) + _end("greatest", old.maximum, column.maximum)
    if words:
        yield Difference(column.name, "; ".join(words))


def _type(old: ColumnProfile, new: ColumnProfile) -> list[str]:
    return [] if old.type == new.type else [f"type {old.type} -> {new.type}"]


def _nulls(before: Profile, now: Profile, old: ColumnProfile, new: ColumnProfile) -> list[str]:
    was, is_ = null_rate(before, old), null_rate(now, new)
    if was is None or is_ is None or abs(was - is_) < LEAST_NULL_POINTS:
        return []
    return [f"nulls {was:.1f} % -> {is_:.1f} %"]


def _distinct(before: Profile, now: Profile, old: ColumnProfile, new: ColumnProfile) -> list[str]:
    """Two approximate counts of the same values may be 10 % off in either direction."""
    if old.distinct is None or new.distinct is None:
        return []
    exact = before.exact and now.exact
    changed = _changed(old.distinct, new.distinct, 0.0 if exact else APPROXIMATE_CHANGE)
    return [f"distinct {old.distinct:,} -> {new.distinct:,}{'' if exact else ' (approximate)'}"] if changed else []


def _mean(old: ColumnProfile, new: ColumnProfile) -> list[str]:
    if old.mean is None or new.mean is None or not _changed(old.mean, new.mean, LEAST_CHANGE):
        return []
    return [f"mean {shown(old.mean)} -> {shown(new.mean)}"]


def _end(name: str, old: Shown, new: Shown) -> list[str]:
    return [] if old == new or old is None or new is None else [f"{name} {shown(old)} -> {shown(new)}"]


def _changed(old: float, new: float, least: float) -> bool:
    """By more than this share of the larger one."""
    return abs(old - new) > least * max(abs(old), abs(new))


def shown(value: Shown) -> str:
    """A value as people read it: four significant digits of a number that is not whole."""
    match value:
        case None:
            return "-"
        case float() if not value.is_integer():
            return f"{value:,.4g}" if 1e-4 <= abs(value) < 1e4 else _large(value)
        case int() | float():
            return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.6g}"
        case str():
            return value


def _large(value: float) -> str:
    return f"{value:,.1f}" if math.isfinite(value) and 1 <= abs(value) < 1e15 else f"{value:.4g}"


HEADER = (
    "column", "type", "nulls", "distinct", "least", "greatest", "mean", "deviation", "5 / 25 / 50 / 75 / 95 %",
    "most frequent", "distribution",
)  # fmt: skip


def table(profile: Profile, before: Profile | None) -> tuple[tuple[str, ...], list[list[str]]]:
    """The profile as a header and rows of text; with what is different where there is a version before."""
    changes = {difference.column: difference.words for difference in differences(before, profile)} if before is not None else {}
    header = (*HEADER, "since the version before") if before is not None else HEADER
    rows = [_row(profile, column) + ([changes.get(column.name, "")] if before is not None else []) for column in profile.columns]
    gone = [[difference.column, *[""] * (len(HEADER) - 1), difference.words] for difference in changes_of_gone(before, profile)]
    return header, rows + gone


def changes_of_gone(before: Profile | None, now: Profile) -> list[Difference]:
    """The differences of columns that were removed; empty without a version before."""
    return [] if before is None else [difference for difference in differences(before, now) if now.column(difference.column) is None]


def _row(profile: Profile, column: ColumnProfile) -> list[str]:
    rate = null_rate(profile, column)
    mark = "" if profile.exact or column.distinct is None else "about "
    top = ", ".join(f"{value} ({rows:,})" for value, rows in column.top[:3])
    return [
        column.name,
        column.type,
        "-" if rate is None else f"{rate:.1f} %" if rate else "0",
        "-" if column.distinct is None else f"{mark}{column.distinct:,}",
        "not shown" if column.hidden else shown(column.minimum),
        "not shown" if column.hidden else shown(column.maximum),
        shown(column.mean),
        shown(column.deviation),
        " / ".join(map(shown, column.quantiles)) or "-",
        column.error or top or "-",
        bars(column.histogram),
    ]


def bars(histogram: Histogram | None) -> str:
    """A histogram as one character per bin."""
    if histogram is None or not any(histogram.counts):
        return ""
    highest = max(histogram.counts)
    return "".join("▁▂▃▄▅▆▇█"[min(7, 7 * count // highest)] if count else " " for count in histogram.counts)


def exactness(profile: Profile) -> str:
    """One sentence that says how exact the profile is."""
    if profile.rows is None:
        return "the rows could not be counted"
    if profile.exact:
        return f"{profile.rows:,} rows, all of them looked at"
    if not profile.sampled:
        return f"{profile.rows:,} rows; distinct values are approximate"
    return (
        f"{profile.rows:,} rows; distinct values are approximate, and deviation, quantiles, most frequent values and distribution are of "
        f"{profile.sampled:,} rows chosen at random"
    )
