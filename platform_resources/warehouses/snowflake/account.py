"""An account of Snowflake as a warehouse: the databases of products, and their published versions for consumers."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from snowflake.connector.connection import DEFAULT_CONFIGURATION

from platform_resources.access.role_folders import AccessChange
from platform_resources.capabilities.readers.database_rows import KEPT_ROWS
from platform_resources.capabilities.work import ModelWork
from platform_resources.measuring.dialects import Untranslatable, translated
from platform_resources.plan import conventions
from platform_resources.plan.tenancy import MeshTenancy, ProductTenancy
from platform_resources.settings import COMPUTE, PREFIX, SNOWFLAKE_BUILD
from platform_resources.warehouses.duckdb import lending, product_database
from platform_resources.warehouses.duckdb.warehouse import DuckDBWarehouse
from platform_resources.warehouses.engine_errors import EngineError, NotSupported, QueryFailed, QueryTooSlow
from platform_resources.warehouses.limits import limits
from platform_resources.warehouses.protocol import Bounds, ProductDatabase, Rows, VersionRows, WarehouseUse
from platform_resources.warehouses.published_places import CatalogView, GivenViews, PublishedFiles, PublishedPort, PublishedRows, Readable
from platform_resources.warehouses.snowflake.account_changes import account_changes, make_so, remove_database, show_to_roles
from platform_resources.warehouses.snowflake.account_names import is_of_mesh
from platform_resources.warehouses.snowflake.account_state import own_compute
from platform_resources.warehouses.snowflake.account_usage import use_between
from platform_resources.warehouses.snowflake.consumer_statements import as_text as shown_text
from platform_resources.warehouses.snowflake.consumer_statements import for_python, published_statement
from platform_resources.warehouses.snowflake.former_databases import take_over
from platform_resources.warehouses.snowflake.product_schemas import SnowflakeDatabase
from platform_resources.warehouses.snowflake.sessions import (
    IDLE,
    NO_DETECTION,
    Connect,
    Session,
    connected,
    database_name,
    moving_seconds,
    name_sql,
    product_of_database,
    session,
)
from platform_resources.warehouses.snowflake.version_tables import PORTS, SnowflakeVersions, clone, port_rows, save_rows, show
from platform_resources.warehouses.written_results import WantedResult, WrittenResult, write_result

# So many rows of one answer a server holds at most, where it does not say how many it wants.
MOST_ROWS = 1_000_000


def _are_files(readable: Readable) -> bool:
    """Whether nothing of it is in Snowflake: ports of interface file, or those that have a topic. An engine on this machine reads them."""
    return all(isinstance(port, PublishedFiles) for ports in readable.values() for port in ports.values())


class SnowflakeWarehouse:
    """What `warehouses.protocol` asks of a warehouse, in the account of Snowflake that the environment names."""

    kind = "snowflake"

    def __init__(self, connect: Connect = connected) -> None:
        self.connect = connect

    @contextmanager
    def opened(self, state: Path, domain: str, product: str) -> Iterator[ProductDatabase]:
        """What files and extractors bring is read by DuckDB, in a folder that is gone afterwards."""
        with (
            TemporaryDirectory(prefix="mesh_") as folder,
            product_database.opened(Path(folder) / "local.duckdb") as local,
            session(self.connect, database_name(domain, product, os.environ), self._own_compute(domain, product)) as opened,
        ):
            kept = state / conventions.SNOWFLAKE / KEPT_ROWS / domain / product
            database = SnowflakeDatabase(opened, local, limits(os.environ).query, kept)
            database.make()
            yield database

    def _session(self, domain: str, product: str) -> AbstractContextManager[Session]:
        return session(self.connect, database_name(domain, product, os.environ))

    def _own_compute(self, domain: str, product: str) -> str:
        with self._session(domain, product) as opened:
            return own_compute(opened, domain)

    def version_rows(self, domain: str, product: str) -> VersionRows | None:
        return SnowflakeVersions(self.connect, domain, product)

    def products(self, state: Path) -> tuple[tuple[str, str], ...]:
        """Read from the names of the databases that the role may see."""
        with session(self.connect, PREFIX.value(os.environ)) as opened:
            named = opened.described("show databases")
        databases = [str(row[named[0].index("name")]) for row in named[1]]
        return tuple(sorted(product for name in databases if (product := product_of_database(name, os.environ)) is not None))

    def asks_for_work(self) -> str:
        """Empty: Snowflake's query profiles are not read."""
        return ""

    def work_of(self, model: str, profile: str, seconds: float, cpu_seconds: float) -> ModelWork | None:
        return None

    def dbt_variables(self, state: Path, domain: str, product: str) -> dict[str, str]:
        """dbt opens a connection of its own, by the same variables; it builds on the domain's own compute where there is one.

        dbt gives its connector no limit of time, so it would try a lost connection again for ever: the connector gets one here.
        """
        DEFAULT_CONFIGURATION["platform_detection_timeout_seconds"] = (NO_DETECTION, (type(None), float))
        DEFAULT_CONFIGURATION["network_timeout"] = (moving_seconds(), (type(None), int))
        own = self._own_compute(domain, product)
        return {SNOWFLAKE_BUILD.name: database_name(domain, product, os.environ), **({COMPUTE.name: own} if own else {})}

    def use_between(self, since: datetime, until: datetime) -> WarehouseUse:
        with session(self.connect, PREFIX.value(os.environ)) as opened:
            return use_between(opened, since, until)

    def take_over(self, domain: str, former: str, product: str) -> None:
        take_over(self.connect, domain, former, product)

    def lend(self, state: Path, domain: str, product: str, own: Path) -> int:
        raise NotSupported("data of products in Snowflake is not copied for analysts; give them a role that reads its databases")

    def clone(self, product: str, data_sets: Mapping[str, PublishedPort], into: str, hidden: Collection[str] = ()) -> dict[str, int]:
        database, _, schema = into.partition(".")
        if not database or not schema or "." in schema or is_of_mesh(f"{database}__".upper()):
            raise NotSupported(f'"{into}" is no schema of a developer; name one such as DEV.ANA, in a database that is not the mesh\'s')
        with session(self.connect, database.upper()) as opened:
            return clone(opened, data_sets, name_sql(schema), hidden)

    def save_rows(self, published: PublishedPort, file: Path) -> int:
        """As Arrow has them, batch by batch."""
        if not isinstance(published, PublishedRows):
            return lending.save_rows(published, file)
        with session(self.connect, published.database) as opened:
            return save_rows(opened, published, file)

    def remove(self, state: Path, domain: str, product: str) -> None:
        database = database_name(domain, product, os.environ)
        IDLE.end(lambda idle: bool(idle.made_of[1]["database"] == database))  # a database of that name that comes later is another one
        with session(self.connect, PREFIX.value(os.environ)) as opened:
            remove_database(opened, database)

    def show(self, state: Path, domain: str, product: str, views: Sequence[CatalogView]) -> None:
        with self._session(domain, product) as opened:
            show(opened, views)

    def write_catalog(self, file: Path, views: Sequence[CatalogView]) -> None:
        raise NotSupported("a catalog in a file; SQL clients read the product's own schema")

    def access_changes(self, tenancy: MeshTenancy, given: GivenViews, only: str = "") -> tuple[AccessChange, ...]:
        with session(self.connect, PREFIX.value(os.environ)) as opened:
            return tuple(account_changes(opened, tenancy, given, only))

    def make_so(self, changes: Sequence[AccessChange]) -> tuple[str, ...]:
        if not changes:
            return ()
        with session(self.connect, PREFIX.value(os.environ)) as opened:
            return tuple(make_so(opened, changes))

    def show_to_roles(self, product: ProductTenancy, views: Mapping[str, Sequence[CatalogView]]) -> None:
        with self._session(product.domain, product.name) as opened:
            show_to_roles(opened, product, views)

    def catalog_address(self, state: Path, domain: str, product: str) -> str:
        return f"{database_name(domain, product, os.environ)}.{PORTS}"

    def catalog_rows(self, state: Path, domain: str, product: str, sql: str) -> Rows:
        with self._session(domain, product) as opened:
            opened.rows(f'use schema "{opened.database}".{PORTS}')
            return opened.rows(translated(sql, "snowflake"))

    def answer(
        self, sql: str, readable: Readable, *, as_text: bool = False, bounds: Bounds | None = None, is_ours: bool = False
    ) -> tuple[list[str], Rows]:
        """In Snowflake's own SQL, for as long as a query of an audit may take."""
        if is_ours and _are_files(readable):
            return DuckDBWarehouse().answer(sql, readable, as_text=as_text, bounds=bounds, is_ours=is_ours)
        try:
            statement = published_statement(translated(sql, "snowflake") if is_ours else sql, readable)
        except Untranslatable as error:
            raise QueryFailed(str(error)) from error
        shown = shown_text if as_text else for_python
        if bounds is None:
            return self._read(statement, shown)
        names, rows = self._read(statement, shown, bounds.time, bounds.rows or MOST_ROWS + 1)
        if len(rows) > MOST_ROWS and bounds.rows is None:
            raise QueryFailed(f"the answer has more than {MOST_ROWS:,} rows; read fewer, or page by page")
        return names, rows

    def write_answer(self, sql: str, readable: Readable, wanted: WantedResult, file: BinaryIO, bounds: Bounds) -> WrittenResult:
        """Here times are texts in every form."""
        import pyarrow as pa  # type: ignore[import-untyped]

        if wanted.is_ours and _are_files(readable):
            return DuckDBWarehouse().write_answer(sql, readable, wanted, file, bounds)
        names, rows = self.answer(sql, readable, as_text=wanted.form == "csv", bounds=bounds, is_ours=wanted.is_ours)
        columns = [pa.array(list(values)) for values in zip(*rows, strict=True)] if rows else [pa.array([], pa.string()) for _ in names]
        batch = pa.RecordBatch.from_arrays(columns, names=names)
        return write_result(batch.schema, [batch], replace(wanted, most=bounds.rows), file)

    def first_rows(self, published: PublishedPort, limit: int) -> Rows:
        if isinstance(published, PublishedFiles):
            return DuckDBWarehouse().first_rows(published, limit)
        return self._read(f"{port_rows(published)} limit {limit}", for_python)[1]

    def _read(
        self, statement: str, shown: Callable[[Any], Any], time: timedelta | None = None, most: int | None = None
    ) -> tuple[list[str], Rows]:
        """Column names and rows, in the order of the statement."""
        try:
            with session(self.connect, PREFIX.value(os.environ)) as opened, opened.limited(time or limits(os.environ).query):
                names, rows = opened.described(statement, most)
        except (EngineError, QueryTooSlow) as error:
            raise QueryFailed(str(error)) from error
        return names, [tuple(map(shown, row)) for row in rows]
