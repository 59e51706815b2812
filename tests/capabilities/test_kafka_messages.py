"""Topics of a broker as inputs: the newest of each key, in batches that end where the topic ended, and nothing lost without a word."""

import json
import tempfile
import threading
import weakref
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import duckdb
import fastavro
import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.capabilities.input_ports.kafka import KafkaSettings
from platform_resources.capabilities.protocols import Extraction
from platform_resources.capabilities.readers import kafka_messages
from platform_resources.capabilities.readers.kafka_clients import KafkaClient
from platform_resources.capabilities.readers.kafka_messages import KafkaMessages
from platform_resources.capabilities.readers.kept_messages import KeptMessages
from platform_resources.capabilities.readers.message_formats import _json
from platform_resources.capabilities.readers.source_addresses import SourceUnread
from platform_resources.capabilities.readers.told_columns import ToldColumns
from tests.brokers import mock_broker

pytestmark = pytest.mark.slow
SCHEMA = {
    "type": "record",
    "name": "order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Input:
    """An input that reads one topic, with the database that its rows are kept in."""

    def __init__(self, broker, topic=None, load="latest", format="json", schema="", registry="", folder=Path(), **client):
        self.broker, self.topic, self.cursor = broker, topic or broker.topic(), None
        self.said, self.folder = (format, schema, registry, load, client), folder
        self.own = duckdb.connect()
        self.own.execute("set timezone = 'UTC'")

    @property
    def reader(self):
        return KafkaMessages(self.broker.servers, self.topic, *self.said)

    def read(self, replay=None, columns="* exclude (mesh_source, mesh_row, mesh_fault, mesh_message, kafka_timestamp)", commit=True):
        self.own.execute("begin")
        try:
            extracted = self.reader.read(Extraction(self.own, date(2024, 6, 1), {}, self.cursor, self.folder, "orders", replay))
            found = extracted.data.project(columns).order("all").fetchall()
        except BaseException:
            self.own.execute("rollback")
            raise
        self.own.execute("commit" if commit else "rollback")
        if not commit:
            return found
        self.cursor = json.loads(json.dumps(extracted.cursor))
        self.types = dict(zip(extracted.data.columns, map(str, extracted.data.types), strict=True))
        return found

    def send(self, *messages, partition=0):
        self.broker.send(self.topic, *messages, partition=partition)


def test_the_newest_message_of_each_key_is_a_row_and_a_tombstone_takes_it_away(broker):
    orders = Input(broker)
    orders.send(("a", {"id": 1, "price": 1.5}), ("b", {"id": 2, "price": None}), ("a", {"id": 1, "price": 2.5}))
    assert orders.read() == [("a", 0, 2, 1, 2.5), ("b", 0, 1, 2, None)]
    assert (orders.cursor["offsets"], orders.cursor["read"]) == ({"0": 3, "1": 0, "2": 0, "3": 0}, 3)
    assert orders.read() == [("a", 0, 2, 1, 2.5), ("b", 0, 1, 2, None)], "nothing new, nothing else"
    assert orders.cursor["read"] == 0
    orders.send(("b", {"id": 2, "price": 9}), ("a", None))
    orders.send(("c", {"id": 3, "price": 0.1, "t": "new", "k": [1, {"v": Decimal}.get("x")]}), partition=2)
    assert orders.read() == [("b", 0, 3, 2, 9.0, None, None), ("c", 2, 0, 3, 0.1, "new", "[1, null]")]
    assert {name: orders.types[name] for name in ("id", "price", "t", "k")} == {
        "id": "BIGINT",
        "price": "DOUBLE",
        "t": "VARCHAR",
        "k": "JSON",
    }


def test_every_message_is_a_row_with_append_and_a_tombstone_takes_those_before_it(broker):
    events = Input(broker, load="append")
    events.send(("a", {"n": 1}), (None, {"n": 2}), ("a", {"n": 3}), ("b", {"n": 4}))
    assert [row[3] for row in events.read()] == [1, 3, 4, 2]
    events.send(("a", None), ("a", {"n": 5}))
    assert sorted(row[3] for row in events.read()) == [2, 4, 5]


MESSAGES = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.integers(0, 9), st.none(), st.just(b"{"))), max_size=8)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.booleans()), min_size=1, max_size=4))
def test_however_messages_are_cut_into_pulls_that_may_die_the_rows_are_the_newest_of_their_keys(broker, batches):
    orders, newest, unread = Input(broker), {}, {}
    for batch, commit in batches:
        for key, value in batch:
            orders.send((key, value if value is None or isinstance(value, bytes) else {"n": value}), partition=ord(key) % 4)
            if isinstance(value, bytes):
                unread.setdefault(key, []).append("is no JSON (line 1, column 2)")
            else:
                unread.pop(key, None)
                newest.pop(key, None)
                newest.update({key: value} if value is not None else {})
        orders.read(columns="1", commit=commit)
    orders.read(columns="1")
    values = "n" if "n" in orders.types else "null"
    rows = orders.read(columns=f"kafka_key, {values}, mesh_fault")
    assert {key: value for key, value, fault in rows if fault is None} == newest
    assert sorted((key, fault) for key, _, fault in rows if fault) == sorted((key, f) for key, faults in unread.items() for f in faults)


