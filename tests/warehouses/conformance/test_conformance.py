"""What every warehouse must do: load, measure, remember, publish, let consumers read, drop."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile

import duckdb
import pytest

from platform_resources.capabilities.measures import (
    CountIf,
    DuplicateRows,
    Elsewhere,
    Maximum,
    Minimum,
    NullCount,
    OrphanRows,
    OutOfRange,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.protocols import PullFiles, Store
from platform_resources.deliveries.arrivals import arrived
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.record_pages import RecordsAsked, filter_of, next_cursor, page_sql
from platform_resources.publications.version_records import Keeping, PortDraft, PortVersion, Publication
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.engine_errors import EngineError, LoadFailed, NotSupported, QueryFailed, StatementRefused
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.published_places import CatalogView
from platform_resources.warehouses.written_results import WantedResult

HERE, THERE = Relation("inputs", "readings"), Relation("inputs", "sensors")
VERSION, NOW = "20240602T060000.000000Z", datetime(2024, 6, 2, 6, tzinfo=UTC)
READINGS = "select * from (values (1, 'north', 1.5), (2, 'south', null), (2, 'south', 9.0), (4, null, 2.0)) as t(id, sensor, degrees)"
# Values that are, as text, the same after they were loaded, published and read.
SURVIVING = [
    ("varchar", ["'10115'", "''", "null", "'007'", "'null'", "'a,b'", "'a\"b'", "' x '", "'é 🙂'", "chr(10)"]),
    ("integer", ["0", "-2147483648", "2147483647", "null"]),
    ("bigint", ["9223372036854775807", "-9223372036854775808", "null"]),
    ("decimal(38,2)", ["999999999999999999999999999999999999.99", "-0.01", "null"]),
    ("double", ["0.1", "1e300", "null"]),
    ("boolean", ["true", "false", "null"]),
    ("date", ["'0001-01-01'", "'2024-02-29'", "'9999-12-31'", "null"]),
    ("timestamp", ["'2024-02-29 23:59:59.123456'", "'1969-12-31 00:00:00'", "null"]),
    ("timestamp with time zone", ["'2024-02-29 23:59:59+05:30'", "null"]),
]


def load(database, relation, select):
    with database.transaction():
        database.load_data(relation, database.connection.sql(select))


def written_version(versions, database, relation, version=VERSION):
    """The relation as a version that is about to be published, with one port that is called as it is; and where that was written."""
    store, columns = Store("parquet", in_catalog=True), database.columns(relation)
    versions.begin(version)
    written = versions.write(database, PortDraft(version, "1.0.0", relation.name, relation.name, store, relation, columns))
    port = PortVersion(relation.name, relation.name, "parquet", database.count(relation), columns, None, written.files, written.bytes)
    return Publication(version, "readings", "1.0.0", NOW.isoformat(), "run", "", {}, (port,)), written.published


def published(versions, database, relation, version=VERSION):
    """The relation published as a version; gives the port."""
    publication, _ = written_version(versions, database, relation, version)
    versions.publish(publication)
    return versions.where(publication.ports[0])


# Load


def test_what_an_extractor_returns_is_loaded_with_its_types(database):
    load(database, HERE, READINGS)
    assert database.exists(HERE) and database.is_table(HERE) and not database.exists(THERE)
    assert database.count(HERE) == 4
    assert list(database.columns(HERE)) == ["id", "sensor", "degrees"]
    assert database.columns(HERE)["id"] in ("integer", "bigint")
    load(database, HERE, "select 7 as id")
    assert (list(database.columns(HERE)), database.count(HERE)) == (["id"], 1)


def test_a_type_is_told_as_promised_where_the_engine_has_no_other_to_keep_the_promise_with(database, warehouse):
    database.execute("create table inputs.readings as select cast(1 as integer) as id, 'a' as sensor, cast(1.5 as decimal(4,1)) as degrees")
    told = database.columns(HERE, {"ID": "integer", "sensor": "integer", "degrees": "double", "gone": "date"})
    assert told == {"id": "integer", "sensor": "varchar", "degrees": "decimal(4,1)"}
    assert database.columns(HERE, {"sensor": "uuid"})["sensor"] == {"duckdb": "varchar", "snowflake": "uuid"}[warehouse.kind]


GROWING = PullFiles("landing/*.csv", "csv", "append")


@pytest.fixture
def more(database, tmp_path):
    """What is found of a second file, after a first one was loaded."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing/1.csv").write_text("id,zip\n1,01069\n2,\n")
    database.replace(HERE, database.shapes(arrived(GROWING, tmp_path, Clock("UTC", NOW), {}), GROWING), GROWING)
    (tmp_path / "landing/2.csv").write_text("id,zip\n3,10115\n")
    found = database.shapes(arrived(GROWING, tmp_path, Clock("UTC", NOW), {}), GROWING)[1:]
    assert [one.rows for one in found] == [1]
    return found


