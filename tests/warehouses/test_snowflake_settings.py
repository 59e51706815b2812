"""How Snowflake is reached: what the environment must say, what products' databases are called, and what errors keep to themselves."""

import ast
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

import platform_resources
from platform_resources.capabilities.measures import Relation
from platform_resources.warehouses.engine_errors import EngineError, NotSupported, QueryFailed, StatementRefused
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.published_places import PublishedFiles, PublishedRows
from platform_resources.warehouses.snowflake.column_kinds import reported_kind, stored_kind
from platform_resources.warehouses.snowflake.consumer_statements import as_text, published_statement
from platform_resources.warehouses.snowflake.sessions import (
    connection_arguments,
    database_name,
    errors_translated,
    product_of_database,
    relation_name,
)
from platform_resources.warehouses.snowflake.version_tables import port_rows

SAID = {
    "SNOWFLAKE_ACCOUNT": "acme-1",
    "SNOWFLAKE_USER": "mesh",
    "SNOWFLAKE_ROLE": "LOADER",
    "SNOWFLAKE_WAREHOUSE": "SMALL",
    "SNOWFLAKE_DATABASE": "Mesh_Test",
    "SNOWFLAKE_PASSWORD": "hush-hush",
}
PORT = PublishedRows("MESH__PLANT__READINGS", "measurements", "20240601T060000.000001Z", {"reading_id": "bigint", "Größe": "double"})
READABLE = {"main": {"measurements": PORT}, "readings": {"measurements": PORT}}
ROWS = """(SELECT "READING_ID", "Größe" FROM "MESH__PLANT__READINGS".VERSIONS."MEASUREMENTS" WHERE _MESH_VERSION = '20240601T060000.000001Z')"""


def test_what_is_not_set_is_named():
    with pytest.raises(SettingInvalid) as refused:
        connection_arguments({name: value for name, value in SAID.items() if name not in ("SNOWFLAKE_ROLE", "SNOWFLAKE_PASSWORD")})
    assert "SNOWFLAKE_ROLE, SNOWFLAKE_PASSWORD, SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_AUTHENTICATOR" in str(refused.value)


@pytest.mark.parametrize(
    ("said", "sent", "kept_back"),
    [
        (
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "mesh.p8", "SNOWFLAKE_AUTHENTICATOR": "oauth", "SNOWFLAKE_TOKEN": "t"},
            "private_key_path",
            "password",
        ),
        ({"SNOWFLAKE_AUTHENTICATOR": "username_password_mfa"}, "password", "private_key_path"),
        ({"SNOWFLAKE_AUTHENTICATOR": "externalbrowser", "SNOWFLAKE_PASSWORD": ""}, "authenticator", "password"),
    ],
)
def test_a_key_goes_before_all_other_ways_to_sign_in_as_dbt_s_connector_has_it(said, sent, kept_back):
    found = connection_arguments({**SAID, **said})
    assert sent in found and kept_back not in found


def test_a_token_that_oauth_needs_is_named_where_it_is_not_set():
    with pytest.raises(SettingInvalid, match="are not set: SNOWFLAKE_TOKEN; docs"):
        connection_arguments({**SAID, "SNOWFLAKE_AUTHENTICATOR": "oauth"})


def test_a_request_that_is_not_answered_is_given_up():
    found = connection_arguments(SAID)
    assert found["network_timeout"] > 0 and found["login_timeout"] > 0
    assert (found["account"], found["role"], found["password"]) == ("acme-1", "LOADER", "hush-hush")


def test_a_product_has_a_database_of_its_own_which_tells_whose_it_is():
    name = database_name("plant", "sensor_readings", SAID)
    assert name == "MESH_TEST__PLANT__SENSOR_READINGS"
    assert product_of_database(name, SAID) == ("plant", "sensor_readings")
    assert [product_of_database(other, SAID) for other in ("MESH_TEST", "OTHER__A__B", "MESH_TEST__A", "MESH_TEST__A__B__C")] == [None] * 4
    with pytest.raises(NotSupported, match="sensor__readings cannot be on Snowflake"):
        database_name("plant", "sensor__readings", SAID)


def test_names_are_called_as_they_are_without_quotes():
    assert relation_name(Relation("internal", "größe")) == '"INTERNAL"."größe"'


