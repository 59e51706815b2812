"""Changes of a port in a topic: who replays it from its beginning has exactly the newest version, whenever the sender was killed."""

import json
import os
import re
import shutil
import signal
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.carried_history import carry_history
from platform_resources.ledger.people.certifications import NEVER_ENDS, Certificate, end_certificates, grant_certificate
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.services.access.access_plan import access_plan, apply_access
from platform_resources.services.backups.restoring import restore
from platform_resources.services.backups.saving import save
from platform_resources.services.catalog.access_snippets import snippets
from platform_resources.services.control_ports import change_streams, topic_producers
from platform_resources.services.control_ports.registering import register
from platform_resources.services.releases.listeners import end_listeners, listeners
from platform_resources.warehouses.targets import warehouse
from tests.brokers import broker_process
from tests.marketplace.shop_mesh import NOW, opened_ledger
from tests.meshes import component, edited, indented, product_file, tiny_mesh

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MEASURED = """
create or replace table internal.measurements
(reading_id bigint, sensor varchar, degrees decimal(6, 2), measured_at timestamp, operator varchar, processed_at timestamp with time zone)
"""


class Stream:
    """The tiny mesh with a port that has a topic of its own; versions are made without dbt."""

    def __init__(self, root, plan, broker, topic=None, minutes=0):
        self.root, self.broker, self.topic, self.minutes = root, broker, topic or broker.topic(), minutes
        self.plan = replace(plan, products=tuple(replace(p, outputs=tuple(map(self._with_topic, p.outputs))) for p in plan.products))

    def _with_topic(self, port):
        stream = port.store.stream
        return port if stream is None else replace(port, store=replace(port.store, stream=replace(stream, topic=self.topic)))

    def publish(self, rows):
        """A version with these rows: degrees by id."""
        self.minutes += 20
        product = self.plan.product("readings")
        with warehouse().opened(self.root, "plant", "readings") as database:
            database.execute(MEASURED)
            values = [f"({number}, 'north', {degrees}, '2024-06-01', 'Ada', '2024-06-01 12:00:00+00')" for number, degrees in rows.items()]
            if values:
                database.execute(f"insert into internal.measurements values {', '.join(values)}")
            return publish(database, Candidate(product, self.root, self.now, f"run{self.minutes}", "print"), {})

    @property
    def now(self):
        return NOW + timedelta(minutes=self.minutes)

    def send(self):
        ledger = opened_ledger(self.root)
        self.minutes += 5
        try:
            return list(register(ledger, self.root, self.root, self.plan, self.plan.products, self.now).failed)
        finally:
            ledger.close()

    def messages(self):
        """All messages from the beginning, partition by partition."""
        consumer = Consumer(
            {"bootstrap.servers": self.broker.servers, "group.id": "reader", "enable.partition.eof": True, "auto.offset.reset": "error"}
        )
        parts = consumer.list_topics(self.topic, timeout=60).topics[self.topic].partitions
        consumer.assign([TopicPartition(self.topic, number, 0) for number in parts])
        found, left = [], set(parts)
        while left:
            message = consumer.poll(10)
            assert message is not None
            if message.error() is not None:
                assert message.error().code() == KafkaError._PARTITION_EOF
                left.discard(message.partition())
            else:
                found.append(message)
        consumer.close()
        return found

    def replayed(self):
        """What a consumer has that applies every message: degrees by id."""
        rows = {}
        for message in self.messages():
            if message.value() is None:
                rows.pop(message.key(), None)
                continue
            change = json.loads(message.value())
            assert json.loads(message.key()) == change["key"]
            if change["op"] == "delete":
                rows.pop(message.key(), None)
            else:
                rows[message.key()] = change["after"]
        return {row["reading_id"]: row["degrees"] for row in rows.values()}