def test_files_are_loaded_whole(database, more):
    assert [(row["id"], row["zip"]) for row in database.rows("select id, zip from inputs.readings order by id")] == [
        (1, "01069"),
        (2, None),
    ]


def test_more_files_are_loaded_behind(database, more):
    assert database.fits(HERE, more, GROWING)
    database.append(HERE, more, GROWING, True)
    assert database.count(HERE) == 3
    assert [(row["id"], row["zip"]) for row in database.rows("select id, zip from inputs.readings where id = 3")] == [(3, "10115")]


def later_file(database, folder, text):
    """What is found of a third file."""
    (folder / "landing/3.csv").write_text(text)
    return database.shapes(arrived(GROWING, folder, Clock("UTC", NOW), {}), GROWING)[2:]


def test_a_new_column_of_a_later_file_comes_behind_the_others(database, more, tmp_path):
    database.append(HERE, later_file(database, tmp_path, "id,zip,city\n4,20095,Hamburg\n"), GROWING, True)
    assert list(database.columns(HERE)) == ["id", "zip", "city"]
    assert [tuple(row.values()) for row in database.rows("select id, city from inputs.readings order by id")] == [
        (1, None),
        (2, None),
        (4, "Hamburg"),
    ]


def test_a_column_becomes_wider_with_a_later_file_and_loses_nothing(warehouse, database, more, tmp_path):
    wider = later_file(database, tmp_path, "id,zip\n4.5,20095\n")
    assert not database.fits(HERE, wider, GROWING)
    if warehouse.kind == "snowflake":  # not done yet: it is refused, and nothing is lost
        with pytest.raises(NotSupported, match="must become wider for a new file"):
            database.append(HERE, wider, GROWING, True)
        assert database.count(HERE) == 2
        return
    database.append(HERE, wider, GROWING, True)
    assert [float(row["id"]) for row in database.rows("select id from inputs.readings order by id")] == [1.0, 2.0, 4.5]
    assert [row["zip"] for row in database.rows("select zip from inputs.readings order by id")] == ["01069", None, "20095"]


class Killed(BaseException):
    """What no handler of ours catches."""


@pytest.mark.parametrize("warehouse", ["snowflake"], indirect=True)
@pytest.mark.parametrize("before", ["begin", "insert overwrite", "delete from", "insert into", "commit"])
def test_rows_behind_others_and_what_is_noted_of_them_come_together_whatever_kills_it(
    warehouse, database, opened, more, monkeypatch, before
):
    """In Snowflake; DuckDB commits all of it in one transaction, which the tests of kills cover."""
    database.remember("pulled", "readings", "one file")
    statements = type(database.session).rows

    def killed(session, sql):
        if sql.startswith(before):
            raise Killed
        return statements(session, sql)

    def interrupted():
        with database.transaction():
            database.append(HERE, more, GROWING, True)
            database.remember("pulled", "readings", "two files")
            monkeypatch.setattr(type(database.session), "rows", killed)

    with pytest.raises(Killed):
        interrupted()
    monkeypatch.undo()
    assert (database.count(HERE), database.remembered("pulled")) == (2, {"readings": "one file"})


def test_a_failed_transaction_leaves_what_was_there_before_an_append(database, more):
    def interrupted():
        with database.transaction():
            database.append(HERE, more, GROWING, True)
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        interrupted()
    assert database.count(HERE) == 2


