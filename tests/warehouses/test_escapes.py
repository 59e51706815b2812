"""What a consumer's SQL tries in order to reach more than what is offered: other files, settings, the server, other readers' data."""

import duckdb
import pytest

from platform_resources.warehouses.duckdb.consuming.consumer_sql import opened_query, selects, written_query
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.written_results import WantedResult

pytestmark = pytest.mark.slow
SECRET = "of somebody else"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A view that may be read, and beside it the whole, which may not."""
    folder = tmp_path_factory.mktemp("ports") / "with 'quotes' [x]"
    (folder / "view").mkdir(parents=True)
    connection = duckdb.connect()
    for name, value in (("view/rows.parquet", "open"), ("whole.parquet", SECRET)):
        path = str(folder / name).replace("'", "''")
        connection.execute(f"copy (select 1 as n, '{value}' as text) to '{path}' (format parquet)").fetchall()
    (folder / "notes.csv").write_text(f"text\n{SECRET}\n")
    (folder / "link.parquet").symlink_to(folder / "whole.parquet")
    return folder


@pytest.fixture(scope="module")
def readable(folder):
    port = PublishedFiles((folder / "view/rows.parquet",), "parquet", {"n": "integer", "text": "varchar"})
    return selects({"main": {"rows": port}, "product": {"rows": port}})


# {here} is the folder of the view, {whole} the file beside it, both as they stand within quotes.
ESCAPES = (
    # files
    "select * from read_parquet('{whole}')",
    "select * from parquet_scan('{whole}')",
    "select * from '{whole}'",
    "select * from '{here}/view/../whole.parquet'",
    "select * from '{here}/link.parquet'",
    "select * from '{here}/*.parquet'",
    "select * from read_parquet(['{here}/view/rows.parquet', '{whole}'])",
    "select * from read_csv('{here}/notes.csv')",
    "select * from read_csv_auto('{here}/notes.csv')",
    "select * from read_json('{here}/notes.csv')",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')",
    "select * from glob('/**')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from parquet_metadata('{whole}')",
    "select * from parquet_schema('{whole}')",
    "select * from parquet_file_metadata('{here}/view/rows.parquet')",
    "select * from parquet_kv_metadata('{whole}')",
    "select (select content from read_text('/etc/passwd')) from rows",
    "select * from rows where exists (select * from read_parquet('{whole}'))",
    "with x as (select * from read_parquet('{whole}')) select * from x",
    "with recursive x as (select 1 union all select content::int from read_text('/etc/passwd')) select * from x",
    "select * from rows, lateral (select * from read_parquet('{whole}')) as y",
    "select unnest([x.text]) from '{whole}' as x",
    "from '{whole}'",
    "table '{whole}'",
    "select * from read_parquet('http://127.0.0.1:1/x.parquet')",
    "select * from 's3://bucket/x.parquet'",
    # what tells of the server, and of where files are
    "select current_setting('allowed_paths')",
    "select (select current_setting('temp_directory')) from rows",
    "select CURRENT_SETTING('allowed_paths') from rows",
    "select * from duckdb_settings()",
    "select * from duckdb_settings",
    "select sql from duckdb_views()",
    "select sql from duckdb_views",
    "select sql from system.main.duckdb_views",
    "select sql from sqlite_master",
    "select view_definition from information_schema.views",
    "select definition from pg_views",
    "select definition from pg_catalog.pg_views",
    "select * from duckdb_databases()",
    "select * from pragma_database_list",
    "select * from pragma_storage_info('rows')",
    "select * from duckdb_secrets()",
    "select * from duckdb_extensions()",
    "select * from duckdb_logs",
    "select json_serialize_plan('select * from rows')",
    "with duckdb_settings as (select 1) select 1 from (with x as (select 1) select * from x), duckdb_settings",
    # text that would run as SQL
    "select * from query('select * from duckdb_settings()')",
    "select * from query_table('duckdb_settings')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select * from duckdb_settings()'))",
    # what is no SELECT, or more than one
    "select 1; select * from read_text('/etc/passwd')",
    "copy (select 1) to '{here}/stolen.csv'",
    "explain analyze copy (select 1) to '{here}/view/rows.parquet'",
    "explain select * from rows",
    "attach '{here}/stolen.duckdb' as x",
    "attach ':memory:' as x",
    "create table x as select 1",
    "create or replace view rows as select 2",
    "insert into rows values (1)",
    "set enable_external_access = true",
    "set variable x = 1",
    "reset lock_configuration",
    "pragma database_list",
    "call pragma_database_list()",
    "install httpfs",
    "load httpfs",
    "export database '{here}'",
    "import database '{here}'",
    "use product",
    "prepare x as select 1",
    "checkpoint",
)


@pytest.mark.parametrize("sql", ESCAPES)
def test_a_query_that_tries_to_reach_more_is_refused_and_tells_nothing(folder, readable, sql, tmp_path):
    here = str(folder).replace("'", "''")
    asked = sql.format(here=here, whole=f"{here}/whole.parquet")
    with pytest.raises(QueryFailed) as refused:
        list(opened_query(asked, readable)[1])
    with (tmp_path / "result").open("wb") as file, pytest.raises(QueryFailed):
        written_query(asked, readable, WantedResult("csv"), file)
    for told in (str(refused.value), (tmp_path / "result").read_text()):
        assert SECRET not in told and "root:" not in told
    assert not (folder / "stolen.csv").exists() and not (folder / "stolen.duckdb").exists()


ALLOWED = (
    "select * from rows",
    "select * from product.rows",
    "select * from memory.product.rows",
    "with x as (select * from rows) select * from x, range(2) as r(i)",
    "with recursive x(i) as (select 1 union all select i + 1 from x where i < 3) select * from x",
    "select unnest([1, 2]), (select count(*) from rows)",
    "from rows select text",
    "describe rows",
    "select * from (values (1), (2)) as v(n)",
    "select * from rows union all select * from product.rows",
    "select * from unnest([1]) as u(x), generate_series(1, 2)",
)


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_reads_only_what_is_offered_is_answered(readable, sql):
    assert [row for batch in opened_query(sql, readable)[1] for row in batch]


def test_there_are_fifty_ways_out_and_more():
    assert len(set(ESCAPES)) >= 50
