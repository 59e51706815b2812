"""Rows of a table of an SQL database: all of them, or what has changed since the last pull, with what was deleted."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from platform_resources.capabilities.protocols import Extracted, Extraction
from platform_resources.capabilities.readers.source_addresses import SourceUnread, filled, library
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.sql_text import literal, quoted, quoted_list

Deletes = Literal["compare", "none"]
# The schema of a product's database with rows of tables as they were at the last pull, by the names and types that the source has for them.
KEPT_ROWS = "pulled"
_NEW, _KEYS = "mesh_new_rows", "mesh_source_keys"
_ROWS_AT_ONCE = 50_000
_DRIVERS = {"postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2"}
_TIMES = ("date", "timestamp", "timestamptz")


@dataclass(frozen=True, slots=True)
class DatabaseRows:
    """Which table, and by which column its changes are known. `overlap`: rows are read again from so long before the newest one on.

    Without a cursor all rows are read at each pull.
    """

    url: str
    table: str
    schema: str | None
    key: tuple[str, ...]
    cursor: str | None
    deletes: Deletes | None
    overlap: timedelta

    def read(self, extraction: Extraction) -> Extracted:
        """The rows of the table. They are read again as a whole where its columns have changed or the kept ones are not there."""
        source, kept = _Source(self), _Kept(extraction.connection, extraction.input, self)
        if self.cursor is None:
            read = kept.fill(_NEW, source)
            return Extracted(extraction.connection.table(_NEW), {"read": read, "how": "all rows"})
        why = kept.why_anew(source, extraction.cursor)
        record = {"how": f"all rows: {why}", **kept.anew(source)} if why else kept.merge(source, extraction.replay)
        kept.refuse_keys(kept.table)
        cursor = {"of": self._of, "column": self.cursor, "value": kept.newest(), **record}
        return Extracted(extraction.connection.table(f"{KEPT_ROWS}.{quoted(extraction.input)}"), cursor, record["read"])

    @property
    def replays(self) -> bool:
        """Rows are kept where changes alone are read."""
        return self.cursor is not None

    @property
    def untold(self) -> str:
        """A delete, or a change that leaves the cursor, is no news."""
        return "" if self.cursor is not None else "it has no cursor: write cursor, key and deletes"

    def mark(self) -> str:
        """The greatest value of the cursor, and how many rows have it: of a date there come more all day long."""
        sa = library("sqlalchemy")
        engine = sa.create_engine(_address(self.url), poolclass=sa.pool.NullPool)
        column = sa.column(str(self.cursor))
        table = sa.table(self.table, column, schema=self.schema)
        newest = sa.select(sa.func.max(column)).select_from(table).scalar_subquery()
        with engine.connect() as connection:
            newest_and_count = connection.execute(
                sa.select(sa.func.max(column), sa.func.count()).select_from(table).where(column == newest)
            ).one()
        return " ".join(map(str, newest_and_count))

    @property
    def _of(self) -> str:
        """What is read, in one text: another reading begins where it changes. The database is told from others and not named."""
        address = library("dlt.common.libs.sql_alchemy").sa.engine.make_url(_address(self.url))
        database = hashlib.sha256(f"{address.host}:{address.port}/{address.database}".encode()).hexdigest()[:16]
        return f"{self.schema or ''}.{self.table} by {self.cursor} and {', '.join(self.key)} of database {database}"


class _Source:
    """The table in its database, read by dlt in batches of Arrow."""

    def __init__(self, rows: DatabaseRows) -> None:
        self.rows = rows
        self.dlt = library("dlt.sources.sql_database")
        self.types = library("dlt.sources.sql_database.schema_types")
        self.arrow = library("dlt.common.libs.pyarrow")
        self.sa = library("dlt.common.libs.sql_alchemy").sa

    def batches(self, columns: tuple[str, ...] = (), since: str | None = None) -> Iterator[Any]:
        """Tables of Arrow, the first one without a row: it tells the columns and their types."""
        described: list[Any] = []

        def asked(query: Any, table: Any) -> Any:
            chosen = [column for column in table.columns if not columns or column.name in columns]
            query = query.with_only_columns(*map(self._exact, chosen))
            if since is None:
                return query
            cursor = table.columns[self.rows.cursor]
            return query.where((cursor >= self.sa.cast(self.sa.literal(since), cursor.type)) | cursor.is_(None))

        def describe(table: Any) -> None:
            self._refuse_unknown(table)
            hints = {column.name: self._hint(column) for column in table.columns if not columns or column.name in columns}
            described.append(self.arrow.columns_to_arrow(hints, None, "UTC").empty_table())

        resource = self.dlt.sql_table(
            credentials=_address(self.rows.url),
            table=self.rows.table,
            schema=self.rows.schema,
            backend="pyarrow",
            chunk_size=_ROWS_AT_ONCE,
            reflection_level="full_with_precision",
            type_adapter_callback=self._told_type,
            table_adapter_callback=describe,
            query_adapter_callback=asked,
        )
        yield from described[:1]
        yield from resource

    def _hint(self, column: Any) -> Any:
        return self.types.sqla_col_to_column_schema(column, "full_with_precision", self._told_type)

    def _told_type(self, kind: Any) -> Any:
        """What dlt is told that a type is: it does not know that SQLAlchemy's floats are no Numeric any more."""
        if isinstance(kind, self.sa.Float):
            return self.sa.Numeric(asdecimal=False)
        return kind if self._is_exact(kind) else self.sa.Text()

    def _exact(self, column: Any) -> Any:
        return column if self._is_exact(column.type) else self.sa.cast(column, self.sa.Text).label(column.name)

    def _is_exact(self, kind: Any) -> bool:
        """Whether a value of the type comes whole as it is; any other comes as the text that the database has for it."""
        sa = self.sa
        if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
            return kind.precision is not None and kind.precision <= 38
        plain = (sa.Integer, sa.Boolean, sa.Float, sa.Date, sa.DateTime, sa.LargeBinary)
        return isinstance(kind, plain) or (isinstance(kind, sa.String) and not isinstance(kind, sa.Enum))

    def _refuse_unknown(self, table: Any) -> None:
        wanted = (*self.rows.key, *((self.rows.cursor,) if self.rows.cursor else ()))
        missing = [name for name in wanted if name not in table.columns]
        if missing:
            known = ", ".join(column.name for column in table.columns)
            raise SourceUnread(f"{self.rows.table} has no column {', '.join(missing)}; it has {known}")


