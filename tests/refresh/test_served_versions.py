"""A port of the interface `postgres`: the server shows what is published, to those who may read it, and never another version than the files."""

import os
import re
import shutil
import signal
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.publications import shared_pointer
from platform_resources.publications.port_probes import Probe, answers
from platform_resources.publications.published_versions import Shelf, shelf
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.publishing import Candidate, NotPublishable, publish, tidied
from platform_resources.refresh.views.mask_keys import new_key
from platform_resources.services.access.access_plan import access_plan, apply_access
from platform_resources.settings import SERVING
from platform_resources.warehouses.duckdb.port_files import copy_sql
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import DatabaseBusy
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.postgres.served_schemas import PostgresServing
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.table_servers import ServedReaders, ServedSchema, ServedTable, ServingFailed
from platform_resources.warehouses.targets import serving_store, warehouse
from tests.ledger.ledgers import new_database, start, started
from tests.meshes import edited, product_file
from tests.publications.conftest import elsewhere, share
from tests.refresh.test_published_views import NOW, ROWS, mesh_of

pytestmark = pytest.mark.slow
FILE = product_file("crm", "customers")
EVERYTHING = "select * from customers.customers order by id"
READERS = ("ana", "product:calls", "lead@example.com", "stranger")


@pytest.fixture(scope="module")
def server():
    server = started(Path(tempfile.mkdtemp(prefix="served")))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for reader in READERS:
            connection.execute(f'create role "{reader}" login')
    yield server
    server.cleanup()


@pytest.fixture
def url(server, monkeypatch):
    """A database of its own."""
    url = new_database(server.get_uri().replace("postgresql://", "postgresql+psycopg2://")).replace("+psycopg2", "")
    monkeypatch.setenv(SERVING.name, url)
    return url


@pytest.fixture
def root(tmp_path, url):
    root = mesh_of(tmp_path / "mesh", ports=("format: parquet", "format: csv"))
    edited(
        root, FILE, "interface: file\n        data_set: customers\n        format: csv", "interface: postgres\n        data_set: customers"
    )
    new_key(root)
    return root


def refreshed(root, minutes=0, rows=ROWS, file="customers.duckdb", state=None):
    """What a refresh does once the gate is open; gives the warnings of what follows the publication."""
    plan, problems = read_plan(root)
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    product, now = plan.product("customers"), NOW + timedelta(minutes=minutes)
    candidate = Candidate(product, state or root, now, "run", "print")
    with opened(root / file) as database:
        database.connection.execute(rows)
        publication = publish(database, candidate, {})
    return list(tidied(candidate, publication, root, KnownGrants()))


def read(url, sql=EVERYTHING, reader="lead@example.com"):
    with psycopg.connect(url, user=reader) as connection:
        return connection.execute(sql).fetchall()


def versions(root, url):
    """The version that files show, and the one that the server shows."""
    latest = shelf(root, "crm", "customers").latest()
    return latest.id if latest else "", PostgresServing(url).shown("customers")


def schemas(url):
    with psycopg.connect(url) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname like 'customers%' order by 1").fetchall()
    return [name for (name,) in found]


def test_each_reader_finds_what_the_grant_gives_and_nothing_else(root, url):
    assert refreshed(root) == []
    mine = {"ana": [], "product:calls": [], "lead@example.com": [], "stranger": []}
    for reader in READERS:
        for schema in schemas(url):
            with suppress(psycopg.errors.InsufficientPrivilege):
                mine[reader].append((schema, read(url, f'select * from "{schema}".customers order by id', reader)))
    ((schema, rows),) = mine["ana"]
    assert (schema.startswith("customers__analyst_region_eu_"), rows) == (True, [(1, "EU", "***")])
    ((schema, rows),) = mine["product:calls"]
    assert (schema, rows[0]) == ("customers__crm", (1, "EU", "CANARY-personal-1@example.com"))
    ((schema, rows),) = mine["lead@example.com"]
    assert (schema, len(rows), len(rows[0])) == ("customers", 3, 5)
    assert mine["stranger"] == []


@pytest.mark.parametrize(
    "attempt",
    [
        'set role "lead@example.com"',
        'set session authorization "lead@example.com"',
        "select * from customers.customers",
        'grant "customers__crm@{database}" to ana',
        "alter schema customers__crm rename to mine",
        "create table customers__crm.mine (a int)",
        "drop table customers__crm.customers",
    ],
)
def test_a_reader_gets_no_further_by_what_a_user_can_set(root, url, attempt):
    refreshed(root)
    with psycopg.connect(url, user="ana", autocommit=True) as connection:
        attempt = attempt.replace("{database}", connection.info.dbname)
        connection.execute("set row_security = off")
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
            connection.execute(attempt)


