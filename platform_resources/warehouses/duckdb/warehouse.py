"""DuckDB as a warehouse: one database file per product, and published files that anybody reads without a lock."""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from platform_resources.access.role_folders import AccessChange
from platform_resources.capabilities.work import ModelWork
from platform_resources.plan import conventions
from platform_resources.plan.tenancy import MeshTenancy, ProductTenancy
from platform_resources.settings import DBT_DATABASE
from platform_resources.warehouses.limits import MEMORY_VARIABLE, limits
from platform_resources.warehouses.protocol import Bounds, ProductDatabase, Rows, VersionRows
from platform_resources.warehouses.published_places import CatalogView, GivenViews, PublishedPort, Readable
from platform_resources.warehouses.written_results import WantedResult, WrittenResult


class DuckDBWarehouse:
    """What `warehouses.protocol` asks of a warehouse, in this process and on this machine's disk.

    The engine is imported when data is touched: whoever only asks what kind of warehouse it is does not wait for it.
    """

    kind = "duckdb"

    def opened(self, state: Path, domain: str, product: str) -> AbstractContextManager[ProductDatabase]:
        from platform_resources.warehouses.duckdb import product_database

        return product_database.opened(state / conventions.database_file(domain, product))

    def version_rows(self, domain: str, product: str) -> VersionRows | None:
        """None: versions are files, since a writer locks its database against readers too."""
        return None

    def products(self, state: Path) -> tuple[tuple[str, str], ...]:
        files = sorted(state.glob(conventions.database_file("*", "*")))
        return tuple((file.parent.name, file.stem) for file in files)

    def asks_for_work(self) -> str:
        return "set enable_profiling = 'no_output'"

    def work_of(self, model: str, profile: str, seconds: float, cpu_seconds: float) -> ModelWork | None:
        from platform_resources.warehouses.duckdb.statement_profiles import model_work

        return model_work(model, profile, seconds, cpu_seconds)

    def dbt_variables(self, state: Path, domain: str, product: str) -> dict[str, str]:
        """Which database to build in, with how much memory."""
        file = state / conventions.database_file(domain, product)
        return {DBT_DATABASE.name: str(file), MEMORY_VARIABLE: limits(os.environ).memory}

    def lend(self, state: Path, domain: str, product: str, own: Path) -> int:
        from platform_resources.warehouses.duckdb import lending

        lock = state / conventions.lock_file(domain, product)
        return lending.lend(state / conventions.database_file(domain, product), lock, own, product)

    def clone(self, product: str, data_sets: Mapping[str, PublishedPort], into: str, hidden: Collection[str] = ()) -> dict[str, int]:
        from platform_resources.warehouses.duckdb import lending

        return lending.clone(product, data_sets, Path(into), hidden)

    def save_rows(self, published: PublishedPort, file: Path) -> int:
        from platform_resources.warehouses.duckdb import lending

        return lending.save_rows(published, file)

    def remove(self, state: Path, domain: str, product: str) -> None:
        """The file with what was committed last goes first: without its database it is of no use."""
        database = state / conventions.database_file(domain, product)
        for file in (database.with_name(f"{database.name}.wal"), database):
            file.unlink(missing_ok=True)

    def show(self, state: Path, domain: str, product: str, views: Sequence[CatalogView]) -> None:
        from platform_resources.warehouses.duckdb import catalogs

        catalogs.replace_catalog(state / conventions.catalog_file(domain, product), views)

    def use_between(self, since: datetime, until: datetime) -> None:
        """Nobody reads files through an engine that could note it."""

    def take_over(self, domain: str, former: str, product: str) -> None:
        """All that there is of a product are files."""

    def write_catalog(self, file: Path, views: Sequence[CatalogView]) -> None:
        from platform_resources.warehouses.duckdb import catalogs

        catalogs.replace_catalog(file, views)

    def access_changes(self, tenancy: MeshTenancy, given: GivenViews, only: str = "") -> tuple[AccessChange, ...]:
        """None: what readers have are folders of files, which belong to the operating system."""
        return ()

    def make_so(self, changes: Sequence[AccessChange]) -> tuple[str, ...]:
        return ()

    def show_to_roles(self, product: ProductTenancy, views: Mapping[str, Sequence[CatalogView]]) -> None:
        """Folders have catalogs of their own."""

    def catalog_address(self, state: Path, domain: str, product: str) -> str:
        return str(state / conventions.catalog_file(domain, product))

    def catalog_rows(self, state: Path, domain: str, product: str, sql: str) -> Rows:
        from platform_resources.warehouses.duckdb import catalogs

        return catalogs.catalog_rows(state / conventions.catalog_file(domain, product), sql)

    def answer(
        self, sql: str, readable: Readable, *, as_text: bool = False, bounds: Bounds | None = None, is_ours: bool = False
    ) -> tuple[list[str], Rows]:
        """In a process of its own, with at most 2 GiB of memory and the time of one query of an audit."""
        from platform_resources.warehouses.duckdb.consuming.consumer_sql import selects
        from platform_resources.warehouses.duckdb.consuming.foreign_queries import answer

        return answer(sql, selects(readable), limits(os.environ).query, as_text=as_text, bounds=bounds)

    def write_answer(self, sql: str, readable: Readable, wanted: WantedResult, file: BinaryIO, bounds: Bounds) -> WrittenResult:
        """In a process of its own, as `answer`, which writes to the file itself."""
        from platform_resources.warehouses.duckdb.consuming.consumer_sql import selects
        from platform_resources.warehouses.duckdb.consuming.foreign_queries import write_answer

        return write_answer(sql, selects(readable), wanted, file, bounds)

    def first_rows(self, published: PublishedPort, limit: int) -> Rows:
        from platform_resources.warehouses.duckdb.consuming.consumer_sql import opened_query, selects

        _, batches = opened_query(f"select * from port limit {limit}", selects({"main": {"port": published}}))
        return [row for batch in batches for row in batch]
