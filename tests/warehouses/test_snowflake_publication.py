"""A publication in Snowflake that dies before any of its statements, and readers between all of them."""

import itertools
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import Store
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Keeping, PortDraft, PortVersion, Publication, VersionsUnreadable
from platform_resources.services.access.class_evidence import column_evidence
from platform_resources.services.catalog.access_snippets import snippets
from platform_resources.warehouses.engine_errors import NotSupported
from platform_resources.warehouses.published_places import CatalogView
from platform_resources.warehouses.snowflake.sessions import Session
from platform_resources.warehouses.targets import warehouse
from tests.meshes import tiny_mesh
from tests.snowflake_server import PASSWORD, give_up_early, snowflake_server, trial

pytestmark = pytest.mark.account
NUMBERS = itertools.count(1)
PLACE = ("plant", "readings")
DATA_SETS, STORE, NOW = {"measurements": 3, "sensors": 2}, Store("parquet", in_catalog=True), datetime(2024, 6, 1, 6, tzinfo=UTC)


class Died(BaseException):
    """What ends the publication before a statement, as a process ends that is killed: nothing is run after it."""


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with pytest.MonkeyPatch.context() as changes, snowflake_server(tmp_path_factory.mktemp("snowflake") / "log") as environment:
        for name, value in environment.items():
            changes.setenv(name, value)
        give_up_early(changes)
        yield


@pytest.fixture
def mesh(account, monkeypatch, tmp_path):
    """The state folder of a mesh that has databases of its own."""
    monkeypatch.setenv("SNOWFLAKE_DATABASE", trial(f"MESH{next(NUMBERS)}"))
    return tmp_path


@pytest.fixture
def between(monkeypatch):
    """What is done before each statement that changes something; set by tests. A death before a SELECT is one after what came before it."""
    steps = []
    run = Session.described

    def described(session, sql, *more):
        waiting, steps[:] = steps[:], []  # what is done between statements runs statements too
        for step in () if sql.startswith("select") else waiting:
            step(sql)
        steps[:] = waiting
        return run(session, sql, *more)

    monkeypatch.setattr(Session, "described", described)
    return steps


def version_id(number):
    return f"20240601T060000.{number:06d}Z"


def number_of(version):
    return int(version[16:22])


def built(database, number, column="int"):
    """What dbt leaves: each row of each data set carries the number."""
    for name, rows in DATA_SETS.items():
        select = " union all ".join([f"select cast({number} as {column}) as n"] * rows)
        database.session.rows(f"create or replace table INTERNAL.{name} as {select}")


def publish(state, number, column="int"):
    """The version of this number, from the first statement of its publication to the last."""
    versions = shelf(state, *PLACE)
    with warehouse().opened(state, *PLACE) as database:
        built(database, number, column)
        versions.begin(version_id(number))
        ports = tuple(written_port(database, versions, number, name) for name in DATA_SETS)
        moment = NOW.replace(microsecond=number).isoformat()
        versions.publish(Publication(version_id(number), "readings", "1.0.0", moment, "run", "", {}, ports))
    warehouse().show(state, *PLACE, [CatalogView(port.data_set, versions.where(port)) for port in ports])
    versions.prune(Keeping(dict.fromkeys(DATA_SETS, 1)), NOW + timedelta(days=1))


def written_port(database, versions, number, name):
    relation = Relation("internal", name)
    columns = database.columns(relation)
    written = versions.write(database, PortDraft(version_id(number), "1.0.0", name, name, STORE, relation, columns))
    return PortVersion(name, name, "parquet", database.count(relation), columns, None, written.files, written.bytes)


def found_by_consumers(state):
    """The version, and by data set the numbers in its rows."""
    versions = shelf(state, *PLACE)
    latest = versions.latest()
    ports = {port.data_set: versions.where(port) for port in latest.ports}
    return latest.id, {name: [row[0] for row in warehouse().first_rows(port, 100)] for name, port in ports.items()}


def found_by_clients(state):
    """Rows, least and greatest number that an SQL client finds in one statement over both views."""
    sql = "select count(*), min(n), max(n) from (select n from measurements union all select n from sensors) as all_of_them"
    return tuple(warehouse().catalog_rows(state, *PLACE, sql)[0])


def whole(number):
    return version_id(number), {name: [number] * rows for name, rows in DATA_SETS.items()}


