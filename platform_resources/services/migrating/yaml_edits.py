"""Set single values in a YAML text and keep everything else, including comments."""

from collections.abc import Collection, Sequence
from typing import Any

import yaml

from platform_resources.spec.document import Place
from platform_resources.spec.values.yaml_text import Dumper, flow


class CannotEdit(Exception):
    """Raised if a value cannot be set because of how the text is written."""


def with_value(text: str, place: Place, value: Any) -> str:
    """The text with `value` at `place`. Raises CannotEdit, also if any other value would change."""
    return _checked(text, _changed(text, place, value), place, value)


def without_items(text: str, place: Place, numbers: Collection[int]) -> str:
    """The text without these items of the list at `place`, and the comments right above each. Raises CannotEdit as `with_value` does."""
    node, lines = _block_list(text, place), text.splitlines(keepends=True)
    gone = {line for number in numbers for line in _lines_of(node.value[number], lines)}
    changed = "".join(line for number, line in enumerate(lines) if number not in gone)
    return _checked(text, changed, place, [item for number, item in enumerate(_at(text, place)) if number not in numbers])


def with_item(text: str, place: Place, item: Any) -> str:
    """The text with one more item at the end of the list at `place`, as far from the one before as that is. Raises CannotEdit."""
    node, lines = _block_list(text, place), text.splitlines(keepends=True)
    if not node.value:
        raise CannotEdit
    first, end = _lines_of(node.value[-1], lines).start, _last_line(node.value[-1]) + 1
    apart = "\n" if first > 0 and not lines[first - 1].strip() else ""
    before = "".join(lines[:end]).rstrip("\n") + "\n"
    changed = before + apart + _block([item], node.start_mark.column) + "".join(lines[end:])
    return _checked(text, changed, place, [*_at(text, place), item])


def _block_list(text: str, place: Place) -> yaml.SequenceNode:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in place:
        node = _child(node, key) if node is not None else None
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        raise CannotEdit
    return node


def _checked(text: str, changed: str, place: Place, wanted: Any) -> str:
    try:
        same = yaml.safe_load(changed) == _placed(yaml.safe_load(text), place, wanted)
    except yaml.YAMLError:
        same = False
    if not same:
        raise CannotEdit
    return changed


def _at(text: str, place: Place) -> Any:
    data = yaml.safe_load(text)
    for key in place:
        data = data[key]
    return data


def _lines_of(node: yaml.Node, lines: Sequence[str]) -> range:
    """The lines of an item, from the comments right above it to its last value; empty lines after it go with it."""
    first, last = node.start_mark.line, _last_line(node) + 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    while last < len(lines) and not lines[last].strip():
        last += 1
    return range(first, last)


def _last_line(node: yaml.Node) -> int:
    """Of a block the mark of its end lies behind what follows it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.end_mark.line) - (1 if block and node.end_mark.column == 0 else 0)


def _changed(text: str, place: Place, value: Any) -> str:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        return text + _block(_nested(place, value), 0)
    for depth, key in enumerate(place):
        child = _child(node, key)
        if child is None:
            return _inserted(text, node, {key: _nested(place[depth + 1 :], value)}, top=depth == 0)
        node = child
    return text[: node.start_mark.index] + flow(value) + text[node.end_mark.index :]


def _child(node: yaml.Node, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        children: dict[str, yaml.Node] = {name.value: child for name, child in node.value}
        return children.get(str(key))
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        items: list[yaml.Node] = node.value
        return items[key]
    raise CannotEdit


def _inserted(text: str, node: yaml.Node, entry: dict[Any, Any], top: bool) -> str:
    """With one more entry of a mapping: last in braces, else before its first one, as far to the right, or at the end of the file."""
    if not isinstance(node, yaml.MappingNode):
        raise CannotEdit
    if node.flow_style:
        at = node.value[-1][1].end_mark.index if node.value else node.start_mark.index + 1
        return text[:at] + (", " if node.value else "") + flow(entry)[1:-1] + text[at:]
    if top:
        return text.rstrip("\n") + "\n" + _block(entry, 0)
    first = node.value[0][0].start_mark
    at, column = int(first.index), int(first.column)
    return text[:at] + _block(entry, column).lstrip() + " " * column + text[at:]


def _block(entry: Any, indent: int) -> str:
    lines = str(yaml.dump(entry, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)).removesuffix("\n").split("\n")
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _nested(place: Place, value: Any) -> Any:
    for key in reversed(place):
        value = {key: value}
    return value


def _placed(data: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    key, rest = place[0], place[1:]
    if isinstance(data, list) and isinstance(key, int):
        return [_placed(item, rest, value) if i == key else item for i, item in enumerate(data)]
    inside = data if isinstance(data, dict) else {}
    return {**inside, key: _placed(inside.get(key), rest, value)}
