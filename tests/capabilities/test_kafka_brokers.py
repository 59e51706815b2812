"""Topics of a broker that another project has made: transactions, compaction, topics made anew, and a broker that ends while it is read."""

import time

import pytest
from confluent_kafka import Producer

from platform_resources.capabilities.readers import kafka_messages
from platform_resources.capabilities.readers.kafka_messages import KafkaMessages
from platform_resources.capabilities.readers.source_addresses import SourceUnread
from tests.brokers import broker_process
from tests.capabilities.test_kafka_messages import Input
from tests.services.test_change_streams import at_call

pytestmark = pytest.mark.slow
COMPACTED = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.bytes": "1024", "segment.ms": "100"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with broker_process(tmp_path_factory.mktemp("broker") / "data") as found:
        yield found


def rows(orders, replay=None):
    return orders.read(replay, columns="kafka_key, kafka_offset")


def test_what_is_not_committed_is_not_read_and_what_follows_it_is_not_passed_over(broker):
    orders = Input(broker)
    for key in ("aborted", "a"):
        writer = Producer({"bootstrap.servers": broker.servers, "transactional.id": f"{orders.topic} {key}", "log_level": 0})
        writer.init_transactions(60)
        writer.begin_transaction()
        writer.produce(orders.topic, b'{"id": 1}', key, partition=0)
        assert writer.flush(60) == 0
        if key == "aborted":
            writer.abort_transaction(60)
    orders.send(("b", {"id": 2}))
    assert (rows(orders), orders.cursor["offsets"]["0"]) == ([], 2)
    writer.commit_transaction(60)
    assert (rows(orders), orders.cursor["offsets"]["0"]) == ([("a", 2), ("b", 3)], 5)
    assert (rows(orders), orders.cursor["read"]) == ([("a", 2), ("b", 3)], 0)


def test_of_a_compacted_topic_the_newest_of_each_key_is_read_though_the_last_that_was_read_is_gone(broker):
    orders = Input(broker, broker.topic(**COMPACTED))
    orders.send(*(("a", {"id": number}) for number in range(30)))
    assert rows(orders) == [("a", 29)]
    orders.send(*(("a", {"id": number}) for number in range(30)))
    while Input(broker, orders.topic, load="append").read(columns="min(kafka_offset)") != [(59,)]:
        orders.send(("b", {"id": 1}))  # only what is behind others is compacted
        time.sleep(0.1)
    a, b = rows(orders)
    assert (a, b[0], orders.cursor["how"]) == (("a", 59), "b", "since the last pull")
    assert rows(Input(broker, orders.topic)) == [a, b]


def test_a_topic_that_was_made_anew_by_its_name_is_told_however_many_messages_it_has(broker):
    orders = Input(broker)
    orders.send(("a", {"id": 1}), ("b", {"id": 2}))
    rows(orders)
    broker.remove(orders.topic)
    with pytest.raises(SourceUnread, match="cannot be read: Broker: Unknown topic or partition"):
        rows(orders)
    broker.make(orders.topic)
    orders.send(*((f"new {number}", {"id": number}) for number in range(5)))
    with pytest.raises(SourceUnread, match="was made anew or cut off: in partition 0 another message is at 1, which was read before"):
        rows(orders)
    assert rows(orders, "anew") == [(f"new {number}", number) for number in range(5)]


def test_a_broker_that_ends_or_stands_still_while_it_is_read_is_told_and_nothing_is_lost(broker, monkeypatch):
    for name in ("_PATIENCE_SECONDS", "_LONGEST_SILENCE_SECONDS"):
        monkeypatch.setattr(kafka_messages, name, 0.5)
    orders = Input(broker)
    orders.send(("a", {"id": 1}))
    rows(orders)
    orders.send(("b", {"id": 2}), ("a", None))

    def told(happens):
        with at_call(1, KafkaMessages._write, happens), pytest.raises(SourceUnread) as failed:
            rows(orders)
        return str(failed.value)

    assert f"nothing at {broker.servers} answers as a broker of Kafka would" in told(broker.stand_still)
    broker.go_on()
    assert told(broker.end).endswith("Connection refused")
    broker.start()
    assert (rows(orders), orders.cursor["read"]) == ([("b", 1)], 2)
    orders.send(("c", {"id": 3}))
    assert told(lambda: broker.remove(orders.topic)) == f"{orders.topic} cannot be read: Broker: Unknown topic or partition"
