"""Catalogs: a DuckDB file of views over published files, for SQL, JDBC and ODBC clients."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.warehouses.duckdb.port_files import port_sql
from platform_resources.warehouses.duckdb.product_database import translated
from platform_resources.warehouses.published_places import CatalogView

# The oldest version of DuckDB that opens the catalogs; 2.0 writes such that no 1.x does, unless it is told otherwise.
_OLD_CLIENTS = "v1.2.0"


def replace_catalog(file: Path, views: Sequence[CatalogView]) -> None:
    """Replace the catalog by one with these views, in one step; without views there is none."""
    if not views:
        file.unlink(missing_ok=True)
        return
    part = file.with_name(f".{file.name}.part")
    for left in (part, part.with_name(f"{part.name}.wal")):
        left.unlink(missing_ok=True)
    write_catalog(part, views)
    with suppress(FileNotFoundError):
        part.chmod(stat.S_IMODE(file.stat().st_mode))  # what was closed to others stays closed
    os.replace(part, file)


def write_catalog(file: Path, views: Iterable[CatalogView]) -> None:
    """Write a database of views over published files: what SQL, JDBC and ODBC clients open read-only, also those of DuckDB 1.2."""
    with translated(), duckdb.connect(":memory:") as connection:
        connection.execute(f"attach {literal(str(file))} as catalog (storage_version '{_OLD_CLIENTS}')")
        connection.execute("use catalog")
        for view in views:
            connection.execute(f"create or replace view {quoted(view.name)} as {port_sql(view.published)}")
            for statement in _comments(view):
                connection.execute(statement)


def _comments(view: CatalogView) -> Iterator[str]:
    if view.description:
        yield f"comment on view {quoted(view.name)} is {literal(view.description)}"
    for column, description in view.columns.items():
        if description:
            yield f"comment on column {quoted(view.name)}.{quoted(column)} is {literal(description)}"


def catalog_rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """What SQL gives on a product's catalog, as any client opens it: read only, with nothing locked. Raises EngineError."""
    with translated(), duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()
