"""Which warehouse a mesh is kept in: the environment says, so every process of it knows."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from platform_resources.plan.conventions import SNOWFLAKE
from platform_resources.settings import SERVING, TARGET
from platform_resources.warehouses.duckdb.warehouse import DuckDBWarehouse
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Warehouse
from platform_resources.warehouses.table_servers import ServingStore

# user:password@host:port,host/database?name=value, where nothing of a password can be taken for another part.
_URL = re.compile(
    r"postgres(?:ql)?://(?:(?:[^\s@/%]|%[0-9A-Fa-f]{2})*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s@%/?:\[]|:\d*(?=[,/?]|$))*(?:[/?](?:[^\s@%]|%[0-9A-Fa-f]{2})*)?"
)


def warehouse(connect: Callable[[Mapping[str, Any]], AbstractContextManager[Any]] | None = None) -> Warehouse:
    """Snowflake where MESH_TARGET says so, otherwise DuckDB; `repository.dbt_target` refuses what is neither. Raises SettingInvalid.

    `connect` makes the connections that the engine needs, from the arguments that it is given; without it the engine makes them itself.
    """
    if TARGET.value(os.environ) != SNOWFLAKE:
        return DuckDBWarehouse()
    try:
        from platform_resources.warehouses.snowflake.account import SnowflakeWarehouse
    except ModuleNotFoundError as error:
        message = f"{TARGET.name} is {SNOWFLAKE}, and {error.name} is not installed; run: pip install 'platform-resources[snowflake]'"
        raise SettingInvalid(message) from error
    return SnowflakeWarehouse(connect) if connect is not None else SnowflakeWarehouse()


def scratch() -> Warehouse:
    """An engine on this machine, wherever the mesh is kept: to look at data before there is a product."""
    return DuckDBWarehouse()


def serving_store() -> ServingStore:
    """The server that shows the newest version of products beside their files. Raises SettingInvalid."""
    url = SERVING.value(os.environ)
    if not url:
        raise SettingInvalid(f"{SERVING.name} is not set; it is the URL of a database, such as postgresql://mesh:password@db/shop")
    if not _URL.fullmatch(url):  # the driver's own message would quote it
        raise SettingInvalid(f"{SERVING.name} is no URL of a database; in a password, write all but letters and digits like %40 for @")
    try:
        from platform_resources.warehouses.postgres.served_schemas import PostgresServing
    except ModuleNotFoundError as error:
        raise SettingInvalid(f"{error.name} is not installed; run: pip install 'platform-resources[serving]'") from error
    return PostgresServing(url)


@contextmanager
def serving_here(state: Path, port: int) -> Iterator[Path]:
    """A server of tables on this computer, for as long as the block runs; gives the file with its address, which is in the environment too.

    Raises SettingInvalid if another one is named already or its packages are missing, and ServingFailed if it does not start.
    """
    if SERVING.value(os.environ):
        raise SettingInvalid(f"{SERVING.name} names a server of tables already; unset it to run one here")
    try:
        from platform_resources.warehouses.postgres.own_server import own_server
    except ModuleNotFoundError as error:
        raise SettingInvalid(f"{error.name} is not installed; run: pip install 'platform-resources[serving,embedded]'") from error
    with own_server(state, port) as (file, url):
        os.environ[SERVING.name] = url
        yield file
