"""A broker for tests: librdkafka's own mock cluster, which speaks Kafka's protocol over TCP and lives as long as this process."""

import itertools
import json
from contextlib import contextmanager

from confluent_kafka import Producer

_names = itertools.count()


class Broker:
    """The cluster, with a producer; each topic has four partitions."""

    def __init__(self, producer):
        self.producer = producer
        (broker,) = producer.list_topics(timeout=60).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def topic(self):
        """A new topic."""
        name = f"topic{next(_names)}"
        self.producer.list_topics(name, timeout=60)
        return name

    def send(self, topic, *messages, partition=0):
        """Append messages of (key, value); a value that is no bytes is written as JSON, None is a tombstone."""
        for key, value in messages:
            written = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self.producer.produce(topic, written, key, partition=partition)
        assert self.producer.flush(120) == 0


@contextmanager
def mock_broker():
    yield Broker(Producer({"test.mock.num.brokers": 1, "log_level": 0, "linger.ms": 0}))