class _Kept:
    """The rows that are kept of an input, in the product's own database and in the transaction of its pull."""

    def __init__(self, connection: Any, name: str, rows: DatabaseRows) -> None:
        self.connection, self.name, self.rows = connection, name, rows
        self.table = f"{KEPT_ROWS}.{quoted(name)}"
        self.key = quoted_list(rows.key)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return rows

    def fill(self, table: str, source: _Source, columns: tuple[str, ...] = (), since: str | None = None) -> int:
        """Make a temporary table of rows of the source; gives how many there are."""
        count = 0
        for number, batch in enumerate(source.batches(columns, since)):
            self.connection.register("mesh_batch", batch)
            begin = "insert into {} by name" if number else "create or replace temp table {} as"
            self.run(f"{begin.format(table)} select * from mesh_batch")
            self.connection.unregister("mesh_batch")
            count += batch.num_rows
        return count

    def columns(self, table: str) -> dict[str, str]:
        return {row[0]: observed_type(str(row[1])) for row in self.run(f"describe {table}")}

    def why_anew(self, source: _Source, cursor: Any) -> str:
        """Why what is kept is of no use; empty if it is."""
        here = f"table_schema = {literal(KEPT_ROWS)} and table_name = {literal(self.name)}"
        listed = f"select count(*) from information_schema.tables where {here}"
        if not isinstance(cursor, Mapping) or not self.run(listed)[0][0]:
            return "the first time"
        if cursor.get("of") != self.rows._of:
            return "the input port says another database, table, key or cursor"
        self.connection.register("mesh_batch", next(source.batches()))
        before, now = self.columns(self.table), self.columns("mesh_batch")
        self.connection.unregister("mesh_batch")
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        return f"{', '.join(changed)} is new, gone or of another type" if changed else ""

    def anew(self, source: _Source) -> dict[str, Any]:
        read = self.fill(_NEW, source)
        self.run(f"create schema if not exists {KEPT_ROWS}")
        self.run(f"create or replace table {self.table} as select * from {_NEW}")
        self.run(f"drop table {_NEW}")
        return {"read": read}

    def merge(self, source: _Source, replay: str | None) -> dict[str, Any]:
        """Replace and add what has changed, and take away what is gone. Keys are read first: what comes later is in the rows too."""
        if self.rows.deletes == "compare":
            self.fill(_KEYS, source, columns=self.rows.key)
            self.refuse_keys(_KEYS)
        read = self.fill(_NEW, source, since=self._since(replay))
        here = f"({self.key})"
        self.run(f"delete from {self.table} where {here} in (select {here} from {_NEW})")
        self.run(f"insert into {self.table} by name select * from {_NEW}")
        self.run(f"drop table {_NEW}")
        record = {"how": "changes", "read": read}
        if self.rows.deletes != "compare":
            return record
        removed = self.run(f"delete from {self.table} where {here} not in (select {here} from {_KEYS})")[0][0]
        lost = self.run(f"select count(*) from {_KEYS} where {here} not in (select {here} from {self.table})")[0][0]
        self.run(f"drop table {_KEYS}")
        if lost:
            why = f"{lost:,} rows had come with an older {self.rows.cursor}"
            return {"how": f"all rows: {why}", **self.anew(source)}
        return {**record, "removed": removed}

    def _since(self, replay: str | None) -> str | None:
        """From which value of the cursor on rows are read. A time in the future, as a mistake may be, moves it no further than now.

        `replay` is an older value to read from again; a newer one would leave rows out, so it changes nothing. Raises SourceUnread.
        """
        column, kind = quoted(str(self.rows.cursor)), self.columns(self.table)[str(self.rows.cursor)]
        newest = f"max({column})"
        if kind in _TIMES:
            seconds = int(self.rows.overlap.total_seconds())
            now = f"cast(current_timestamp as {'timestamptz' if kind == 'timestamptz' else 'timestamp'})"
            newest = f"cast(max(least({column}, {now})) - interval '{seconds} seconds' as {kind})"
        if replay is not None:
            if self.run(f"select try_cast({literal(replay)} as {kind})")[0][0] is None:
                raise SourceUnread(f'"{replay}" is no value of {self.rows.cursor}, which is {kind}; name one to read again from')
            newest = f"least({newest}, cast({literal(replay)} as {kind}))"
        value = self.run(f"select cast({newest} as varchar) from {self.table}")[0][0]
        return None if value is None else str(value)

    def newest(self) -> str | None:
        value = self.run(f"select cast(max({quoted(str(self.rows.cursor))}) as varchar) from {self.table}")[0][0]
        return None if value is None else str(value)

    def refuse_keys(self, table: str) -> None:
        """A key that is empty, or that two rows share, would make changes of one row those of another, and hide which rows are gone."""
        counts = f"select count(*), count(distinct ({self.key})), count_if({' or '.join(f'{quoted(k)} is null' for k in self.rows.key)})"
        rows, keys, empty = self.run(f"{counts} from {table}")[0]
        if empty or keys != rows:
            what = f"is empty in {empty:,} rows" if empty else f"is shared by {rows - keys:,} rows with others"
            raise SourceUnread(f"the key {', '.join(self.rows.key)} of {self.rows.table} {what}; name columns that tell every row apart")


def table_names(url: str, schema: str | None) -> tuple[str, ...]:
    """The tables and views of the database, in the schema that it takes by itself where none is named."""
    sa = library("dlt.common.libs.sql_alchemy").sa
    engine = sa.create_engine(_address(url))
    try:
        there = sa.inspect(engine)
        return (*sorted(there.get_table_names(schema)), *sorted(there.get_view_names(schema)))
    finally:
        engine.dispose()


def _address(url: str) -> str:
    """As SQLAlchemy takes it. Raises SourceUnread for a file that is not there: SQLite would make an empty database of it."""
    scheme, rest, after = filled(url).partition("://")
    file = after.partition("?")[0].removeprefix("/") if scheme.partition("+")[0] == "sqlite" else ""
    if file and not file.startswith((":memory:", "file:")) and not Path(file).is_file():
        raise SourceUnread(f"there is no file {file}")
    return f"{_DRIVERS.get(scheme, scheme)}{rest}{after}"
