"""Which warehouse a mesh is kept in."""

from platform_resources.warehouses.duckdb.warehouse import DuckDBWarehouse
from platform_resources.warehouses.protocol import Warehouse


def warehouse() -> Warehouse:
    """DuckDB, the only one that refreshes run on; `repository.dbt_target` refuses every other target."""
    return DuckDBWarehouse()