def test_who_has_lost_its_claim_leaves_the_version_of_its_successor_on_the_server(root, url, monkeypatch):
    refreshed(root)

    def lost(shelves, publication):
        monkeypatch.undo()
        monkeypatch.setenv(SERVING.name, url)
        for minutes in (7, 8):
            assert refreshed(root, minutes, file="elsewhere.duckdb") == []
        raise DatabaseBusy("another one has claimed it since")

    monkeypatch.setattr(Shelf, "publish", lost)
    with pytest.raises(DatabaseBusy):
        refreshed(root, 5)
    published, shown = versions(root, url)
    assert (published[:13], shown) == ((NOW + timedelta(minutes=8)).strftime("%Y%m%dT%H%M"), published)


def test_who_was_taken_over_while_it_stood_still_shows_nothing_at_any_moment(root, url, bucket, monkeypatch, tmp_path):
    share(bucket, monkeypatch)
    monkeypatch.setenv("MESH_LEASE", "0.1s")
    shutil.copytree(root / ".mesh", tmp_path / "other/.mesh")
    asleep, other = (shelf(state, "crm", "customers") for state in (root, tmp_path / "other"))
    assert asleep.claim() == "" and refreshed(root) == []
    show, load, shown = PostgresServing.show, PostgresServing.load, []

    def taken_over(store, product, version, schemas):
        load(store, product, version, schemas)
        monkeypatch.setattr(PostgresServing, "load", load)
        held = elsewhere()
        for _ in range(1_000):
            if not other.claim():
                break
            time.sleep(0.02)
        else:
            pytest.fail("a lease of 0.1 s does not end")
        assert refreshed(root, 5, file="elsewhere.duckdb", state=tmp_path / "other") == []
        elsewhere()
        shared_pointer._HELD.update(held)

    monkeypatch.setattr(PostgresServing, "show", lambda store, product, version: (shown.append(version), show(store, product, version)))
    monkeypatch.setattr(PostgresServing, "load", taken_over)
    with pytest.raises(DatabaseBusy, match="has claimed it since"):
        refreshed(root, 1)
    newest = other.latest()
    assert shown == [newest.id] == [PostgresServing(url).shown("customers")]
    product = read_plan(root)[0].product("customers")
    (told,) = tidied(Candidate(product, root, NOW, "run", "print"), newest, root, KnownGrants())
    assert "what follows a publication is left to the next one" in told and "has claimed it since" in told


def test_a_machine_that_has_published_nothing_gets_the_catalog_of_sql_clients_where_access_is_given(
    root, url, bucket, monkeypatch, tmp_path
):
    share(bucket, monkeypatch)
    port = "\n        data_set: customers"
    edited(root, FILE, f"interface: file{port}\n        format: parquet", f"interface: sql{port}")
    plan = read_plan(root)[0]
    with locked(root, plan.product("customers"), 0):
        assert refreshed(root) == []
    assert apply_access(tmp_path / "other", plan, KnownGrants(), NOW) == ()
    assert warehouse().catalog_rows(tmp_path / "other", "crm", "customers", "select count(*) from customers") == [(3,)]


def test_readers_find_one_version_whole_while_another_is_published(root, url):
    refreshed(root)
    stop, seen, errors = threading.Event(), set(), []

    def look():
        with psycopg.connect(url, user="lead@example.com", autocommit=True) as connection:
            try:
                while not stop.is_set():
                    seen.add(connection.execute("select count(*), max(note) from customers.customers").fetchone())
            except psycopg.Error as error:
                errors.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for minute in range(1, 4):
            more = f"{ROWS}; insert into internal.customers select 3 + n, 'EU', null, 'x', 'later' from range(10 * {minute}) as r(n)"
            assert refreshed(root, minute, more) == []
    finally:
        stop.set()
        thread.join()
    assert errors == []
    whole = {(3, "CANARY-unclassified-3"), (13, "later"), (23, "later"), (33, "later")}
    assert seen <= whole and len(seen) > 1
    assert [name for name in schemas(url) if "__2026" in name] == []