PORT = component(
    "readings_changes",
    "output-port",
    "interface: kafka\ndata_set: measurements\nservers: ${PLANT_BROKERS}\ntopic: plant.readings\nrole: analyst",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tiny_mesh(tmp_path_factory.mktemp("streams") / "mesh")
    (root / SPEC).write_text(f"{(root / SPEC).read_text().rstrip()}\n{indented(PORT, 4)}\n")
    plan, problems = read_plan(root)
    assert not problems
    return root, plan


def streamed(made, folder, broker):
    root, plan = made
    return Stream(shutil.copytree(root, folder / "mesh", symlinks=True), plan, broker)


@pytest.fixture
def stream(made, tmp_path, broker, monkeypatch):
    monkeypatch.setenv("PLANT_BROKERS", broker.servers)
    return streamed(made, tmp_path, broker)


@pytest.mark.parametrize("was_sent_since", [False, True])
def test_after_a_restore_a_topic_goes_on_where_it_is_known_what_it_has(stream, made, broker, tmp_path, was_sent_since):
    stream.publish({1: "1.5", 2: "2.5"})
    assert stream.send() == []
    backup = save(stream.root, stream.root / ".dagster", tmp_path / "backups", stream.now, {})
    lost = stream.publish({2: "2.5", 3: "7"})
    assert not was_sent_since or stream.send() == []
    state = tmp_path / "restored/mesh"
    restore(backup, state, state / ".dagster", {})
    restored = Stream(shutil.copytree(made[0], state, symlinks=True, dirs_exist_ok=True), made[1], broker, stream.topic, stream.minutes)
    restored.publish({4: "1"})
    if was_sent_since:
        (error,) = restored.send()
        assert f"the topic has version {lost.id}, which is not known any more" in error and "name a new topic" in error
        assert restored.replayed() == {2: "2.50", 3: "7.00"}
        restored = Stream(state, made[1], broker, minutes=restored.minutes)
    assert restored.send() == []
    assert restored.replayed() == {4: "1.00"}


def test_a_topic_gets_every_row_then_what_has_changed(stream):
    first = stream.publish({1: "1.5", 2: "2.5"})
    assert stream.send() == []
    second = stream.publish({1: "1.5", 2: "9", 3: "3.5"})
    third = stream.publish({2: "9", 3: "3.5"})
    assert stream.send() == []
    told = [
        ({name: value.decode() for name, value in message.headers()}, message.value() and json.loads(message.value()))
        for message in stream.messages()
    ]
    brief = sorted((h["mesh-version"], int(h["mesh-sequence"]), h["mesh-op"], c is None) for h, c in told)
    assert brief == [
        (first.id, 0, "insert", False),
        (first.id, 1, "insert", False),
        (second.id, 0, "update", False),
        (second.id, 1, "insert", False),
        (third.id, 0, "delete", False),
        (third.id, 0, "delete", True),
    ]
    update = next(change for headers, change in told if headers["mesh-op"] == "update")
    assert (update["before"]["degrees"], update["after"]["degrees"], update["key"]) == ("2.50", "9.00", {"reading_id": 2})
    assert update["after"]["operator"] != "Ada", "as the role sees it"
    assert stream.replayed() == {2: "9.00", 3: "3.50"}
    count = len(told)
    assert (stream.send(), len(stream.messages())) == ([], count), "nothing new, nothing sent"


VERSIONS = st.lists(st.dictionaries(st.integers(1, 5), st.integers(0, 3), max_size=5), min_size=1, max_size=3)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VERSIONS, st.sets(st.integers(0, 2)))
def test_who_replays_from_the_beginning_has_exactly_the_current_version(made, broker, tmp_path_factory, versions, unsent):
    os.environ["PLANT_BROKERS"] = broker.servers
    stream = streamed(made, tmp_path_factory.mktemp("law"), broker)
    for number, rows in enumerate(versions):
        stream.publish(rows)
        if number not in unsent:
            assert stream.send() == []
    assert stream.send() == []
    assert stream.replayed() == {number: f"{degrees}.00" for number, degrees in versions[-1].items()}


def test_a_port_with_another_name_goes_on_in_its_topic_and_one_that_is_gone_keeps_no_version(stream):
    first = stream.publish({1: 1, 2: 1})
    assert stream.send() == []
    edited(stream.root, SPEC, "name: readings_changes\n", "name: news\n")
    edited(stream.root, SPEC, "topic: plant.readings\n", "topic: plant.readings\n        renamed_from: readings_changes\n")
    renamed, former = read_plan(stream.root)[0], stream
    stream = Stream(stream.root, renamed, stream.broker, stream.topic, stream.minutes)
    assert needless(stream) == {}, "of a port that has another name nothing is let go"
    with closing(opened_ledger(stream.root)) as ledger, ledger.projecting() as connection:
        carry_history(connection, stream.plan)
    with locked(stream.root, former.plan.product("readings")):
        (told,) = stream.send()
    assert told == (
        "change stream readings: nothing is sent until what was published under a former name is taken over, "
        "which it is not while a refresh runs"
    )
    assert stream.send() == []
    assert len(stream.messages()) == 2, "no second snapshot"
    assert shelf(stream.root, "plant", "readings").pins() == {"readings.news": first.id}
    second = stream.publish({1: 1, 2: 3})
    with locked(stream.root, stream.plan.product("readings")):  # nothing is left to be taken over, so nobody waits for it
        assert (stream.send(), stream.replayed()) == ([], {1: "1.00", 2: "3.00"})
    assert [dict(message.headers())["mesh-op"] for message in stream.messages()].count(b"insert") == 2
    assert (shelf(stream.root, "plant", "readings").pins(), needless(stream)) == ({"readings.news": second.id}, {})

    written = (stream.root / SPEC).read_text()
    (stream.root / SPEC).write_text(written[: written.index("    - name: news\n")])
    stream.plan = read_plan(stream.root)[0]
    assert needless(stream) == {"pin readings.news of readings": "readings has no topic news any more"}
    assert apply_access(stream.root, stream.plan, KnownGrants(), stream.now) == ()
    assert shelf(stream.root, "plant", "readings").pins() == needless(stream) == {}


