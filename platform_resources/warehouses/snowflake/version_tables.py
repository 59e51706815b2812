"""Rows of published versions: one table for each data set, in which every row carries the id of its version."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import literal
from platform_resources.warehouses.engine_errors import EngineError, NotSupported
from platform_resources.warehouses.published_places import CatalogView, PublishedPort, PublishedRows
from platform_resources.warehouses.snowflake.column_kinds import added_kind, reported_kind
from platform_resources.warehouses.snowflake.kept_notes import Notes, newest_version, remembering
from platform_resources.warehouses.snowflake.sessions import (
    Connect,
    Session,
    database_name,
    is_missing,
    name_sql,
    relation_name,
    session,
    shown_name,
    text_sql,
)

SCHEMA, PORTS, VIEWS = "VERSIONS", "PORTS", "VIEWS"
VERSION = "_MESH_VERSION"
_CATALOG, _SEEN = "catalog", "view"
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class SnowflakeVersions:
    """Where versions of one product are kept, each call in a session of its own."""

    connect: Connect
    domain: str
    product: str

    @property
    def database(self) -> str:
        """The product's database in Snowflake."""
        return database_name(self.domain, self.product, os.environ)

    def remembered(self, topic: str) -> dict[str, str]:
        return self._noted(lambda notes: notes.remembered(topic), {})

    def remember(self, topic: str, name: str, record: str, holder: str = "") -> None:
        with session(self.connect, self.database) as opened:
            Notes(opened).remember(topic, name, record, holder)

    def forget(self, topic: str, name: str, holder: str = "") -> None:
        self._noted(lambda notes: notes.forget(topic, name, holder), None)

    def claim(self, holder: str, former: Collection[str], now: datetime, until: datetime) -> str:
        """Nobody else can claim a product whose database is not there yet: its first refresh makes it."""
        return self._noted(lambda notes: notes.claim(holder, former, now, until), "")

    def let_go(self, holder: str) -> None:
        self._noted(lambda notes: notes.let_go(holder), None)

    def holds(self, holder: str) -> bool:
        return self._noted(lambda notes: notes.holds(holder), True)

    def _noted(self, asked: Callable[[Notes], Said], otherwise: Said) -> Said:
        """What the notes say; `otherwise` where the product was never refreshed, so that there are none."""
        with session(self.connect, self.database) as opened:
            try:
                return asked(Notes(opened))
            except EngineError as error:
                if is_missing(error):
                    return otherwise
                raise

    def point(self, record: str, holder: str) -> bool:
        with session(self.connect, self.database) as opened:
            return Notes(opened).point(record, holder)

    def place(self, table: str, version: str, columns: Mapping[str, str], view: str = "") -> PublishedRows:
        return PublishedRows(self.database, table, version, columns, view)

    def has_rows(self, place: PublishedRows) -> bool:
        with session(self.connect, self.database) as opened:
            there = bool(column_rows(opened, SCHEMA, place.table))
            rows = f"{_table(place.database, place.table)} where {VERSION} = {literal(place.version)}"
            return there and bool(opened.first(f"select count(*) from {rows}")[0])

    def keep_only(self, versions: Collection[str], views: Collection[tuple[str, str]], holder: str) -> None:
        """One statement for each table; what a failing one leaves is removed by the next publication."""
        kept = ", ".join(map(literal, sorted(versions)))
        with session(self.connect, self.database) as opened:
            drop_other_views(opened, views, holder)
            tables = opened.rows(f"select TABLE_NAME from {_schema(opened)}.TABLES where TABLE_SCHEMA = '{SCHEMA}'")
            for (table,) in tables:
                others = f" and {VERSION} not in ({kept})" if kept else ""
                opened.rows(f"delete from {_table(opened.database, table)} where {Notes(opened).holding(holder)}{others}")


def port_rows(published: PublishedPort, *, newest: str = "") -> str:
    """A select over the rows of exactly one version; with `newest`, of the one that this SQL names. Raises NotSupported."""
    if not isinstance(published, PublishedRows):
        raise NotSupported(f"{published.address} is a file, which Snowflake does not read; read a port of interface sql instead")
    columns = ", ".join(map(name_sql, published.columns))
    version = newest or literal(published.version)
    source = view_name(published) if published.view else _table(published.database, published.table)
    return f"select {columns} from {source} where {VERSION} = {version}"


