"""Products in Snowflake, on a server that speaks its protocol: what they come to there is what they come to on DuckDB."""

import os
import sys
from dataclasses import replace

import pytest

from platform_resources.publications.consumer_queries import queried
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.snowflake.sessions import connection_arguments
from platform_resources.warehouses.targets import warehouse
from tests.meshes import edited
from tests.refresh.running import running
from tests.snowflake_mesh import checksums, differences, refreshed, sample
from tests.snowflake_server import PASSWORD, give_up_early, snowflake_server

pytestmark = pytest.mark.account
CHAIN = ("product_catalog", "purchase_orders", "revenue")


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
    return refreshed(sample(tmp_path_factory.mktemp("duckdb"), CHAIN), CHAIN)


@pytest.fixture(scope="module")
def on_snowflake(on_duckdb, patched, tmp_path_factory):
    with snowflake_server(tmp_path_factory.mktemp("server") / "log") as environment:
        for name, value in environment.items():
            patched.setenv(name, value)
        give_up_early(patched)
        yield refreshed(sample(tmp_path_factory.mktemp("snowflake"), CHAIN), CHAIN)


def test_every_product_of_the_chain_is_published(on_snowflake):
    assert {name: outcome.ended for name, outcome in on_snowflake.outcomes.items()} == dict.fromkeys(CHAIN, (("published", ()),))


def test_nothing_of_it_is_in_files_of_duckdb(on_snowflake):
    assert list(on_snowflake.root.rglob("*.duckdb")) == []


def test_verdicts_their_reasons_and_the_values_of_every_column_are_those_of_duckdb(on_duckdb, on_snowflake):
    for name, ours in on_duckdb.outcomes.items():
        assert list(differences(ours, on_snowflake.outcomes[name])) == []
    assert {len(outcome.verdicts) for outcome in on_duckdb.outcomes.values()} == {6, 10, 16}
    assert {len(outcome.checksums) for outcome in on_duckdb.outcomes.values()} == {8, 12, 25}
    assert on_duckdb.outcomes["revenue"].checksums["weekly_revenue"] != "0 rows"


def test_what_differs_is_told(on_duckdb):
    ours = on_duckdb.outcomes["revenue"]
    other = replace(ours, ended=(("gate closed", ("why",)),), checksums={**ours.checksums, "weekly_revenue": "3 rows"})
    assert [text.partition(":")[0] for text in differences(ours, other)] == [
        "its refreshes ended as (('gate closed', ('why',)),), on DuckDB as (('published', ()),)",
        "values of weekly_revenue",
    ]


def test_the_catalog_for_sql_clients_shows_what_is_published(on_snowflake):
    counted = warehouse().catalog_rows(on_snowflake.root, "sales", "product_catalog", "select count(*) from products")
    assert f"{counted[0][0]} rows" == on_snowflake.outcomes["product_catalog"].checksums["products"]


def test_versions_say_the_same_of_their_ports(on_duckdb, on_snowflake):
    for name in CHAIN:
        ours, theirs = on_snowflake.outcomes[name].version, on_duckdb.outcomes[name].version
        assert [(port.port, port.rows, port.columns) for port in ours.ports] == [
            (port.port, port.rows, port.columns) for port in theirs.ports
        ]
    version = on_snowflake.outcomes["revenue"].version
    assert version.inputs["products"]["version"] == on_snowflake.outcomes["product_catalog"].version.id


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
    served = on_snowflake.outcomes["product_catalog"]
    assert done.outcome == "gate closed" and done.served == served.version.id
    assert any("Products are never deleted" in reason for reason in done.reasons), done.reasons
    assert checksums(root, mesh.plan, "product_catalog") == served.checksums
