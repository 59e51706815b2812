"""How a CSV file is written: its delimiter, quotes, header and the lines above it, as its first rows or its team say."""

import gzip
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.deliveries.arrivals import InputFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GZIP = b"\x1f\x8b"
_DELIMITERS = (",", ";", "|", "\t")
_DIALECT = {"delim": "Delimiter", "quote": "Quote", "escape": "Escape", "skip": "SkipRows", "header": "HasHeader"}
ALIASES = {"sep": "delim", "delimiter": "delim", "separator": "delim"}
# A single line above the rows that is one word is the header of one column, in whose values the delimiter stands too.
_ONE_WORD = re.compile(r'\s*"?\w+"?\s*')
# What spreadsheets write above the header: the delimiter, and nothing else.
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE)


def with_separator_line(file: InputFile, pull: PullFiles) -> PullFiles:
    """The options with what the file's first line says: `sep=;` is a spreadsheet's word for the delimiter, and no row."""
    line = next((_SEPARATOR_LINE.fullmatch(text) for text in _lines(file, 1, pull)), None)
    if line is None or {"skip", "delim", *ALIASES} & set(pull.options):
        return pull
    return replace(pull, options={**pull.options, "delim": line.group(1), "skip": 1})


def column_types(sniffed: Mapping[str, Any]) -> dict[str, str]:
    """The name and type of each column, as `sniff_csv` guesses them."""
    return {column["name"]: observed_type(column["type"]) for column in sniffed["Columns"]}


def sniffed_as(connection: "DuckDBPyConnection", arguments: str) -> dict[str, Any]:
    """The one row that `sniff_csv` gives for these arguments, by its columns' names. Raises the database's error for what is no CSV."""
    cursor = connection.execute(f"select * exclude (Prompt) from sniff_csv({arguments})")
    names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def dialect_of(sniffed: Mapping[str, Any], pull: PullFiles) -> dict[str, Any]:
    """How the file is written, as the team says or as its first rows look; quotes are quotes also where the first rows have none."""
    dialect = {name: '"' if sniffed[column] == "(empty)" else sniffed[column] for name, column in _DIALECT.items()}
    dialect["delim"] = "," if sniffed["Delimiter"] == "(empty)" else dialect["delim"]
    return dialect | {ALIASES.get(name, name): value for name, value in pull.options.items() if ALIASES.get(name, name) in dialect}


def ragged_as(
    file: InputFile, types: Mapping[str, str], dialect: Mapping[str, Any], pull: PullFiles
) -> tuple[dict[str, str], dict[str, Any]] | None:
    """The columns of the first line, where rows were left out or all are one column, for they are not all of one length.

    Reading the file so tells which row is too long or too short. None where the rows are alike.
    """
    if {"delim", "skip", *ALIASES} & set(pull.options):
        return None
    first = next(iter(types))
    alone = max(_DELIMITERS, key=first.count) if len(types) == 1 else ""
    delimiter = alone if alone and alone in first else dialect["delim"]
    above = _lines(file, int(dialect["skip"]), pull)
    header_alone = bool(above) and (not dialect["header"] or (len(above) == 1 and _ONE_WORD.fullmatch(above[0]) is not None))
    if not (alone and alone in first) and not header_alone and not any(delimiter in line for line in above):
        return None
    names = [name.strip().strip('"') or f"column{place}" for place, name in enumerate((above or [first])[0].split(delimiter))]
    if len({name.lower() for name in names}) < len(names):
        names = [f"column{place}" for place in range(len(names))]
    return dict.fromkeys(names, "varchar"), {**dialect, "delim": delimiter, "skip": 0, "header": True}


def _lines(file: InputFile, count: int, pull: PullFiles) -> list[str]:
    """The first lines of the file, as far as they can be read here."""
    if not count:
        return []
    with file.path.open("rb") as stream:
        packed = stream.read(2) == GZIP
    with gzip.open(file.path, "rb") if packed else file.path.open("rb") as stream:
        return [line.decode(str(pull.options.get("encoding", "utf-8")), "replace") for line in islice(stream, count)]
