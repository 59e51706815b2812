"""Types of columns: whether the one that a warehouse reports is the one that was promised, and whether one is of numbers."""

import re
from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.support.packed import unpacked

_WHOLE = ("tinyint", "smallint", "integer", "bigint", "hugeint", "ubigint", "uinteger")
_NUMERIC = (*_WHOLE, "decimal", "double", "float")
# The words of an enumeration, and quoted names within structures: capitals matter there.
_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")
# What Snowflake reports for the types of a specification; several become one there, so any of them keeps the promise.
_STORED_AS: Mapping[str, tuple[str, ...]] = {
    "text": ("varchar", "json", "uuid", "time", "interval"),
    "float": ("float", "double"),
    "timestamp_ntz": ("timestamp",),
    "timestamp_tz": ("timestamptz",),
    "timestamp_ltz": ("timestamptz",),
    "binary": ("blob",),
    "variant": ("json",),
    "object": ("json",),
}
_LENGTH = re.compile(r"^(varchar|text)\(\d+\)$")
_NUMBER = re.compile(r"^number\((\d+),(\d+)\)$")


def observed_columns(packed: Any) -> Mapping[str, str]:
    """Column name -> type in lower case, as a specification writes it, from the reading of `Columns`; none for null."""
    rows = unpacked(str(packed), 2) if packed is not None else ()
    return {name: observed_type(kind) for kind, name in rows}


def has_column(packed: Any, column: str) -> bool:
    """Whether the relation has the column; capitals make no difference to a warehouse."""
    return column.lower() in {name.lower() for name in observed_columns(packed)}


def observed_type(reported: str) -> str:
    """A type as specifications write it: `TIMESTAMP WITH TIME ZONE[]` becomes `timestamptz[]`, `DECIMAL(18, 2)` becomes `decimal(18,2)`."""
    return "".join(part if part[:1] in "'\"" else _plain(part) for part in _QUOTED.split(reported))


def _plain(text: str) -> str:
    plain = re.sub(r"\b(time(?:stamp)?) with time zone\b", r"\1tz", text.lower())
    return re.sub(r",\s+(?=\d+\))", ",", plain)


def is_numeric(declared: str) -> bool:
    """Whether the type, as specifications write it, is a number; a list of numbers is not."""
    return not declared.endswith("[]") and declared.partition("(")[0] in _NUMERIC


def may_be_nan(declared: str | None) -> bool:
    """Whether a column of that type may hold NaN; of one that is not declared it is not known."""
    return declared in (None, "double", "float")


def is_type(promised: str, observed: str) -> bool:
    """Whether the observed type keeps the promise; Snowflake tells types by names of its own."""
    if promised == observed:
        return True
    if promised.endswith("[]"):
        return observed == "array" or (observed.endswith("[]") and is_type(promised[:-2], observed[:-2]))
    number = _NUMBER.fullmatch(observed)
    if number is not None:
        return _is_number(promised, number.group(1), number.group(2))
    return promised in _STORED_AS.get(_LENGTH.sub(r"\1", observed), ())


def _is_number(promised: str, precision: str, scale: str) -> bool:
    """Whether Snowflake's NUMBER is the promised whole number or decimal."""
    return promised == f"decimal({precision},{scale})" or (scale == "0" and promised in _WHOLE)
