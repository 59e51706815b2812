"""Tables of a real PostgreSQL as inputs of a product: what is recorded, what a contract asks, and what is left when a pull is killed."""

import os
import signal
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.sources.pull_records import CURSORS, FAILURES, PULLS, PullFailed
from platform_resources.refresh.sources.renamed_inputs import take_over_notes
from platform_resources.warehouses.duckdb.product_database import opened
from tests.ledger.ledgers import new_database
from tests.meshes import edited, model_file, product_file
from tests.refresh.test_pulling import NOW, Pulling, pulled

pytestmark = pytest.mark.slow

SPEC = product_file("plant", "readings")
PORT = """interface: sql-database
        url: ${PLANT_DATABASE}
        table: readings
        key: [reading_id]
        cursor: measured_at
        deletes: compare"""
TABLE = """
create table readings (reading_id bigint, sensor text, degrees numeric, measured_at timestamp, operator text);
insert into readings select n, 'north', n + 0.5, timestamp '2024-06-01' + n * interval '1 day', 'Ada' from generate_series(1, 3) n
"""


class Plant:
    """The tiny mesh, whose readings come from a table."""

    def __init__(self, root, url):
        self.root, self.engine = root, create_engine(url)
        self.file = root / "warehouse/plant/readings.duckdb"

    def run(self, sql):
        with self.engine.begin() as connection:
            connection.execute(text(sql))

    def pull(self, connection=None):
        return pulled(self.root, self.file, "select reading_id, degrees::varchar from {} order by 1", connection)


@pytest.fixture
def plant(tiny, postgres_server, monkeypatch):
    url = new_database(postgres_server)
    monkeypatch.setenv("PLANT_DATABASE", url)
    edited(tiny, SPEC, "interface: file\n        path: landing/readings.csv", PORT)
    found = Plant(tiny, url)
    found.run(TABLE)
    yield found
    found.engine.dispose()


def test_the_cursor_and_what_was_read_are_recorded_with_the_rows(plant):
    found, rows = plant.pull()
    assert rows == [(1, "1.5"), (2, "2.5"), (3, "3.5")]
    plant.run("delete from readings where reading_id = 1; insert into readings values (4, 'south', 4.25, '2024-06-09', 'Ben')")
    found, rows = plant.pull()
    assert rows == [(2, "2.5"), (3, "3.5"), (4, "4.25")]
    of = found.record["cursor"]["of"]
    assert of.startswith(".readings by measured_at and reading_id of database ")
    assert found.record["cursor"] == {
        "of": of,
        "column": "measured_at",
        "value": "2024-06-09 00:00:00",
        "how": "changes",
        "read": 2,
        "removed": 1,
    }
    assert (found.record["interface"], found.record["rows"], found.failures) == ("sql-database", 3, {})
    assert found.record["brought"] == 2, "of an incremental load the rows that were read, not those that were there"


def test_a_column_that_is_gone_or_narrower_is_told_and_the_last_good_rows_are_served(plant):
    plant.pull()
    plant.run("alter table readings add column note text")
    assert plant.pull()[0].failures == {}, "a column more is no harm"
    plant.run("alter table readings drop column operator; alter table readings alter column degrees type numeric(12,2)")
    found, rows = plant.pull()
    assert "operator is gone; degrees is decimal(12,2), and was varchar; say with columns" in found.failures["arrived"]
    assert len(rows) == 3
    columns = 'columns:\n          - {name: reading_id, type: bigint}\n          - {name: degrees, type: "decimal(12,2)"}'
    edited(plant.root, SPEC, "deletes: compare", f"deletes: compare\n        {columns}")
    found, rows = plant.pull()
    assert (found.failures, rows) == ({}, [(1, "1.50"), (2, "2.50"), (3, "3.50")]), "what is promised is there"


