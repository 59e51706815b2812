"""Open the ledger's database: SQLite by default, PostgreSQL by URL, always migrated to the newest revision."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, func, insert, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InternalError, NoSuchModuleError, OperationalError
from sqlalchemy.util import LRUCache

from platform_resources.ledger import people_tables, tables  # noqa: F401 -- they fill TABLES
from platform_resources.ledger.columns import TABLES
from platform_resources.ledger.database_errors import remedy
from platform_resources.redaction.redaction import mask
from platform_resources.settings import LEDGER

LEDGER_FILE = ".mesh/ledger.sqlite"
MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 30
# How long a server that does not answer is waited for, unless the URL says it.
CONNECT_SECONDS = 10
ROWS_AT_ONCE = 5000
SQLITE_SETTINGS = (f"pragma busy_timeout = {BUSY_SECONDS * 1000}", "pragma synchronous = normal", "pragma foreign_keys = on")
# Any numbers that nothing else in the database uses as an advisory lock.
ADVISORY_LOCK, DAEMON_LOCK = 7_352_118_640_117, 7_352_118_640_118


class CompiledStatements(LRUCache[Any, Any]):
    """Statements as SQLAlchemy has compiled them, for all engines of a dialect and driver.

    Its own cache begins empty with each engine, and so with each ledger that is opened: its keys begin with the engine's own dialect.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._of_all(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._of_all(key), value)

    @staticmethod
    def _of_all(key: Any) -> Any:
        dialect, *statement = key
        return (dialect.name, dialect.driver, getattr(dialect, "server_version_info", None), *statement)


_COMPILED = CompiledStatements(500)


class LedgerUnavailable(Exception):
    """Raised where the ledger cannot be opened, or fails afterwards; says where it is and what to do. Never shows a password."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger. Every block is one transaction: all of it or nothing."""

    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading, within one transaction."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction for what people do. On SQLite it takes the one write lock at once, so that it cannot fail half way."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def projecting(self) -> Iterator[Connection]:
        """A transaction for projecting events: one process at a time; on PostgreSQL people's writes go on meanwhile."""
        with self.writing() as connection:
            _lock(connection)
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@dataclass(slots=True)
class OnlyOne:
    """Holds the place of which a ledger has one, as long as its process lives: on PostgreSQL by a session, else by a file."""

    url: str
    _session: Connection | None = None
    _file: FileLock | None = None

    def take(self) -> bool:
        """Whether this process has the place now; asking again looks whether it still has. Raises LedgerUnavailable."""
        where = _parsed(self.url)
        if where.get_backend_name() != "postgresql":
            self._file = self._file or FileLock(f"{where.database}.daemon.lock", timeout=0)
            with suppress(Timeout):
                Path(where.database or "").parent.mkdir(parents=True, exist_ok=True)
                self._file.acquire() if not self._file.is_locked else None
            return self._file.is_locked
        if self._session is not None:
            try:
                return bool(self._session.execute(text("select true")).scalar())
            except DBAPIError:
                self._session = None
        try:
            engine = _engine(where)
            session = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = bool(session.execute(text("select pg_try_advisory_lock(:number)"), {"number": DAEMON_LOCK}).scalar())
        except DBAPIError as error:
            raise LedgerUnavailable(f"the ledger {where.render_as_string(hide_password=True)}: {mask(str(error.orig).strip())}") from error
        if taken:
            self._session = session
        else:
            session.close()
            engine.dispose()
        return taken


def ledger_url(state: Path, environment: Mapping[str, str]) -> str:
    """MESH_LEDGER as set, or the SQLite file of the mesh whose state lies in `state`."""
    return LEDGER.value(environment) or f"sqlite:///{state / LEDGER_FILE}"


def ledger_identity(ledger: Ledger) -> str:
    """Differs for another ledger, also for one that was made anew in the place of an older one."""
    url = ledger.engine.url.render_as_string(hide_password=True)
    with ledger.reading() as connection:
        if connection.dialect.name == "sqlite":
            return f"{url} {Path(ledger.engine.url.database or '').stat().st_ino}"
        return f"{url} {connection.execute(text('select cast(cast(:table as regclass) as oid)'), {'table': 'product_changes'}).scalar()}"


def open_ledger(url: str) -> Ledger:
    """The ledger at `url`, made or brought to the newest revision first. Raises LedgerUnavailable."""
    where = _parsed(url)
    shown = where.render_as_string(hide_password=True)
    try:
        engine = _engine(where)
        if _revision(engine) != newest_revision():
            _upgrade(engine, where)
    except ModuleNotFoundError as error:
        raise LedgerUnavailable(f'the ledger {shown} needs {error.name}; install the extra "postgres"') from error
    except (DBAPIError, sqlite3.Error, OSError) as error:
        message = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise LedgerUnavailable(f"the ledger {shown} cannot be opened: {mask(message.strip())}\n{remedy(message)}") from error
    event.listen(engine, "handle_error", _unavailable)
    return Ledger(engine)


