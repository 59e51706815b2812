"""Write and read the files of published ports, with every value and type kept."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_never

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.file_formats import FileFormat, read_type, stored_type, text_columns
from platform_resources.capabilities.support.sql_text import literal, quoted, relation_sql
from platform_resources.warehouses.engine_errors import NotSupported
from platform_resources.warehouses.published_places import PublishedFiles, PublishedPort, ShownPart

_COPY_OPTIONS: Mapping[FileFormat, str] = {
    "parquet": "format parquet, compression zstd",
    # An empty field is null, and "" the empty text.
    "csv": "format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr ''",
    "json": "format json",
}
# One row may be so long. A reader of JSON sets four times as much aside.
LONGEST_ROW = 64 * 2**20
_CSV = (
    "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
    f", max_line_size = {LONGEST_ROW}"
)
_JSON = f"format = 'newline_delimited', maximum_object_size = {LONGEST_ROW}"


def copy_sql(
    source: str, columns: Mapping[str, str], path: Path, file_format: FileFormat, *, widest: bool = False, in_order: bool = False
) -> str:
    """The statement that writes the source (a relation or a query in parentheses) to one file.

    `widest` is for whole numbers of more than 38 digits. `in_order` sorts the rows by what is written of them.
    """
    listed = ", ".join(_turned(name, stored_type(file_format, kind, widest=widest)) for name, kind in columns.items())
    order = " order by all" if in_order else ""
    return f"copy (select {listed} from {source}{order}) to {literal(str(path))} ({_COPY_OPTIONS[file_format]})"


def shown_sql(relation: Relation, shown: ShownPart) -> str:
    """What is to be shown of a relation, as a query in parentheses."""
    listed = ", ".join(f"{expression} as {quoted(name)}" for name, expression in shown.columns.items())
    return f"(select {listed} from {relation_sql(relation)}{f' where {shown.rows}' if shown.rows else ''})"


def read_sql(files: Sequence[Path], file_format: FileFormat, columns: Mapping[str, str]) -> str:
    """A select over the files of a port: its columns with the types of its record. Raises OSError if a CSV file cannot be read."""
    paths = f"[{', '.join(literal(file_pattern(file)) for file in files)}], hive_partitioning = false"
    match file_format:
        case "parquet":
            return f"select {_replaced(columns)} from read_parquet({paths})"
        case "csv":
            ordered = _in_order(files[0], columns)
            return f"select {_listed(file_format, ordered)} from read_csv({paths}, columns = {_types(file_format, ordered)}, {_CSV})"
        case "json":
            return f"select {_listed(file_format, columns)} from read_json({paths}, columns = {_types(file_format, columns)}, {_JSON})"
        case _:
            assert_never(file_format)


def port_sql(published: PublishedPort) -> str:
    """`read_sql` of a published port."""
    port = of_files(published)
    return read_sql(port.files, port.format, port.columns)


def of_files(published: PublishedPort) -> PublishedFiles:
    """The published port, which must be of files. Raises NotSupported."""
    if isinstance(published, PublishedFiles):
        return published
    raise NotSupported(f"DuckDB reads and writes files, and {published.address} are rows of another warehouse")


def _in_order(file: Path, columns: Mapping[str, str]) -> dict[str, str]:
    """The columns as the file has them: DuckDB counts them, and older records name them by the alphabet."""
    with file.open(encoding="utf-8", newline="") as text:
        return {name: columns.get(name, "varchar") for name in next(csv.reader(text), ())}


def _listed(file_format: FileFormat, columns: Mapping[str, str]) -> str:
    return ", ".join(_turned(name, read_type(file_format, kind)) for name, kind in columns.items())


def _replaced(columns: Mapping[str, str]) -> str:
    turned = [_turned(name, wanted) for name, kind in columns.items() if (wanted := read_type("parquet", kind))]
    return f"* replace ({', '.join(turned)})" if turned else "*"


def file_pattern(file: Path) -> str:
    """The path as DuckDB takes it: it reads `*`, `?` and `[` in the name of any folder as a pattern, and `[*]` as the character."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(file))


def _turned(name: str, kind: str | None) -> str:
    return quoted(name) if kind is None else f"cast({quoted(name)} as {kind}) as {quoted(name)}"


def _types(file_format: FileFormat, columns: Mapping[str, str]) -> str:
    kinds = text_columns(file_format, columns)
    return "{" + ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items()) + "}"
