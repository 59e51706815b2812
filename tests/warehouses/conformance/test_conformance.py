"""What every warehouse must do: load, measure, remember, publish, let consumers read, drop."""

from datetime import UTC, datetime

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
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.deliveries.arrivals import arrived
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import (
    CatalogView,
    EngineError,
    LoadFailed,
    PublishedFiles,
    QueryFailed,
    StatementRefused,
)

HERE, THERE = Relation("inputs", "readings"), Relation("inputs", "sensors")
NOW = datetime(2024, 6, 2, 6, tzinfo=UTC)
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


def published(database, relation, folder):
    """The relation written as a version of a port that is called as it is."""
    file = folder / f"{relation.name}.parquet"
    database.write_file(relation, file, "parquet")
    return PublishedFiles((file,), "parquet", database.columns(relation))


# Load


def test_what_an_extractor_returns_is_loaded_with_its_types(database):
    load(database, HERE, READINGS)
    assert database.exists(HERE) and database.is_table(HERE) and not database.exists(THERE)
    assert database.count(HERE) == 4
    assert list(database.columns(HERE)) == ["id", "sensor", "degrees"]
    assert database.columns(HERE)["id"] in ("integer", "bigint")
    load(database, HERE, "select 7 as id")
    assert (list(database.columns(HERE)), database.count(HERE)) == (["id"], 1)


def test_files_are_loaded_whole_and_more_of_them_behind(database, tmp_path):
    pull = PullFiles("landing/*.csv", "csv", "append")
    (tmp_path / "landing").mkdir()

    def files():
        return arrived(pull, tmp_path, NOW, {})

    (tmp_path / "landing/1.csv").write_text("id,zip\n1,01069\n2,\n")
    database.replace(HERE, database.shapes(files(), pull), pull)
    assert [(row["id"], row["zip"]) for row in database.rows("select id, zip from inputs.readings order by id")] == [
        (1, "01069"),
        (2, None),
    ]
    (tmp_path / "landing/2.csv").write_text("id,zip\n3,10115\n")
    more = database.shapes(files(), pull)[1:]
    assert [one.rows for one in more] == [1] and database.fits(HERE, more, pull)
    database.append(HERE, more, pull, True)
    assert database.count(HERE) == 3


def test_a_file_that_would_lose_something_is_refused(database, tmp_path):
    pull = PullFiles("*.csv", "csv", "replace", types={"id": "integer"})
    (tmp_path / "1.csv").write_text("id\n1\nmany\n")
    with pytest.raises(LoadFailed, match=r'1\.csv, line 3, column id: "many" is no integer'):
        database.shapes(arrived(pull, tmp_path, NOW, {}), pull)


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


def test_what_steps_leave_is_found_by_later_ones_and_can_be_forgotten(warehouse, tmp_path):
    file = tmp_path / "warehouse/plant/readings.duckdb"
    with warehouse.opened(file) as database:
        for topic, name, record in (("pull", "b", "1"), ("pull", "a", "2"), ("pull", "b", "3"), ("gate", "a", "4")):
            database.remember(topic, name, record)
    with warehouse.opened(file) as database:
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
def test_a_value_survives_loading_publishing_and_reading(warehouse, database, tmp_path, kind, values):
    rows = " union all ".join(f"select {number} as n, cast({value} as {kind}) as v" for number, value in enumerate(values))
    expected = database.connection.sql(f"select cast(v as varchar) from ({rows}) order by n").fetchall()
    load(database, HERE, rows)
    port = published(database, HERE, tmp_path)
    assert database.published_rows(port) == len(values)
    _, read = warehouse.answer("select v from readings order by n", {"main": {"readings": port}}, as_text=True)
    assert read == expected


def test_a_consumer_reads_what_is_published_and_nothing_else(warehouse, database, tmp_path):
    load(database, HERE, READINGS)
    port = published(database, HERE, tmp_path)
    readable = {"main": {"readings": port}, "plant": {"readings": port}}
    load(database, HERE, "select 1 as id")
    assert warehouse.answer("select count(*) as n from plant.readings", readable) == (["n"], [(4,)])
    assert len(warehouse.first_rows(port, 3)) == 3
    for refused in ("delete from readings", "select * from inputs.readings", "select 1; select 2"):
        with pytest.raises(QueryFailed):
            warehouse.answer(refused, readable)


def test_another_product_reads_a_version_and_not_what_was_built_since(database, tmp_path):
    load(database, HERE, READINGS)
    port = published(database, HERE, tmp_path)
    load(database, HERE, "select 1 as id")
    database.point_at(THERE, port)
    assert (database.count(THERE), database.is_table(THERE)) == (4, False)


def test_sql_clients_see_the_version_of_the_catalog(warehouse, database, tmp_path):
    load(database, HERE, READINGS)
    view = CatalogView("readings", published(database, HERE, tmp_path), "What sensors said", {"id": "Its number"})
    warehouse.write_catalog(tmp_path / "catalog.duckdb", [view])
    assert len(warehouse.catalog_rows(tmp_path / "catalog.duckdb", "select * from readings")) == 4


# Drop


def test_tables_and_views_are_dropped_and_what_is_not_there_is_no_error(database, tmp_path):
    load(database, HERE, READINGS)
    database.point_at(THERE, published(database, HERE, tmp_path))
    for relation in (HERE, THERE, Relation("internal", "nowhere")):
        database.drop(relation)
        assert not database.exists(relation)