def test_what_cannot_be_read_says_where_it_is_and_goes_with_the_next_of_its_key(broker):
    orders, place = Input(broker), "mesh_source, mesh_row, mesh_fault, mesh_message"
    orders.send(("a", {"id": 1}), ("a", b"{nonsense"), ("b", b"[1]"), (None, {"id": 2}), ("c", b"\xff"), partition=1)
    source, keyless = f"{orders.topic}/1", "has no key, so nobody can say of which row it is; with load: append no key is needed"
    assert orders.read(columns=place)[:4] == [
        (source, 0, None, None),
        (source, 1, "is no JSON (line 1, column 2)", "{nonsense"),
        (source, 2, "is no JSON object", "[1]"),
        (source, 3, keyless, '{"id": 2}'),
    ]
    orders.send(("a", {"id": 7}), ("b", None), ("c", {"id": 9}), partition=1)
    assert orders.read(columns="mesh_row, id, mesh_fault") == [(3, None, keyless), (5, 7, None), (7, 9, None)]


def test_a_pull_ends_where_the_topic_ended_when_it_began(broker, monkeypatch):
    orders = Input(broker)
    orders.send(("a", {"id": 1}))
    bounds = KafkaMessages._bounds

    def more_comes(reader, consumer):
        known = bounds(reader, consumer)
        orders.send(("b", {"id": 2}), ("a", {"id": 3}))
        return known

    monkeypatch.setattr(KafkaMessages, "_bounds", more_comes)
    assert [row[3] for row in orders.read()] == [1]
    monkeypatch.undo()
    assert sorted(row[3] for row in orders.read()) == [2, 3]


POISON = {
    b'{"id": 2, "note": "\\ud800"}': "is no JSON",
    b'{"id": 2, "more": {"n": ["\\uDFFF"]}}': "is no JSON",
    b'{"id": 2, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "is no JSON",
    b'{"": 2}': "has a field without a name",
    b'{"ID": 2}': 'has a field "ID", and "id" is a field too: a table has one column of the two',
    b'{"a": 2, "A": 2}': 'has a field "A", and "a" is a field too: a table has one column of the two',
    b'{"Kafka_Offset": 2}': 'has a field "Kafka_Offset", as the platform calls what it adds to each row',
    b'{"mesh_fault": 2}': 'has a field "mesh_fault", as the platform calls what it adds to each row',
    json.dumps({f"f{number}": 1 for number in range(2_500)}).encode(): "has fields with which there would be 2,502 columns; at most 2,000",
}


