"""A topic of Kafka as the input of a product: bad messages in quarantine, a reader killed at every stage, and refreshes on what is new."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.sources.kept_contracts import hidden_columns
from platform_resources.refresh.sources.pull_records import PULLS
from platform_resources.refresh.sources.quarantine import NOT_SHOWN, quarantined_rows, shown_delivered
from platform_resources.services.refreshes.source_marks import source_marks
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file
from tests.refresh.running import mesh, running
from tests.refresh.test_kills import DYING_IN_AUDIT, dies
from tests.refresh.test_pulling import Pulling, pulled
from tests.refresh.test_pulling_tables import killed

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
PORT = """interface: kafka
        servers: ${PLANT_BROKERS}
        topic: TOPIC
        bad_rows: quarantine
        columns:
          - {name: reading_id, type: bigint}
          - {name: sensor, type: varchar}
          - {name: degrees, type: "decimal(6,2)", nullable: true}
          - {name: measured_at, type: timestamp}
          - {name: operator, type: varchar, hidden: yes}"""
STAGES = (
    "create or replace temp table mesh_new_messages",
    "delete from pulled",
    "insert into pulled",
    "create or replace table",
    "insert or replace into main.mesh_memory",
    "commit",
)


class Plant:
    """The tiny mesh, whose readings come from a topic."""

    def __init__(self, root, broker):
        self.root, self.broker, self.topic = root, broker, broker.topic()
        self.file = root / "warehouse/plant/readings.duckdb"
        edited(root, SPEC, "interface: file\n        path: landing/readings.csv", PORT.replace("TOPIC", self.topic))

    def send(self, *readings):
        """Readings as (id, degrees); no degrees at all is a tombstone, a text is what is sent."""
        for number, degrees in readings:
            whole = {"reading_id": number, "sensor": "north", "degrees": degrees, "measured_at": "2024-06-01 06:00:00", "operator": "Ada"}
            value = None if degrees is None else degrees.encode() if isinstance(degrees, str) else whole
            self.broker.send(self.topic, (str(number), value), partition=number % 4)

    def pull(self, connection=None, replay=None):
        return pulled(self.root, self.file, "select reading_id, degrees::varchar from {} order by 1", connection, replay=replay)


@pytest.fixture
def plant(tiny, broker, monkeypatch):
    monkeypatch.setenv("PLANT_BROKERS", broker.servers)
    return Plant(tiny, broker)


def test_messages_are_read_as_the_promised_types_and_bad_ones_go_to_quarantine_with_their_place(plant):
    plant.send((1, 1.5), (2, 2.5), (3, "{no"), (4, 99999.5), (5, 5), (5, None))
    found, rows = plant.pull()
    assert rows == [(1, "1.50"), (2, "2.50")]
    assert found.record["cursor"]["offsets"] == {"0": 1, "1": 3, "2": 1, "3": 1}
    text = found.failures["contract"]
    assert f"2 of 4 rows are in quarantine, such as {plant.topic}/0, row 0: degrees: " in text
    assert '"99999.5" is no decimal(6,2), or not all of it would be kept' in text
    assert found.degraded == "", "the others are as good as they are"
    with opened(plant.file) as database:
        quarantined = quarantined_rows(database, "deliveries")
    assert [(row.source, row.number, row.bad[0].column) for row in quarantined] == [
        (f"{plant.topic}/0", 0, "degrees"),
        (f"{plant.topic}/3", 0, "mesh_message"),
    ]
    assert quarantined[1].delivered == {"mesh_message": "{no"}
    hidden = hidden_columns(read_plan(plant.root)[0].product("readings"), Pulling(plant.root, "readings", None).port)
    assert shown_delivered(quarantined[1], hidden) == {"mesh_message": NOT_SHOWN}, "it may hold what is hidden"
    plant.send((3, 3.5), (4, 4.5))
    found, rows = plant.pull()
    assert (rows[2:], found.failures) == ([(3, "3.50"), (4, "4.50")], {}), "a message that follows mends its row"


def test_a_topic_without_a_readable_message_has_the_promised_columns_and_mended_rows_are_refused(plant, tmp_path):
    assert plant.pull()[1] == []
    plant.send((3, "{no"))
    found, rows = plant.pull()
    assert (rows, found.rows, "1 of 1 row" in found.failures["contract"]) == ([], 0, True)
    plant.send((1, 1.5), (2, 99999.5))
    plant.pull()
    refused = mesh(plant.root, "quarantine", "readings", "deliveries", "--reload", str(tmp_path / "mended.csv"))
    assert "each refresh reads all of deliveries anew, and would undo it; mend the source itself" in " ".join(refused.stderr.split())


def test_without_a_quarantine_a_bad_message_is_refused_with_its_place_and_nothing_is_passed_over(plant):
    edited(plant.root, SPEC, "        bad_rows: quarantine\n", "")
    plant.send((1, 1.5))
    plant.pull()
    plant.send((2, 2.5), (1, "no"))
    found, rows = plant.pull()
    assert (rows, f"{plant.topic}/1, row 1 is no JSON (line 1, column 1); bad_rows: quarantine" in found.failures["arrived"]) == (
        [(1, "1.50")],
        True,
    )
    plant.send((1, 7.5))
    assert plant.pull()[1] == [(1, "7.50"), (2, "2.50")], "what came with it comes now"


def test_a_topic_that_a_domain_shares_has_its_bad_messages_in_the_quarantine_of_each_input(plant):
    own = "interface: source\n        source: loggers\n        read: {}"
    reading = PORT.replace("TOPIC", plant.topic)
    (source,) = reading.split("\n        bad_rows")[:1]
    edited(plant.root, SPEC, source, own)
    edited(plant.root, SPEC, 'name: degrees, type: "decimal(6,2)", nullable: true', "name: degrees, type: double, nullable: true")
    with (plant.root / "dataproducts/plant/domain.yaml").open("a") as domain:
        domain.write(f"sources:\n  loggers:\n    every: 1h\n    {source.replace(8 * ' ', 4 * ' ')}\n")
    plant.send((1, 1.5), (2, "{no"))
    found, rows = plant.pull()
    assert f"such as {plant.topic}/2, row 0: mesh_message is no JSON" in found.failures["contract"]
    assert rows == [(1, "1.5")]
    plant.send((1, 9.5))
    assert plant.pull()[1] == [(1, "1.5")], "it is not asked again within the hour"
    assert plant.pull(replay="earliest")[1] == [(1, "9.5")]
    refused = mesh(plant.root, "refresh", "readings", "--replay", "deliveries=")
    assert "inputs that keep a cursor: deliveries" in " ".join(refused.stderr.split())


def test_a_reader_that_is_killed_at_any_stage_loses_and_doubles_nothing(plant):
    plant.send((1, 1.5), (2, 2.5), (3, 3.5))
    plant.pull()
    plant.send((4, 4.25), (1, None), (2, 7.5), (2, 8.5))
    for stage in STAGES:
        killed(plant, stage)
        with opened(plant.file) as database:
            assert '"read": 3' in database.remembered(PULLS)["deliveries"], stage
            assert database.connection.execute("select count(*) from inputs.deliveries").fetchall() == [(3,)], stage
    found, rows = plant.pull()
    assert (rows, found.record["brought"]) == ([(2, "8.50"), (3, "3.50"), (4, "4.25")], 4)


def test_a_refresh_that_is_killed_between_its_pull_and_its_publication_is_made_up_for_by_the_next(plant):
    plant.send((1, 1.5), (2, 2.5), (3, 3.5))
    with running(plant.root) as mesh:
        (done,) = mesh.refresh("readings")
        assert done.outcome == "published", done.reasons
    plant.send((2, 9.5), (4, 4.5))
    dies(plant.root, DYING_IN_AUDIT)
    with running(plant.root) as mesh:
        assert mesh.rows("readings", "select count(*), max(degrees) from measurements") == [(3, Decimal("3.50"))]
        (done,) = mesh.refresh("readings")
        assert done.outcome == "published", done.reasons
        rows = mesh.rows("readings", "select reading_id, cast(degrees as varchar) from measurements order by 1")
    assert rows == [(1, "1.50"), (2, "9.50"), (3, "3.50"), (4, "4.50")]


def test_a_product_is_refreshed_on_new_messages(plant):
    edited(plant.root, SPEC, '{cron: "0 5 * * *", timezone: Europe/Berlin}', "{on: inputs}")
    (product,), pending = [p for p in read_plan(plant.root)[0].products if p.name == "readings"], {}

    def mark():
        return source_marks(plant.root, plant.root, [product], datetime(2024, 6, 1, tzinfo=UTC), 10.0, pending)["readings"]

    first = mark()
    assert (first.marks, first.silent) == ({"deliveries": "0:0 1:0 2:0 3:0"}, {})
    plant.send((1, 1.5))
    assert mark().marks == {"deliveries": "0:0 1:1 2:0 3:0"}
