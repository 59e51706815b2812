"""Explain why a file cannot be loaded: file, line, column, value, and what to do."""

import json
import re

from platform_resources.deliveries.arrivals import InputFile
from platform_resources.warehouses.engine_errors import LoadFailed, shown_text

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_COUNT = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_VALUE = re.compile(r"Error when converting column \"(.*?)\"\. Could not convert string \"(.*?)\" to '?([A-Z][A-Z ]*)", re.DOTALL)
_ENCODED = re.compile(r"not (utf-8|utf-16|latin-1) encoded")
_OPTION = re.compile(r"Invalid named parameter \"(\w+)\"")
_OTHER_WORDS = {"null_values": "nullstr", "na_values": "nullstr", "null_value": "nullstr", "null_string": "nullstr", "charset": "encoding"}
_LONG = re.compile(r"Maximum line size of (\d+) bytes exceeded. Actual Size:(\d+)")
_KEY_TWICE = re.compile(r'Duplicate name "+(.*?)"+ in struct')
_JSON_LINE = re.compile(r"transform error in file .*?, in (?:line|record/value) (\d+): (.*)")


def load_error(file: InputFile, error: Exception) -> LoadFailed:
    """The database's error in one line, with the file as the team names it."""
    text = str(error)
    line = _LINE.search(text)
    place = f"{file.name}, line {line.group(1)}" if line else file.name
    if count := _COUNT.search(text):
        return LoadFailed(
            f"{place}: the row has {count.group(2)} fields, {count.group(1)} were expected; mend the file, or, "
            'if the delimiter is another one, say which, such as options: {delim: ";"}, '
            "or how many lines stand above the header: {skip: 1}"
        )
    if value := _VALUE.search(text):
        column, written, kind = value.groups()
        return LoadFailed(f"{place}, column {column}: {not_of_type(written, kind.strip().lower())}; {promise(column)}", column, written)
    if transformed := _JSON_LINE.search(text):
        return LoadFailed(f"{file.name}, record {transformed.group(1)}: {transformed.group(2)}")
    if key := _KEY_TWICE.search(text):
        return LoadFailed(f"{file.name}: the key {key.group(1)} is there twice within a value, once in other capitals; mend the file")
    if "Malformed JSON" in text:
        return LoadFailed(_malformed(file, text))
    first = text.strip().splitlines()[0].replace(str(file.path), file.name)
    return LoadFailed(f"{place}: {_reason(first, text)}")


def _reason(first: str, text: str) -> str:
    if option := _OPTION.search(text):
        word = option.group(1)
        known = _OTHER_WORDS.get(word)
        return f"options names {word}, which the reader of this format does not have" + (f"; write {known}" if known else "")
    if long := _LONG.search(text):
        limit, size = long.groups()
        way_out = f"a longer one is taken with options: {{max_line_size: {2 * int(size)}}}"
        return f"the line has {size} bytes or more, {limit} are accepted; {way_out}"
    if encoded := _ENCODED.search(text):
        return (
            f"it is not written in {encoded.group(1).upper()}; save it in UTF-8 (in Excel: CSV UTF-8), or say which encoding it has, "
            "such as options: {encoding: cp1252} (Excel's in Western Europe) or {encoding: utf-16}"
        )
    if "unterminated quote" in text:
        return "a quote is opened there that is not closed; mend the file"
    if "sniffing" in first or "state machine" in first:
        return (
            "it cannot be read as CSV: its rows differ in their line ends, quotes or number of fields; mend it, "
            'or say how it is written, such as options: {delim: ";", quote: "\'"}'
        )
    return first.partition("Error: ")[2] or first


def _malformed(file: InputFile, text: str) -> str:
    """Which line is no JSON: the database counts lines otherwise than people do."""
    reason = text.splitlines()[0].rpartition(": ")[2].strip().rstrip(".")
    try:
        lines = file.path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{file.name}: it is no whole JSON: {reason}"
    bad = next((number for number, line in enumerate(lines, 1) if line.strip() and not _is_json(line)), None)
    if bad is None or not lines or not _is_json(lines[0]):
        return f"{file.name}: it is no whole JSON: {reason}"
    return f"{file.name}, line {bad}: it is no whole JSON: {reason}"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def not_of_type(value: str, kind: str) -> str:
    """In words, that a value is not of the type that was promised."""
    return f"{shown_text(value)} is no {kind}, or not all of it would be kept"


def promise(column: str) -> str:
    """What to do about a column of another type."""
    return f"mend the file, or say options: {{types: {{{column}: varchar}}}}"
