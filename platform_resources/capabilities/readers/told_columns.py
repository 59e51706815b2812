"""The columns that records of a source turn out to have, and the type of each that takes every value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.values.column_names import folded_column

_BIGINT = range(-(2**63), 2**63)
# A whole number of which a binary one would not keep every digit.
_LONG = "long"
_WIDER = {frozenset(("bigint", "double")): "double", frozenset(("bigint", _LONG)): _LONG}


@dataclass
class ToldColumns:
    """The columns that were met so far, and the type that takes every value of each; empty while it has none."""

    kinds: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    def texts(self, record: Mapping[str, Any], json: Any) -> dict[str, str | None]:
        """The values of a record as texts, which lose nothing; `json` is simplejson."""
        texts = {name: _text(value, json) for name, value in record.items()}  # a record that has none leaves no trace
        self.rows += 1
        for name, value in record.items():
            kind, before = _kind(value), self.kinds.setdefault(name, "")
            if kind and kind != before:
                self.kinds[name] = _WIDER.get(frozenset((kind, before)), "varchar") if before else kind
        return texts

    def casts(self, promised: Mapping[str, str], of: str = "") -> str:
        """What selects these columns from texts, with their types; `of` is written before the name of each text.

        What is promised stays text: the contract reads it, so that no digit of a decimal is lost on the way.
        """
        texts = {folded_column(name) for name in promised}
        kinds = {name: "varchar" if folded_column(name) in texts else kind for name, kind in self.kinds.items()}
        types = {name: "bigint" if kind == _LONG else kind or "varchar" for name, kind in kinds.items()}
        return ", ".join(f"cast({of}{quoted(name)} as {kind}) as {quoted(name)}" for name, kind in types.items())


def _kind(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "boolean"
        case int():
            return "bigint" if abs(value) <= 2**53 else _LONG if value in _BIGINT else "varchar"
        case float():
            return "double"
        case Decimal():
            return "double" if Decimal(repr(float(value))) == value else "varchar"
        case list() | dict():
            return "json"
        case datetime():
            return "timestamptz" if value.tzinfo is not None else "timestamp"
        case date():
            return "date"
        case time():
            return "time"
        case UUID():
            return "uuid"
        case bytes():
            return "blob"
        case _:
            return "varchar"


def _text(value: Any, json: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool() | list() | dict():
            return str(json.dumps(value, use_decimal=True, encoding=None, default=_plain))
        case bytes():
            return "".join(f"\\x{byte:02X}" for byte in value)
        case _:
            return _plain(value)


def _plain(value: Any) -> str:
    """A value that JSON has no form for."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)