def test_readers_between_all_statements_find_one_whole_version(mesh, between):
    publish(mesh, 1)
    seen = []
    between.append(lambda _: seen.append((found_by_consumers(mesh), found_by_clients(mesh))))
    publish(mesh, 2)
    between.clear()
    assert len(seen) > 10 and {found[0] for found, _ in seen} == {version_id(1), version_id(2)}
    for found, (rows, least, greatest) in seen:
        assert found == whole(number_of(found[0])) and (rows, least) == (5, greatest)
    assert [found[0] for found, _ in seen] == sorted(found[0] for found, _ in seen)
    assert [greatest for _, (_, _, greatest) in seen] == sorted(greatest for _, (_, _, greatest) in seen)


def test_a_publication_that_dies_before_any_statement_leaves_a_whole_version_and_is_made_again(mesh, between):
    publish(mesh, 1)
    statements = []
    between.append(statements.append)
    publish(mesh, 2)
    between.clear()
    assert len(statements) > 10
    served = 2
    for deadly, statement in enumerate(statements):
        between.append(dying(deadly))
        with pytest.raises(Died):
            publish(mesh, 3 + deadly)
        between.clear()
        found = found_by_consumers(mesh)
        assert found in (whole(served), whole(3 + deadly)), (deadly, statement)
        served = number_of(found[0])
        assert found_by_clients(mesh) == (5, served, served), (deadly, statement)
    assert served > 2, "the last statements come after the publication"
    publish(mesh, 1000)
    assert (found_by_consumers(mesh), found_by_clients(mesh)) == (whole(1000), (5, 1000, 1000))
    with warehouse().opened(mesh, *PLACE) as database:
        kept = {row[0] for name in DATA_SETS for row in database.session.rows(f"select _MESH_VERSION from VERSIONS.{name}")}
    assert kept == {version_id(1000)}, "what was never published is gone"


def dying(deadly):
    """Before so many statements nothing happens; then none is run any more."""
    run = itertools.count()

    def step(sql):
        if next(run) >= deadly:
            raise Died(sql)

    return step


def test_a_load_that_dies_before_any_statement_never_has_the_note_of_other_rows(mesh, between):
    relation = Relation("inputs", "readings")

    def load(number):
        with warehouse().opened(mesh, *PLACE) as database, database.transaction():
            database.load_data(relation, database.connection.sql(f"select {number} as n"))
            database.remember("pull", "readings", str(number))

    load(1)
    statements = []
    between.append(statements.append)
    load(2)
    between.clear()
    outcomes = set()
    for deadly in range(len(statements)):
        between.append(dying(deadly))
        with pytest.raises(Died):
            load(3 + deadly)
        between.clear()
        with warehouse().opened(mesh, *PLACE) as database:
            note = database.remembered("pull").get("readings")
            rows = database.rows("select n from inputs.readings") if database.exists(relation) else []
        outcomes.add("none" if note is None else "kept")
        assert note is None or rows == [{"n": int(note)}], (deadly, statements[deadly])
        load(2)
    assert outcomes == {"none", "kept"}


def test_a_column_may_be_added_and_a_change_of_its_type_is_refused(mesh):
    publish(mesh, 1)
    with pytest.raises(NotSupported, match=r"column n is varchar now and bigint in versions that are kept"):
        publish(mesh, 2, "varchar")
    assert found_by_consumers(mesh) == whole(1)
    with warehouse().opened(mesh, *PLACE) as database:
        built(database, 3)
        database.session.rows("alter table INTERNAL.SENSORS add column place varchar")
        versions = shelf(mesh, *PLACE)
        versions.begin(version_id(3))
        port = written_port(database, versions, 3, "sensors")
        assert database.published_rows(versions.where(port)) == 2 and list(port.columns) == ["n", "place"]


def test_a_version_is_not_written_a_second_time_over_one_that_is_published(mesh):
    publish(mesh, 1)
    with pytest.raises(VersionsUnreadable, match="is published already"):
        publish(mesh, 1)
    assert found_by_consumers(mesh) == whole(1)


def test_a_pin_on_a_product_that_was_never_refreshed_can_be_let_go(mesh):
    """There is no database for it yet, so there is nothing to take away."""
    shelf(mesh, *PLACE).unpin("summary.measurements")
    assert not shelf(mesh, *PLACE).was_published()
    publish(mesh, 1)
    shelf(mesh, *PLACE).pin("summary.measurements", version_id(1))
    shelf(mesh, *PLACE).unpin("summary.measurements")
    assert shelf(mesh, *PLACE).pins() == {}


