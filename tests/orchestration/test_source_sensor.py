"""When products are refreshed because a source has something new: the rule as a table, and the sensor over real files, a database, a server."""

import json
import os
import socket
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG
from sqlalchemy import create_engine, text

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration import source_sensor
from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.source_sensor import STILL, Arrival, Noted, _noted, _result, _run_key, arrival
from platform_resources.services.refreshes import source_marks as asking
from platform_resources.services.refreshes.source_marks import Question, SourceMarks, source_marks
from platform_resources.spec.problems import problems_text
from tests.capabilities.test_rest_rows import server  # noqa: F401
from tests.ledger.ledgers import new_database
from tests.meshes import READINGS_CSV, edited, product_file
from tests.refresh.running import deliver

SPEC = product_file("plant", "readings")
FILE = "interface: file\n        path: landing/readings.csv"
NOW, OLD, NEWER = SourceMarks({"a": "1"}, {}), Noted({"a": "0"}), SourceMarks({"a": "2"}, {})
AT, SECOND, MINUTE = datetime(2026, 11, 29, 12, tzinfo=UTC), timedelta(seconds=1), timedelta(minutes=1)
SOON = AT.isoformat()
LOST, ASKED = "a did not arrive", Noted({"a": "0"}, requests=3, asked_at=AT.isoformat(), repeats=2)
SILENT, TWO = SourceMarks({}, {"a": "no answer"}), SourceMarks({"a": "0", "b": "9"}, {})


def waits(marks, since=SOON, **noted):
    """Something new waits since then."""
    return replace(OLD, news=marks, news_since=since, **noted)


LONG_AGO = (AT - 20 * SECOND).isoformat()


@pytest.mark.parametrize(
    ("what", "found", "noted", "running", "expected"),
    [
        ("what is there at first sight is no news", NOW, None, False, Arrival(Noted({"a": "1"}))),
        ("nothing new", SourceMarks({"a": "0"}, {}), OLD, False, Arrival(OLD)),
        ("a look to wait for what comes with it", NOW, OLD, False, Arrival(waits({"a": "1"}), False, STILL)),
        ("then one refresh", NOW, waits({"a": "1"}, requests=3), False, Arrival(Noted({"a": "1"}, requests=4, asked_at=SOON), True)),
        ("not while it goes on coming", NEWER, waits({"a": "1"}), False, Arrival(waits({"a": "2"}), False, STILL)),
        ("but for so long", NEWER, waits({"a": "1"}, LONG_AGO), False, Arrival(Noted({"a": "2"}, requests=1, asked_at=SOON), True)),
        ("not beside a refresh", NOW, waits({"a": "1"}), True, Arrival(waits({"a": "1"}, ""), False, "it is being refreshed")),
        ("after one, what goes on coming has time again", NEWER, waits({"a": "1"}, ""), False, Arrival(waits({"a": "2"}), False, STILL)),
        ("and what is still has not", NOW, waits({"a": "1"}, ""), False, Arrival(Noted({"a": "1"}, requests=1, asked_at=SOON), True)),
        ("a source that does not answer", SILENT, waits({"a": "1"}), False, Arrival(OLD)),
        ("a port that told nothing before", TWO, OLD, False, Arrival(waits({"a": "0", "b": "9"}), False, STILL)),
        ("then a refresh", TWO, waits(TWO.marks), False, Arrival(Noted({"a": "0", "b": "9"}, requests=1, asked_at=SOON), True)),
        ("a source that is asked for the first time", NOW, Noted({}), False, Arrival(Noted({}, NOW.marks, SOON), False, STILL)),
        ("what has gone again", SourceMarks({"a": "0"}, {}), waits({"a": "1"}), False, Arrival(OLD)),
    ],
)
def test_a_product_is_due_at_the_second_look_that_finds_the_same_news(what, found, noted, running, expected):
    assert arrival(found, noted, running, AT) == expected, what


SAME, AGAIN = SourceMarks({"a": "0"}, {}), Noted({"a": "0"}, requests=4, asked_at=(AT + 4 * MINUTE).isoformat(), repeats=3)


