"""Each warehouse in turn, with a product's database that is empty, and where its versions are kept."""

import itertools

import pytest

from platform_resources.publications.published_versions import shelf
from platform_resources.warehouses.targets import warehouse as chosen_warehouse
from tests.snowflake_server import give_up_early, snowflake_server, trial

NUMBERS = itertools.count(1)
TARGETS = ("duckdb", "snowflake")


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """The environment that leads to a stand-in for Snowflake."""
    with snowflake_server(tmp_path_factory.mktemp("snowflake") / "log") as environment:
        yield environment


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.account if name == "snowflake" else ()) for name in TARGETS])
def warehouse(request, monkeypatch):
    """The one that MESH_TARGET chooses; in Snowflake each test has databases of its own."""
    environment = {"MESH_TARGET": "duckdb"}
    if request.param == "snowflake":
        environment = {**request.getfixturevalue("account"), "SNOWFLAKE_DATABASE": trial(f"TEST{next(NUMBERS)}")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if request.param == "snowflake":
        give_up_early(monkeypatch)
    chosen = chosen_warehouse()
    assert chosen.kind == request.param
    return chosen


@pytest.fixture
def opened(warehouse, tmp_path):
    """What opens the product's database."""
    return lambda: warehouse.opened(tmp_path, "plant", "readings")


@pytest.fixture
def database(opened):
    with opened() as database:
        yield database


@pytest.fixture
def versions(warehouse, tmp_path):
    return shelf(tmp_path, "plant", "readings")
