"""Values as YAML text that reads back as the same value, wherever in a document it stands."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


def scalar(value: str | int | float | bool) -> str:
    """One value on one line, in quotes where YAML would read something else without them."""
    # A NEL is folded into a space, unless it is escaped in double quotes.
    style: dict[str, Any] = {"allow_unicode": False, "default_style": '"'} if "\x85" in str(value) else {"allow_unicode": True}
    return str(yaml.safe_dump([value], default_flow_style=True, width=10**9, **style)).strip()[1:-1]


def flow_list(values: Iterable[str | int | float | bool]) -> str:
    """`[a, b]`."""
    return f"[{', '.join(map(scalar, values))}]"


def flow_mapping(fields: Mapping[str, Any]) -> str:
    """`{name: a, tests: [b], options: {c: d}}`."""
    return f"{{{', '.join(f'{scalar(str(name))}: {_flow(value)}' for name, value in fields.items())}}}"


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return flow_mapping(value)
        case list() | tuple():
            return flow_list(value)
        case _:
            return scalar(value)