def test_a_key_in_another_order_is_the_same_key(stream):
    for columns, rows in (("reading_id, sensor", {1: 1, 2: 1}), ("sensor, reading_id", {1: 1, 2: 3})):
        (stream.root / SPEC).write_text(
            re.sub(r"primary_key: \[.*\]", f"primary_key: [{columns}]", (stream.root / SPEC).read_text(), count=1)
        )
        stream = Stream(stream.root, read_plan(stream.root)[0], stream.broker, stream.topic, stream.minutes)
        stream.publish(rows)
        assert stream.send() == []
    assert {message.key() for message in stream.messages()} == {b'{"reading_id":1,"sensor":"north"}', b'{"reading_id":2,"sensor":"north"}'}
    assert stream.replayed() == {1: "1.00", 2: "3.00"}


def needless(stream):
    changes = access_plan(stream.root, stream.plan, KnownGrants(), stream.now).changes
    return {change.place: change.why for change in changes if change.act == "release"}


def test_a_topic_of_a_product_that_is_being_retired_gets_nothing_and_goes_on_where_it_was_if_it_comes_back(stream):
    stream.publish({1: 1, 2: 1})
    assert stream.send() == []
    stream = Stream(stream.root, stream.plan, stream.broker, None, stream.minutes)  # another topic: that one is left
    assert stream.send() == []
    product, now = stream.plan.product("readings"), stream.now
    why = Certificate("readings", "ada@example.com", "sold", now, NEVER_ENDS, ("archive/plant/readings",), stage="retired")
    texts = [f"the changes to {stream.topic}"]
    with closing(opened_ledger(stream.root)) as ledger:
        with ledger.writing() as connection:
            assert list(listeners(connection, product).texts) == texts
            grant_certificate(connection, why)
            end_listeners(connection, product, now)
        stream.publish({1: 1, 2: 3})
        assert (stream.send(), stream.send(), len(stream.messages())) == ([], [], 2)
        with ledger.writing() as connection:
            assert list(listeners(connection, product).texts) == []
            assert list(listeners(connection, product, as_of=now).texts) == texts
            assert list(listeners(connection, product, as_of=now + timedelta(minutes=1)).texts) == []
            end_certificates(connection, ["readings"], stream.now, "it is needed", "retired")
    assert (stream.send(), len(stream.messages()), stream.replayed()) == ([], 3, {1: "1.00", 2: "3.00"})


