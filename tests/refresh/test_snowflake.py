"""Products in Snowflake, on a server that speaks its protocol: what they come to there is what they come to on DuckDB."""

import hashlib
import os
import shutil
import sys

import pytest

from platform_resources.publications.consumer_queries import queried
from platform_resources.refresh.gate import gate
from platform_resources.warehouses.protocol import QueryFailed
from platform_resources.warehouses.snowflake.sessions import connection_arguments
from platform_resources.warehouses.targets import warehouse
from tests.meshes import REPOSITORY, edited
from tests.refresh.running import running
from tests.snowflake_server import PASSWORD, give_up_early, snowflake_server

CHAIN = {"product_catalog": "sales", "purchase_orders": "sales", "revenue": "finance"}
# What is of the moment of the refresh differs, and nothing else.
READ = {
    "product_catalog": "select * from products",
    "purchase_orders": "select count(*), cast(sum(net_sales) as decimal(18, 2)), min(ordered_at), max(ordered_at), count(distinct household_id) from orders",
    "revenue": """select week_start, department, orders, order_lines, households, gross_sales, discounts, net_sales, private_label_sales,
        is_complete, is_latest_complete from weekly_revenue""",
}


class Refreshed:
    """The chain refreshed once in one warehouse: how each refresh ended, its verdicts, and the rows that consumers find."""

    def __init__(self, root):
        self.root = root
        with running(root) as mesh:
            self.done = {done.product: done for done in mesh.refresh(*CHAIN)}
            self.versions = {name: mesh.shelf(name).latest() for name in CHAIN}
        self.verdicts = {name: verdicts(root, name) for name in CHAIN}
        self.rows = {name: rows(root, name, sql) for name, sql in READ.items()}


def verdicts(root, product):
    with warehouse().opened(root, CHAIN[product], product) as database:
        return {each.title: (each.dimension, each.verdict, each.reason) for each in gate(database).verdicts}


def rows(root, product, sql):
    return sorted(queried(root, CHAIN[product], product, sql, as_text=True)[1], key=str)


# A few households are enough to compare, with promises about the number of rows that suit them.
FEWER = {
    "dataproducts/complete_journey.py": {"        from dated\n": "        from dated where household_id % 50 = 0\n"},
    "dataproducts/sales/purchase_orders/product.yaml": {
        "at_least: 100000\n": "at_least: 1000\n",
        "at_least: 1000000,": "at_least: 10000,",
    },
    "dataproducts/finance/revenue/product.yaml": {"at_least: 1000\n": "at_least: 500\n"},
}


def sample(folder):
    """The mesh of this repository with fewer rows."""
    for part in ("dataproducts", "dbt_project"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("target", "logs", "_generated.yml", "__pycache__"))
    for path, changes in FEWER.items():
        for old, new in changes.items():
            edited(folder, path, old, new)
    return folder


