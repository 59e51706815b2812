"""Write the rows of an answer to a file in the form that its reader wants, batch by batch."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any, BinaryIO, Literal, get_args

from platform_resources.capabilities.support.file_formats import csv_field

ResultForm = Literal["csv", "ndjson", "arrow", "parquet"]
FORMS: tuple[ResultForm, ...] = get_args(ResultForm)
BATCH = 50_000


@dataclass(frozen=True, slots=True)
class WantedResult:
    """The form of the file, how many of the last columns are not written to it, and how many rows are wanted at most.

    `is_ours` says that the SQL is the platform's, in DuckDB's dialect, which a warehouse with another one translates.
    """

    form: ResultForm
    hidden: int = 0
    most: int | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class WrittenResult:
    """What was written; `last` are the hidden columns of the last row, which the last `equal` rows have in common."""

    names: tuple[str, ...]
    rows: int
    cut: bool = False
    last: tuple[Any, ...] = ()
    equal: int = 0


def write_result(schema: Any, batches: Iterable[Any], wanted: WantedResult, file: BinaryIO) -> WrittenResult:
    """Write batches of Arrow. Text has every value as a text; in lines of JSON what is no number of JSON is null."""
    names = tuple(schema.names[: len(schema.names) - wanted.hidden])
    rows, equal, last, cut = 0, 0, (), False
    with ExitStack() as stack:
        write = _writer(schema, names, wanted.form, file, stack)
        for whole in batches:
            batch = whole if wanted.most is None else whole.slice(0, wanted.most - rows)
            cut = batch.num_rows < whole.num_rows
            if batch.num_rows:
                write(batch.select(range(len(names))))
                rows += batch.num_rows
                before, (last, trailing) = last, _trailing(batch.select(range(len(names), len(schema.names))))
                equal = trailing + (equal if trailing == batch.num_rows and last == before else 0)
            if cut:
                break
    return WrittenResult(names, rows, cut, last, equal)


def _trailing(hidden: Any) -> tuple[tuple[Any, ...], int]:
    """The last row, and how many rows at the end are like it."""

    def row(at: int) -> tuple[Any, ...]:
        return tuple(column[at].as_py() for column in hidden.columns)

    last, first = row(hidden.num_rows - 1), hidden.num_rows - 1
    while first > 0 and hidden.columns and row(first - 1) == last:
        first -= 1
    return last, hidden.num_rows - first


def _writer(schema: Any, names: Sequence[str], form: ResultForm, file: BinaryIO, stack: ExitStack) -> Any:
    pa: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")

    shown = pa.schema([schema.field(place) for place in range(len(names))])
    match form:
        case "arrow":
            writer: Any = pa.ipc.new_stream(file, shown)
            return stack.enter_context(writer).write_batch
        case "parquet":
            writer = parquet.ParquetWriter(file, shown, compression="zstd")
            return stack.enter_context(writer).write_batch
        case "csv":
            file.write(_csv_line(names))
            return lambda batch: file.writelines(map(_csv_line, _rows(batch)))
        case "ndjson":
            return lambda batch: file.writelines(_json_line(dict(zip(names, row, strict=True))) for row in _rows(batch))


def _rows(batch: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _csv_line(row: Sequence[Any]) -> bytes:
    return (",".join(map(csv_field, row)) + "\r\n").encode()


def _json_line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(_plain(row), ensure_ascii=False, default=_as_text).encode() + b"\n"


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):  # a zero would be 0E-10
        return f"{value:f}"
    return value.hex() if isinstance(value, bytes) else str(value)
