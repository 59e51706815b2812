"""Copy a product's inputs and models, or what it has published, into a database of an analyst's own."""

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.plan import conventions
from platform_resources.warehouses.duckdb.port_files import copy_sql, port_sql
from platform_resources.warehouses.duckdb.product_database import SCHEMAS, translated
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.published_places import PublishedPort

_WAIT = 60.0


def lend(source: Path, lock: Path, own: Path, product: str) -> int:
    """Replace the product's schemas in the database `own` by what its last refresh left; gives the number of tables.

    The product's file is open for reading meanwhile, under the lock of refreshes. Raises EngineError.
    """
    if not source.exists():
        raise EngineError(f"{product} has no data yet; mesh refresh {product} makes it")
    own.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=_WAIT), translated(), duckdb.connect(str(own)) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"attach {literal(str(source))} as {quoted(source.stem)} (read_only)")
            return sum(_copied(connection, source.stem, product, schema) for schema in SCHEMAS)
    except Timeout:
        raise EngineError(f"{product} is being refreshed; try again when it is done") from None


def clone(product: str, data_sets: Mapping[str, PublishedPort], file: Path, hidden: Collection[str] = ()) -> dict[str, int]:
    """Copy published files into tables of a database, in a schema that is called as the product. All or nothing. Raises EngineError."""
    rows = dict[str, int]()
    with translated(), duckdb.connect(str(file)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("begin")
        connection.execute(f"create schema if not exists {quoted(product)}")
        for name in hidden:
            connection.execute(f"drop table if exists {quoted(product)}.{quoted(name)}")
        for name, published in data_sets.items():
            table = f"{quoted(product)}.{quoted(name)}"
            connection.execute(f"create or replace table {table} as {port_sql(published)}")
            rows[f"{file}: {product}.{name}"] = int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])
        connection.execute("commit")
    return rows


def save_rows(published: PublishedPort, file: Path) -> int:
    """Write published files to one Parquet file; gives its number of rows. Raises EngineError."""
    with translated(), duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        saved = connection.execute(copy_sql(f"({port_sql(published)})", published.columns, file, "parquet"))
        return int(saved.fetchall()[0][0])


def _copied(connection: duckdb.DuckDBPyConnection, database: str, product: str, schema: str) -> int:
    target = quoted(conventions.analyst_schema(product, schema))
    connection.execute(f"drop schema if exists {target} cascade")
    connection.execute(f"create schema {target}")
    listed = "select table_name from information_schema.tables where table_catalog = ? and table_schema = ? order by 1"
    names = connection.execute(listed, [database, schema]).fetchall()
    for (name,) in names:
        connection.execute(f"create table {target}.{quoted(name)} as from {quoted(database)}.{quoted(schema)}.{quoted(name)}")
    return len(names)