def test_a_reader_in_a_transaction_keeps_a_former_version_until_it_ends(root, url):
    refreshed(root)
    with psycopg.connect(url, user="lead@example.com") as reader:
        assert len(reader.execute(EVERYTHING).fetchall()) == 3
        (told,) = refreshed(root, 1)
        assert "a former version stays on the server" in told and "lock timeout" in told
    assert refreshed(root, 2) == []
    assert schemas(url) == [name for name in schemas(url) if "__2026" not in name]


def test_what_readers_have_made_of_a_version_is_not_taken_away(root, url):
    refreshed(root)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute('create schema own; grant all on schema own to "lead@example.com"')
    with psycopg.connect(url, user="lead@example.com", autocommit=True) as reader:
        reader.execute("create view own.first as select * from customers.customers where id = 1")
        (told,) = refreshed(root, 1)
        assert "other objects depend on" in told
        assert len(reader.execute("select * from own.first").fetchall()) == 1


def killed(server):
    os.kill(server.get_pid(), signal.SIGKILL)


@pytest.mark.parametrize("step", ["load", "show"])
def test_files_are_not_ahead_of_a_server_that_dies_and_it_is_not_ahead_of_them(root, url, server, monkeypatch, step):
    """Before it has loaded a version, and after."""
    refreshed(root)
    before = versions(root, url)
    real = getattr(PostgresServing, step)

    def dying(store, *arguments):
        killed(server)
        real(store, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(PostgresServing, step, dying)
        with pytest.raises((NotPublishable, ServingFailed)):
            refreshed(root, 1)
    assert shelf(root, "crm", "customers").latest().id == before[0]
    start(server)
    assert versions(root, url) == before
    assert refreshed(root, 2) == []
    files, served = versions(root, url)
    assert files == served != before[0]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_server_is_not_ahead_of_files_that_cannot_be_written(root, url, monkeypatch, is_killed):
    refreshed(root)
    before = versions(root, url)

    class Killed(BaseException):
        pass

    def full(*_):
        raise Killed if is_killed else OSError(28, "No space left on device")

    real = PostgresServing.show
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "publish", full)
        if is_killed:  # a process that is gone between the two steps shows nothing again
            patch.setattr(PostgresServing, "show", lambda store, *told: None if told[1] == before[0] else real(store, *told))
        with pytest.raises(Killed if is_killed else OSError):
            refreshed(root, 1)
    assert (versions(root, url) == before) is not is_killed
    assert apply_access(root, read_plan(root)[0], KnownGrants(), NOW) == ()
    assert versions(root, url) == before


def test_a_probe_tells_whether_the_server_answers(root, url, server, monkeypatch):
    refreshed(root)
    port = next(port for port in read_plan(root)[0].product("customers").outputs if port.store.server is not None)
    probe = Probe("crm", "customers", port.name, port.store.in_catalog, 60, True, port.store.server)
    (answer,) = answers(root, [probe])
    assert (answer.rows, answer.error) == (3, None)
    monkeypatch.setenv(SERVING.name, url.replace("host=", "host=/nowhere"))
    (answer,) = answers(root, [probe])
    assert "PostgreSQL" in answer.error


def test_a_new_server_gets_what_is_published_and_then_nothing_differs(root, url, server, monkeypatch):
    refreshed(root)
    other = new_database(server.get_uri().replace("postgresql://", "postgresql+psycopg2://")).replace("+psycopg2", "")
    monkeypatch.setenv(SERVING.name, other)
    plan = read_plan(root)[0]
    (change,) = [each for each in access_plan(root, plan, KnownGrants(), NOW).changes if each.place.startswith("postgres/")]
    assert (change.act, change.place) == ("change", "postgres/customers")
    assert "and it shows nothing" in change.why
    assert apply_access(root, plan, KnownGrants(), NOW) == ()
    assert apply_access(root, plan, KnownGrants(), NOW) == ()
    assert access_plan(root, plan, KnownGrants(), NOW).changes == ()
    assert read(other) == read(url)


