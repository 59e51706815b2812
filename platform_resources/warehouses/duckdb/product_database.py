"""DuckDB: one database file per product for its own refresh, and read-only views over published files for everybody else."""

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.capabilities.support.sql_text import literal, quoted, relation_sql
from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.duckdb.limits import MEMORY_VARIABLE, QUERY_TIME, TIME_VARIABLE, Limits, limits, spill_folder
from platform_resources.warehouses.duckdb.port_files import copy_sql

SCHEMAS = ("inputs", "internal")
MEMORY = "main.mesh_memory"
# The oldest version of DuckDB that opens the catalogs; 2.0 writes such that no 1.x does, unless it is told otherwise.
_OLD_CLIENTS = "v1.2.0"


# Raised by whatever runs SQL on DuckDB.
EngineError = duckdb.Error


class DatabaseBusy(Exception):
    """Raised when another process holds the product's database; says which file."""


class DatabaseUnreadable(Exception):
    """Raised when a product's database is no database any more; says which file and what to do."""


class QueryTooSlow(Exception):
    """Raised when a query took longer than it may, and was broken off; `limit` is how long that was."""

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"broken off after {duration_text(limit)}; {TIME_VARIABLE} allows longer")
        self.limit = limit


class QueryTooLarge(Exception):
    """Raised when a query needs more memory than it may have, and cannot do with files; says what to do."""


class ProductDatabase:
    """A product's own database, open for writing by its one refresh. Closed by `opened`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, query_time: timedelta = QUERY_TIME) -> None:
        self.connection = connection
        self.query_time = query_time

    def execute(self, sql: str) -> Sequence[Any]:
        """Run one statement and give its first row; empty when there is none. Leaves no result open behind it."""
        return next(iter(self.connection.execute(sql).fetchall()), ())

    def within_limits(self, sql: str) -> Sequence[Any]:
        """As `execute`, for as long as a query of an audit may take. Raises QueryTooSlow and QueryTooLarge."""
        with self.limited():
            return self.execute(sql)

    @contextmanager
    def limited(self) -> Iterator[None]:
        """The queries inside, together, take no longer than one query of an audit may. Raises QueryTooSlow and QueryTooLarge."""
        done, late = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._break_off, args=(done, late), name="time limit", daemon=True)
        watch.start()
        try:
            yield
        except duckdb.InterruptException as error:
            if late.is_set():
                raise QueryTooSlow(self.query_time) from error
            raise
        except duckdb.OutOfMemoryException as error:
            raise QueryTooLarge(f"{str(error).splitlines()[0]}; {MEMORY_VARIABLE} allows more") from error
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
        """All rows of a query, each as column name to value."""
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def exists(self, relation: Relation) -> bool:
        sql = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        return bool(self.connection.execute(sql, [relation.schema, relation.name]).fetchall()[0][0])

    def is_table(self, relation: Relation) -> bool:
        """Whether it is there, and holds its rows itself; a view computes them."""
        sql = "select count(*) from information_schema.tables where table_schema = ? and table_name = ? and table_type <> 'VIEW'"
        return bool(self.connection.execute(sql, [relation.schema, relation.name]).fetchall()[0][0])

    def columns(self, relation: Relation) -> dict[str, str]:
        """Column names and their types in lower case, in order."""
        found = self.connection.execute(f"describe select * from {relation_sql(relation)}").fetchall()
        return {row[0]: observed_type(str(row[1])) for row in found}

    def count(self, relation: Relation) -> int:
        return int(self.execute(f"select count(*) from {relation_sql(relation)}")[0])

    def point_at(self, relation: Relation, select: str) -> None:
        """Make the relation a view."""
        self._drop(relation, "table")
        self.connection.execute(f"create or replace view {relation_sql(relation)} as {select}")

    def load_data(self, relation: Relation, data: Any) -> None:
        """Load what an extractor returned: a relation of this connection, an Arrow table or reader, or a data frame."""
        self._drop(relation, "view")
        if isinstance(data, duckdb.DuckDBPyRelation):
            data.create_view("mesh_extracted", replace=True)
        else:
            self.connection.register("mesh_extracted", data)
        self.connection.execute(f"create or replace table {relation_sql(relation)} as select * from mesh_extracted")
        self.connection.execute("drop view if exists mesh_extracted")

    def drop(self, relation: Relation) -> None:
        """Take the table or view away, if there is one."""
        self._drop(relation, "table")
        self._drop(relation, "view")

    def _drop(self, relation: Relation, kind: str) -> None:
        """DuckDB will not replace a view by a table, nor a table by a view."""
        sql = "select table_type from information_schema.tables where table_schema = ? and table_name = ?"
        found = self.connection.execute(sql, [relation.schema, relation.name]).fetchall()
        if found and ("view" in found[0][0].lower()) == (kind == "view"):
            self.connection.execute(f"drop {kind} {relation_sql(relation)}")

    def write_file(self, relation: Relation, path: Path, file_format: FileFormat) -> None:
        """Write the whole relation to one file."""
        columns = self.columns(relation)
        try:
            self.connection.execute(copy_sql(relation, columns, path, file_format))
        except duckdb.ConversionException:
            self.connection.execute(copy_sql(relation, columns, path, file_format, widest=True))

    def remembered(self, topic: str) -> dict[str, str]:
        """What former steps left in the database under a topic, as JSON text by name."""
        sql = f"select name, record from {MEMORY} where topic = ? order by name"
        return dict(self.connection.execute(sql, [topic]).fetchall())

    def remember(self, topic: str, name: str, record: str) -> None:
        self.connection.execute(f"insert or replace into {MEMORY} values (?, ?, ?)", [topic, name, record])

    def forget(self, topic: str, name: str) -> None:
        self.connection.execute(f"delete from {MEMORY} where topic = ? and name = ?", [topic, name])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is done inside is kept only if it ends well."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")


@contextmanager
def opened(file: Path, wait: float = 30.0, given: Limits | None = None) -> Iterator[ProductDatabase]:
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
        yield ProductDatabase(connection, allowed.query)
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


@dataclass(frozen=True, slots=True)
class CatalogView:
    """A view of a catalog: over which files, and what people are told of it and of its columns."""

    name: str
    select: str
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def write_catalog(file: Path, views: Iterable[CatalogView]) -> None:
    """Write a database of views over published files: what SQL, JDBC and ODBC clients open read-only, also those of DuckDB 1.2."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach {literal(str(file))} as catalog (storage_version '{_OLD_CLIENTS}')")
        connection.execute("use catalog")
        for view in views:
            connection.execute(f"create or replace view {quoted(view.name)} as {view.select}")
            for statement in _comments(view):
                connection.execute(statement)


def _comments(view: CatalogView) -> Iterator[str]:
    if view.description:
        yield f"comment on view {quoted(view.name)} is {literal(view.description)}"
    for column, description in view.columns.items():
        if description:
            yield f"comment on column {quoted(view.name)}.{quoted(column)} is {literal(description)}"
