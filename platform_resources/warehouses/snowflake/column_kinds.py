"""Types of columns: Snowflake's for what is loaded, and the ones that specifications write for what Snowflake reports."""

import re
from typing import Any

from platform_resources.capabilities.support.column_types import is_type
from platform_resources.warehouses.engine_errors import NotSupported

_STORED = {
    **dict.fromkeys(
        ("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint", "hugeint"), "number(38,0)"
    ),
    **dict.fromkeys(("float", "double"), "float"),
    **dict.fromkeys(("varchar", "uuid"), "varchar"),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms"), "timestamp_ntz(6)"),
    "timestamp_ns": "timestamp_ntz(9)",
    "timestamptz": "timestamp_tz(6)",
    "date": "date",
    "time": "time(6)",
    "boolean": "boolean",
}
_REPORTED = {
    "text": "varchar",
    "float": "double",
    "timestamp_ntz": "timestamp",
    "timestamp_tz": "timestamptz",
    "timestamp_ltz": "timestamptz",
    "variant": "json",
    "object": "json",
    "array": "json",
    "binary": "blob",
}
_DECIMAL = re.compile(r"decimal\(\d+,\d+\)")


def stored_kind(column: str, kind: str) -> str:
    """Snowflake's type for a column that is loaded. Raises NotSupported, also where it would not keep everything."""
    if _DECIMAL.fullmatch(kind):
        return kind.replace("decimal", "number")
    if kind not in _STORED:
        known = ", ".join(sorted((*_STORED, "decimal(p,s)")))
        raise NotSupported(f"column {column} is {kind}, which cannot be loaded into Snowflake yet; turn it into one of {known}")
    return _STORED[kind]


def reported_kind(data_type: str, precision: Any, scale: Any, promised: str = "") -> str:
    """The type as specifications write it: the promised one if Snowflake stores it as this type; other whole numbers are `bigint`."""
    kind = data_type.lower()
    if promised and is_type(promised, f"number({precision},{scale})" if kind == "number" else kind):
        return promised
    if kind == "number":
        return "bigint" if (precision, scale) == (38, 0) else f"decimal({precision},{scale})"
    return _REPORTED.get(kind, kind)


def added_kind(data_type: str, precision: Any, scale: Any) -> str:
    """The type that Snowflake reports, as a statement that adds a column writes it."""
    return f"number({precision},{scale})" if data_type.lower() == "number" else data_type
