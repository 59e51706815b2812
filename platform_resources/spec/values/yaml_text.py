"""Values as YAML text that reads back as the same value, wherever in a document it stands."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

# YAML reads these as ends of lines, and PyYAML leaves them as they are in texts without quotes, which then read back as others.
_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_LINE_ENDS = re.compile("[\n\x85\u2028\u2029]")


def _text_node(dumper: Any, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _OTHER_LINE_ENDS.search(text) else None)
    return node


class Dumper(yaml.SafeDumper):
    """Writes every text so that it reads back."""


class FastDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes what `Dumper` does by libyaml, eight times as fast."""


Dumper.add_representer(str, _text_node)
FastDumper.add_representer(str, _text_node)


def scalar(value: str | int | float | bool) -> str:
    """One value on one line, in quotes where YAML would read something else without them."""
    style: dict[str, Any] = {"default_style": '"'} if _LINE_ENDS.search(str(value)) else {}
    return str(yaml.safe_dump([value], default_flow_style=True, width=10**9, allow_unicode=True, **style)).strip()[1:-1]


def flow_list(values: Iterable[Any]) -> str:
    """`[a, b]`."""
    return f"[{', '.join(map(flow, values))}]"


def flow_mapping(fields: Mapping[str, Any]) -> str:
    """`{name: a, tests: [b], options: {c: d}}`."""
    return f"{{{', '.join(f'{scalar(str(name))}: {flow(value)}' for name, value in fields.items())}}}"


def flow(value: Any) -> str:
    """A value on one line, whatever it holds."""
    match value:
        case Mapping():
            return flow_mapping(value)
        case list() | tuple():
            return flow_list(value)
        case _:
            return scalar(value)