@pytest.mark.parametrize(
    ("what", "found", "minutes", "running", "failed", "expected"),
    [
        ("it waits twice as long as before", SAME, 3, False, LOST, Arrival(ASKED, False, f"{LOST}; it is tried again")),
        ("and is tried again", SAME, 4, False, LOST, Arrival(AGAIN, True)),
        ("not beside a refresh", SAME, 4, True, LOST, Arrival(ASKED, False, f"{LOST}; it is tried again")),
        ("what went well is counted from the beginning", SAME, 4, False, "", Arrival(replace(ASKED, repeats=0))),
        (
            "something new does not wait for that",
            NOW,
            3,
            False,
            LOST,
            Arrival(replace(ASKED, news=NOW.marks, news_since=(AT + 3 * MINUTE).isoformat()), False, STILL),
        ),
    ],
)
def test_what_was_not_loaded_is_tried_again_without_anything_new(what, found, minutes, running, failed, expected):
    assert arrival(found, ASKED, running, AT + minutes * MINUTE, failed) == expected, what


def test_the_longest_time_between_two_tries_is_an_hour():
    assert replace(ASKED, repeats=50).repeated_at() == AT + 60 * MINUTE


def test_what_comes_while_a_description_is_broken_is_news_once_it_is_mended():
    broken = _result({"b": NOW}, {"b": arrival(NOW, None, False, AT)}, {"a": OLD})
    noted = {name: _noted(fields) for name, fields in json.loads(broken.cursor).items()}
    assert noted == {"a": OLD, "b": Noted({"a": "1"})}
    assert arrival(NOW, noted["a"], False, AT).waits_for


def test_what_the_cursor_of_an_older_platform_knows_is_taken_over():
    assert _noted({"handled": {"a": "0"}, "waiting": True, "requests": 3, "asked_at": SOON, "repeats": 2}) == replace(ASKED, asked_at=SOON)


def on_inputs(root, port=FILE):
    edited(root, SPEC, 'refresh: {cron: "0 5 * * *", timezone: Europe/Berlin}', "refresh: {on: inputs}")
    if port != FILE:
        edited(root, SPEC, FILE, port)


class Watching:
    """The sensor of the domain, tick by tick."""

    def __init__(self, root, instance):
        self.repository = definitions(root, read_plan(root)[0]).get_repository_def()
        self.instance, self.cursor, self.keys = instance, None, []

    def tick(self):
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, repository_def=self.repository)
        data = self.repository.get_sensor_def("refresh_plant_on_sources").evaluate_tick(context)
        self.cursor = data.cursor
        self.keys += [request.run_key for request in data.run_requests or ()]
        return [request.job_name for request in data.run_requests or ()], data.skip_message

    def run(self):
        """As the daemon does what was asked for last."""
        noted = json.loads(self.cursor or "{}").get("readings", {})
        tags = {RUN_KEY_TAG: _run_key("readings", _noted(noted))} if noted else {}
        return self.repository.get_job("refresh_readings").execute_in_process(instance=self.instance, raise_on_error=False, tags=tags)

    def later(self):
        """The same a while after the last request."""
        noted = json.loads(self.cursor)
        noted["readings"]["asked_at"] = (datetime.fromisoformat(noted["readings"]["asked_at"]) - 5 * MINUTE).isoformat()
        self.cursor = json.dumps(noted)
        return self.tick()


@pytest.fixture
def instance(monkeypatch):
    monkeypatch.setattr(source_sensor, "LONGEST_LOOK_SECONDS", 300.0)  # a busy machine is no source that hangs
    monkeypatch.setattr(asking, "ASK_EVERY", timedelta(0))
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


NOTHING = ([], "no source has anything new")
WAITS = ([], f"readings waits: {STILL}")
DUE = (["refresh_readings"], None)