@pytest.fixture(scope="module")
def patched():
    """The sample's shared module is imported once in a process: other tests read all households, and these only a few."""
    with pytest.MonkeyPatch.context() as changes:
        for name in [name for name in sys.modules if name.endswith("complete_journey")]:
            changes.delitem(sys.modules, name)
        yield changes
        for name in [name for name in sys.modules if name.endswith("complete_journey")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def on_duckdb(patched, tmp_path_factory):
    patched.delenv("MESH_TARGET", raising=False)
    return Refreshed(sample(tmp_path_factory.mktemp("duckdb")))


@pytest.fixture(scope="module")
def on_snowflake(on_duckdb, patched, tmp_path_factory):
    with snowflake_server(tmp_path_factory.mktemp("server") / "log") as environment:
        for name, value in environment.items():
            patched.setenv(name, value)
        give_up_early(patched)
        yield Refreshed(sample(tmp_path_factory.mktemp("snowflake")))


def test_every_product_of_the_chain_is_published(on_snowflake):
    assert {name: (done.outcome, done.reasons) for name, done in on_snowflake.done.items()} == dict.fromkeys(CHAIN, ("published", ()))


def test_nothing_of_it_is_in_files_of_duckdb(on_snowflake):
    assert list(on_snowflake.root.rglob("*.duckdb")) == []


def test_verdicts_and_their_reasons_are_those_of_duckdb(on_duckdb, on_snowflake):
    assert timeless(on_snowflake) == timeless(on_duckdb)
    assert {len(found) for found in on_duckdb.verdicts.values()} == {6, 10, 12}


def timeless(refreshed):
    """Without the reasons of freshness, which say how long ago it was."""
    return {
        (product, title): (dimension, verdict, "" if dimension == "freshness" else reason)
        for product, found in refreshed.verdicts.items()
        for title, (dimension, verdict, reason) in found.items()
    }


def test_consumers_read_the_same_rows(on_duckdb, on_snowflake):
    assert checksums(on_snowflake) == checksums(on_duckdb)
    assert {name: len(found) > 500 for name, found in on_duckdb.rows.items() if name != "purchase_orders"} == {
        "product_catalog": True,
        "revenue": True,
    }


def checksums(refreshed):
    return {name: hashlib.sha256(repr(found).encode()).hexdigest() for name, found in refreshed.rows.items()}


def test_versions_say_the_same_of_their_ports(on_duckdb, on_snowflake):
    for name in CHAIN:
        ours, theirs = on_snowflake.versions[name], on_duckdb.versions[name]
        assert [(port.port, port.rows, port.columns) for port in ours.ports] == [
            (port.port, port.rows, port.columns) for port in theirs.ports
        ]
    assert on_snowflake.versions["revenue"].inputs["products"]["version"] == on_snowflake.versions["product_catalog"].id


def test_files_of_file_ports_hold_the_same(on_duckdb, on_snowflake):
    found = [lines_of_file(refreshed, "revenue", "weekly_revenue_file") for refreshed in (on_duckdb, on_snowflake)]
    assert found[0] == found[1] and len(found[0]) > 500


def lines_of_file(refreshed, product, port):
    """Without their last column, the time of the refresh."""
    (file,) = refreshed.root.glob(f"**/ports/*/{product}/{port}/v1/*/*.csv")
    return sorted(line.rpartition(",")[0] for line in file.read_text().splitlines())


def test_a_consumer_reads_published_versions_and_nothing_else(on_snowflake):
    root = on_snowflake.root
    joined = """with w as (select department from weekly_revenue) select count(distinct p.department) as n
        from product_catalog.products as p join w on w.department = p.department"""
    names, ((departments,),) = queried(root, "finance", "revenue", joined)
    assert names == ["n"] and departments > 10
    for refused in (
        "select * from mesh.notes",
        "select * from information_schema.tables",
        "delete from weekly_revenue",
        "select 1; select 2",
    ):
        with pytest.raises(QueryFailed):
            queried(root, "finance", "revenue", refused)


def test_steps_connect_by_the_resource_of_dagster_with_arguments_that_it_takes(on_snowflake):
    assert "dagster_snowflake" in sys.modules
    from dagster_snowflake import SnowflakeResource

    taken = SnowflakeResource(**connection_arguments(os.environ), database="X")._connection_args
    assert {taken["account"], taken["user"], taken["database"]} == {"fakesnow", "mesh", "X"}
    assert taken["session_parameters"]["TIMEZONE"] == "UTC" and taken["network_timeout"] > 0


def test_passwords_stand_nowhere(on_snowflake):
    found = [path for path in on_snowflake.root.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert found == [] and os.environ["SNOWFLAKE_PASSWORD"] == PASSWORD


def test_a_gate_that_closes_leaves_the_last_good_version(on_snowflake):
    root, model = on_snowflake.root, "dbt_project/models/sales/product_catalog/products.sql"
    edited(
        root,
        model,
        "from {{ source('product_catalog', 'assortment') }}",
        "from {{ source('product_catalog', 'assortment') }} where product_id % 2 = 0",
    )
    with running(root) as mesh:
        (done,) = mesh.refresh("product_catalog")
    assert done.outcome == "gate closed" and done.served == on_snowflake.versions["product_catalog"].id
    assert any("Products are never deleted" in reason for reason in done.reasons), done.reasons
    assert rows(root, "product_catalog", READ["product_catalog"]) == on_snowflake.rows["product_catalog"]