def test_a_file_that_would_lose_something_is_refused(database, tmp_path):
    pull = PullFiles("*.csv", "csv", "replace", types={"id": "integer"})
    (tmp_path / "1.csv").write_text("id\n1\nmany\n")
    with pytest.raises(LoadFailed, match=r'1\.csv, line 3, column id: "many" is no integer'):
        database.shapes(arrived(pull, tmp_path, Clock("UTC", NOW), {}), pull)


# Measure


MEASURED = [
    (RowCount(), 4),
    (NullCount("sensor"), 1),
    (OutOfRange("degrees", "1.5", "5"), 1),
    (CountIf("sensor = 'south' and id > 1"), 2),
    (Minimum("degrees"), 1.5),
    (Maximum("id"), 4),
    (DuplicateRows(("id",)), 1),
    (OrphanRows(("sensor",), THERE, ("sensor",)), 2),
    (Elsewhere(RowCount(), THERE), 1),
    (Scalar("sum(degrees)"), 12.5),
]


def test_measures_of_all_kinds_have_the_right_readings(database):
    load(database, HERE, READINGS)
    load(database, THERE, "select 'north' as sensor")
    asked = [Asked(str(number), HERE, each) for number, (each, _) in enumerate(MEASURED)]
    found = measure(asked, database.within_limits, ruled_out=database.ruled_out)
    assert [(found[each.id].error, found[each.id].value) for each in asked] == [(None, expected) for _, expected in MEASURED]


def test_a_measure_that_breaks_takes_no_other_with_it(database):
    load(database, HERE, READINGS)
    asked = [Asked("rows", HERE, RowCount()), Asked("lost", HERE, CountIf("nowhere > 1"))]
    found = measure(asked, database.within_limits)
    assert found["rows"] == Reading(4) and found["lost"].error is not None


@pytest.mark.parametrize(
    ("sql", "error"),
    [("select nowhere from inputs.readings", StatementRefused), ("select cast(sensor as integer) from inputs.readings", EngineError)],
)
def test_errors_are_of_the_platform_and_say_whether_they_may_quote_values(database, sql, error):
    load(database, HERE, READINGS)
    with pytest.raises(EngineError) as raised:
        database.execute(sql)
    assert type(raised.value) is error and str(raised.value)


def test_statistics_and_days_never_say_what_is_wrong(database):
    load(database, HERE, READINGS)
    assert not database.ruled_out(HERE, "sensor is null")
    assert database.by_day(HERE, "nowhere", {}).answers == {}


def test_a_sample_of_few_rows_is_all_of_them(database):
    load(database, HERE, READINGS)
    columns = [ProfiledColumn(name, kind, True) for name, kind in database.columns(HERE).items()]
    chosen, fields = database.sampled(HERE, columns, 4)
    assert chosen == 4
    assert (fields["id"]["distinct"], fields["sensor"]["top"]) == (3, (("south", 2),))


# Remember


def test_what_steps_leave_is_found_by_later_ones_and_can_be_forgotten(opened):
    with opened() as database:
        for topic, name, record in (("pull", "b", "1"), ("pull", "a", "2"), ("pull", "b", "3"), ("gate", "a", "4")):
            database.remember(topic, name, record)
    with opened() as database:
        assert database.remembered("pull") == {"a": "2", "b": "3"}
        database.forget("pull", "a")
        assert database.remembered("pull") == {"b": "3"}
        database.forget("pull")
        assert (database.remembered("pull"), database.remembered("gate")) == ({}, {"a": "4"})


def interrupted(database):
    with database.transaction():
        database.load_data(HERE, database.connection.sql("select 1 as id"))
        database.remember("pull", "readings", "new")
        raise KeyboardInterrupt