def test_no_message_keeps_the_others_from_being_read(broker):
    orders = Input(broker)
    orders.send(("a", {"id": 1, "note": "\ud83d\ude00"}), *((str(number), value) for number, value in enumerate(POISON)))
    orders.broker.producer.produce(orders.topic, b'{"id": 3}', "late", partition=1, timestamp=2**62)
    assert orders.broker.producer.flush(120) == 0
    found = orders.read(columns="kafka_key, id, note, mesh_fault")
    assert found[-2:] == [("a", 1, "\U0001f600", None), ("late", 3, None, None)]
    assert [row[-1].startswith(fault) for row, fault in zip(found[:-2], POISON.values(), strict=True)] == [True] * len(POISON)


def test_messages_that_the_broker_no_longer_has_are_told_and_not_passed_over(broker):
    orders, size = Input(broker), 900_000  # the mock keeps 5 MB of a partition
    orders.send(("a", {"id": 1}), ("b", {"id": 2}))
    orders.read()
    for number in range(8):
        orders.send(("x", {"id": number, "filler": "f" * size}))
    with pytest.raises(SourceUnread) as failed:
        orders.read()
    assert "messages of topic" in str(failed.value) and "2 to " in str(failed.value) and "--replay INPUT=earliest" in str(failed.value)
    assert [row[0] for row in orders.read("earliest", columns="kafka_key")] == ["a", "b", "x"], "what was kept stays"
    assert orders.cursor["how"] == "all that is there, behind what was kept"


def test_what_is_kept_stays_where_other_brokers_of_the_same_cluster_are_named_and_goes_with_another_cluster(broker):
    orders = Input(broker)
    orders.send(("a", {"id": 1}))
    orders.read()
    named = replace(orders.reader, servers=f"{broker.servers},{broker.servers}")
    cursor = {**orders.cursor, "offsets": {**orders.cursor["offsets"]}}
    extraction = Extraction(orders.own, date(2024, 6, 1), {}, cursor, Path(), "orders")
    assert named.read(extraction).cursor["how"] == "since the last pull"
    with mock_broker() as other:
        other.producer.list_topics(orders.topic, timeout=60)
        extracted = replace(orders.reader, servers=other.servers).read(extraction)
        assert (extracted.cursor["how"], extracted.data.fetchall()) == ("all that is there", [])


def test_a_topic_that_is_another_one_is_told(broker):
    orders = Input(broker)
    orders.send(("a", {"id": 1}))
    orders.read()
    orders.cursor["offsets"]["0"] = 8
    with pytest.raises(SourceUnread, match="was made anew or cut off: partition 0 ends at 1 and was read up to 8"):
        orders.read()
    with pytest.raises(SourceUnread, match="made anew"):
        orders.read("earliest")
    assert [row[3] for row in orders.read("anew")] == [1]
    assert orders.cursor["offsets"]["0"] == 1


@pytest.mark.parametrize("more", [0, 3], ids=["as many messages as before", "more of them"])
def test_a_topic_that_was_made_anew_is_told_however_many_messages_it_has_by_now(broker, more):
    orders = Input(broker)
    orders.send(("a", {"id": 1}), ("b", {"id": 2}))
    orders.read()
    assert (orders.read(columns="kafka_key"), orders.cursor["read"]) == ([("a",), ("b",)], 0)
    with mock_broker() as anew:  # mocks delete no topic: another cluster's of this name takes its place
        anew.producer.list_topics(orders.topic, timeout=60)
        orders.broker = anew
        orders.send(*((f"new {n}", {"id": n}) for n in range(2 + more)))
        with orders.reader._consumer() as consumer:
            orders.cursor["of"] = orders.reader._of(consumer)
        with pytest.raises(SourceUnread, match="was made anew or cut off: in partition 0 another message is at 1, which was read before"):
            orders.read()
        new = [(f"new {n}",) for n in range(2 + more)]
        assert orders.read("anew", columns="kafka_key") == orders.read(columns="kafka_key") == new


