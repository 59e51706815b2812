"""What happens to a mesh in Snowflake: people sign in, connections are lost, products get new names and new majors, tables change."""

import itertools
import os
import signal
import webbrowser

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dbt.cli.main import dbtRunner
from sqlalchemy import create_engine, text

from platform_resources.dbt.built_databases import let_go
from platform_resources.orchestration.refresh_resource import connected_by_dagster
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.services.control_ports.topic_producers import TopicProducer
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.snowflake.sessions import connected, session
from platform_resources.warehouses.targets import warehouse
from tests.brokers import mock_broker
from tests.meshes import REPOSITORY, component, edited, indented, model_file, product_file, tiny_mesh
from tests.refresh.running import mesh as command
from tests.refresh.running import running
from tests.refresh.test_pulling import Pulling
from tests.refresh.test_pulling_kafka import Plant
from tests.refresh.test_renames import renamed
from tests.services.test_change_streams import PORT, Stream, at_call
from tests.snowflake_server import PASSWORD, give_up_early, started

pytestmark = pytest.mark.slow
NUMBERS = itertools.count(1)
TOKEN_OF_BROWSER = "token-of-the-browser"  # tests/snowflake_server.py
TOKEN, KEY_PASSWORD = "token-4711-of-oauth-not-told", "phrase-4711-not-told"
SPEC = product_file("plant", "readings")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Its databases are files, so it can die and be started again."""
    folder = tmp_path_factory.mktemp("snowflake")
    with started(folder / "log", folder / "databases") as server:
        yield server


@pytest.fixture
def account(server, monkeypatch, tmp_path):
    """The environment of a mesh with databases of its own."""
    changes = {**server.environment, "SNOWFLAKE_DATABASE": f"TINY{next(NUMBERS)}", "SF_TEMPORARY_CREDENTIAL_CACHE_DIR": str(tmp_path)}
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    give_up_early(monkeypatch)
    server.logins()
    yield server
    server.refuse()


@pytest.fixture
def mesh(account, tmp_path):
    with running(tiny_mesh(tmp_path / "mesh")) as mesh:
        yield mesh


def pulled(root):
    """What is recorded of a pull of the readings, and the rows after it, without all else of a refresh."""
    with warehouse().opened(root, "plant", "readings") as database:
        done = Pulling(root, "readings", database).pull()
        rows = database.rows("select reading_id, degrees from inputs.deliveries order by reading_id")
    return done.record["cursor"], [(row["reading_id"], float(row["degrees"])) for row in rows]


def key_file(folder):
    """An encrypted private key, and a line of it that nobody may see."""
    key, form = rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8
    encrypted = key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(KEY_PASSWORD.encode()))
    file = folder / "mesh.p8"
    file.write_bytes(encrypted)
    return str(file)


WAYS = {
    "a key pair": ("SNOWFLAKE_JWT", {"SNOWFLAKE_PRIVATE_KEY_PASSWORD": KEY_PASSWORD, "SNOWFLAKE_PASSWORD": PASSWORD}),
    "a password": (None, {"SNOWFLAKE_PASSWORD": PASSWORD}),
    "a browser": ("EXTERNALBROWSER", {"SNOWFLAKE_AUTHENTICATOR": "externalbrowser"}),
    "a token": ("OAUTH", {"SNOWFLAKE_AUTHENTICATOR": "oauth", "SNOWFLAKE_TOKEN": TOKEN}),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_steps_of_dagster_the_commands_and_dbt_sign_in_alike(account, monkeypatch, tmp_path, capfd, way):
    authenticator, said = WAYS[way]
    monkeypatch.delenv("SNOWFLAKE_PASSWORD")
    # Somebody is signed in at the company's provider in this one, which is asked for anew.
    monkeypatch.setenv("BROWSER", "curl --silent --location --output /dev/null %s &")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    if way == "a key pair":
        monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", key_file(tmp_path))
    for name, value in {**said, "MESH_SNOWFLAKE_DATABASE": "SHOP"}.items():
        monkeypatch.setenv(name, value)
    for connect in (connected, connected_by_dagster):
        with session(connect, "SHOP") as opened:
            assert opened.first("select 1") == (1,)
    assert capfd.readouterr().out == "", "what a browser is waited for with is no answer"
    project = ["--project-dir", str(REPOSITORY / "dbt_project"), "--profiles-dir", str(REPOSITORY / "dbt_project")]
    done = dbtRunner().invoke(["debug", "--connection", "--target", "snowflake", "--log-path", str(tmp_path), *project])
    let_go()
    assert done.success, capfd.readouterr()
    logins = account.logins()
    assert {login["AUTHENTICATOR"] for login in logins} == {authenticator}
    assert {"dbt", "DagsterLabs_Dagster", "PythonConnector"} <= {login["by"] for login in logins}, {login["by"] for login in logins}
    tokens = {login["TOKEN"] for login in logins}
    assert tokens == {"a token": {TOKEN}, "a browser": {TOKEN_OF_BROWSER}, "a password": {None}}.get(way, tokens)


def test_a_token_stands_nowhere_whether_it_is_taken_or_refused(mesh, account, monkeypatch, capfd):
    monkeypatch.delenv("SNOWFLAKE_PASSWORD")
    for name, value in WAYS["a token"][1].items():
        monkeypatch.setenv(name, value)
    (done,) = mesh.refresh("readings")
    assert done.outcome == "published", done.reasons
    account.refuse({"where": "login-request", "code": "390303", "state": "28000", "message": f"Invalid OAuth access token {TOKEN}."})
    refused = command(mesh.root, "refresh", "readings")
    assert refused.returncode == 3 and "does not let mesh in: " in refused.stderr and "Traceback" not in refused.stderr, refused
    assert TOKEN not in "".join(capfd.readouterr()) + refused.stdout + refused.stderr + str(done)
    assert [path for path in mesh.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        ("-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n", "it is a file in PEM form"),
        ("", "it is a file in PEM form"),
    ],
)
@pytest.mark.parametrize("connect", [connected, connected_by_dagster])
def test_a_key_that_cannot_be_read_is_told_with_what_to_do(account, monkeypatch, tmp_path, content, why, connect):
    file = tmp_path / "other.p8"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", str(file))
    with pytest.raises(EngineError, match="the private key that SNOWFLAKE_PRIVATE_KEY_PATH names cannot be read: ") as refused:
        session(connect, "SHOP").__enter__()
    assert why in str(refused.value)


def test_a_server_that_is_gone_while_dbt_builds_leaves_the_last_version_and_a_retry_works(mesh, account):
    assert [done.outcome for done in mesh.refresh("readings")] == ["published"]
    served = mesh.latest("readings").id
    account.refuse({"where": "transient table"})  # the statement of dbt that makes the model's table
    lost = command(mesh.root, "refresh", "readings")
    assert account.process.wait(timeout=300) == 1, "the server has died of it"
    account.refuse()
    account.start()
    # The connector's own timer, which breaks statements off, may end with a traceback in its thread.
    assert "/platform_resources/" not in lost.stderr and PASSWORD not in lost.stdout + lost.stderr
    assert lost.returncode == 3 and "Snowflake cannot be reached, or does not answer" in lost.stderr, lost
    assert mesh.latest("readings").id == served and mesh.rows("readings", "select count(*) from measurements") == [(4,)]
    (again,) = mesh.refresh("readings")
    assert again.outcome == "published", again.reasons
    assert mesh.latest("readings").id != served


def test_a_product_with_a_new_name_goes_on_with_its_versions(mesh):
    assert [done.outcome for done in mesh.refresh("readings")] == ["published"]
    before = mesh.latest("readings").id
    renamed(mesh.root)
    done = mesh.refresh("loggers", "summary")
    assert [each.outcome for each in done] == ["published", "published"], [each.reasons for each in done]
    assert next(version.id for version in mesh.shelf("loggers").published()) == before
    assert {port.port for version in mesh.shelf("loggers").published() for port in version.ports} == {"measurements_sql", "parquet"}
    assert mesh.rows("loggers", "select count(*) from measurements") == [(4,)]
    assert mesh.rows("summary", "select sum(readings) from sensors") == [(4,)]
    assert len(mesh.shelf("loggers").published()) == 2


def two_majors(root):
    """The readings in Fahrenheit, beside those that the summary reads."""
    new = component("degrees_f", "data-set", """
