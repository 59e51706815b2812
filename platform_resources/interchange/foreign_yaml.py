"""YAML of other standards: read with dates and versions as they are written, written back in one form."""

import re
from typing import Any

import yaml

from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem
from platform_resources.spec.values.yaml_text import Dumper

_NUMBER = re.compile(r"[-+]?(\d+|\d+\.\d*|\.\d+)([eE][-+]?\d+)?")
_OTHER_BASE = re.compile(r"[-+]?0\d+")


def read_foreign(text: str, file: str) -> Document | Problem:
    """The document; what YAML 1.1 would take for a date, a number to the base of 60 or of 8 is the text that is written there."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return document
    if not isinstance(document.data, dict):
        return document.problem((), "the file must hold fields, such as apiVersion, kind and id")
    return Document(file, _plain(document.data), document.lines)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bool() | None:
            return value
        case int() | float():
            return _number(value)
        case _:
            return getattr(value, "written", value)


def _number(value: int | float) -> int | float | str:
    """The number, or the text where writing the number would not give what was written, as of `1.10` or `09:30`."""
    written = str(getattr(value, "written", value))
    number = float(value) if isinstance(value, float) else int(value)
    is_one = _NUMBER.fullmatch(written) is not None and _OTHER_BASE.fullmatch(written) is None
    return number if is_one and str(number) == written else written


class Indented(Dumper):
    """Writes the items of a list deeper than the list's name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Empty:
    """The value of a field that is there and says nothing, as standards' examples write it."""


class _Dumper(Indented):
    def ignore_aliases(self, data: Any) -> bool:
        """A value that is written twice is written out twice."""
        return True


_Dumper.add_representer(_Empty, lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def foreign_text(document: dict[str, Any]) -> str:
    """The document as YAML, fields in their order, without line folding."""
    return str(yaml.dump(_emptied(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000))


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _Empty() if item is None else _emptied(item) for key, item in value.items()}
    return [_emptied(item) for item in value] if isinstance(value, list) else value