def test_a_transaction_that_fails_leaves_rows_and_notes_as_they_were(database):
    load(database, HERE, READINGS)
    database.remember("pull", "readings", "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(database)
    assert (database.count(HERE), database.remembered("pull")) == (4, {"readings": "old"})


# Publish and read


@pytest.mark.parametrize(("kind", "values"), SURVIVING, ids=[kind for kind, _ in SURVIVING])
def test_a_value_survives_loading_publishing_and_reading(warehouse, database, versions, kind, values):
    if warehouse.kind == "snowflake" and kind.startswith("timestamp"):
        # Its stand-in, and not Snowflake, sends null for a time as 1970-01-01; the next test counts such nulls there.
        values = [value for value in values if value != "null"]
    rows = " union all ".join(f"select {number} as n, cast({value} as {kind}) as v" for number, value in enumerate(values))
    expected = database.connection.sql(f"select cast(v as varchar) from ({rows}) order by n").fetchall()
    load(database, HERE, rows)
    port = published(versions, database, HERE)
    assert database.published_rows(port) == len(values)
    _, read = warehouse.answer("select v from readings order by n", {"main": {"readings": port}}, as_text=True)
    assert read == expected


@pytest.mark.parametrize("kind", ["timestamp", "timestamp with time zone"])
def test_a_time_that_is_null_is_null_wherever_it_is_counted(warehouse, database, versions, kind):
    load(database, HERE, f"select 1 as n, cast(null as {kind}) as v")
    port = {"main": {"readings": published(versions, database, HERE)}}
    assert warehouse.answer("select count(v), count(*) from readings", port)[1] == [(0, 1)]


def test_a_consumer_reads_what_is_published_and_nothing_else(warehouse, database, versions):
    load(database, HERE, READINGS)
    port = published(versions, database, HERE)
    readable = {"main": {"readings": port}, "plant": {"readings": port}}
    load(database, HERE, "select 1 as id")
    assert warehouse.answer("select count(*) as n from plant.readings", readable) == (["n"], [(4,)])
    assert len(warehouse.first_rows(port, 3)) == 3
    for refused in ("delete from readings", "select * from inputs.readings", "select 1; select 2"):
        with pytest.raises(QueryFailed):
            warehouse.answer(refused, readable)


def test_records_are_given_page_by_page_each_once(warehouse, database, versions):
    load(database, HERE, f"{READINGS} union all select 2, 'south', 9.0")
    readable = {"main": {"readings": published(versions, database, HERE)}}
    columns = {"id": "integer", "sensor": "varchar", "degrees": "decimal(2,1)"}
    asked, pages = RecordsAsked(filters=(filter_of("sensor:ne:west"),), order=("-degrees",), limit=1), []
    while True:
        sql, hidden = page_sql("readings", columns, ("id",), asked)
        with TemporaryFile() as file:
            wanted = WantedResult("ndjson", hidden, is_ours=True)
            written = warehouse.write_answer(sql, readable, wanted, file, Bounds(timedelta(seconds=30)))
            file.seek(0)
            pages += map(json.loads, file)
        if not written.rows:
            break
        asked = replace(asked, after=next_cursor(VERSION, asked, written.last, written.equal, written.rows))
    assert [(each["id"], each["sensor"]) for each in pages] == [(2, "south"), (2, "south"), (1, "north"), (2, "south")]


def test_of_an_answer_no_more_rows_are_read_than_are_wanted(warehouse, database, versions):
    load(database, HERE, READINGS)
    readable = {"main": {"readings": published(versions, database, HERE)}}
    assert len(warehouse.answer("select * from readings", readable, bounds=Bounds(timedelta(seconds=30), rows=2))[1]) == 2


def test_another_product_reads_a_version_and_not_what_was_built_since(database, versions):
    load(database, HERE, READINGS)
    port = published(versions, database, HERE)
    load(database, HERE, "select 1 as id")
    database.point_at(THERE, port)
    assert (database.count(THERE), database.is_table(THERE)) == (4, False)


def test_sql_clients_see_the_version_of_the_catalog(warehouse, database, versions, tmp_path):
    load(database, HERE, READINGS)
    view = CatalogView("readings", published(versions, database, HERE), "What sensors said", {"id": "Its number"})
    warehouse.show(tmp_path, "plant", "readings", [view])
    assert len(warehouse.catalog_rows(tmp_path, "plant", "readings", 'select * from "readings"')) == 4
    assert warehouse.products(tmp_path) == (("plant", "readings"),)


def test_a_version_is_there_once_it_is_published_and_a_former_one_until_it_is_taken_away(database, versions):
    load(database, HERE, READINGS)
    assert (versions.published(), versions.latest(), versions.was_published()) == ((), None, False)
    first = published(versions, database, HERE, "20240601T060000.000000Z")
    load(database, HERE, "select 1 as id")
    publication, _ = written_version(versions, database, HERE)
    assert [each.id for each in versions.published()] == ["20240601T060000.000000Z"] and versions.was_published()
    versions.publish(publication)
    assert versions.latest() == publication and versions.latest() == versions.published()[-1]
    versions.pin("summary.measurements", "20240601T060000.000000Z")
    late = NOW + timedelta(days=1)
    assert (versions.prune(Keeping({"readings": 1}), late), database.published_rows(first)) == ((), 4)
    versions.unpin("summary.measurements")
    assert versions.prune(Keeping({"readings": 1}), late) == ("20240601T060000.000000Z",)
    assert [each.id for each in versions.published()] == [VERSION]
    assert database.published_rows(versions.where(publication.ports[0])) == 1


def test_two_ports_of_one_data_set_have_its_rows_once(database, versions):
    load(database, HERE, READINGS)
    versions.begin(VERSION)
    columns = database.columns(HERE)
    drafts = [PortDraft(VERSION, "1.0.0", port, "readings", Store("parquet", in_catalog=True), HERE, columns) for port in ("a", "b")]
    written = [versions.write(database, draft) for draft in drafts]
    assert [each.shared for each in written] == [False, True]
    assert [database.published_rows(each.published) for each in written] == [4, 4]


# Drop


def test_tables_and_views_are_dropped_and_what_is_not_there_is_no_error(database, versions):
    load(database, HERE, READINGS)
    database.point_at(THERE, published(versions, database, HERE))
    for relation in (HERE, THERE, Relation("internal", "nowhere")):
        database.drop(relation)
        assert not database.exists(relation)


def test_a_clone_has_one_version_and_what_is_done_to_it_reaches_nothing_that_was_published(warehouse, versions, database, tmp_path):
    load(database, HERE, READINGS)
    published(versions, database, HERE)
    load(database, HERE, "select 7 as id, 'south' as sensor, 0.5 as degrees")
    newest = published(versions, database, HERE, VERSION.replace("060000", "070000"))
    into = {"duckdb": str(tmp_path / "ana.duckdb"), "snowflake": "DEV.ANA"}[warehouse.kind]
    for _ in range(2):  # the second replaces the first
        assert list(warehouse.clone("readings", {"readings": newest}, into).values()) == [1]
        if warehouse.kind == "snowflake":
            database.session.rows("update DEV.ANA.READINGS set SENSOR = 'changed'")
        else:
            with duckdb.connect(into) as own:
                own.execute("update readings.readings set sensor = 'changed'")
    assert [row[1] for row in warehouse.first_rows(newest, 5)] == ["south"]
    warehouse.clone("readings", {"sensors": newest}, into, {"readings"})  # for somebody who may see less
    if warehouse.kind == "snowflake":
        left = {row[0] for row in database.session.rows("select table_name from DEV.information_schema.tables where table_schema = 'ANA'")}
        assert left == {"SENSORS"}
    else:
        with duckdb.connect(into) as own:
            assert own.execute("select table_name from duckdb_tables()").fetchall() == [("sensors",)]


@pytest.mark.parametrize("warehouse", ["snowflake"], indirect=True)
@pytest.mark.parametrize("into", ["ANA", "TEST1.ANA", "TEST1__PLANT__READINGS.PORTS", "A.B.C"])
def test_a_clone_goes_to_no_schema_of_the_mesh(warehouse, monkeypatch, into):
    monkeypatch.setenv("SNOWFLAKE_DATABASE", "TEST1")
    with pytest.raises(NotSupported, match="is no schema of a developer"):
        warehouse.clone("readings", {}, into)


def test_environments_of_one_definition_share_nothing(warehouse, tmp_path, monkeypatch):
    prefix = os.environ.get("SNOWFLAKE_DATABASE", "")

    def within(environment):
        """What one environment has of the product: a state folder, and on Snowflake databases of its own."""
        monkeypatch.setenv("SNOWFLAKE_DATABASE", f"{prefix}_{environment}")
        return shelf(tmp_path / environment, "plant", "readings")

    versions = within("DEV")
    with warehouse.opened(tmp_path / "DEV", "plant", "readings") as database:
        load(database, HERE, READINGS)
        published(versions, database, HERE)
    assert versions.latest().id == VERSION
    assert within("PROD").latest() is None and not within("PROD").was_published()
    assert within("DEV").latest().id == VERSION
