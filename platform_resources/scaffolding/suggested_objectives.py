"""Objectives that a source's data suggest: all are met by these data, with room for the next, and missed when data break."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.detection.name_words import known_in, word_set
from platform_resources.promises.learned.usual_shares import SHARES, binomial_bounds
from platform_resources.scaffolding.column_guesses import unit
from platform_resources.scaffolding.key_guesses import is_identifier
from platform_resources.scaffolding.source_columns import SourceColumn, SourceFacts
from platform_resources.spec.values.names import fold, slug

# From so many standard deviations below what was seen: chance alone brings fewer in one of 44 deliveries.
DEVIATIONS = 2.0
# From this bound on a column that was always filled is promised never to be empty.
NEVER_EMPTY = 99
FEW_VALUES, ROWS_PER_VALUE = 12, 10
# Of fewer rows nothing is said about the range of values.
ENOUGH_ROWS = 20
_LARGEST, _LEAST_SPAN = 1e15, 1e-9
# A time without a zone may be ahead of UTC, where it was written.
_TIMES = ("date", "timestamptz")
_AHEAD = word_set("due until end expiry expires expiration valid planned next deadline faellig ablauf bis gueltig termin")
_LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One objective: its name, its fields under `properties`, and why it is suggested."""

    name: str
    fields: Mapping[str, Any]
    reason: str


def filled_at_least(rows: int, nulls: int) -> int:
    """Which share of rows is filled at least, in whole per cent: the lower binomial bound, and a point below what was seen."""
    share = (rows - nulls) / rows
    low = binomial_bounds(share, rows, DEVIATIONS)[0]
    return max(0, math.floor(100 * (low if not nulls else min(low, share - SHARES.min_change))))


def never_empty(source: SourceFacts, column: SourceColumn) -> bool:
    """Whether so many rows were filled, and all, that the next will be."""
    return not column.nulls and filled_at_least(source.rows, 0) >= NEVER_EMPTY


def suggestions(source: SourceFacts, data_set: str, key: Collection[str], hidden: Collection[str]) -> tuple[Suggestion, ...]:
    """All objectives. `key` are the columns of the primary key, `hidden` those whose values must not be told."""
    suggested = [*_of_key(source, key), _of_rows(source), *_of_filled(source, key)]
    shown = [column for column in source.columns if column.name not in (*key, *hidden)]
    suggested += [suggestion for column in shown for suggestion in _of_values(source, column)]
    return tuple(_named_apart(suggested, data_set))


def _of_key(source: SourceFacts, key: Collection[str]) -> Iterator[Suggestion]:
    if key:
        fields = {"dimension": "uniqueness", "gate": True}
        yield Suggestion(
            "Every row is there once", fields, f"so it is in all {source.rows:,} rows; a gate: a version with duplicates is not published"
        )


def _of_rows(source: SourceFacts) -> Suggestion:
    least = max(1, source.rows // 2)
    return Suggestion("The data came whole", {"dimension": "volume", "at_least": least}, f"half of the {source.rows:,} rows that there are")


def _of_filled(source: SourceFacts, key: Collection[str]) -> Iterator[Suggestion]:
    """One for all columns of which the same share is promised."""
    columns: dict[int, list[str]] = {}
    for column in source.columns:
        least = filled_at_least(source.rows, column.nulls)
        if least and column.name not in key and not never_empty(source, column):
            columns.setdefault(least, []).append(column.name)
    for least, names in sorted(columns.items(), reverse=True):
        fields = {"dimension": "completeness", "columns": names, "at_least": least}
        yield Suggestion(f"Filled in {least} % of the rows", fields, f"the lower binomial bound of what was seen in {source.rows:,} rows")


def _of_values(source: SourceFacts, column: SourceColumn) -> Iterator[Suggestion]:
    if column.values:
        values = sorted(value for value, _ in column.values)
        reason = f"{len(values)} values in {source.rows:,} rows"
        yield Suggestion(f"{_label(column)} is a known value", _validity(column, accepted_values=values), reason)
    if source.rows - column.nulls >= ENOUGH_ROWS and is_numeric(column.type) and not is_identifier(column):
        yield from _of_range(column)
    past = column.kind in _TIMES and not column.future and not known_in(column.name, _AHEAD)
    if past and source.rows - column.nulls >= ENOUGH_ROWS:
        yield Suggestion(f"{_label(column)} is not in the future", _validity(column, not_in_future=True), "no row is dated later than now")


def has_few_values(rows: int, values: int) -> bool:
    """Whether so few different values are probably all that there are."""
    return 2 <= values <= FEW_VALUES and values * ROWS_PER_VALUE <= rows


def _of_range(column: SourceColumn) -> Iterator[Suggestion]:
    """As much room on each side as the values span, rounded to one digit away from zero; what was never negative stays so."""
    low, high = column.profile.minimum, column.profile.maximum
    if not isinstance(low, int | float) or not isinstance(high, int | float) or column.profile.not_numbers:
        return
    if not -_LARGEST < low < high < _LARGEST or high - low < _LEAST_SPAN:
        return
    least = 0 if low >= 0 else -_rounded_up(high - low - low)
    most = _rounded_up(high + (high - low)) if high > 0 else 0
    whole = unit(column)
    if whole is not None and whole.value == "%" and low >= 0 and high <= 100:
        most = 100
    fields = _validity(column, min=least, max=most)
    yield Suggestion(f"{_label(column)} is in its range", fields, "what was seen, with as much room again, rounded up to one digit")


def _rounded_up(value: float) -> int | float:
    """To one digit that counts, away from zero; a whole number where it is one."""
    size = 10.0 ** math.floor(math.log10(value))
    rounded = math.ceil(value / size) * size
    return int(rounded) if rounded >= 1 else float(f"{rounded:.6g}")


def _validity(column: SourceColumn, **rule: Any) -> dict[str, Any]:
    return {"dimension": "validity", "column": column.name, **rule}


def _label(column: SourceColumn) -> str:
    return column.name[:_LONGEST_LABEL].strip()


def _named_apart(suggested: Collection[Suggestion], data_set: str) -> Iterator[Suggestion]:
    """The platform makes a name of each title, and no two of them may be one."""
    taken: set[str] = set()
    for suggestion in suggested:
        name, number = suggestion.name, 1
        while fold(slug(name)) in taken:
            number += 1
            name = f"{suggestion.name} ({number})"
        taken.add(fold(slug(name)))
        yield Suggestion(name, {**suggestion.fields, "data_set": data_set}, suggestion.reason)