def newest_revision() -> str:
    """Revisions are numbered: `versions/0001_first.py` is revision 0001. Alembic is imported only where one is missing."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _parsed(url: str) -> URL:
    try:
        where = make_url(url)
        driver = where.get_dialect().name
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:  # ValueError: a port that is no number
        advice = "write sqlite:///FILE or postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE"
        raise LedgerUnavailable(f"{LEDGER.name} is no address of a ledger; {advice}") from error
    if driver == "sqlite" and where.database not in (None, "", ":memory:"):
        return where
    # `postgresql://` alone means another driver from SQLAlchemy 2.1 on.
    if where.drivername in ("postgresql", "postgresql+psycopg2"):
        return where.set(drivername="postgresql+psycopg2")
    advice = "SQLite in a file and PostgreSQL by postgresql+psycopg2:// can hold one"
    raise LedgerUnavailable(f"the ledger cannot be at {where.render_as_string(hide_password=True)}; {advice}")


def _engine(where: URL) -> Engine:
    shared = {"compiled_cache": _COMPILED}
    if where.get_backend_name() == "postgresql":
        waits = {} if "connect_timeout" in where.query else {"connect_timeout": CONNECT_SECONDS}
        return create_engine(where, pool_pre_ping=True, connect_args=waits, execution_options=shared)
    engine = create_engine(where, connect_args={"timeout": BUSY_SECONDS}, execution_options=shared)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _unavailable(context: ExceptionContext) -> LedgerUnavailable | None:
    """What the database is to blame for, and no statement: it is locked, full, damaged or gone. SQLAlchemy raises what is given here."""
    error = context.sqlalchemy_exception
    if context.is_pre_ping or not isinstance(error, DBAPIError) or context.engine is None:
        return None
    # SQLite says no more than DatabaseError of a damaged file.
    if not (context.is_disconnect or isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError):
        return None
    shown, message = context.engine.url.render_as_string(hide_password=True), mask(str(error.orig).strip())
    return LedgerUnavailable(f"the ledger {shown} cannot be used: {message}\n{remedy(message)}")


def _set_up_sqlite(connection: Any, record: Any) -> None:
    """Python's own handling of transactions is off: it would begin them late and not around DDL."""
    connection.isolation_level = None
    for setting in SQLITE_SETTINGS:
        connection.execute(setting)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get("writes") else "begin")


def _lock(connection: Connection) -> None:
    """Held until the transaction ends. In SQLite the transaction itself is the lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})


def _revision(engine: Engine) -> str | None:
    file = engine.url.database
    if engine.dialect.name == "sqlite" and not Path(file or "").exists():
        return None
    with engine.connect() as connection:
        return _revision_on(connection)


def _revision_on(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def _upgrade(engine: Engine, where: URL) -> None:
    if engine.dialect.name == "postgresql":
        _migrate(engine, where)
        return
    file = Path(where.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{file.name}.lock")):
        # Outside any transaction, and before one is looked for: readers then never wait for a writer.
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("pragma journal_mode = wal")
        _migrate(engine, where)


def _migrate(engine: Engine, where: URL) -> None:
    """All missing revisions in one transaction, by one process; who waited finds them done."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with Ledger(engine).projecting() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            shown, revision = where.render_as_string(hide_password=True), _revision_on(connection)
            message = f"it is at revision {revision}, this platform knows up to {newest_revision()}; update the platform"
            raise LedgerUnavailable(f"the ledger {shown} was made by a newer platform: {message}") from error


def save_ledger(url: str, file: Path) -> None:
    """Write the ledger at `url`, as it is at one moment, into a new SQLite file. Raises LedgerUnavailable."""
    with closing(open_ledger(url)) as ledger:
        if ledger.engine.dialect.name == "sqlite":
            save_sqlite(Path(ledger.engine.url.database or ""), file)
            return
        with closing(open_ledger(f"sqlite:///{file}")) as copy:
            _copy_rows(ledger, copy)


def restore_ledger(file: Path, url: str) -> None:
    """Put the rows of a saved ledger, of this revision or an older one, into the empty one at `url`. Raises LedgerUnavailable."""
    with closing(open_ledger(f"sqlite:///{file}")) as copy, closing(open_ledger(url)) as ledger:
        _copy_rows(copy, ledger)


def saved_revision(file: Path) -> str:
    """The revision of a saved ledger, which is not changed. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return str(connection.execute("select version_num from alembic_version").fetchone()[0])


def filled_tables(url: str) -> str:
    """The tables of this ledger that have rows; empty if none has. Raises LedgerUnavailable."""
    with closing(open_ledger(url)) as ledger, ledger.reading() as connection:
        return _filled(connection)


def _filled(connection: Connection) -> str:
    return ", ".join(sorted(table.name for table in TABLES.sorted_tables if connection.execute(select(table).limit(1)).first()))


def save_sqlite(file: Path, into: Path) -> None:
    """Copy an SQLite database as it is at one moment, also while others write to it."""
    with (
        closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as source,
        closing(sqlite3.connect(into)) as target,
    ):
        source.backup(target)


def _copy_rows(source: Ledger, target: Ledger) -> None:
    """All rows of all tables in one transaction. Raises LedgerUnavailable where the target has some already."""
    where = target.engine.url.render_as_string(hide_password=True)
    with source.reading() as reading, target.writing() as writing:
        if reading.dialect.name == "postgresql":
            reading.execute(text("set transaction isolation level repeatable read"))
        if filled := _filled(writing):
            raise LedgerUnavailable(f"the ledger {where} is not empty: it has rows in {filled}; restore into an empty one")
        for table in TABLES.sorted_tables:
            for rows in reading.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings().partitions():
                writing.execute(insert(table), [dict(row) for row in rows])
            for column in table.columns if writing.dialect.name == "postgresql" else ():
                if sequence := writing.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar():
                    newest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                    writing.execute(select(func.setval(sequence, newest, False)))
