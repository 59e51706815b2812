"""One database file of DuckDB per product, for its own refresh."""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import ROW_SOURCE, PullFiles
from platform_resources.capabilities.source_contract import NO_CONTRACT, SourceContract
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.capabilities.support.sql_text import literal, relation_sql
from platform_resources.deliveries.arrivals import InputFile
from platform_resources.measuring.foreseeing import RuledOut
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Metric
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.warehouses.duckdb import loading
from platform_resources.warehouses.duckdb.delivered.file_shapes import Shape
from platform_resources.warehouses.duckdb.partitions import merged
from platform_resources.warehouses.duckdb.port_files import copy_sql, of_files, port_sql, shown_sql
from platform_resources.warehouses.duckdb.quarantined_rows import DELIVERED, by_contract
from platform_resources.warehouses.duckdb.samples import sampled
from platform_resources.warehouses.duckdb.statistics import ruled_out_by
from platform_resources.warehouses.engine_errors import (
    DatabaseBusy,
    DatabaseUnreadable,
    EngineError,
    QueryTooLarge,
    QueryTooSlow,
    StatementRefused,
)
from platform_resources.warehouses.limits import MEMORY_VARIABLE, QUERY_TIME, Limits, limits, spill_folder
from platform_resources.warehouses.protocol import NOTHING_PROMISED, Merged
from platform_resources.warehouses.published_places import PublishedPort, ShownPart

SCHEMAS = ("inputs", "internal")
MEMORY = "main.mesh_memory"
_DELIVERED = "mesh_extracted"
# Of these DuckDB says nothing of what is in the rows.
_REFUSALS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException, duckdb.OutOfMemoryException)


@contextmanager
def translated() -> Iterator[None]:
    """DuckDB's errors inside become those of every warehouse."""
    try:
        yield
    except duckdb.Error as error:
        raise (StatementRefused if isinstance(error, _REFUSALS) else EngineError)(str(error)) from error