def test_a_new_server_waits_for_a_refresh_where_a_port_is_of_another_data_set_by_now(root, url, server, monkeypatch):
    refreshed(root)
    other = new_database(server.get_uri().replace("postgresql://", "postgresql+psycopg2://")).replace("+psycopg2", "")
    monkeypatch.setenv(SERVING.name, other)
    text = (root / FILE).read_text().replace("data_set: customers", "data_set: clients")
    (root / FILE).write_text(re.sub(r"name: customers(\n\s+type: data-set)", r"name: clients\1", text))
    model = root / "dbt_project/models/crm/customers/customers.sql"
    model.rename(model.with_name("clients.sql"))
    plan = read_plan(root)[0]
    assert [data_set.name for data_set in plan.product("customers").data_sets] == ["clients"]
    assert apply_access(root, plan, KnownGrants(), NOW) == ()
    with pytest.raises(psycopg.errors.UndefinedTable):
        read(other, reader="postgres")


def test_a_grant_that_ends_and_a_role_that_sees_less_are_taken_away_without_a_refresh(root, url):
    refreshed(root)
    edited(root, FILE, "{role: crm, sees: [public, internal, personal]}", "{role: crm, sees: [public, internal]}")
    edited(root, FILE, "to: ana, purpose: Tests., approved_by", "to: bob, purpose: Tests., approved_by")
    plan = read_plan(root)[0]
    apply_access(root, plan, KnownGrants(), NOW)
    for reader in ("ana", "product:calls"):
        for schema in schemas(url):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                read(url, f'select * from "{schema}".customers', reader)
    assert refreshed(root, 1) == []
    assert [len(row) for row in read(url, "select * from customers__crm.customers", "product:calls")] == [2, 2, 2]


def test_a_product_that_is_not_served_any_more_goes(root, url):
    refreshed(root)
    edited(root, FILE, "interface: postgres", "interface: sql")
    plan = read_plan(root)[0]
    assert {each.act for each in access_plan(root, plan, KnownGrants(), NOW).changes if each.place.startswith("postgres/")} == {"revoke"}
    assert apply_access(root, plan, KnownGrants(), NOW) == ()
    assert schemas(url) == []


VALUES = {
    "bool": ("boolean", "true", "boolean"),
    "small": ("utinyint", "255", "smallint"),
    "whole": ("bigint", "-9223372036854775808", "bigint"),
    "huge": ("hugeint", "12345678901234567890123456789012345678", "numeric"),
    "exact": ("decimal(38,10)", "1234567890123456789012345678.0123456789", "numeric"),
    "ratio": ("double", "0.1", "double precision"),
    "text": ("varchar", "'ä €\n\"''\\'", "text"),
    "day": ("date", "'2026-11-29'", "date"),
    "clock": ("time", "'23:59:59.999999'", "time without time zone"),
    "local": ("timestamp", "'2026-11-29 22:10:00.123456'", "timestamp without time zone"),
    "moment": ("timestamp with time zone", "'2026-11-29 22:10:00.123456+01'", "timestamp with time zone"),
    "bytes": ("blob", "'\\x00\\xff'", "bytea"),
    "id": ("uuid", "'6ecd8c99-4036-403d-bf84-cf8400f67836'", "uuid"),
    "length": ("interval", "interval '1 month 2 days 3 seconds'", "interval"),
    "parts": ("struct(a integer, b varchar[])", "{'a': 1, 'b': ['x', null]}", "jsonb"),
    "list": ("integer[]", "[1, null, 3]", "jsonb"),
    "document": ("json", "'{\"a\": [1, 2.50]}'", "jsonb"),
}


def test_every_value_and_type_arrives(tmp_path, url):
    columns = {name: kind for name, (kind, _, _) in VALUES.items()}
    rows = ", ".join(f'cast({value} as {kind}) as "{name}"' for name, (kind, value, _) in VALUES.items())
    nulls = ", ".join(f'cast(null as {kind}) as "{name}"' for name, (kind, _, _) in VALUES.items())
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql(f"(select {rows} union all select {nulls})", columns, file, "parquet"))
    table = ServedTable("Things", PublishedFiles((file,), "parquet", columns), ("id",), "It's all here.", {"day": "A day."})
    store = PostgresServing(url)
    store.load("all", "20261129T000000.000000Z", [ServedSchema("", (table,), {})])
    store.show("all", "20261129T000000.000000Z")
    with psycopg.connect(url) as connection:
        types = dict(
            connection.execute("select column_name, data_type from information_schema.columns where table_schema = 'all'").fetchall()
        )
        assert types == {name: kind for name, (_, _, kind) in VALUES.items()}
        same = [f'"{name}"::text' for name in VALUES]
        first, second = connection.execute(f'select {", ".join(same)} from "all"."Things" order by id nulls last').fetchall()
        assert second == (None,) * len(VALUES)
        assert dict(zip(VALUES, first, strict=True)) == {
            "bool": "true",
            "small": "255",
            "whole": "-9223372036854775808",
            "huge": "12345678901234567890123456789012345678",
            "exact": "1234567890123456789012345678.0123456789",
            "ratio": "0.1",
            "text": "ä €\n\"'\\",
            "day": "2026-11-29",
            "clock": "23:59:59.999999",
            "local": "2026-11-29 22:10:00.123456",
            "moment": "2026-11-29 21:10:00.123456+00",
            "bytes": "\\x00ff",
            "id": "6ecd8c99-4036-403d-bf84-cf8400f67836",
            "length": "1 mon 2 days 00:00:03",
            "parts": '{"a": 1, "b": ["x", null]}',
            "list": "[1, null, 3]",
            "document": '{"a": [1, 2.50]}',
        }
        indexed = connection.execute("select indexdef from pg_indexes where schemaname = 'all'").fetchall()
        assert [definition.rpartition("(")[2] for (definition,) in indexed] == ["id)"]
        assert connection.execute('select obj_description(\'"all"."Things"\'::regclass)').fetchone() == ("It's all here.",)


