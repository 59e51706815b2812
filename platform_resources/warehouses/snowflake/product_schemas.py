"""A product's own schemas in Snowflake, for its refresh: load, measure, remember, publish."""

import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.readers.database_rows import KEPT_ROWS
from platform_resources.capabilities.source_contract import NO_CONTRACT, SourceContract
from platform_resources.capabilities.support.sql_text import literal, quoted, relation_sql
from platform_resources.deliveries.arrivals import InputFile
from platform_resources.measuring.dialects import Untranslatable, translated
from platform_resources.measuring.foreseeing import RuledOut
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Metric
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.plan.conventions import QUARANTINE
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase
from platform_resources.warehouses.engine_errors import EngineError, NotSupported, StatementRefused
from platform_resources.warehouses.protocol import NOTHING_PROMISED, FileShape, Merged
from platform_resources.warehouses.published_places import PublishedFiles, PublishedPort, PublishedRows, ShownPart
from platform_resources.warehouses.snowflake.column_kinds import reported_kind, stored_kind
from platform_resources.warehouses.snowflake.kept_notes import NOTES, Notes
from platform_resources.warehouses.snowflake.mask_key_table import keep_keys, key_sql
from platform_resources.warehouses.snowflake.sessions import Session, name_sql, relation_name, shown_name
from platform_resources.warehouses.snowflake.staged_changes import StagedChanges
from platform_resources.warehouses.snowflake.table_samples import sampled
from platform_resources.warehouses.snowflake.version_tables import column_rows, kinds_of, port_rows, write_rows, write_view

SCHEMAS = ("INPUTS", "INTERNAL", "VERSIONS", "PORTS", "MESH")
_STAGE = "INPUTS.MESH_FILES"
_LOCAL = Relation("inputs", "mesh_local")
_BAD = Relation(QUARANTINE, _LOCAL.name)
_ARROW = "mesh_arrow"