def write_rows(opened: Session, relation: Relation, published: PublishedRows) -> None:
    """Insert the whole relation under the version's id, in one statement. Raises NotSupported where the table cannot take its columns."""
    table = _table(published.database, published.table)
    source = {row[0]: row[1:] for row in column_rows(opened, relation.schema, relation.name)}
    there = {row[0]: row[1:] for row in column_rows(opened, SCHEMA, published.table)}
    columns = ", ".join(f'"{name}"' for name in source)
    if not there:
        opened.rows(
            f"create table {table} as select cast('' as varchar) as {VERSION}, {columns} from {relation_name(relation)} where false"
        )
    for name, kind in source.items() if there else ():
        if name not in there:
            opened.rows(f'alter table {table} add column "{name}" {added_kind(*kind)}')
        elif reported_kind(*there[name]) != reported_kind(*kind):
            raise NotSupported(
                f"column {shown_name(name)} is {reported_kind(*kind)} now and {reported_kind(*there[name])} in versions that are kept, and "
                f"Snowflake has all versions in one table; give the column another name, or drop {table} with all its versions"
            )
    opened.rows(f"insert into {table} ({VERSION}, {columns}) select {literal(published.version)}, {columns} from {relation_name(relation)}")


def clone(opened: Session, data_sets: Mapping[str, PublishedPort], schema: str, hidden: Collection[str] = ()) -> dict[str, int]:
    """Clone tables of versions without their bytes, and keep one version of each; what is seen through a view is copied as it shows it.

    A clone keeps the tags and policies of its table.
    """
    opened.rows(f'create database if not exists "{opened.database}"')
    opened.rows(f'create schema if not exists "{opened.database}".{schema}')
    rows = dict[str, int]()
    for name in hidden:
        opened.rows(f'drop table if exists "{opened.database}".{schema}.{name_sql(name)}')
    for name, published in data_sets.items():
        table = f'"{opened.database}".{schema}.{name_sql(name)}'
        select = port_rows(published)
        if isinstance(published, PublishedRows) and not published.view:
            part = f'"{opened.database}".{schema}.{name_sql(f"{name}__mesh_new")}'
            opened.rows(f"create or replace table {part} clone {_table(published.database, published.table)}")
            opened.rows(f"delete from {part} where {VERSION} <> {literal(published.version)}")
            opened.rows(f"drop table if exists {table}")
            opened.rows(f"alter table {part} rename to {table}")
        else:
            opened.rows(f"create or replace table {table} as {select}")
        rows[f"{opened.database}.{schema}.{name}"] = int(opened.first(f"select count(*) from {table}")[0])
    return rows


def save_rows(opened: Session, published: PublishedRows, file: Path) -> int:
    """Write the rows of one version to a Parquet file; gives their number. Without a row every column is a text."""
    pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    writer: Any = None
    rows = 0
    try:
        for batch in opened.arrow(port_rows(published)):
            named = batch.rename_columns([shown_name(name) for name in batch.column_names])
            writer = writer or parquet.ParquetWriter(file, named.schema, compression="zstd")
            writer.write_table(named.cast(writer.schema))
            rows += named.num_rows
        if writer is None:
            writer = parquet.ParquetWriter(file, pa.schema([(name, pa.string()) for name in published.columns]))
    finally:
        if writer is not None:
            writer.close()
    return rows


def show(opened: Session, views: Sequence[CatalogView]) -> None:
    """Make the views that the product's own team and domain read. One that is as it was is left alone, with the grants on it."""
    notes = Notes(opened)
    for gone in notes.remembered(_CATALOG).keys() - {view.name for view in views}:
        opened.rows(f'drop view if exists "{opened.database}".{PORTS}.{name_sql(gone)}')
        notes.forget(_CATALOG, gone)
    for view in views:
        name = f'"{opened.database}".{PORTS}.{name_sql(view.name)}'
        make_view(opened, (_CATALOG, view.name), "view", name, _made(opened.database, view))


def _made(database: str, view: CatalogView) -> str:
    """What a view is made of that always shows the newest version."""
    return f"comment = {text_sql(view.description)} as {port_rows(view.published, newest=newest_version(database))}"


@dataclass(frozen=True, slots=True)
class MadeView:
    """The view that a role reads: what it is made of, and the statements that make it and note that."""

    digest: str
    statements: tuple[str, ...]