def shown_under(state, product):
    """The newest version and its rows under a name, and what SQL clients find there."""
    counted = warehouse().catalog_rows(state, PLACE[0], product, "select count(*), max(n) from measurements")
    return *shown_rows(shelf(state, PLACE[0], product)), counted[0]


def test_a_product_keeps_its_versions_pins_and_views_under_a_new_name(mesh):
    publish(mesh, 1)
    shelf(mesh, *PLACE).pin("summary.measurements", version_id(1))
    for _ in range(2):  # a second time changes nothing
        warehouse().take_over(PLACE[0], PLACE[1], "sensor_readings")
        assert shown_under(mesh, "sensor_readings") == (*whole(1), (3, 1))
    assert shelf(mesh, PLACE[0], "sensor_readings").pins() == {"summary.measurements": version_id(1)}
    warehouse().take_over(PLACE[0], "never_was", "sensor_readings")
    publish(mesh, 2)
    assert shown_under(mesh, "sensor_readings") == (*whole(1), (3, 1)), "what is done under the former name is another product's"
    assert found_by_clients(mesh) == (5, 2, 2)


def test_a_process_that_dies_while_a_name_is_taken_over_leaves_nothing_half(mesh, between):
    publish(mesh, 1)
    for deadly in range(100):
        between.append(dying(deadly))
        with suppress(Died):
            warehouse().take_over(PLACE[0], PLACE[1], "sensor_readings")
            between.clear()
            break
        between.clear()
        versions = shelf(mesh, PLACE[0], "sensor_readings")
        assert not versions.was_published() or shown_rows(versions) == whole(1)
    assert deadly > 8 and shown_under(mesh, "sensor_readings") == (*whole(1), (3, 1))


def shown_rows(versions):
    latest = versions.latest()
    return latest.id, {port.data_set: [row[0] for row in warehouse().first_rows(versions.where(port), 100)] for port in latest.ports}


def test_text_to_copy_from_a_product_page_reads_what_is_published(account, monkeypatch, tmp_path, capsys):
    with monkeypatch.context() as elsewhere:
        elsewhere.delenv("MESH_TARGET")
        product = read_plan(tiny_mesh(tmp_path / "tiny"))[0].product("readings")
    monkeypatch.setenv("SNOWFLAKE_DATABASE", trial(f"MESH{next(NUMBERS)}"))
    publish(tmp_path, 1)
    (port,) = (port for port in product.outputs if port.store.in_catalog)
    copied = {snippet.kind: snippet.text for snippet in snippets(product, port, tmp_path)}
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "acme-prod")
    pages = {snippet.kind: snippet.text for snippet in snippets(product, port, tmp_path)}["pages"]
    names = {}
    exec(copied["python"], names)
    assert names["rows"] == [(1,)] * 3 and "(1,)" in capsys.readouterr().out
    database = os.environ["SNOWFLAKE_DATABASE"] + "__PLANT__READINGS"
    assert warehouse().catalog_rows(tmp_path, *PLACE, copied["address"].rstrip().rstrip(";"))[0] == (1,)
    assert copied["jdbc"].startswith("jdbc:snowflake://localhost/?db=" + database) and PASSWORD not in str(copied)
    assert pages == f"https://app.snowflake.com/acme/prod/#/data/databases/{database}/schemas/PORTS/view/MEASUREMENTS\n"
    (source,) = yaml.safe_load(copied["dbt"])["sources"]
    assert (source["database"], source["schema"], source["tables"]) == (database, "PORTS", [{"name": "measurements"}])


def test_what_the_platform_asks_of_published_rows_itself_is_translated(mesh):
    publish(mesh, 1, column="varchar")
    ask = lambda sql: queried(mesh, *PLACE, sql, is_ours=True)[1]  # noqa: E731
    (evidence,) = column_evidence(ask, "measurements", {"n": "varchar"}, NOW)
    assert (evidence.name, evidence.filled, set(evidence.looks.values())) == ("n", 3, {0})
    like = """select cast("n" as varchar) as value from "measurements" where regexp_full_match("n", '(?i)[0-9]|x')"""
    assert ask(f"select value from ({like}) using sample reservoir(2 rows)") == [("1",), ("1",)]