def test_a_time_that_never_comes_arrives_as_such(tmp_path, url):
    columns = {"day": "date", "local": "timestamp", "moment": "timestamp with time zone"}
    rows = [", ".join(f"cast('{value}' as {kind}) as {name}" for name, kind in columns.items()) for value in ("-infinity", "infinity")]
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql(f"(select {' union all select '.join([*rows, 'null, null, null'])})", columns, file, "parquet"))
    PostgresServing(url).load(
        "all", VERSIONS[0], [ServedSchema("", (ServedTable("things", PublishedFiles((file,), "parquet", columns)),), {})]
    )
    PostgresServing(url).show("all", VERSIONS[0])
    found = read(url, 'select day::text, local::text, moment::text from "all".things order by day', "postgres")
    assert found == [("-infinity",) * 3, ("infinity",) * 3, (None,) * 3]


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("varchar", "chr(0)", "in 1 row v holds the character of number zero"),
        ("varchar[]", "[chr(0)]", "in 1 row v holds the character of number zero"),
        ("struct(a double)", "{'a': 'nan'::double}", "in 1 row v holds a number that is none, such as NaN"),
        ("double[]", "['-inf'::double]", "in 1 row v holds a number that is none, such as NaN"),
        (
            "struct(a varchar, b double)",
            r"""{'a': ',NaN "[NaN \u0000', 'b': 'inf'::double}""",
            "in 1 row v holds a number that is none, such as NaN",
        ),
        ("struct(a varchar, b varchar)", r"{'a': 'note:NaN', 'b': '\' || chr(0)}", "in 1 row v holds the character of number zero"),
        ("varchar[]", r"['note:NaN', '\u0000']", ""),
        ("json", """'[nan, "x"]'""", "in 1 row v holds a number that is none, such as NaN"),
        ("date", "'5881580-07-10'", "in 1 row v is before 4713 BC, or after the year 5874897"),
        ("timestamptz", "'290309-12-22 (BC) 00:00:00+00'", "in 1 row v is before 4713 BC, or after the year 5874897"),
        ("decimal(20,2)[]", "[123456789012345678.10, null]", ""),
    ],
)
def test_a_value_that_postgresql_has_not_is_told_by_its_column(tmp_path, url, kind, value, reason):
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql(f"(select cast({value} as {kind}) as v)", {"v": kind}, file, "parquet"))
    table = ServedTable("things", PublishedFiles((file,), "parquet", {"v": kind}))
    with pytest.raises(ServingFailed, match=f"^PostgreSQL has no such values as things has: {reason}$") if reason else nullcontext():
        PostgresServing(url).load("all", VERSIONS[0], [ServedSchema("", (table,), {})])


def test_what_the_server_says_of_itself_is_no_fault_of_a_value(tmp_path, url):
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql("(select [chr(0)] as v)", {"v": "varchar[]"}, file, "parquet"))
    table = ServedTable("things", PublishedFiles((file,), "parquet", {"v": "varchar[]"}))
    with psycopg.connect(url, autocommit=True) as owner:
        body = "begin raise exception 'no room is left' using errcode = 'disk_full'; end"
        owner.execute(f"create function full_disk() returns event_trigger language plpgsql as $${body}$$")
        owner.execute("create event trigger full_disk on ddl_command_start when tag in ('ALTER TABLE') execute function full_disk()")
    with pytest.raises(ServingFailed, match=r"^PostgreSQL: no room is left"):
        PostgresServing(url).load("all", VERSIONS[0], [ServedSchema("", (table,), {})])


