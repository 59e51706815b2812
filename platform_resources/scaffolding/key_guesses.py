"""Which columns probably identify a row: what is worth measuring, and what is believed of what is unique."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod

from platform_resources.detection.name_words import name_words, word_set
from platform_resources.scaffolding.source_columns import Confidence, Guess, SourceColumn, SourceFacts

_IDENTIFIES = word_set(
    """
    id ids key uuid guid nr no num number nummer code sku ean gtin isbn iata icao kennung schluessel kuerzel index serial
    reference referenz
    """
)
_WHOLE = ("tinyint", "smallint", "integer", "bigint", "hugeint", "uinteger", "ubigint", "utinyint", "usmallint")
_KEYS = (*_WHOLE, "varchar", "uuid", "enum")
_PARTS = (*_KEYS, "date", "timestamp", "timestamptz")
# An approximate count of distinct values may be this much too small.
_APPROXIMATELY = 0.8
_MOST_PARTS, _MOST_ASKED = 8, 30
# From so many rows on, a column without a telling name is hardly unique by chance.
_ENOUGH_ROWS = 20


def is_identifier(column: SourceColumn) -> bool:
    """Whether the last word of its name says that it identifies something: `order_number` does, `number_of_orders` does not."""
    return column.kind in _KEYS and (name_words(column.name) or ("",))[-1] in _IDENTIFIES


def single_candidates(source: SourceFacts) -> tuple[tuple[str, ...], ...]:
    """The single columns that may be unique, those that are called like keys first."""
    columns = [column for column in source.columns if column.kind in _KEYS and _may_be_unique(source, [column])]
    return tuple((column.name,) for column in sorted(columns, key=lambda column: not is_identifier(column)))


def combined_candidates(source: SourceFacts) -> Iterator[tuple[str, ...]]:
    """Two or three columns that may be unique together, the likely ones first; to be measured until one is."""
    parts = [column for column in source.columns if column.kind in _PARTS and not column.nulls and (column.profile.distinct or 0) > 1]
    parts = sorted(parts, key=lambda column: not (is_identifier(column) or column.kind not in _KEYS))[:_MOST_PARTS]
    together = [list(chosen) for size in (2, 3) for chosen in combinations(parts, size)]
    likely = [chosen for chosen in together if _may_be_unique(source, chosen) and any(map(is_identifier, chosen))]
    order = [column.name for column in source.columns]
    for chosen in likely[:_MOST_ASKED]:
        yield tuple(sorted((column.name for column in chosen), key=order.index))


def _may_be_unique(source: SourceFacts, columns: Sequence[SourceColumn]) -> bool:
    if any(column.nulls for column in columns):
        return False
    combinations_at_most = prod(column.profile.distinct or 0 for column in columns)
    return combinations_at_most >= source.rows * (1.0 if source.exact else _APPROXIMATELY ** len(columns))


def key(source: SourceFacts) -> tuple[tuple[str, ...], Guess] | None:
    """The columns that identify a row, with the guess that says how sure that is; None where nothing is unique."""
    known = {column.name: column for column in source.columns}
    for columns in source.unique:
        confidence = _confidence(source, [known[name] for name in columns])
        together = "unique" if len(columns) == 1 else "unique together"
        named = all(is_identifier(known[name]) for name in columns)
        reason = f"{together} in all {source.rows:,} rows" + (", and called like a key" if named else "")
        return columns, Guess(", ".join(columns), confidence, reason if source.rows > 1 else "the only row cannot tell")
    return None


def _confidence(source: SourceFacts, columns: Sequence[SourceColumn]) -> Confidence:
    """A single row, or few rows without a telling name, tell nothing."""
    named = any(map(is_identifier, columns))
    if source.rows < 2 or (source.rows < _ENOUGH_ROWS and not named):
        return "low"
    return "high" if named and len(columns) == 1 and source.rows >= _ENOUGH_ROWS else "medium"