@pytest.mark.parametrize(
    ("kind", "stored", "reported"),
    [
        ("integer", "number(38,0)", ("NUMBER", 38, 0)),
        ("decimal(18,2)", "number(18,2)", ("NUMBER", 18, 2)),
        ("double", "float", ("FLOAT", None, None)),
        ("timestamp", "timestamp_ntz(6)", ("TIMESTAMP_NTZ", None, None)),
        ("timestamptz", "timestamp_tz(6)", ("TIMESTAMP_TZ", None, None)),
        ("varchar", "varchar", ("TEXT", None, None)),
        ("date", "date", ("DATE", None, None)),
    ],
)
def test_types_are_stored_and_read_back(kind, stored, reported):
    assert stored_kind("x", kind) == stored
    assert reported_kind(*reported) == ("bigint" if kind == "integer" else kind)


def test_a_type_that_cannot_be_loaded_is_refused_with_its_column():
    with pytest.raises(NotSupported, match=r"column places is varchar\[\], which cannot be loaded into Snowflake yet"):
        stored_kind("places", "varchar[]")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from measurements", f"SELECT * FROM {ROWS} AS measurements"),
        ("select m.* from readings.measurements as m", f"SELECT m.* FROM {ROWS} AS m"),
        ("with w as (select 1 as n) select * from w", "WITH w AS (SELECT 1 AS n) SELECT * FROM w"),
        ("select haversine(1, 2, 3, sum(n)) from measurements", f"SELECT HAVERSINE(1, 2, 3, SUM(n)) FROM {ROWS} AS measurements"),
        (
            "select 1 from measurements a join measurements b on a.reading_id = b.reading_id",
            f"SELECT 1 FROM {ROWS} AS a JOIN {ROWS} AS b ON a.reading_id = b.reading_id",
        ),
    ],
)
def test_a_consumer_reads_the_rows_of_exactly_one_version(sql, expected):
    assert published_statement(sql, READABLE) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "select * from other",
        "select * from mesh.notes",
        "select * from x.readings.measurements",
        "select * from @stage/file",
        "select * from table(result_scan(last_query_id()))",
        "select * from measurements at (offset => -60)",
        "select (select max(record) from mesh.notes) from measurements",
        "with measurements as (select * from internal.measurements) select * from measurements",
        "delete from measurements",
        "create table x as select * from measurements",
        "select 1; select 2",
        "show tables",
        "call system$wait(1)",
        "select system$cancel_query('01b') from measurements",
        "select get_ddl('view', 'X.AS_CRM.CUSTOMERS') from measurements",
        "select (select get_presigned_url(@x.mesh.files, 'keys') from measurements)",
        "with w as (select ai_complete('m', sensor) from measurements) select * from w",
        "select snowflake.cortex.complete('m', sensor) from measurements",
        "select x.inputs.own_function(sensor) from measurements",
        "selec 1",
    ],
)
def test_whatever_else_a_consumer_writes_is_refused(sql):
    with pytest.raises(QueryFailed):
        published_statement(sql, READABLE)


def test_a_file_is_not_read_there():
    with pytest.raises(NotSupported, match="is a file, which Snowflake does not read"):
        port_rows(PublishedFiles(("a.csv",), "csv", {"id": "bigint"}))


def test_values_are_texts_as_elsewhere():
    from datetime import UTC, date, datetime
    from decimal import Decimal

    values = (None, True, Decimal("1.50"), date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3, 120000), datetime(1, 1, 1, tzinfo=UTC))
    assert [as_text(each) for each in values] == [None, "true", "1.50", "2024-02-29", "2024-02-29 01:02:03.12", "0001-01-01 00:00:00+00"]


@pytest.mark.parametrize(("state", "expected"), [("42000", StatementRefused), ("22018", EngineError)])
def test_errors_keep_passwords_to_themselves_and_say_whether_they_may_quote_values(monkeypatch, state, expected):
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "hush-hush-4711")
    with pytest.raises(EngineError) as raised, errors_translated():
        raise ProgrammingError("login of mesh with hush-hush-4711 failed", errno=1, sqlstate=state)
    assert type(raised.value) is expected and "hush" not in str(raised.value) and "login of mesh" in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_nothing_of_snowflake_is_imported_where_duckdb_runs():
    """Its import takes longer than a refresh: outside its folder it stands within functions alone, which only Snowflake needs."""
    package = Path(platform_resources.__file__).parent
    importing = {
        file.relative_to(package).as_posix(): node.lineno
        for file in package.rglob("*.py")
        if file.parent.name != "snowflake"
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        for name in imported(node)
        if name.partition(".")[0] in ("snowflake", "dagster_snowflake") or ".warehouses.snowflake" in name
    }
    assert importing == {}


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