def role_view(database: str, schema: str, view: CatalogView) -> MadeView:
    """A secure view of the newest version, in the schema of a role; its definition is hidden from readers."""
    made = _made(database, view)
    digest = hashlib.sha256(made.encode()).hexdigest()
    name = f'"{database}".{name_sql(schema)}.{name_sql(view.name)}'
    noted = remembering(database, role_topic(schema), name_sql(view.name)[1:-1], digest)
    return MadeView(digest, (f"create or replace secure view {name} copy grants {made}", noted))


def role_topic(schema: str) -> str:
    """What notes of the views of a role's schema are under."""
    return f"{_CATALOG}:{schema}"


def make_view(opened: Session, note: tuple[str, str], kind: str, name: str, made: str) -> None:
    """Make the view, or replace one that shows something else; its grants stay. The note says what it was made of."""
    notes = Notes(opened)
    if notes.remembered(note[0]).get(note[1]) == made:
        opened.rows(f"create {kind} if not exists {name} {made}")
    else:
        opened.rows(f"create or replace {kind} {name} copy grants {made}")
        notes.remember(*note, made)


def kept_views(opened: Session) -> Iterator[tuple[str, str, str]]:
    """The name and the kind of each view of versions, those that others read first, and what it was made of."""
    for topic, schema, kind in ((_SEEN, VIEWS, "secure view"), (_CATALOG, PORTS, "view")):
        for name, made in Notes(opened).remembered(topic).items():
            if made.startswith(("as ", "comment ")):  # notes of former times have a digest of it
                yield f'"{opened.database}".{schema}.{name_sql(name)}', kind, made


def view_name(published: PublishedRows) -> str:
    """What one view of a data set is called, over the rows of all versions."""
    return f'"{published.database}".{VIEWS}.{name_sql(_view_of(published.table, published.view))}'


def _view_of(table: str, view: str) -> str:
    return f"{table}__{view}"


def write_view(opened: Session, published: PublishedRows, columns: Mapping[str, str], rows: str) -> None:
    """Make the secure view, in Snowflake's SQL: an expression for each column, and a condition on rows. Nobody sees what it is made of."""
    shown = ", ".join(f"{sql} as {name_sql(name)}" for name, sql in columns.items())
    where = f" where {rows}" if rows else ""
    opened.rows(f'create schema if not exists "{opened.database}".{VIEWS}')
    made = f"as select {VERSION}, {shown} from {_table(published.database, published.table)}{where}"
    make_view(opened, (_SEEN, _view_of(published.table, published.view)), "secure view", view_name(published), made)


def drop_other_views(opened: Session, staying: Collection[tuple[str, str]], holder: str) -> None:
    """Drop views that no version is seen through any more. Dropping has no condition, so whether the claim holds is asked right before."""
    notes, names = Notes(opened), {_view_of(*place) for place in staying}
    for gone in notes.remembered(_SEEN).keys() - names:
        if not notes.holds(holder):
            return
        opened.rows(f'drop view if exists "{opened.database}".{VIEWS}.{name_sql(gone)}')
        notes.forget(_SEEN, gone, holder)


def column_rows(opened: Session, schema: str, table: str) -> list[tuple[str, str, int | None, int | None]]:
    """Name, data type, precision and scale of each column, in order; none where there is no such table or view."""
    return opened.rows(
        f"select COLUMN_NAME, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE from {_schema(opened)}.COLUMNS "
        f"where TABLE_SCHEMA = {_name_text(schema)} and TABLE_NAME = {_name_text(table)} order by ORDINAL_POSITION"
    )


def kinds_of(opened: Session, relation: Relation) -> set[str]:
    """`BASE TABLE`, `VIEW`, or nothing where there is none of the name."""
    named = f"where TABLE_SCHEMA = {_name_text(relation.schema)} and TABLE_NAME = {_name_text(relation.name)}"
    tables = f"select TABLE_TYPE from {_schema(opened)}.TABLES {named}"
    views = f"select 'VIEW' from {_schema(opened)}.VIEWS {named}"
    return {str(kind) for (kind,) in opened.rows(f"{tables} union all {views}")}


def _name_text(name: str) -> str:
    """A name as a text: the catalog has it as it is called."""
    return literal(name_sql(name)[1:-1].replace('""', '"'))


def _schema(opened: Session) -> str:
    return f'"{opened.database}".INFORMATION_SCHEMA'


def _table(database: str, table: str) -> str:
    return f'"{database}".{SCHEMA}.{name_sql(table)}'
