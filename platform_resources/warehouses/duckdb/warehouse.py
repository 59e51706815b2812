"""DuckDB as a warehouse: one database file per product, and published files that anybody reads without a lock."""

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from platform_resources.warehouses.duckdb import catalogs, product_database
from platform_resources.warehouses.duckdb.consumer_sql import opened_query, selects
from platform_resources.warehouses.duckdb.foreign_queries import answer
from platform_resources.warehouses.limits import limits
from platform_resources.warehouses.protocol import CatalogView, ProductDatabase, PublishedFiles, Readable, Rows


class DuckDBWarehouse:
    """What `warehouses.protocol` asks of a warehouse, in this process and on this machine's disk."""

    def opened(self, file: Path) -> AbstractContextManager[ProductDatabase]:
        return product_database.opened(file)

    def write_catalog(self, file: Path, views: Iterable[CatalogView]) -> None:
        catalogs.write_catalog(file, views)

    def catalog_rows(self, file: Path, sql: str) -> Rows:
        return catalogs.catalog_rows(file, sql)

    def answer(self, sql: str, readable: Readable, *, as_text: bool = False) -> tuple[list[str], Rows]:
        """In a process of its own, with at most 2 GiB of memory and the time of one query of an audit."""
        return answer(sql, selects(readable), limits(os.environ).query, as_text=as_text)

    def first_rows(self, published: PublishedFiles, limit: int) -> Rows:
        _, batches = opened_query(f"select * from port limit {limit}", selects({"main": {"port": published}}))
        return [row for batch in batches for row in batch]