class DuckDBDatabase:
    """A product's own database, open for writing by its one refresh. Closed by `opened`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, query_time: timedelta = QUERY_TIME) -> None:
        self.connection = connection
        self.query_time = query_time

    def execute(self, sql: str) -> Sequence[Any]:
        """Run one statement and give its first row; empty when there is none. Leaves no result open behind it."""
        return next(iter(self._fetched(sql)), ())

    def _fetched(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        with translated():
            return self.connection.execute(sql, list(parameters) or None).fetchall()

    def within_limits(self, sql: str) -> Sequence[Any]:
        with self.limited():
            return self.execute(sql)

    @contextmanager
    def limited(self) -> Iterator[None]:
        done, late = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._break_off, args=(done, late), name="time limit", daemon=True)
        watch.start()
        try:
            yield
        except EngineError as error:
            if isinstance(error.__cause__, duckdb.InterruptException) and late.is_set():
                raise QueryTooSlow(self.query_time) from error
            if isinstance(error.__cause__, duckdb.OutOfMemoryException):
                raise QueryTooLarge(f"{str(error).splitlines()[0]}; {MEMORY_VARIABLE} allows more") from error
            raise
        finally:
            done.set()
            watch.join()  # so that it cannot break off what comes after

    def _break_off(self, done: threading.Event, late: threading.Event) -> None:
        """Once the time is over, whatever runs, and what is begun after it: an interrupt between two queries breaks off neither."""
        if done.wait(self.query_time.total_seconds()):
            return
        late.set()
        while not done.wait(0.05):
            self.connection.interrupt()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with translated():
            cursor = self.connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def exists(self, relation: Relation) -> bool:
        sql = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        return bool(self._fetched(sql, [relation.schema, relation.name])[0][0])

    def view_sql(self, relation: Relation) -> str:
        sql = "select sql from duckdb_views() where schema_name = ? and view_name = ?"
        return "".join(row[0] for row in self._fetched(sql, [relation.schema, relation.name]))

    def is_table(self, relation: Relation) -> bool:
        sql = "select count(*) from information_schema.tables where table_schema = ? and table_name = ? and table_type <> 'VIEW'"
        return bool(self._fetched(sql, [relation.schema, relation.name])[0][0])

    def columns(self, relation: Relation, promised: Mapping[str, str] = NOTHING_PROMISED) -> dict[str, str]:
        """Column names and their types in lower case, in order; DuckDB has every type that can be promised."""
        rows = self._fetched(f"describe select * from {relation_sql(relation)}")
        return {row[0]: observed_type(str(row[1])) for row in rows}

    def count(self, relation: Relation) -> int:
        return int(self.execute(f"select count(*) from {relation_sql(relation)}")[0])

    def point_at(self, relation: Relation, published: PublishedPort) -> None:
        """Make the relation a view of a published port. Raises OSError too."""
        select = port_sql(published)
        self._drop(relation, "table")
        self._fetched(f"create or replace view {relation_sql(relation)} as {select}")

    def keeping(self, name: str) -> AbstractContextManager[None]:
        """It is in this database."""
        return nullcontext()

    def load_data(self, relation: Relation, data: Any, contract: SourceContract = NO_CONTRACT, source: str = "") -> None:
        """Load what a source delivered: a relation of this connection, an Arrow table or reader, or a data frame."""
        self._drop(relation, "view")
        if isinstance(data, duckdb.DuckDBPyRelation):
            data.create_view(_DELIVERED, replace=True)
        else:
            self.connection.register(_DELIVERED, data)
        rows = f"select * from {_DELIVERED}"
        # What is kept for several inputs, and so has no source, keeps what its rows say of themselves.
        placed = bool(source) and isinstance(data, duckdb.DuckDBPyRelation) and ROW_SOURCE in data.columns
        if contract.columns or placed:
            with translated():
                rows = by_contract(self.connection, relation, contract, source, _DELIVERED)
        self._fetched(f"create or replace table {relation_sql(relation)} as {rows}")
        self._fetched(f"drop table if exists {DELIVERED}")
        self._fetched(f"drop view if exists {_DELIVERED}")

    def shapes(self, files: Sequence[InputFile], pull: PullFiles) -> Sequence[Shape]:
        with translated():
            return loading.shapes(self, files, pull)

    def replace(self, relation: Relation, shapes: Sequence[Shape], pull: PullFiles) -> None:
        with translated():
            loading.replace(self, relation, shapes, pull)

    def fits(self, relation: Relation, shapes: Sequence[Shape], pull: PullFiles) -> bool:
        with translated():
            return loading.fits(self, relation, shapes, pull)

    def append(self, relation: Relation, shapes: Sequence[Shape], pull: PullFiles, texts_kept: bool) -> None:
        with translated():
            loading.append(self, relation, shapes, pull, texts_kept)

    def delivered(self, file: Path) -> list[dict[str, Any]]:
        options = "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
        return self.rows(f"select * from read_csv({literal(str(file))}, auto_detect = true, {options})")

    def take_out(self, relation: Relation, condition: str) -> None:
        self.execute(f"delete from {relation_sql(relation)} where {condition}")

    @property
    def ruled_out(self) -> RuledOut:
        """Decided by DuckDB's query plans of counts."""
        return ruled_out_by(self.within_limits)

    def by_day(self, relation: Relation, partition_by: str, wanted: Mapping[Metric, Merging]) -> Merged:
        return merged(self, relation, partition_by, wanted)

    def sampled(self, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None) -> tuple[int, dict[str, dict[str, Any]]]:
        return sampled(self, relation, columns, rows)

    def drop(self, relation: Relation) -> None:
        self._drop(relation, "table")
        self._drop(relation, "view")

    def _drop(self, relation: Relation, kind: str) -> None:
        """DuckDB will not replace a view by a table, nor a table by a view."""
        sql = "select table_type from information_schema.tables where table_schema = ? and table_name = ?"
        kinds = self._fetched(sql, [relation.schema, relation.name])
        if kinds and ("view" in kinds[0][0].lower()) == (kind == "view"):
            self._fetched(f"drop {kind} {relation_sql(relation)}")

    def write(self, relation: Relation, published: PublishedPort, shown: ShownPart | None = None) -> None:
        """Write the whole relation, or what is to be shown of it, to the one file of a port's version."""
        port = of_files(published)
        (file,) = port.files
        source = shown_sql(relation, shown) if shown is not None else relation_sql(relation)
        columns = port.columns if shown is not None else self.columns(relation)
        self._write_file(source, columns, file, port.format, in_order=shown is not None and shown.hides)

    def write_file(self, relation: Relation, path: Path, file_format: FileFormat) -> None:
        """Write the whole relation to one file."""
        self._write_file(relation_sql(relation), self.columns(relation), path, file_format)

    def _write_file(self, source: str, columns: Mapping[str, str], path: Path, file_format: FileFormat, *, in_order: bool = False) -> None:
        with translated():
            try:
                self.connection.execute(copy_sql(source, columns, path, file_format, in_order=in_order))
            except duckdb.ConversionException:
                self.connection.execute(copy_sql(source, columns, path, file_format, widest=True, in_order=in_order))

    @contextmanager
    def holding(self, variables: Mapping[str, bytes]) -> Iterator[None]:
        """The connection has them in its memory alone, while this lasts."""
        with translated():
            for name, value in variables.items():
                self.connection.execute(f"set variable {name} = ?::blob", [value])
        try:
            yield
        finally:
            for name in variables:
                self.connection.execute(f"reset variable {name}")

    def published_rows(self, published: PublishedPort) -> int:
        return int(self.execute(f"select count(*) from ({port_sql(published)})")[0])

    def remembered(self, topic: str) -> dict[str, str]:
        """What former steps left in the database under a topic, as JSON text by name."""
        sql = f"select name, record from {MEMORY} where topic = ? order by name"
        return dict(self._fetched(sql, [topic]))

    def remember(self, topic: str, name: str, record: str) -> None:
        self._fetched(f"insert or replace into {MEMORY} values (?, ?, ?)", [topic, name, record])

    def forget(self, topic: str, name: str | None = None) -> None:
        if name is None:
            self._fetched(f"delete from {MEMORY} where topic = ?", [topic])
        else:
            self._fetched(f"delete from {MEMORY} where topic = ? and name = ?", [topic, name])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._fetched("begin")
        try:
            yield
        except BaseException:
            self._fetched("rollback")
            raise
        self._fetched("commit")