@pytest.mark.slow
def test_new_files_start_one_refresh_for_a_burst_of_them(tiny, instance, monkeypatch):
    on_inputs(tiny, FILE.replace("readings.csv", "*.csv"))
    watching = Watching(tiny, instance)
    assert [watching.tick(), watching.tick()] == [NOTHING, NOTHING]
    landing, names = tiny / "dataproducts/plant/readings/landing", iter(f"{number}.csv" for number in range(50))

    def more(_=0):
        for name in islice(names, 10):
            deliver(tiny, READINGS_CSV, landing / name)
        with (landing / "growing.csv").open("a") as half_written:
            half_written.write("5,sou")

    with monkeypatch.context() as patched:
        patched.setattr(source_sensor.time, "sleep", more)
        patched.setattr(source_sensor, "LONGEST_BURST", MINUTE * 60)  # a busy machine takes longer than the burst
        for _ in range(3):
            more()
            assert watching.tick() == WAITS
    assert [watching.tick(), watching.tick()] == [DUE, NOTHING]
    for number in range(4):
        os.unlink(landing / f"{number}.csv")
    assert [watching.tick(), watching.tick()] == [DUE, NOTHING]
    assert len(set(watching.keys)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("load", ["append", "replace"])
def test_a_file_whose_manifest_has_not_come_starts_nothing_and_the_manifest_starts_one_refresh(tiny, instance, load):
    on_inputs(tiny, FILE.replace("readings.csv", "*.csv") + f"\n        load: {load}\n        manifest: _done")
    landing = tiny / "dataproducts/plant/readings/landing"
    (landing / "_done").write_text("readings.csv\n")
    watching = Watching(tiny, instance)
    assert watching.tick() == NOTHING
    deliver(tiny, READINGS_CSV, landing / "later.csv")
    assert [watching.tick(), watching.tick()] == [NOTHING, NOTHING]
    (landing / "_done").write_text("readings.csv\nlater.csv\n")
    assert [watching.tick(), watching.tick()] == [DUE, NOTHING]


@pytest.mark.slow
@pytest.mark.parametrize(("load", "handled_stays"), [("append", True), ("replace", False)])
def test_a_file_is_news_only_once_nobody_has_written_to_it_for_as_long_as_quiet_says(tiny, load, handled_stays):
    on_inputs(tiny, FILE.replace("readings.csv", "*.csv") + f"\n        load: {load}\n        quiet: 5m")
    landing, products = tiny / "dataproducts/plant/readings/landing", [read_plan(tiny)[0].product("readings")]
    os.utime(landing / "readings.csv", (0, 0))

    def marks(now):
        return source_marks(tiny, tiny, products, now, 300, {})["readings"].marks

    before = marks(AT)
    (landing / "later.csv").write_text(READINGS_CSV)
    os.utime(landing / "later.csv", (AT.timestamp(), AT.timestamp()))
    assert marks(AT + 4 * MINUTE) == (before if handled_stays else {})
    assert marks(AT + 5 * MINUTE).keys() == before.keys()
    assert marks(AT + 5 * MINUTE) != before


@pytest.mark.slow
def test_a_refresh_that_did_not_start_or_whose_source_did_not_arrive_is_tried_again_until_it_has(tiny, instance):
    on_inputs(tiny)
    with dg.DagsterInstance.ephemeral() as before:
        assert Watching(tiny, before).run().success
    watching = Watching(tiny, instance)
    assert watching.tick() == NOTHING
    good = "dataproducts/plant/readings/landing/readings.csv"
    deliver(tiny, READINGS_CSV.replace("reading_id", '"reading_id'), good)
    assert [watching.tick(), watching.tick()] == [DUE, NOTHING]
    assert watching.later() == DUE  # no run had come of it
    assert watching.run().success  # the last good rows are served
    with instance.run_storage.connect() as connection:  # the database's clock is behind
        connection.execute(text("update runs set create_timestamp = '2020-01-01 00:00:00'"))
    assert watching.tick() == ([], "readings waits: deliveries did not arrive; it is tried again")
    assert watching.later() == DUE
    edited(tiny, SPEC, FILE, f"{FILE}\n        on_failure: fail")
    failing = Watching(tiny, instance)
    failing.cursor = watching.cursor
    assert not failing.run().success
    assert failing.later() == DUE
    deliver(tiny, READINGS_CSV + "5,south,11,2024-06-01 06:00:00,Ada\n", good)
    assert failing.run().success
    assert failing.later() == DUE  # the file is another one than what was asked for


@pytest.mark.slow
def test_a_source_that_hangs_is_waited_for_once_and_asked_once_until_it_answers(tiny):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/all"
        on_inputs(tiny, f"interface: rest\n        url: {address}\n        pagination: none\n        changed_by: etag")
        products, questions = [read_plan(tiny)[0].product("readings")], {}
        found = source_marks(tiny, tiny, products, AT, 0.1, questions)["readings"]
        assert (found.marks, found.silent) == ({}, {"deliveries": "no answer since Sun 29 Nov, 12:00 UTC"})
    answer = Future()
    questions = {("readings", "deliveries"): Question(answer, AT)}
    # It would take ten minutes to wait for it.
    assert source_marks(tiny, tiny, products, AT + MINUTE, 600, questions)["readings"] == found
    answer.set_result('"1"')
    for seconds in (0, 19):  # what a source has answered is not asked again for so long
        assert source_marks(tiny, tiny, products, AT + MINUTE + seconds * SECOND, 600, questions)["readings"].marks == {"deliveries": '"1"'}
    assert "deliveries" in source_marks(tiny, tiny, products, AT + MINUTE + 20 * SECOND, 600, questions)["readings"].silent
    questions = {("readings", "deliveries"): Question(answer, AT, heard_at=AT + 60 * MINUTE)}  # the clock was set back since
    assert "deliveries" in source_marks(tiny, tiny, products, AT, 600, questions)["readings"].silent


@pytest.mark.slow
def test_slow_sources_keep_none_from_being_asked(tiny, monkeypatch):
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    on_inputs(tiny)
    (files,) = read_plan(tiny)[0].product("readings").inputs
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/all"
        edited(tiny, SPEC, FILE, f"interface: rest\n        url: {address}\n        pagination: none\n        changed_by: etag")
        product = read_plan(tiny)[0].product("readings")
        product = replace(product, inputs=(*product.inputs, replace(files, name="files")))
        heard, without_thread = Future(), Future()
        heard.set_result('"1"')
        without_thread.cancel()
        questions = {("readings", "deliveries"): Question(heard, AT, AT), ("readings", "files"): Question(without_thread, AT)}
        found = source_marks(tiny, tiny, [product], AT + MINUTE, 1, questions)["readings"]
        assert found.silent["deliveries"] == "no answer since Sun 29 Nov, 12:01 UTC"
    assert questions["readings", "files"].answer.result(timeout=300)


@pytest.mark.slow
def test_new_rows_of_a_table_and_another_answer_start_a_refresh_and_what_cannot_be_asked_is_told(
    tiny,
    instance,
    server,  # noqa: F811
    postgres_server,
    monkeypatch,
):
    port = "interface: sql-database\n        url: ${PLANT_DATABASE}\n        table: readings\n        key: [id]\n        cursor: at\n        deletes: none"
    on_inputs(tiny, port)
    monkeypatch.setenv("PLANT_DATABASE", new_database(postgres_server))
    engine = create_engine(os.environ["PLANT_DATABASE"])
    with engine.begin() as connection:
        connection.execute(text("create table readings (id int, at timestamptz); insert into readings values (1, '2024-06-01')"))
    watching = Watching(tiny, instance)
    assert [watching.tick(), watching.tick()] == [NOTHING, NOTHING]
    for number in (2, 3):  # the second one of the same time
        with engine.begin() as connection:
            connection.execute(text(f"insert into readings values ({number}, '2024-06-02')"))
        assert [watching.tick(), watching.tick()] == [DUE, NOTHING]
    engine.dispose()
    with create_engine(postgres_server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"drop database {engine.url.database} with (force)"))
    requested, why = watching.tick()
    assert (requested, "readings: deliveries cannot be asked: OperationalError" in why) == ([], True), why
    assert os.environ["PLANT_DATABASE"] not in why
    rest = f"interface: rest\n        url: http://127.0.0.1:{server.server_port}/whole\n        records: data.items\n        pagination: none\n        changed_by: etag"
    edited(tiny, SPEC, port, rest)
    watching = Watching(tiny, instance)
    server.etag = '"1"'
    assert [watching.tick(), watching.tick()] == [NOTHING, NOTHING]
    server.etag = '"2"'
    assert watching.tick() == DUE
    server.etag = ""
    assert "has no header etag (changed_by)" in watching.tick()[1]


UNTOLD = {
    "no cursor": (
        "interface: sql-database\n        url: ${PLANT}\n        table: t",
        "deliveries: it has no cursor: write cursor, key and deletes",
    ),
    "no header": (
        "interface: rest\n        url: https://a/b\n        pagination: none",
        "deliveries: it has no changed_by: write etag or last-mod",
    ),
}


@pytest.mark.parametrize(("port", "said"), UNTOLD.values(), ids=UNTOLD)
def test_a_source_that_cannot_tell_is_refused_with_the_way_out(tiny, port, said):
    on_inputs(tiny, port)
    problems = problems_text(read_plan(tiny)[1])
    assert f"no input would ever refresh it: {said}" in problems and "or write refresh: {cron:" in problems
