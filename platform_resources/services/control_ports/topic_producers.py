"""Send messages to a topic of Kafka, until its brokers have confirmed all of them."""

from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.readers.kafka_clients import KafkaClient, StreamTopic
from platform_resources.capabilities.readers.message_formats import EXTRA
from platform_resources.capabilities.readers.source_addresses import library

CONFIRMED_WITHIN_SECONDS = 60.0
# The very last may be gone from a topic that is compacted.
LAST = 100


class NotStreamed(Exception):
    """Raised where changes cannot be sent; says why, and what to do."""


class TopicProducer:
    """A producer for one topic. Raises SourceUnread, NotStreamed."""

    def __init__(self, topic: StreamTopic) -> None:
        self.topic, self.kafka = topic, library("confluent_kafka", EXTRA)
        ours = {"enable.idempotence": True, "acks": "all", "message.timeout.ms": int(CONFIRMED_WITHIN_SECONDS * 1000)}
        self.client = KafkaClient("Producer", topic.servers, topic.client, ours)
        self.producer = self.client.handle

    def __enter__(self) -> "TopicProducer":
        return self

    def __exit__(self, *_: object) -> None:
        self.producer.purge()
        self.producer.close()  # or it would go on trying to connect

    def send(self, messages: Iterator[tuple[bytes, bytes | None, dict[str, str]]]) -> None:
        """All of them are confirmed afterwards, or NotStreamed is raised."""
        failed: list[tuple[str, bool]] = []

        def confirmed(error: Any, message: Any) -> None:
            if error is not None:
                failed.append((error.str(), error.code() == self.kafka.KafkaError._MSG_TIMED_OUT))

        try:
            for key, value, headers in messages:
                self._produce(key, value, headers, confirmed)
            left = self.producer.flush(CONFIRMED_WITHIN_SECONDS + 5)
        except self.kafka.KafkaException as error:
            raise NotStreamed(f"{self.topic.topic}: {error.args[0].str()}") from error
        if failed or left:
            why, lost = failed[0] if failed else ("they did not answer in time", True)
            raise NotStreamed(f"{self.topic.topic}: the brokers have not confirmed all: {self.client.reasons(why, is_lost=lost)}")

    def last_versions(self) -> frozenset[str]:
        """The versions that the last messages of each partition are of."""
        ours = {"enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "error"}
        client = KafkaClient("Consumer", self.topic.servers, {"group.id": "mesh", **self.topic.client}, ours)
        try:
            return frozenset(self._last_versions(client.handle))
        except self.kafka.KafkaException as error:
            why = client.reasons(error.args[0].str(), is_lost=False)
            raise NotStreamed(f"{self.topic.topic} cannot be read, which it has to be after a restore: {why}") from error
        finally:
            client.handle.close()

    def _last_versions(self, consumer: Any) -> Iterator[str]:
        name, within = self.topic.topic, CONFIRMED_WITHIN_SECONDS
        parts = [self.kafka.TopicPartition(name, number) for number in consumer.list_topics(name, timeout=within).topics[name].partitions]
        ends = [(part, *consumer.get_watermark_offsets(part, timeout=within)) for part in parts]
        begin = {part.partition: max(low, end - LAST) for part, low, end in ends if end > low}
        left = {number: self.kafka.TopicPartition(name, number, offset) for number, offset in begin.items()}
        consumer.assign(list(left.values()))
        while left:
            message = consumer.poll(within)
            if message is None:
                raise NotStreamed(f"{name} cannot be read, which it has to be after a restore: no answer within {within:.0f} s")
            if (error := message.error()) is None:
                yield dict(message.headers() or ()).get("mesh-version", b"").decode()
            elif error.code() != self.kafka.KafkaError._PARTITION_EOF:
                raise self.kafka.KafkaException(error)
            else:
                left.pop(message.partition(), None)

    def _produce(self, key: bytes, value: bytes | None, headers: dict[str, str], confirmed: Any) -> None:
        while True:
            try:
                self.producer.produce(self.topic.topic, value, key, headers=headers, on_delivery=confirmed)
                self.producer.poll(0)
                return
            except BufferError:  # its queue is full
                self.producer.poll(1)
