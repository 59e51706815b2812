"""Each warehouse in turn, with a product's database that is empty."""

import pytest

from platform_resources.warehouses.duckdb.warehouse import DuckDBWarehouse

WAREHOUSES = {"duckdb": DuckDBWarehouse}


@pytest.fixture(params=WAREHOUSES)
def warehouse(request):
    return WAREHOUSES[request.param]()


@pytest.fixture
def database(warehouse, tmp_path):
    with warehouse.opened(tmp_path / "warehouse/plant/readings.duckdb") as opened:
        yield opened