class SnowflakeDatabase:
    """A product's own database. `local` reads what extractors and files bring, which goes to a stage from there.

    `kept` is a folder for what readers keep of inputs.
    """

    def __init__(self, session: Session, local: DuckDBDatabase, query_time: timedelta, kept: Path) -> None:
        self.session, self.local, self.query_time, self.kept = session, local, query_time, kept
        self.notes = Notes(session)
        self.changes = StagedChanges(session, self.notes)
        self._held: Mapping[str, bytes] = {}

    def make(self) -> None:
        """Make what is not there yet of the database. The notes come last: where they are, everything is."""
        if not kinds_of(self.session, NOTES):
            make_schemas(self.session)
            self.notes.make()

    def execute(self, sql: str) -> Sequence[Any]:
        return self.session.first(self._own(sql))

    def _own(self, sql: str) -> str:
        """In Snowflake's SQL; what the transaction has made is read under the name that it has until the end."""
        return _snowflake(sql, moved=tuple((old, new.name) for old, new in self.changes.made.items()))

    def within_limits(self, sql: str) -> Sequence[Any]:
        with self.limited():
            return self.execute(sql)

    @contextmanager
    def limited(self) -> Iterator[None]:
        with self.session.limited(self.query_time):
            yield

    def rows(self, sql: str) -> list[dict[str, Any]]:
        names, rows = self.session.described(self._own(sql))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def exists(self, relation: Relation) -> bool:
        return bool(self._kinds(relation))

    def view_sql(self, relation: Relation) -> str:
        """Nothing: what views read here every machine reads."""
        return ""

    def is_table(self, relation: Relation) -> bool:
        kinds = self._kinds(relation)
        return bool(kinds) and "VIEW" not in kinds

    def _kinds(self, relation: Relation) -> set[str]:
        return kinds_of(self.session, self.changes.now(relation))

    def columns(self, relation: Relation, promised: Mapping[str, str] = NOTHING_PROMISED) -> dict[str, str]:
        """Snowflake has one type for whole numbers, and none for JSON or UUIDs that dbt makes: each is what was promised."""
        now = self.changes.now(relation)
        reported = column_rows(self.session, now.schema, now.name)
        if not reported:
            raise StatementRefused(f"{relation.schema}.{relation.name} does not exist")
        kinds = {folded_column(name): kind for name, kind in promised.items()}
        return {shown_name(row[0]): reported_kind(*row[1:], promised=kinds.get(folded_column(row[0]), "")) for row in reported}

    def count(self, relation: Relation) -> int:
        return self._rows_of(self.changes.now(relation))

    def _rows_of(self, relation: Relation) -> int:
        return int(self.session.first(f"select count(*) from {relation_name(relation)}")[0])

    def transaction(self) -> AbstractContextManager[None]:
        return self.changes.transaction()

    def drop(self, relation: Relation) -> None:
        self.changes.drop(relation)

    def remembered(self, topic: str) -> dict[str, str]:
        return self.changes.remembered(topic)

    def remember(self, topic: str, name: str, record: str) -> None:
        self.changes.remember(topic, name, record)

    def forget(self, topic: str, name: str | None = None) -> None:
        self.changes.forget(topic, name)

    # Load

    @property
    def connection(self) -> Any:
        return self.local.connection

    @contextmanager
    def keeping(self, name: str) -> Iterator[None]:
        """In a file, by the types of the source, which Snowflake does not all have. A file that is gone costs reading all rows again."""
        file, table = self.kept / f"{name}.duckdb", Relation(KEPT_ROWS, name)
        if file.exists():
            self.local.execute(f"create schema if not exists {KEPT_ROWS}")
            self._in_file(file, f"create table {relation_sql(table)} as from mesh_kept.rows")
        yield
        if not self.local.exists(table):
            file.unlink(missing_ok=True)
            return
        self.kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.kept / f"{name}.part"
        part.unlink(missing_ok=True)
        self._in_file(part, f"create table mesh_kept.rows as from {relation_sql(table)}")
        os.replace(part, file)

    def _in_file(self, file: Path, sql: str) -> None:
        self.local.execute(f"attach {literal(str(file))} as mesh_kept")
        try:
            self.local.execute(sql)
        finally:
            self.local.execute("detach mesh_kept")

    def load_data(self, relation: Relation, data: Any, contract: SourceContract = NO_CONTRACT, source: str = "") -> None:
        self.local.load_data(_LOCAL, data, contract, source)
        self._load(relation)
        self._set_aside(relation)

    def shapes(self, files: Sequence[InputFile], pull: PullFiles) -> Sequence[FileShape]:
        return self.local.shapes(files, pull)

    def replace(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles) -> None:
        self.local.replace(_LOCAL, shapes, pull)
        self._load(relation)
        self._set_aside(relation)

    def _set_aside(self, relation: Relation, behind: bool = False) -> None:
        """Rows that broke the contract go to the input's quarantine, `behind` those that are there; else those are let go."""
        quarantine = Relation(QUARANTINE, relation.name)
        if self.local.exists(_BAD):
            self.session.rows(f"create schema if not exists {name_sql(QUARANTINE)}")
            if behind:
                declared = ", ".join(f"{name_sql(name)} {stored_kind(name, kind)}" for name, kind in self.local.columns(_BAD).items())
                self.session.rows(f"create table if not exists {relation_name(quarantine)} ({declared})")
            self._load(quarantine, behind, _BAD)
        elif not behind:
            self.drop(quarantine)

    def take_out(self, relation: Relation, condition: str) -> None:
        self.changes.take_out(relation, condition)

    def delivered(self, file: Path) -> list[dict[str, Any]]:
        return self.local.delivered(file)

    def fits(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles) -> bool:
        with self._stand_in(relation):
            return self.local.fits(_LOCAL, shapes, pull)

    def append(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles, texts_kept: bool) -> None:
        """Only new rows are sent. Raises NotSupported where a column must be wider than it is."""
        with self._stand_in(relation):
            if not self.local.fits(_LOCAL, shapes, pull):
                raise NotSupported(
                    f"a column of {relation.name} must become wider for a new file, and files loaded before are gone; that is not done "
                    "on Snowflake yet: put them back for one refresh, or promise the wider type with columns and refresh in full"
                )
            self.local.append(_LOCAL, shapes, pull, texts_kept)
            self.local.execute(f"delete from {relation_sql(_LOCAL)} where rowid = 0")
            self._load(relation, behind=True)
            self._set_aside(relation, behind=True)

    @contextmanager
    def _stand_in(self, relation: Relation) -> Iterator[None]:
        """The relation is local, with one row instead of all: it is filled in columns of text in which there is a text."""
        columns = self.columns(relation)
        counts = ", ".join(f"count({name_sql(name)})" for name in columns)
        filled = self.session.first(f"select {counts} from {relation_name(self.changes.now(relation))}")
        texts = {name for name, count in zip(columns, filled, strict=True) if count and columns[name] == "varchar"}
        values = [f"cast({literal('') if name in texts else 'null'} as {kind}) as {quoted(name)}" for name, kind in columns.items()]
        self.local.drop(_LOCAL)
        self.local.execute(f"create table {relation_sql(_LOCAL)} as select {', '.join(values)}")
        try:
            yield
        finally:
            self.local.drop(_LOCAL)

    def point_at(self, relation: Relation, published: PublishedPort) -> None:
        """A view of exactly the rows of that version; what is published as a file is loaded."""
        if isinstance(published, PublishedFiles):
            self.local.point_at(_LOCAL, published)
            self._load(relation)
            return
        select = port_rows(published)
        with self.changes.changing() as changes:
            self.session.rows(f"create or replace view {relation_name(self.changes.staged(relation))} as {select}")
            changes.made[relation] = self.changes.staged(relation)
            self.changes.put_in_place(changes, relation, view=select)

    def _load(self, relation: Relation, behind: bool = False, source: Relation = _LOCAL) -> None:
        """Load a local relation by a file of Parquet on a stage, each column with its own type; then it is local no more.

        `behind`: its rows come behind those that are there, and its new columns behind theirs.
        """
        try:
            kinds = {name: stored_kind(name, kind) for name, kind in self.local.columns(source).items()}
            there = self.columns(relation) if behind else {}
            declared = [f"{name_sql(name)} {kind}" for name, kind in kinds.items() if name not in there]
            with self.changes.changing() as changes:
                staged = self.changes.staged(relation)
                made = f"clone {relation_name(self.changes.now(relation))}" if behind else f"({', '.join(declared)})"
                self.session.rows(f"create or replace table {relation_name(staged)} {made}")
                changes.made[relation] = staged
                for column in declared if behind else ():
                    self.session.rows(f"alter table {relation_name(staged)} add column {column}")
                self._copy(staged, source)
                if behind:
                    changes.grown[relation] = tuple(declared)
                else:
                    self.changes.put_in_place(changes, relation)
        finally:
            self.local.drop(source)

    def _copy(self, staged: Relation, source: Relation) -> None:
        """Raises EngineError where not all rows arrive."""
        with tempfile.TemporaryDirectory(prefix="mesh_") as folder:
            file = Path(folder) / f"{uuid.uuid4().hex}.parquet"  # of each name Snowflake loads one file
            self.local.write_file(source, file, "parquet")
            self.session.rows(f"put 'file://{file}' @{_STAGE} auto_compress = false")
        rows, before = self.local.count(source), self._rows_of(staged)
        if rows:
            self.session.rows(
                f"copy into {relation_name(staged)} from @{_STAGE}/{file.name} "
                "file_format = (type = parquet use_logical_type = true) match_by_column_name = case_insensitive purge = true"
            )
        loaded = self._rows_of(staged) - before
        if loaded != rows:
            raise EngineError(f"{rows:,} rows were put on the stage, and {loaded:,} of them were loaded")

    # Measure

    @property
    def ruled_out(self) -> RuledOut:
        """Snowflake tells no plan that could be relied on: everything is counted."""
        return _nothing_ruled_out

    def by_day(self, relation: Relation, partition_by: str, wanted: Mapping[Metric, Merging]) -> Merged:
        """Days are not kept apart yet: everything is measured in full, which is told as such."""
        return Merged({})

    def sampled(self, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None) -> tuple[int, dict[str, dict[str, Any]]]:
        with self.limited():
            return sampled(self.session, relation, columns, rows)

    # Publish

    def write(self, relation: Relation, published: PublishedPort, shown: ShownPart | None = None) -> None:
        """Rows stay in Snowflake; a file is written here from the rows that come out of it."""
        if isinstance(published, PublishedRows):
            if shown is None:
                write_rows(self.session, relation, published)
            else:
                self._write_view(published, shown)
            return
        self._fetch(relation, published.columns)
        try:
            self.local.write(_LOCAL, published, shown)
        finally:
            self.local.drop(_LOCAL)

    def _write_view(self, published: PublishedRows, shown: ShownPart) -> None:
        """The rows are there, whole. What a mask needs of a key goes to the table of keys first."""
        columns = {name: _snowflake(sql, self.session.database) for name, sql in shown.columns.items()}
        keys = {name: key for name, key in self._held.items() if any(literal(name) in sql for sql in shown.columns.values())}
        if keys:
            keep_keys(self, keys)
        write_view(self.session, published, columns, _snowflake(shown.rows) if shown.rows else "")

    @contextmanager
    def holding(self, variables: Mapping[str, bytes]) -> Iterator[None]:
        """Files are masked by the local connection, rows by views that read a table of keys."""
        self._held = variables
        try:
            with self.local.holding(variables):
                yield
        finally:
            self._held = {}

    def _fetch(self, relation: Relation, promised: Mapping[str, str]) -> None:
        """Make the relation local. All but binary numbers come as text, which says every digit; an empty table too."""
        columns = self.columns(relation, promised)
        unheld = [name for name, kind in columns.items() if kind == "blob"]
        if unheld:
            raise NotSupported(f"{', '.join(unheld)}: bytes are not written to files from Snowflake yet; turn them into text in the model")
        wanted = (f"{name_sql(n)}{'' if kind == 'double' else '::varchar'} as {name_sql(n)}" for n, kind in columns.items())
        declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        self.local.drop(_LOCAL)
        self.local.execute(f"create table {relation_sql(_LOCAL)} ({declared})")
        for batch in self.session.arrow(f"select {', '.join(wanted)} from {relation_name(relation)}"):
            self.connection.register(_ARROW, batch)
            self.local.execute(f"insert into {relation_sql(_LOCAL)} select * from {_ARROW}")
            self.connection.unregister(_ARROW)

    def published_rows(self, published: PublishedPort) -> int:
        if isinstance(published, PublishedFiles):
            return self.local.published_rows(published)
        return int(self.session.first(f"select count(*) from ({port_rows(published)})")[0])


def make_schemas(opened: Session, more: Iterable[str] = ()) -> None:
    """Make a product's database, its schemas and its stage where they are not there yet."""
    database = f'"{opened.database}"'
    opened.rows(f"create database if not exists {database}")
    for schema in dict.fromkeys((*SCHEMAS, *more)):
        opened.rows(f"create schema if not exists {database}.{schema}")
    opened.rows(f"create stage if not exists {database}.{_STAGE}")


def _nothing_ruled_out(relation: Relation, condition: str) -> bool:
    return False


@lru_cache(maxsize=1000)
def _snowflake(sql: str, database: str = "", moved: tuple[tuple[Relation, str], ...] = ()) -> str:
    """With a database whose keys stand for variables of the connection; relations that `moved` are read under these names."""
    for relation, name in moved:
        sql = sql.replace(relation_sql(relation), relation_sql(replace(relation, name=name)))
    try:
        return translated(sql, "snowflake", partial(key_sql, database) if database else None)
    except Untranslatable as error:
        raise StatementRefused(str(error)) from error
