"""YAML text as plain data in which every value keeps its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml

from platform_resources.spec.problems import Problem
from platform_resources.spec.values.written_values import remembering

LARGEST_TEXT = 1_000_000
MOST_NODES = 100_000
DEEPEST = 50
Place = tuple[str | int, ...]
_YAML_HINTS = {
    "mapping values are not allowed": 'put a text in quotes that has ": " in it, and check the indentation',
    "tab character": "indent with spaces; YAML does not allow tabs there",
    "undefined alias": "put a text in quotes that begins with *",
    "cannot start any token": "put a text in quotes that begins with @, `, % or a tab",
    "expected ',' or '}'": "a { or a text in quotes is not closed",
    "expected ',' or ']'": "a [ or a text in quotes is not closed",
    "unexpected end of stream": "a quote, { or [ is not closed",
    "control characters": "take away the character that cannot be seen",
}
_KINDS = {"timestamp": "a date", "int": "a whole number", "float": "a number", "bool": "yes or no"}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        """A problem at a place of this document, with the file and the line filled in."""
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
    except UnicodeEncodeError as error:
        return Problem(file, text.count("\n", 0, error.start) + 1, "", "not valid YAML: a character that no text may hold")
    return Document(file, data, lines)


def _compose(text: str) -> yaml.Node:
    _refuse_structure(text)
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    if node is None:
        raise _Refused(1, "the file is empty; it must hold a document", "copy the product.yaml of another product to begin with")
    return node


def _refuse_structure(text: str) -> None:
    """Refuse deep nesting and a second document before composing: libyaml's composer recurses in C and would crash the process."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.ScalarEvent):
            continue
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > DEEPEST:
            raise _Refused(line, f"the values are nested deeper than {DEEPEST} levels")
        if documents > 1:
            hint = "write each product into a product.yaml of its own"
            raise _Refused(line, 'a second document begins here, after "---"; a file holds one', hint)


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], open_nodes: set[int], count: list[int]) -> Any:
    line = node.start_mark.line + 1
    lines[place] = line
    count[0] += 1
    if count[0] > MOST_NODES:
        raise _Refused(line, f"the file expands to more than {MOST_NODES:,} values; aliases may not multiply it")
    if len(place) > DEEPEST:
        raise _Refused(line, f"the values are nested deeper than {DEEPEST} levels")
    if id(node) in open_nodes:
        raise _Refused(line, "the value that begins here contains itself, through an alias")
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
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError):
        raise _Refused(*_unreadable_scalar(node)) from None
    if isinstance(value, bytes):
        raise _Refused(*_unreadable_scalar(node))
    return remembering(value.isoformat() if isinstance(value, (date, datetime)) else value, node.value)


def _unreadable_scalar(node: yaml.ScalarNode) -> tuple[int, str, str]:
    """PyYAML's constructors raise whatever comes: KeyError for `!!bool maybe`, AttributeError for `!!timestamp soon`."""
    tag = node.tag.removeprefix("tag:yaml.org,2002:")
    shown = node.value if len(node.value) <= 40 else node.value[:37] + "..."
    return node.start_mark.line + 1, f'"{shown}" cannot be read as {_KINDS.get(tag, tag)}', "put it in quotes to make it text"


def _yaml_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    begun = getattr(error, "context_mark", None)
    since = f"; what is being read here begins in line {begun.line + 1}" if begun and begun.line + 1 < line else ""
    hint = next((hint for words, hint in _YAML_HINTS.items() if words in what), "check the indentation and the quotes near this line")
    return Problem(file, line, "", f"not valid YAML: {what}{since}", hint)
