"""Convert results of services to JSON: times as ISO 8601, durations in seconds, unknown or non-finite values as null."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any


def json_data(value: Any) -> Any:
    """The value as JSON data."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Enum():
            return value.value
        case Mapping():
            return {str(key): json_data(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: json_data(getattr(value, field.name)) for field in fields(value)}
        case list() | tuple() | set() | frozenset():
            return [json_data(item) for item in value]
        case _:
            return str(value)