def test_a_message_whose_time_nobody_tells_has_none():
    class Old:
        """As brokers give one of a format before 0.10."""

        def key(self):
            return b"a"

        def value(self):
            return b'{"id": 1}'

        def partition(self):
            return 0

        def offset(self):
            return 7

        def timestamp(self):
            return 0, -1

    reader, columns = KafkaMessages("", "old", "json", "", "", "latest", {}), ToldColumns()
    with duckdb.connect() as own, tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        kept = KeptMessages(own, "orders")
        kept.make()
        lines.write(simplejson.dumps(reader._line(Old(), _json, columns, simplejson)))
        lines.flush()
        kept.take(Path(lines.name), True, {})
        assert kept.rows(columns, {}, "old").project("kafka_offset, kafka_timestamp, id").fetchall() == [(7, None, 1)]


def test_messages_are_read_again_from_offsets_that_a_person_names(broker):
    events = Input(broker, load="append")
    events.send(*((str(n), {"n": n}) for n in range(5)))
    assert len(events.read()) == 5
    assert (len(events.read("0:2")), events.cursor["read"], events.cursor["how"]) == (5, 3, "as asked for: 0:2"), "none comes twice"
    with pytest.raises(
        SourceUnread, match=r'"0:99" is no place of topic\d+; write earliest, anew, or partitions with offsets, such as "0:0 1:0'
    ):
        events.read("0:99")
    events.said = (*events.said[:3], "latest", {})
    assert (len(events.read()), events.cursor["how"]) == (5, "all that is there"), "another load begins anew"


def test_a_mark_is_another_one_with_each_message(broker):
    orders = Input(broker)
    first = orders.reader.mark()
    orders.send(("a", None), partition=3)
    assert (first, orders.reader.mark()) == ("0:0 1:0 2:0 3:0", "0:0 1:0 2:0 3:1")


def avro(record):
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), record)
    return stream.getvalue()


ORDER = {"id": 7, "amount": Decimal("12.10"), "at": AT, "note": None}


def test_avro_by_a_schema_in_a_file_keeps_its_types(broker, tmp_path):
    (tmp_path / "order.avsc").write_text(json.dumps(SCHEMA))
    orders = Input(broker, format="avro", schema="order.avsc", folder=tmp_path)
    orders.send(("a", avro(ORDER)), ("b", avro(ORDER) + b"x"), ("c", b"\x01"))
    found = orders.read(columns='kafka_key, id, amount, "at", note, mesh_fault')
    assert found[0] == ("a", 7, 12.1, AT, None, None)
    assert [row[-1] for row in found[1:]] == ["is no Avro of order.avsc: there are bytes behind it", "is no Avro of order.avsc"]
    assert orders.types["at"] == "TIMESTAMP WITH TIME ZONE"


def test_a_list_with_a_number_that_is_none_is_set_aside(broker, tmp_path):
    schema = {"type": "record", "name": "o", "fields": [{"name": "scores", "type": {"type": "array", "items": "double"}}]}
    (tmp_path / "o.avsc").write_text(json.dumps(schema))
    orders = Input(broker, format="avro", schema="o.avsc", folder=tmp_path)
    for key, scores in (("a", [1.5]), ("b", [float("nan")])):
        stream = BytesIO()
        fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), {"scores": scores})
        orders.send((key, stream.getvalue()))
    assert orders.read(columns="kafka_key, scores, mesh_fault") == [
        ("a", "[1.5]", None),
        ("b", None, "has a number in a list or record that is none, such as NaN"),
    ]


def written(schema, record):
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()