def test_what_the_server_says_is_told_without_our_statement(tmp_path, url):
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql("(select 1 as xmin)", {"xmin": "integer"}, file, "parquet"))
    table = ServedTable("things", PublishedFiles((file,), "parquet", {"xmin": "integer"}))
    with pytest.raises(ServingFailed, match=r'^PostgreSQL: column name "xmin" conflicts with a system column name$'):
        PostgresServing(url).load("all", VERSIONS[0], [ServedSchema("", (table,), {})])


@pytest.mark.parametrize(("data_set", "column"), [("t" * 64, "id"), ("things", "é" * 32)])
def test_a_name_that_postgresql_would_cut_off_is_refused_by_its_name(tmp_path, url, data_set, column):
    file = tmp_path / "things.parquet"
    duckdb.execute(copy_sql(f'(select 1 as "{column}")', {column: "integer"}, file, "parquet"))
    table = ServedTable(data_set, PublishedFiles((file,), "parquet", {column: "integer"}))
    with pytest.raises(ServingFailed, match=f"keeps 63 bytes of a name.*{data_set}.*: {max(data_set, column, key=len)}$"):
        PostgresServing(url).load("all", VERSIONS[0], [ServedSchema("", (table,), {})])


def things(folder, name):
    """A table of one row that has this name."""
    columns, file = {"id": "integer", "named": "varchar"}, folder / f"{name}.parquet"
    duckdb.execute(copy_sql(f"(select 1 as id, '{name}' as named)", columns, file, "parquet"))
    return (ServedTable("things", PublishedFiles((file,), "parquet", columns), ("id",)),)


VERSIONS = [f"20261129T00000{second}.000000Z" for second in range(3)]


def test_a_product_called_like_a_role_of_another_one_is_not_shown_to_that_role(tmp_path, url):
    store = PostgresServing(url)
    store.load("customers", VERSIONS[0], [ServedSchema("analyst", things(tmp_path, "masked"), {"things": "view"})])
    store.load("customers__analyst", VERSIONS[1], [ServedSchema("", things(tmp_path, "hidden"), {})])
    store.show("customers", VERSIONS[0])
    store.show("customers__analyst", VERSIONS[1])
    readers = ServedReaders({"analyst": ["ana"]}, {"analyst": {"things": "view"}})
    assert store.make_so(store.access_changes({"customers": readers}, None)) == ()
    seen = []
    for schema in schemas(url):
        with suppress(psycopg.errors.InsufficientPrivilege):
            seen += read(url, f'select named from "{schema}".things', "ana")
    assert seen == [("masked",)]


@pytest.mark.parametrize("rights", ["superuser", "createrole"])
def test_whatever_rights_the_platform_has_it_knows_whom_it_has_let_in(tmp_path, url, rights):
    name, database = f"mesh_{rights}", url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f'create role {name} login {rights}; grant create on database "{database}" to {name}')
    store = PostgresServing(url.replace("postgres:@", f"{name}:@"))
    store.load("customers", VERSIONS[0], [ServedSchema("analyst", things(tmp_path, "masked"), {"things": "view"})])
    store.show("customers", VERSIONS[0])
    given, ended = (ServedReaders({"analyst": who}, {"analyst": {"things": "view"}}) for who in (["ana"], []))
    assert store.make_so(store.access_changes({"customers": given}, None)) == ()
    assert read(url, "select named from customers__analyst.things", "ana") == [("masked",)]
    assert store.access_changes({"customers": given}, None) == ()
    assert store.make_so(store.access_changes({"customers": ended}, None)) == ()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(url, "select named from customers__analyst.things", "ana")


