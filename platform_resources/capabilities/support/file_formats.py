"""What the files of output ports can hold: which types, and as what a column stands in a file of each format."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

FileFormat = Literal["parquet", "csv", "json"]
# Types that hold others by name, and one that holds anything: their text does not say again what they were.
_NESTED = re.compile(r"(struct|map|union|row|tuple|variant)\b")
_LISTED = re.compile(r"(\[\d*\])+$")
# A Parquet file rounds the first to binary numbers, intervals to milliseconds, and turns times to UTC.
_WIDE = ("hugeint", "uhugeint")
_TEXT_IN_PARQUET = ("interval", "timetz")
# What Parquet tells by another name.
_RENAMED_BY_PARQUET = ("bignum", "bit", "timestamp_s", "timestamp_ms", *_WIDE, *_TEXT_IN_PARQUET)
# So many digits come through every reader of JSON: most of them take each number for a binary one.
_JSON_DIGITS = 15


def holds(file_format: FileFormat, kind: str) -> bool:
    """Whether a file of the format can say a value of the type so that it is read again as it was."""
    if file_format == "parquet":
        return True
    element, lists = _taken_apart(kind)
    return not _NESTED.match(element) and (file_format == "json" or not lists)


def held_formats(kinds: Iterable[str]) -> tuple[FileFormat, ...]:
    """The formats that can hold all of the types."""
    held = tuple(kinds)
    return tuple(file_format for file_format in get_args(FileFormat) if all(holds(file_format, kind) for kind in held))


def stored_type(file_format: FileFormat, kind: str, *, widest: bool = False) -> str | None:
    """The type to turn a column into before it is written; None for the type that it has.

    Parquet has no whole numbers of more than 64 bits: they are written as decimals, and `widest` says that they have more than 38 digits.
    """
    element, lists = _taken_apart(kind)
    if file_format == "parquet" and element in _WIDE:
        return f"varchar{lists}" if widest else f"decimal(38,0){lists}"
    as_text = (file_format == "parquet" and element in _TEXT_IN_PARQUET) or (file_format == "json" and _text_in_json(element))
    return f"varchar{lists}" if as_text else None


def read_type(file_format: FileFormat, kind: str) -> str | None:
    """The type to turn a column into when it is read; None where the file itself gives the right one."""
    element, lists = _taken_apart(kind)
    if file_format == "parquet":
        renamed = element in _RENAMED_BY_PARQUET or any(character.isdigit() for character in lists)
        return kind if renamed else None
    if element.startswith("enum("):  # its words belong to one version; the text is what all have
        return f"varchar{lists}"
    if _NESTED.match(element):  # only in versions of old, which said no more of it
        return f"json{lists}" if file_format == "json" else "varchar"
    return kind


def text_columns(file_format: FileFormat, columns: Mapping[str, str]) -> dict[str, str]:
    """The types to read a text file's columns with: text, or lists of text, from which every type is made."""
    if file_format == "csv":
        return dict.fromkeys(columns, "varchar")
    return {name: "varchar" + "[]" * _taken_apart(kind)[1].count("[") for name, kind in columns.items()}


def _taken_apart(kind: str) -> tuple[str, str]:
    """`decimal(18,2)[][]` as `decimal(18,2)` and `[][]`."""
    lists = _LISTED.search(kind)
    return (kind[: lists.start()], lists.group()) if lists else (kind, "")


def _text_in_json(element: str) -> bool:
    """JSON itself too: an embedded document loses its null, and the end of its long numbers."""
    precision = re.match(r"decimal\((\d+)", element)
    return element == "json" or (precision is not None and int(precision.group(1)) > _JSON_DIGITS)


def csv_field(value: str | None) -> str:
    """A field of a CSV file: nothing for null, two quotes for the empty text, as in published files."""
    if value is None:
        return ""
    if value and not re.search(r'[",\r\n]|^\s|\s$', value):
        return value
    return '"' + value.replace('"', '""') + '"'