def test_a_message_that_is_set_aside_changes_no_type_and_bytes_in_a_record_are_its_hexadecimal_digits(broker, tmp_path):
    inner = {"type": "record", "name": "i", "fields": [{"name": "n", "type": ["bytes", "double"]}]}
    schema = {"type": "record", "name": "o", "fields": [{"name": "id", "type": ["long", "string"]}, {"name": "i", "type": inner}]}
    (tmp_path / "o.avsc").write_text(json.dumps(schema))
    orders = Input(broker, format="avro", schema="o.avsc", folder=tmp_path)
    orders.send(*((key, written(schema, {"id": number, "i": {"n": value}})) for key, number, value in (("a", 1, b"ab"), ("b", 2, b"\xff"))))
    orders.send(("c", written(schema, {"id": "none", "i": {"n": float("nan")}})))
    assert [row[:3] for row in orders.read(columns="kafka_key, id, i, mesh_fault")] == [
        ("a", 1, '{"n": "6162"}'),
        ("b", 2, '{"n": "ff"}'),
        ("c", None, None),
    ]
    assert orders.types["id"] == "BIGINT"


def test_records_in_records_without_an_end_are_set_aside_and_kill_nobody(broker, tmp_path):
    (tmp_path / "node.avsc").write_text(json.dumps(NODE))
    nodes = Input(broker, format="avro", schema="node.avsc", folder=tmp_path)
    nodes.send(("a", b"\2\2\0"), ("b", b"\2" * 100_000 + b"\0"))
    assert nodes.read(columns="kafka_key, next, mesh_fault") == [
        ("a", '{"next": {"next": null}}', None),
        ("b", None, "is no Avro of node.avsc"),
    ]


NOTES = {"type": "record", "name": "notes", "fields": [{"name": "first", "type": "note"}, {"name": "second", "type": "note"}]}
NOTE = {"type": "record", "name": "note", "fields": [{"name": "text", "type": "string"}]}
REFERENCE = {"name": "note", "subject": "note", "version": 1}
NODE = {"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]}
LISTS = {"type": "record", "name": "lists", "fields": [{"name": "first", "type": {"type": "array", "items": "node"}}]}
BY_PATH = {
    "/schemas/ids/5": {"schema": json.dumps(SCHEMA)},
    "/schemas/ids/7": {"schema": json.dumps(NOTES), "references": [REFERENCE, REFERENCE]},
    "/schemas/ids/8": {"schema": 'syntax = "proto3";', "schemaType": "PROTOBUF"},
    "/schemas/ids/10": {"schema": json.dumps(LISTS), "references": [{"name": "node", "subject": "node", "version": 1}]},
    "/subjects/node/versions/1": {"schema": json.dumps(NODE), "subject": "node", "id": 11, "version": 1},
    "/subjects/note/versions/1": {"schema": json.dumps(NOTE), "subject": "note", "id": 9, "version": 1},
}


class Registry(BaseHTTPRequestHandler):
    """Has these schemas, and no other; while it is down it says something else, or nothing."""

    def do_GET(self):
        known = BY_PATH.get(self.path.partition("?")[0])
        answer = (200, known) if known else (404, {"error_code": 40403, "message": "no such schema"})
        status, body = self.server.down or answer
        if status:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())
        else:
            self.connection.close()

    def log_message(self, *arguments):
        """Nothing: tests print no requests."""