description: One row per reading, in Fahrenheit.
primary_key: [reading_id]
columns:
  - {name: reading_id, type: bigint, classification: public}
  - {name: fahrenheit, type: double, nullable: true, unit: F, classification: internal}
""")  # fmt: skip
    port = component("measurements_v2_sql", "output-port", "interface: sql\ndata_set: degrees_f")
    file = root / SPEC
    old = "interface: sql\n        data_set: measurements"
    edited(root, SPEC, old, f"{old}\n        version: 1.2.0\n        replacement: measurements_v2_sql\n        end_date: 2099-06-30")
    edited(root, SPEC, "version: 1.1.0", "version: 2.0.0")
    file.write_text(
        file.read_text().rstrip("\n") + "\n" + "\n".join("    " + line for each in (new, port) for line in each.splitlines()) + "\n"
    )
    (root / model_file("plant", "readings", "degrees_f")).write_text(
        "select cast(reading_id as bigint) as reading_id, cast(degrees * 1.8 + 32 as double) as fahrenheit from {{ ref('measurements') }}\n"
    )


def test_two_majors_of_a_port_are_published_together_and_each_consumer_reads_its_own(mesh):
    two_majors(mesh.root)
    done = mesh.refresh("readings", "summary")
    assert [each.outcome for each in done] == ["published", "published"], [each.reasons for each in done]
    version = mesh.latest("readings")
    assert {port.port: port.version for port in version.ports}["measurements_sql"] == "1.2.0"
    assert mesh.latest("summary").inputs["measurements"]["version"] == version.id, "^1 of the old port is read on"
    assert mesh.rows("readings", "select count(fahrenheit) from degrees_f") == [(3,)]
    edited(
        mesh.root,
        product_file("office", "summary"),
        "readings.measurements_sql\n        version: ^1",
        "readings.measurements_v2_sql\n        version: ^2",
    )
    edited(
        mesh.root,
        model_file("office", "summary", "sensor_readings"),
        "select sensor, degrees",
        "select 'all' as sensor, fahrenheit as degrees",
    )
    (moved,) = mesh.refresh("summary")
    assert moved.outcome == "published", moved.reasons
    assert mesh.rows("summary", "select warmest from sensors") == mesh.rows(
        "readings", "select cast(max(fahrenheit) as decimal(6,2)) from degrees_f"
    )


def test_of_a_table_of_a_database_only_what_has_changed_is_read(account, tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    engine = create_engine(f"sqlite:///{tmp_path / 'plant.db'}")
    port = f"""interface: sql-database
        url: sqlite:///{tmp_path / "plant.db"}
        table: readings
        key: [reading_id]
        cursor: reading_id
        deletes: compare"""
    edited(root, SPEC, "interface: file\n        path: landing/readings.csv", port)

    def run(*statements):
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def read():
        cursor, rows = pulled(root)
        return (cursor["how"], cursor["read"]), rows

    run("create table readings (reading_id bigint, sensor varchar(9), degrees numeric(6,2), measured_at timestamp, operator varchar(9))")
    run(*(f"insert into readings values ({n}, 'north', {n}.5, '2024-06-0{n} 06:00:00.000000', 'Ada')" for n in range(1, 6)))
    assert read() == (("all rows: the first time", 5), [(n, n + 0.5) for n in range(1, 6)])
    run("insert into readings values (6, 'south', 6.5, '2024-06-09 06:00:00.000000', 'Ben')", "delete from readings where reading_id = 2")
    assert read() == (("changes", 2), [(1, 1.5), (3, 3.5), (4, 4.5), (5, 5.5), (6, 6.5)])
    (kept,) = (root / "snowflake/pulled/plant/readings").iterdir()
    kept.unlink()
    assert read()[0] == ("all rows: the first time", 5), "a machine that has kept nothing reads everything"
    engine.dispose()


def test_of_a_topic_only_what_is_new_is_read_and_tombstones_take_rows_away(account, tmp_path, monkeypatch):
    with mock_broker() as broker:
        monkeypatch.setenv("PLANT_BROKERS", broker.servers)
        root = tiny_mesh(tmp_path / "mesh")
        plant = Plant(root, broker)

        def read():
            cursor, rows = pulled(root)
            return cursor["read"], rows

        plant.send((1, 1.5), (2, 2.5), (3, 3.5), (4, "{no"))
        assert read() == (4, [(1, 1.5), (2, 2.5), (3, 3.5)])
        plant.send((2, None), (3, 4.5), (5, 5.5))
        assert read() == (3, [(1, 1.5), (3, 4.5), (5, 5.5)])
        (kept,) = (root / "snowflake/pulled/plant/readings").iterdir()
        kept.unlink()
        assert read() == (7, [(1, 1.5), (3, 4.5), (5, 5.5)]), "a machine that has kept nothing reads everything"


def test_changes_in_snowflake_go_to_a_topic_which_replayed_gives_the_current_version(account, tmp_path, monkeypatch):
    root = tiny_mesh(tmp_path / "mesh")
    (root / SPEC).write_text(f"{(root / SPEC).read_text().rstrip()}\n{indented(PORT, 4)}\n")
    with mock_broker() as broker:
        monkeypatch.setenv("PLANT_BROKERS", broker.servers)
        stream = Stream(root, mesh_plan(read_mesh(root))[0], broker)
        stream.publish({1: 1.5, 2: 2.5, 3: 3.5})
        assert (stream.send(), stream.replayed()) == ([], {1: "1.50", 2: "2.50", 3: "3.50"})
        stream.publish({1: 1.5, 3: 9, 4: 4.5})
        child = os.fork()
        if not child:
            try:
                with at_call(1, TopicProducer.send, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                    stream.send()
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        assert len(stream.messages()) == 3, "it was killed before it sent anything"
        stream.minutes += 10
        assert (stream.send(), stream.replayed()) == ([], {1: "1.50", 3: "9.00", 4: "4.50"})
        assert sorted(dict(message.headers())["mesh-op"] for message in stream.messages()[3:]) == [
            b"delete",
            b"delete",
            b"insert",
            b"update",
        ]