def test_who_has_a_role_cannot_take_it_and_so_keep_it_when_the_grant_ends(tmp_path, url):
    """Also who was given it when that was possible still."""
    store, database = PostgresServing(url), url.rpartition("/")[2].partition("?")[0]
    store.load("customers", VERSIONS[0], [ServedSchema("analyst", things(tmp_path, "masked"), {"things": "view"})])
    store.show("customers", VERSIONS[0])
    given = ServedReaders({"analyst": ["ana"]}, {"analyst": {"things": "view"}})
    take, taken = f'set role "customers__analyst@{database}"', []
    for _ in range(2):
        assert store.make_so(store.access_changes({"customers": given}, None)) == ()
        assert store.access_changes({"customers": given}, None) == ()
        with psycopg.connect(url, user="ana") as ana:
            assert ana.execute("select named from customers__analyst.things").fetchall() == [("masked",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ana.execute(take)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f'grant "customers__analyst@{database}" to ana with set true')
        with psycopg.connect(url, user="ana", autocommit=True) as ana:
            taken.append(ana.execute(take).statusmessage)
    assert taken == ["SET", "SET"]


def test_a_function_that_somebody_has_made_is_not_called_with_the_rights_of_the_platform(url):
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("grant create on schema public to public")
    with psycopg.connect(url, user="stranger", autocommit=True) as stranger:
        body = "begin raise exception 'called as %', current_user; end"
        stranger.execute(f"create function public.obj_description(oid, text) returns text language plpgsql as $${body}$$")
    assert PostgresServing(url).shown("customers") == ""


@pytest.mark.parametrize("now", ["less", "no role", "no product"])
@pytest.mark.parametrize("is_open", [False, True])
def test_what_readers_have_made_of_a_version_shows_no_more_than_they_see_now(tmp_path, url, now, is_open):
    store, shows = PostgresServing(url), {"things": "view"}
    reader = ServedReaders({"open": [] if is_open else ["ana"]}, {"open": shows}, is_open)
    for version in VERSIONS[:2]:
        store.load("customers", version, [ServedSchema("open", things(tmp_path, f"clear{version[14]}"), shows, is_open)])
        store.show("customers", version)
        store.make_so(store.access_changes({"customers": reader}, None))
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("create schema if not exists own; grant all on schema own to ana")
        with psycopg.connect(url, user="ana", autocommit=True) as ana:
            ana.execute(f"create view own.v{version[14]} as select * from customers__open.things")
        store.tidy("customers")
    assert read(url, "select named from own.v0", "ana") == [("clear0",)]
    if now == "no product":
        assert len(store.make_so(store.access_changes({}, []))) == 2, "what others have made of it is theirs"
    else:
        roles = {"less": [ServedSchema("open", things(tmp_path, "masked"), {"things": "other"}, is_open)], "no role": []}[now]
        store.load("customers", VERSIONS[2], [ServedSchema("", things(tmp_path, "all"), {}), *roles])
        store.show("customers", VERSIONS[2])
        changes = store.access_changes(
            {"customers": ServedReaders({"open": reader.readers["open"]}, {"open": {"things": "other"}}, is_open)}, None
        )
        assert store.make_so(changes) == ()
        assert len(store.tidy("customers")) == 2
    for view in ("v0", "v1"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(url, f"select * from own.{view}", "ana")
    assert len(store.tidy("customers") if now != "no product" else store.make_so(store.access_changes({}, []))) == 2


def test_what_everybody_saw_is_closed_without_a_refresh_once_others_see_less(tmp_path, url):
    store = PostgresServing(url)
    store.load("customers", VERSIONS[0], [ServedSchema("open", things(tmp_path, "clear"), {"things": "view"}, True)])
    store.show("customers", VERSIONS[0])
    sql = "select named from customers__open.things"
    for is_open, view in ((True, "other"), (False, "view")):
        assert read(url, sql, "stranger") == [("clear",)]
        less = ServedReaders({"open": []}, {"open": {"things": view}}, is_open)
        (change,) = store.access_changes({"customers": less}, None)
        assert (change.act, store.make_so([change]), store.access_changes({"customers": less}, None)) == ("revoke", (), ())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(url, sql, "stranger")
        again = ServedReaders({"open": []}, {"open": {"things": "view"}}, True)
        assert store.make_so(store.access_changes({"customers": again}, None)) == ()


@pytest.mark.parametrize(
    "address", ["{}:5/word@db/shop", "{}5@word@db/shop", "{}5%word@db/shop", "{}5 word@db/shop", "mesh:5word@db", "{}5word"]
)
def test_a_password_of_an_address_that_is_none_is_not_told(monkeypatch, address):
    monkeypatch.setenv(SERVING.name, address.format("postgresql://mesh:"))
    with pytest.raises(SettingInvalid) as raised:
        serving_store()
    assert "MESH_POSTGRES is no URL of a database" in str(raised.value) and "word@" not in str(raised.value)