def test_a_sender_that_is_killed_goes_on_from_what_was_confirmed(stream, monkeypatch):
    monkeypatch.setattr(change_streams, "AT_ONCE", 2)
    stream.publish(dict.fromkeys(range(5), 1))
    stream.send()
    stream.publish(dict.fromkeys(range(1, 7), 2))
    for place in (topic_producers.TopicProducer.send, change_streams._noted):
        child = os.fork()
        if not child:
            try:
                with at_call(2, place, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                    stream.send()
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, place
        stream.minutes += 10
    pinned = shelf(stream.root, "plant", "readings").pins()
    assert {name for name in pinned if name.startswith("readings.readings_changes")} == {
        "readings.readings_changes",
        "readings.readings_changes.until",
    }
    assert stream.send() == []
    assert stream.replayed() == dict.fromkeys(range(1, 7), "2.00")
    versions = {dict(message.headers())["mesh-version"] for message in stream.messages()}
    assert len(versions) == 2
    assert "readings.readings_changes.until" not in shelf(stream.root, "plant", "readings").pins()


def test_a_sender_that_wakes_up_late_sends_nothing_behind_its_successor(stream):
    stream.publish({1: 1, 2: 1})
    stream.send()
    stream.publish({1: 2, 2: 2})
    told = []

    def meanwhile():
        told.extend(stream.send())  # too early: who writes holds the stream
        stream.publish({1: 3, 2: 2})
        told.extend(stream.send())

    with at_call(1, change_streams._write_changes, meanwhile):
        (late,) = stream.send()
    assert (late.endswith("another process sends the changes meanwhile"), told) == (True, [])
    assert stream.replayed() == {1: "3.00", 2: "2.00"}
    count = len(stream.messages())
    assert (stream.send(), len(stream.messages())) == ([], count), "and what its successor noted stays"


def test_a_sender_that_stands_still_between_two_messages_sends_no_more(stream, monkeypatch):
    """What it would send then is older than what its successor has sent."""
    stream.publish({1: 1, 2: 1})
    stream.send()
    stream.publish({1: 2, 2: 2})
    told = []

    def meanwhile():
        told.append("once")
        stream.publish({1: 2, 2: 3})
        told.extend(stream.send())
        monkeypatch.setattr(change_streams, "_SENT_WITHIN", timedelta(0))  # so long it took

    with at_call(1, change_streams._json, meanwhile):
        (late,) = stream.send()
    assert (late.endswith("this process stood still, and another one may send the changes meanwhile"), told) == (True, ["once"])
    assert stream.replayed() == {1: "2.00", 2: "3.00"}


def test_who_sends_holds_the_stream_from_each_note_on(stream, monkeypatch):
    monkeypatch.setattr(change_streams, "AT_ONCE", 1)
    stream.publish({1: 1, 2: 1})
    with closing(opened_ledger(stream.root)) as ledger, ledger.writing() as connection:
        connection.execute(text("create table held (until text)"))
        connection.execute(text("create trigger holds after update on control_deliveries begin insert into held values (new.next_at); end"))
    assert stream.send() == []
    with closing(opened_ledger(stream.root)) as ledger, ledger.reading() as connection:
        *held, over = connection.execute(text("select until from held order by rowid")).scalars()
    assert len(held) == 4 and over < held[0], "a note before the first, after each of two changes, and of the whole version"
    assert held == sorted(set(held)), "each from its own time on"


@contextmanager
def at_call(number, place, happens):
    """What happens when this process comes there for so many times; nothing is replaced."""
    calls = count(1)

    def watch(frame, event, _):
        if event == "call" and frame.f_code is place.__code__ and next(calls) == number:
            happens()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def test_who_looks_for_the_port_finds_its_topic(stream):
    product = stream.plan.product("readings")
    (port,) = [port for port in product.outputs if port.store.stream is not None]
    assert f"{stream.topic} at ${{PLANT_BROKERS}}" in [snippet.text for snippet in snippets(product, port, stream.root)]


def threads_of_clients():
    return {task for task in Path("/proc/self/task").iterdir() if (task / "comm").read_text().startswith("rdk:")}


def test_brokers_that_are_away_are_told_and_tried_again(stream, broker, monkeypatch):
    monkeypatch.setattr(topic_producers, "CONFIRMED_WITHIN_SECONDS", 1.0)
    stream.publish({1: 1})
    monkeypatch.setenv("PLANT_BROKERS", "127.0.0.1:1")
    before = threads_of_clients()
    (told,) = stream.send()
    assert told.startswith(f"change stream readings.readings_changes: {stream.topic}: the brokers have not confirmed all")
    assert told.endswith("127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused")
    assert threads_of_clients() <= before, "nobody goes on trying to connect"
    monkeypatch.delenv("PLANT_BROKERS")
    assert stream.send() == ["change stream readings.readings_changes: PLANT_BROKERS is not set in the environment"]
    monkeypatch.setenv("PLANT_BROKERS", broker.servers)
    assert (stream.send(), stream.replayed()) == ([], {1: "1.00"})


def test_brokers_that_end_while_changes_are_sent_get_the_rest_when_they_are_back(made, tmp_path, monkeypatch):
    monkeypatch.setattr(change_streams, "AT_ONCE", 2)
    monkeypatch.setattr(topic_producers, "CONFIRMED_WITHIN_SECONDS", 1.0)
    with broker_process(tmp_path / "broker") as broker:
        monkeypatch.setenv("PLANT_BROKERS", broker.servers)
        stream = streamed(made, tmp_path, broker)
        stream.publish(dict.fromkeys(range(5), 1))
        with at_call(2, topic_producers.TopicProducer.send, broker.end):
            (told,) = stream.send()
        assert told.endswith("Connection refused")
        broker.start()
        assert stream.send() == []
        assert len(stream.messages()) == 5, "two were confirmed, and none of them was sent again"
        assert stream.replayed() == dict.fromkeys(range(5), "1.00")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("role: analyst\n", "role: clerk\n", "role has to be one of the agreement: analyst"),
        ("\n        primary_key: [reading_id]", "", "has no primary_key, so nobody could tell which row has changed"),
    ],
)
def test_a_stream_that_cannot_be_is_a_problem_of_the_specification(stream, old, new, reason):
    edited(stream.root, SPEC, old, new)
    _, problems = read_plan(stream.root)
    assert any(reason in problem.message for problem in problems)
