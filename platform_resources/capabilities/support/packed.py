"""How several rows come out of a query as one text, in every warehouse alike: fields end with one control character, rows with another."""

from collections.abc import Sequence

_FIELD, _ROW = 31, 30


def packed_sql(fields: Sequence[str], order: str) -> str:
    """The aggregate (DuckDB's SQL) over the rows, in this order. Of the fields, all SQL of texts, only the last may hold any text."""
    separator = f" || chr({_FIELD}) || "
    last = f"replace({fields[-1]}, chr({_ROW}), ' ')"
    return f"string_agg({separator.join((*fields[:-1], last))}, chr({_ROW}) order by {order})"


def unpacked(text: str, fields: int) -> tuple[tuple[str, ...], ...]:
    """The rows of a packed text, each with so many fields. Raises ValueError for a text that is none."""
    rows = tuple(tuple(row.split(chr(_FIELD), fields - 1)) for row in text.split(chr(_ROW)))
    if any(len(row) != fields for row in rows):
        raise ValueError(f"a row of the packed text has not {fields} fields: {text[:80]!r}")
    return rows