@pytest.fixture
def registry():
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as found:
        found.down = None
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def test_avro_by_a_registry_is_read_by_the_schema_that_each_message_names(broker, registry):
    orders = Input(broker, format="avro", registry=f"http://127.0.0.1:{registry.server_port}")
    framed = {key: b"\0\0\0\0" + bytes([number]) + avro(ORDER) for key, number in (("a", 5), ("b", 6), ("e", 8))}
    orders.send(*framed.items(), ("c", avro(ORDER)), ("f", framed["a"] + b"x"))
    assert orders.read(columns="kafka_key, id, mesh_fault") == [
        ("a", 7, None),
        ("b", None, "names the schema 6, which the registry does not have"),
        ("c", None, "does not begin with the id of a schema of the registry"),
        ("e", None, "names the schema 8, which is none of Avro"),
        ("f", None, "is no Avro of the schema 5, which it names: there are bytes behind it"),
    ]
    notes = Input(broker, format="avro", registry=f"http://127.0.0.1:{registry.server_port}")
    notes.send(("a", b"\0\0\0\0\7\2x\2y"))
    assert notes.read(columns="first, second") == [('{"text": "x"}', '{"text": "y"}')], "of types that other schemas have"
    nodes = Input(broker, format="avro", registry=f"http://127.0.0.1:{registry.server_port}")
    nodes.send(("a", b"\0\0\0\0\x0a\2\2\0\0"), ("b", b"\0\0\0\0\x0a" + b"\2" * 900_000 + b"\0\0"))
    assert nodes.read(columns="kafka_key, first, mesh_fault") == [
        ("a", '[{"next": {"next": null}}]', None),
        ("b", None, "is no Avro of the schema 10, which it names"),
    ], "a type of another schema may hold itself"


DOWN = {
    "an error": (503, {"error_code": 50003}),
    "another server": (200, b"<html>please sign in</html>"),
    "something else": (200, {"hello": 1}),
    "another path": (404, {"error_code": 404, "message": "HTTP 404 Not Found"}),
    "nothing": (0, b""),
}


@pytest.mark.parametrize("answer", DOWN.values(), ids=DOWN)
def test_a_registry_that_is_away_makes_no_message_bad(broker, registry, answer):
    orders = Input(broker, format="avro", registry=f"http://127.0.0.1:{registry.server_port}")
    orders.send(("d", b"\0\0\0\0\5" + avro(ORDER)))
    registry.down = answer
    with pytest.raises(SourceUnread, match="the registry"):
        orders.read()
    registry.down = None
    assert orders.read(columns="kafka_key, mesh_fault") == [("d", None)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"format": "avro"}, "avro needs either schema"),
        ({"schema": "order.avsc"}, "schema is for avro"),
        ({"client": {"sasl.password": "hunter2"}}, "sasl.password would be a secret"),
        ({"client": {"enable.auto.commit": True}}, "enable.auto.commit is set by the platform"),
        ({"format": "avro", "registry": "https://me:secret@registry.example.com"}, "holds what looks like a password"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(said, reason):
    with pytest.raises(ValueError, match=reason):
        KafkaSettings(servers="broker:9092", topic="orders", **said)


def test_brokers_that_are_not_there_and_settings_that_no_client_knows_are_told(broker, registry, monkeypatch):
    monkeypatch.setattr(kafka_messages, "_PATIENCE_SECONDS", 0.5)
    monkeypatch.setenv("REGISTRY", f"127.0.0.1:{registry.server_port}")

    def told(servers, **client):
        with pytest.raises(SourceUnread) as failed:
            KafkaMessages(servers, "orders", "json", "", "", "latest", client).mark()
        return str(failed.value)

    assert told(broker.servers, **{"securty.protocol": "SSL"}) == 'client: No such configuration property: "securty.protocol"'
    no_metadata = "orders cannot be read: Failed to get metadata: Local: Broker transport failure"
    assert told("127.0.0.1:1") == f"{no_metadata}; 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused"
    assert told("${REGISTRY}") == (
        f"{no_metadata}; nothing at ${{REGISTRY}} answers as a broker of Kafka would; see servers, and security.protocol in client"
    )
    assert "SSL handshake failed" in told("${REGISTRY}", **{"security.protocol": "SSL"})


def test_a_client_is_gone_with_the_last_that_uses_it(broker):
    client = KafkaClient("Consumer", broker.servers, {"group.id": "mesh"}, {})
    client.handle.close()
    gone = weakref.ref(client)
    del client
    assert gone() is None, "without waiting for the garbage to be collected"
