"""YAML text as plain data in which every value still knows its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml

from platform_resources.spec.problems import Problem

LARGEST_TEXT = 1_000_000
MOST_NODES = 100_000
DEEPEST = 50
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dicts, lists, text, numbers, booleans, None; dates as ISO text) and the line of every place in it."""

    file: str
    data: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of `place`, or of its nearest ancestor when it is not written in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, message: str, hint: str = "") -> Problem:
        return Problem(self.file, self.line(place), place_text(place), message, hint)


class _Refused(Exception):
    def __init__(self, line: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


def place_text(place: Place) -> str:
    """`("spec", "components", 3, "type")` as `components[3].type`; the constant `spec` is left out."""
    parts = place[1:] if place[:2] == ("spec", "components") else place
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".")


def read_document(text: str, file: str) -> Document | Problem:
    """Read one YAML document. A text that is empty, no YAML, too large, or that repeats a key is a Problem, never an exception."""
    if len(text) > LARGEST_TEXT:
        return Problem(file, 1, "", f"the file has {len(text):,} characters; at most {LARGEST_TEXT:,} are read")
    lines: dict[Place, int] = {}
    try:
        node = _compose(text)
        data = _plain(node, (), lines, set(), [0])
    except _Refused as refused:
        return Problem(file, refused.line, "", refused.message, refused.hint)
    except yaml.YAMLError as error:
        return _yaml_problem(error, file)
    return Document(file, data, lines)


def _compose(text: str) -> yaml.Node:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
    except RecursionError:
        raise _Refused(1, f"the values are nested deeper than {DEEPEST} levels") from None
    finally:
        loader.dispose()
    if node is None:
        raise _Refused(1, "the file is empty; it must hold a document", "`mesh new` writes one to begin with")
    return node


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], open_nodes: set[int], count: list[int]) -> Any:
    line = node.start_mark.line + 1
    lines[place] = line
    count[0] += 1
    if count[0] > MOST_NODES:
        raise _Refused(line, f"the file expands to more than {MOST_NODES:,} values; aliases may not multiply it")
    if len(place) > DEEPEST:
        raise _Refused(line, f"the values are nested deeper than {DEEPEST} levels")
    if id(node) in open_nodes:
        raise _Refused(line, "an alias refers to a value that contains it; a value may not contain itself")
    open_nodes.add(id(node))
    value = _value(node, place, lines, open_nodes, count)
    open_nodes.discard(id(node))
    return value


def _value(node: yaml.Node, place: Place, lines: dict[Place, int], open_nodes: set[int], count: list[int]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key: _plain(child, (*place, key), lines, open_nodes, count) for key, child in _pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*place, i), lines, open_nodes, count) for i, child in enumerate(node.value)]
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen: dict[str, int] = {}
    for key_node, child in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _Refused(line, "a key must be plain text")
        key = key_node.value
        if key == "<<":
            raise _Refused(line, 'the merge key "<<" is not read; write the fields out')
        if key in seen:
            raise _Refused(line, f'"{key}" is given twice; it is already given in line {seen[key]}')
        seen[key] = line
        yield key, child


def _scalar(node: yaml.ScalarNode) -> Any:
    if node.tag == "tag:yaml.org,2002:str":
        return node.value
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise _Refused(node.start_mark.line + 1, f'"{node.value}" cannot be read: {error}') from None
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _yaml_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    return Problem(file, line, "", f"not valid YAML: {what}", "check the indentation and the quotes near this line")
