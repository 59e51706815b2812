"""Which warehouse a mesh is kept in."""

from platform_resources.warehouses.duckdb.warehouse import DuckDBWarehouse
from platform_resources.warehouses.protocol import Warehouse


def warehouse() -> Warehouse:
    """The only one that refreshes run on so far; `warehouse_problems` refuses every other."""
    return DuckDBWarehouse()
