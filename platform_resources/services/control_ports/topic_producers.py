"""Send messages to a topic of Kafka, until its brokers have confirmed all of them."""

from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.readers.kafka_clients import StreamTopic
from platform_resources.capabilities.readers.message_formats import EXTRA
from platform_resources.capabilities.readers.source_addresses import filled, library

CONFIRMED_WITHIN_SECONDS = 60.0


class NotStreamed(Exception):
    """Raised where changes cannot be sent; says why, and what to do."""


class TopicProducer:
    """A producer for one topic. Raises SourceUnread, NotStreamed."""

    def __init__(self, topic: StreamTopic) -> None:
        self.topic, self.kafka, self.said = topic, library("confluent_kafka", EXTRA), list[str]()
        client = {name: filled(value) if isinstance(value, str) else value for name, value in topic.client.items()}
        ours = {
            "bootstrap.servers": filled(topic.servers),
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": int(CONFIRMED_WITHIN_SECONDS * 1000),
            "log_level": 0,
            "error_cb": lambda error: self.said.append(error.str()),
        }
        try:
            self.producer = self.kafka.Producer({**client, **ours})
        except self.kafka.KafkaException as error:
            raise NotStreamed(f"client: {error.args[0].str()}") from error

    def __enter__(self) -> "TopicProducer":
        return self

    def __exit__(self, *_: object) -> None:
        self.producer.purge()

    def send(self, messages: Iterator[tuple[bytes, bytes | None, dict[str, str]]]) -> None:
        """All of them are confirmed afterwards, or NotStreamed is raised."""
        failed: list[str] = []

        def confirmed(error: Any, message: Any) -> None:
            if error is not None:
                failed.append(error.str())

        try:
            for key, value, headers in messages:
                self._produce(key, value, headers, confirmed)
            left = self.producer.flush(CONFIRMED_WITHIN_SECONDS + 5)
        except self.kafka.KafkaException as error:
            raise NotStreamed(f"{self.topic.topic}: {error.args[0].str()}") from error
        if failed or left:
            reasons = dict.fromkeys((*failed[:1], *self.said[-1:])) or {"they did not answer in time": None}
            raise NotStreamed(f"{self.topic.topic}: the brokers have not confirmed all: {'; '.join(reasons)}")

    def _produce(self, key: bytes, value: bytes | None, headers: dict[str, str], confirmed: Any) -> None:
        while True:
            try:
                self.producer.produce(self.topic.topic, value, key, headers=headers, on_delivery=confirmed)
                self.producer.poll(0)
                return
            except BufferError:  # its queue is full
                self.producer.poll(1)