@contextmanager
def opened(file: Path, wait: float = 30.0, given: Limits | None = None) -> Iterator[DuckDBDatabase]:
    """Open a product's database for writing, making it if it is new. Limits are the environment's if none are given.

    Raises DatabaseBusy after `wait` seconds, SettingInvalid where the environment's limits cannot be read.
    """
    allowed = given or limits(os.environ)
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = _connected(file, time.monotonic() + wait)
    try:
        connection.execute("set timezone = 'UTC'")
        _limit(connection, file, allowed)
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        columns = "topic varchar, name varchar, record varchar, primary key (topic, name)"
        connection.execute(f"create table if not exists {MEMORY} ({columns})")
        yield DuckDBDatabase(connection, allowed.query)
    finally:
        connection.close()


def _limit(connection: duckdb.DuckDBPyConnection, file: Path, allowed: Limits) -> None:
    """Whoever holds the database is alone with it, so what a killed process has spilled there is nobody's any more."""
    spill = spill_folder(file)
    shutil.rmtree(spill, ignore_errors=True)
    connection.execute(f"set memory_limit = {literal(allowed.memory)}")
    connection.execute(f"set temp_directory = {literal(str(spill))}")


def _connected(file: Path, deadline: float) -> duckdb.DuckDBPyConnection:
    while True:
        try:
            return duckdb.connect(str(file))
        except duckdb.IOException as error:
            if "could not set lock" not in str(error).lower():
                raise DatabaseUnreadable(_advice(file, error)) from error
            if time.monotonic() > deadline:
                raise DatabaseBusy(f"{file} is open in another process: {str(error).splitlines()[0]}") from error
            time.sleep(0.2)
        except duckdb.Error as error:
            raise DatabaseUnreadable(_advice(file, error)) from error


def _advice(file: Path, error: duckdb.Error) -> str:
    advice = "take it away: the next refresh makes it anew from the inputs, and what is published is not in it"
    return f"{file} cannot be opened: {str(error).splitlines()[0]}; {advice}"
