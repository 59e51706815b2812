"""Messages of a Kafka topic since the last pull: the newest of each key or all, deleted ones gone, and none lost without a word."""

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platform_resources.capabilities.protocols import Extracted, Extraction
from platform_resources.capabilities.readers.kafka_clients import KafkaClient
from platform_resources.capabilities.readers.kept_messages import NO_TIME, KeptMessages, no_columns
from platform_resources.capabilities.readers.message_formats import EXTRA, MessageFormat, MessageUnread, Reading, reading
from platform_resources.capabilities.readers.source_addresses import SourceUnread, library
from platform_resources.capabilities.readers.told_columns import ToldColumns

Load = Literal["latest", "append"]
# What a person may ask for beside offsets: what is there, behind what was kept, or instead of it.
EARLIEST, ANEW = "earliest", "anew"
_AT_ONCE = 1_000
# Producers may write any time, in milliseconds; later than the year 9999 is none.
_LAST_TIME = 253_402_300_799_999
_PATIENCE_SECONDS = 10.0
# A broker that gives nothing for so long, though there is more, is not waited for.
_LONGEST_SILENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KafkaMessages:
    """Which topic, how its messages are written, and what is kept of them: the newest of each key, or every one."""

    servers: str
    topic: str
    format: MessageFormat
    schema: str
    registry: str
    load: Load
    client: Mapping[str, str | int | bool]

    @property
    def replays(self) -> bool:
        """From other offsets, which a person names."""
        return True

    @property
    def untold(self) -> str:
        """Brokers always say up to where a topic goes."""
        return ""

    @property
    def told_cheaply(self) -> bool:
        """Brokers know it without reading a message."""
        return True

    def mark(self) -> str:
        """Up to where each partition goes."""
        with self._consumer() as consumer:
            return " ".join(f"{number}:{high}" for number, (_, high) in self._bounds(consumer).items())

    def read(self, extraction: Extraction) -> Extracted:
        """What has come up to the moment in which this begins; what comes meanwhile is for the next pull.

        Rows and offsets are written in the transaction of the pull: one that is killed has read nothing.
        """
        kept = KeptMessages(extraction.connection, extraction.input)
        cursor = extraction.cursor if isinstance(extraction.cursor, Mapping) else {}
        with self._consumer() as consumer:
            bounds, of = self._bounds(consumer), self._of(consumer)
            anew = extraction.replay == ANEW or cursor.get("of", of) != of
            known = {} if anew or not kept.there else {int(number): offset for number, offset in cursor.get("offsets", {}).items()}
            first_time = anew or not cursor
            begin, how = self._begin(known, bounds, extraction.replay, first_time)
            columns = ToldColumns({} if anew else dict(cursor.get("columns", {})))
            before = {int(number): time for number, time in cursor.get("last", {}).items()}
            last = {number: time for number, time in before.items() if number in known and begin.get(number) == known[number]}
            read = reading(self.format, self.schema, self.registry, self.topic, extraction.folder)
            with tempfile.TemporaryDirectory(prefix="mesh_") as folder:
                file = Path(folder) / "messages.jsonl"
                ends = self._write(consumer, file, begin, bounds, read, columns, last)
                if first_time or not kept.there:
                    kept.make()
                brought = kept.take(file, self.load == "latest", {number: low for number, (low, _) in bounds.items()})
        offsets = {str(number): ends.get(number, offset) for number, offset in sorted(begin.items())}
        return Extracted(
            # As long as no message could be read, nobody says which columns there are but who promises them.
            kept.rows(columns if columns.kinds else ToldColumns(dict.fromkeys(extraction.promised, "")), extraction.promised, self.topic),
            {
                "of": of,
                "offsets": offsets,
                "last": {str(number): time for number, time in sorted(last.items())},
                "read": brought,
                "how": how,
                "columns": columns.kinds,
            },
            brought,
        )

    def _of(self, consumer: Any) -> str:
        """What is read, in one text. A cluster is the same one whichever of its brokers are named to begin with."""
        cluster = consumer.list_topics(self.topic, timeout=_PATIENCE_SECONDS).cluster_id or self.servers
        return f"topic {self.topic} ({self.load}) of {hashlib.sha256(cluster.encode()).hexdigest()[:16]}"

    @contextmanager
    def _consumer(self) -> Iterator[Any]:
        kafka = library("confluent_kafka", EXTRA)
        ours = {"enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True, "auto.offset.reset": "error"}
        client = KafkaClient("Consumer", self.servers, {"group.id": "mesh", **self.client}, ours)
        try:
            yield client.handle
        except kafka.KafkaException as error:
            lost = error.args[0].code() in (kafka.KafkaError._TRANSPORT, kafka.KafkaError._TIMED_OUT)
            raise SourceUnread(f"{self.topic} cannot be read: {client.reasons(error.args[0].str(), is_lost=lost)}") from error
        finally:
            client.handle.close()

    def _bounds(self, consumer: Any) -> dict[int, tuple[int, int]]:
        """By partition, the first offset that is there and the one behind the last."""
        kafka = library("confluent_kafka", EXTRA)
        topic = consumer.list_topics(self.topic, timeout=_PATIENCE_SECONDS).topics[self.topic]
        if topic.error is not None:
            raise SourceUnread(f"{self.topic} cannot be read: {topic.error.str()}")
        asked = {number: kafka.TopicPartition(self.topic, number) for number in sorted(topic.partitions)}
        return {number: consumer.get_watermark_offsets(part, timeout=_PATIENCE_SECONDS) for number, part in asked.items()}

    def _begin(
        self, known: Mapping[int, int], bounds: Mapping[int, tuple[int, int]], replay: str | None, first_time: bool
    ) -> tuple[dict[int, int], str]:
        """From which offset of each partition on, and why. Raises SourceUnread where messages are gone that nobody has read."""
        if first_time:
            return {number: low for number, (low, _) in bounds.items()}, "all that is there"
        ends_before = [
            f"partition {number} ends at {bounds[number][1] if number in bounds else 0} and was read up to {offset}"
            for number, offset in known.items()
            if number not in bounds or bounds[number][1] < offset
        ]
        if ends_before:
            raise self._made_anew("; ".join(ends_before))
        if replay == EARLIEST:
            return {number: low for number, (low, _) in bounds.items()}, "all that is there, behind what was kept"
        begin = {number: known.get(number, 0) for number in bounds}
        how = "since the last pull"
        if replay is not None:
            begin, how = {**begin, **self._asked(replay, bounds)}, f"as asked for: {replay}"
        lost = [f"{begin[n]} to {low - 1} of partition {n}" for n, (low, _) in bounds.items() if begin[n] < low]
        if lost:
            raise SourceUnread(
                f"messages of {self.topic} are gone before they were read, since the brokers keep them no longer: {'; '.join(lost)}; "
                f"have them sent again, or go on with what is there by --replay INPUT={EARLIEST}, and have the brokers keep them longer"
            )
        return begin, how

    def _made_anew(self, how: str) -> SourceUnread:
        return SourceUnread(
            f"{self.topic} was made anew or cut off: {how}; with --replay INPUT={ANEW} what was kept of it goes, "
            "and what is there now is read"
        )

    def _asked(self, replay: str, bounds: Mapping[int, tuple[int, int]]) -> dict[int, int]:
        try:
            parts = (part.partition(":") for part in replay.split())
            asked = {int(number): int(offset) for number, _, offset in parts}
        except ValueError:
            asked = {}
        wrong = [f"{n}:{offset}" for n, offset in asked.items() if n not in bounds or not 0 <= offset <= bounds[n][1]]
        if wrong or not asked:
            there = " ".join(f"{number}:{low}" for number, (low, _) in bounds.items())
            raise SourceUnread(
                f'"{replay}" is no place of {self.topic}; write {EARLIEST}, {ANEW}, or partitions with offsets, such as "{there}"'
            )
        return asked

    def _write(
        self,
        consumer: Any,
        file: Path,
        begin: Mapping[int, int],
        bounds: Mapping[int, tuple[int, int]],
        read: Reading,
        columns: ToldColumns,
        last: dict[int, int],
    ) -> dict[int, int]:
        """Write what there is as lines; gives the offset behind the last message of each partition.

        `last` has when the last message that was read of a partition was written. That one is read again: a topic that was made anew has
        another in its place, although it may have more of them by now.
        """
        kafka, json = library("confluent_kafka", EXTRA), library("simplejson", EXTRA)
        starts = {number: offset - (number in last and bounds[number][0] < offset) for number, offset in begin.items()}
        left = {number for number, offset in starts.items() if offset < bounds[number][1]}
        ends = dict(begin)
        consumer.assign([kafka.TopicPartition(self.topic, number, starts[number]) for number in sorted(left)])
        heard = time.monotonic()
        with file.open("w", encoding="utf-8") as lines:
            while left:
                # Asked for many, it waits until there are so many; so it waits for one, and takes what came with it.
                first = consumer.poll(1.0)
                messages = [first, *consumer.consume(_AT_ONCE, timeout=0)] if first is not None else []
                for message in messages:
                    number, error = message.partition(), message.error()
                    if error is not None and error.code() != kafka.KafkaError._PARTITION_EOF:
                        raise kafka.KafkaException(error)
                    if number not in left:
                        continue
                    offset = min(message.offset(), bounds[number][1])
                    if error is None and offset < begin[number]:
                        self._compare_with_read(message, last)
                    elif error is None and offset < bounds[number][1]:
                        lines.write(json.dumps(self._line(message, read, columns, json)) + "\n")
                        ends[number], last[number] = offset + 1, _time(message)
                    elif offset > ends[number]:  # behind the last message may be the marks of transactions
                        ends[number] = offset
                        last.pop(number, None)
                    if error is not None or ends[number] >= bounds[number][1]:
                        left.discard(number)
                heard = time.monotonic() if messages else heard
                if time.monotonic() - heard > _LONGEST_SILENCE_SECONDS:
                    self._bounds(consumer)  # raises if brokers or topic are gone
                    raise self._silence({number: (ends[number], bounds[number][1]) for number in sorted(left)})
        return ends

    def _silence(self, left: Mapping[int, tuple[int, int]]) -> SourceUnread:
        """That nothing came, with the offset that was reached of each partition, and the one behind its last message."""
        where = ", ".join(f"partition {number} at {reached} of {end}" for number, (reached, end) in left.items())
        return SourceUnread(f"{self.topic} has given nothing for {_LONGEST_SILENCE_SECONDS:.0f} s: {where}")

    def _compare_with_read(self, message: Any, last: Mapping[int, int]) -> None:
        """Raise SourceUnread for a message that is not the one that was read at its place before."""
        if _time(message) != last[message.partition()]:
            place = f"in partition {message.partition()} another message is at {message.offset()}"
            raise self._made_anew(f"{place}, which was read before")

    def _line(self, message: Any, read: Reading, columns: ToldColumns, json: Any) -> dict[str, Any]:
        """A message as it is kept: its key and place, then its values as texts, or why it has none."""
        key, value = message.key(), message.value()
        line = {"k": _key(key), "p": message.partition(), "o": message.offset(), "t": _time(message)}
        if value is None and key is not None:
            return line
        try:
            if key is None and (value is None or self.load == "latest"):
                raise MessageUnread("has no key, so nobody can say of which row it is; with load: append no key is needed")
            record = read(value)
            new = record.keys() - columns.kinds.keys()
            if new and (fault := no_columns(record, columns.kinds)):
                raise MessageUnread(fault)
            return {**line, "v": columns.texts(record, json)}
        except (MessageUnread, ValueError, RecursionError) as error:
            fault = str(error) if isinstance(error, MessageUnread) else "has a number in a list or record that is none, such as NaN"
            fault = fault if not isinstance(error, RecursionError) else "has lists or records that lie too deep in each other"
            return {**line, "f": fault, "x": value.decode("utf-8", "backslashreplace") if value is not None else None}


def _time(message: Any) -> int:
    """When it was written, in milliseconds since 1970; brokers of old formats tell none."""
    return min(max(int(message.timestamp()[1]), NO_TIME), _LAST_TIME)


def _key(key: bytes | None) -> str | None:
    """As text where it is one, else its bytes: any key is only equal to itself."""
    if key is None:
        return None
    try:
        return key.decode("utf-8")
    except UnicodeDecodeError:
        return f"0x{key.hex()}"