def test_a_number_that_the_promised_type_would_round_is_refused_or_set_aside(plant):
    columns = 'columns:\n          - {name: degrees, type: "decimal(18,1)"}'
    edited(plant.root, SPEC, "deletes: compare", f"deletes: compare\n        {columns}")
    plant.run("update readings set degrees = 2.25 where reading_id = 2")
    with pytest.raises(PullFailed) as failed:
        plant.pull()
    assert 'column degrees: "2.25" is no decimal(18,1), or not all of it would be kept' in str(failed.value)
    edited(plant.root, SPEC, "deletes: compare", "deletes: compare\n        bad_rows: quarantine")
    found, rows = plant.pull()
    assert (rows, "1 of 3 rows are in quarantine" in found.failures["contract"]) == ([(1, "1.5"), (3, "3.5")], True)
    plant.run("update readings set degrees = 2.5, measured_at = '2024-06-10' where reading_id = 2")
    found, rows = plant.pull()
    assert (rows, found.failures) == ([(1, "1.5"), (2, "2.5"), (3, "3.5")], {}), "once the source is mended the row comes in"


def killing(statement):
    """A connection of the product's database whose process is killed before a statement that begins so."""

    class Connection:
        def __init__(self, connection):
            self.connection = connection

        def execute(self, sql, *rest):
            if sql.startswith(statement):
                os.kill(os.getpid(), signal.SIGKILL)
            return self.connection.execute(sql, *rest)

        def __getattr__(self, name):
            return getattr(self.connection, name)

    return Connection


def killed(source, statement):
    """A pull of the source by a process that is killed before that statement."""
    child = os.fork()
    if not child:
        try:
            source.pull(killing(statement))
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, f"no statement begins with {statement}"


STAGES = (
    "create or replace temp table mesh_new_rows",
    "delete from pulled",
    "insert into pulled",
    "create or replace table",
    "insert or replace into main.mesh_memory",
    "commit",
)


def test_a_pull_that_is_killed_at_any_stage_loses_and_doubles_nothing(plant):
    plant.pull()
    before = plant.pull()[0].record["cursor"]["value"]
    plant.run("insert into readings values (4, 'south', 4.25, '2024-06-09', 'Ben'); delete from readings where reading_id = 1")
    for stage in STAGES:
        killed(plant, stage)
        with opened(plant.file) as database:
            (record,) = database.remembered(PULLS).values()
            assert (before in record, database.connection.execute("select count(*) from inputs.deliveries").fetchall()) == (True, [(3,)]), (
                stage
            )
    assert plant.pull()[1] == [(2, "2.5"), (3, "3.5"), (4, "4.25")]


def test_no_secret_of_the_address_is_told(plant, monkeypatch):
    monkeypatch.setenv("PLANT_DATABASE", "postgresql://mesh:hunter2secret@127.0.0.1:1/shop")
    with pytest.raises(PullFailed) as failed:
        plant.pull()
    assert ("hunter2secret" in str(failed.value), "127.0.0.1" in str(failed.value)) == (False, True)


def test_a_shared_table_brings_the_rows_that_were_read_anew(plant):
    edited(plant.root, SPEC, PORT, "interface: source\n        source: shop\n        read: {}")
    with (plant.root / "dataproducts/plant/domain.yaml").open("a") as domain:
        domain.write(f"sources:\n  shop:\n    every: 1h\n    {PORT.replace(8 * ' ', 4 * ' ')}\n")
    with opened(plant.file) as database:
        pulling = Pulling(plant.root, "readings", database)
        assert pulling.pull(NOW).record["brought"] == 3
        plant.run("insert into readings values (4, 'north', 4.5, '2024-06-05', 'Ada')")
        assert pulling.pull(NOW + timedelta(minutes=59)).record["brought"] == 3, "it is not pulled yet"
        found = pulling.pull(NOW + timedelta(minutes=60))
        assert (found.record["brought"], found.record["rows"]) == (2, 4), "the new one, and the last one before it"


def test_a_renamed_input_goes_on_from_its_cursor(plant):
    plant.pull()
    edited(plant.root, SPEC, "name: deliveries\n", "name: rows\n")
    edited(plant.root, SPEC, "interface: sql-database\n", "interface: sql-database\n        renamed_from: deliveries\n")
    edited(plant.root, model_file("plant", "readings", "measurements"), "'deliveries'", "'rows'")
    plant.run("insert into readings values (4, 'south', 4.25, '2024-06-09', 'Ben')")
    with opened(plant.file) as database:
        take_over_notes(database, read_plan(plant.root)[0].product("readings"), (PULLS, FAILURES, CURSORS), ())
        assert not database.exists(Relation("pulled", "deliveries"))
    found, rows = plant.pull()
    assert (found.record["cursor"]["how"], found.record["cursor"]["read"], len(rows)) == ("changes", 2, 4)
