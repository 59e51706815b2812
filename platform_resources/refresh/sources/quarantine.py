"""Rows that broke the contract of a source: which are in quarantine, why, and how they leave it once they are mended."""

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.support.shares import amount
from platform_resources.capabilities.support.sql_text import literal, relation_sql
from platform_resources.deliveries.arrivals import input_file
from platform_resources.plan import conventions
from platform_resources.plan.port_plans import InputPlan
from platform_resources.refresh.sources.kept_contracts import keep_source_contract, with_contract
from platform_resources.spec.problems import known_text
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import EngineError, LoadFailed, shown_text
from platform_resources.warehouses.protocol import ProductDatabase

NOT_SHOWN = "a value that is not shown here"
# The columns of a file of rows to be mended that say which row it is.
_SOURCE, _ROW = "mesh_source", "mesh_row"
# Options that say how values are written; how the file is written is the platform's own doing.
_OF_VALUES = ("dateformat", "date_format", "timestampformat", "timestamp_format", "decimal_separator", "thousands")


@dataclass(frozen=True, slots=True)
class BadValue:
    """What is wrong with one column of a row; `value` is its text, None where it has none."""

    column: str
    reason: str
    value: str | None

    def told(self, hidden: Collection[str]) -> str:
        """The value and what is wrong with it; a value of a hidden column is not shown."""
        if self.value is None:
            return f"{self.column} {self.reason}"
        return f"{self.column}: {NOT_SHOWN if folded_column(self.column) in hidden else shown_text(self.value)} {self.reason}"


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row in quarantine: from which file or extractor, its number there, and what was delivered, by the source's own names."""

    source: str
    number: int
    bad: tuple[BadValue, ...]
    delivered: Mapping[str, str | None]


def _place(port: str) -> Relation:
    return Relation(conventions.QUARANTINE, port)


def quarantined_count(database: ProductDatabase, port: str) -> int:
    """How many rows of the input are in quarantine."""
    return database.count(_place(port)) if database.exists(_place(port)) else 0


def quarantined_rows(database: ProductDatabase, port: str, limit: int | None = None) -> list[QuarantinedRow]:
    """The rows in quarantine, in the order in which they were delivered."""
    if not database.exists(_place(port)):
        return []
    most = f" limit {limit}" if limit is not None else ""
    rows = database.rows(f"select * from {relation_sql(_place(port))} order by source, row_number{most}")
    return [
        QuarantinedRow(
            row["source"],
            row["row_number"],
            tuple(BadValue(**bad) for bad in json.loads(row["reasons"])),
            json.loads(row["delivered"]),
        )
        for row in rows
    ]


def quarantine_text(database: ProductDatabase, product: str, port: InputPlan, count: int, loaded: int, hidden: Collection[str]) -> str:
    """How many rows are in quarantine, and what is wrong with the first."""
    (first,) = quarantined_rows(database, port.name, 1)
    why = "; ".join(bad.told(hidden) for bad in first.bad)
    of = f"{count:,} of {amount(count + loaded)}"
    return f"{of} are in quarantine, such as {first.source}, row {first.number}: {why}; mesh quarantine {product} {port.name} shows them"


def shown_delivered(row: QuarantinedRow, hidden: Collection[str]) -> dict[str, str | None]:
    """What was delivered, without the values that not everybody may see."""
    return {name: NOT_SHOWN if value is not None and folded_column(name) in hidden else value for name, value in row.delivered.items()}


def write_rows(rows: Sequence[QuarantinedRow], path: Path) -> None:
    """Write rows to be mended as a CSV file that only its owner can read; it may hold values that not everybody may see."""
    names = list(dict.fromkeys(name for row in rows for name in row.delivered))
    path.touch(mode=0o600)
    _write(path, [*names, _SOURCE, _ROW], ({**row.delivered, _SOURCE: row.source, _ROW: str(row.number)} for row in rows))


def load_mended(database: ProductDatabase, port: InputPlan, path: Path) -> int:
    """Load rows that were written by `write_rows` and mended since; they leave the quarantine. Gives how many there were.

    To be called in a transaction. Every row has to keep the contract. Raises LoadFailed, BreaksContract, OSError.
    """
    rows, ids = _read(database, path)
    there = {(row.source, row.number) for row in quarantined_rows(database, port.name)}
    unknown = next((f"{source}, row {number}" for source, number in ids if (source, number) not in there), "")
    if unknown or not ids:
        which = f"{unknown} is not" if unknown else "no row of it is"
        raise LoadFailed(f"{path.name}: {which} in quarantine; write the rows anew with --export, and mend those")
    _append(database, port, path.name, rows)
    for source, number in ids:
        database.take_out(_place(port.name), f"source = {literal(source)} and row_number = {number}")
    return len(ids)


def _write(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, str | None]]) -> None:
    """As CSV in which an empty text stands in quotes, and nothing stands where there is no value."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(map(_field, names)) + "\r\n")
        stream.writelines(",".join(_field(row.get(name)) for name in names) + "\r\n" for row in rows)


def _field(value: str | None) -> str:
    if value is None:
        return ""
    quote = not value or value != value.strip() or any(sign in value for sign in ',"\r\n')
    return '"' + value.replace('"', '""') + '"' if quote else value


def _read(database: ProductDatabase, path: Path) -> tuple[list[dict[str, str | None]], list[tuple[str, int]]]:
    path.open(encoding="utf-8").close()
    try:
        rows = database.delivered(path)
    except EngineError as error:
        raise LoadFailed(f"{path.name} cannot be read: {str(error).splitlines()[0]}") from error
    if any(not (row.get(_SOURCE) and str(row.get(_ROW)).isdigit()) for row in rows):
        raise LoadFailed(f"{path.name}: every row needs the columns {_SOURCE} and {_ROW} as --export wrote them")
    ids = [(str(row.pop(_SOURCE)), int(row.pop(_ROW))) for row in rows]
    if twice := [f"{source}, row {number}" for (source, number), times in Counter(ids).items() if times > 1]:
        raise LoadFailed(f"{path.name}: {known_text(twice)} is there twice, by its {_SOURCE} and {_ROW}; keep one of each")
    return rows, ids


def _append(database: ProductDatabase, port: InputPlan, name: str, rows: Sequence[Mapping[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory(prefix="mesh_") as folder:
        plain = Path(folder) / "mended.csv"
        _write(plain, list(rows[0]), rows)
        pull = with_contract(replace(port, set_aside=False), PullFiles(str(plain), "csv", "append", _value_options(port)))
        pull = replace(pull, types={column.name: column.type for column in port.columns})
        shapes = database.shapes([input_file(plain, name)], pull)
        database.append(Relation("inputs", port.name), shapes, pull, texts_kept=True)
    keep_source_contract(database, port)


def _value_options(port: InputPlan) -> dict[str, Any]:
    said = port.pull.options if isinstance(port.pull, PullFiles) else {}
    return {
        "delim": ",",
        "quote": '"',
        "header": True,
        "skip": 0,
        "allow_quoted_nulls": False,
        **{name: said[name] for name in _OF_VALUES if name in said},
    }
