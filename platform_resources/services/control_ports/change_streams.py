"""Send what has changed between versions of an output port to its topic, in order, until the brokers have confirmed all of it."""

import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from platform_resources.capabilities.readers.kafka_clients import StreamTopic
from platform_resources.capabilities.readers.source_addresses import SourceUnread
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.carried_history import carry_history
from platform_resources.ledger.people.certifications import retirement
from platform_resources.ledger.people.control_deliveries import RESTORED, ControlDelivery, claim_delivery, control_deliveries, note_delivery
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.publications.consumer_queries import answer_over, written_answer
from platform_resources.publications.former_folders import is_taken_over
from platform_resources.publications.port_changes import (
    AFTER,
    BEFORE,
    ChangeCursor,
    change_cursor,
    change_of,
    changes_sql,
    duplicates_sql,
    seen_digest,
)
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions, VersionsUnreadable
from platform_resources.refresh.product_locks import ProductBusy, locked
from platform_resources.services.control_ports.topic_producers import CONFIRMED_WITHIN_SECONDS, NotStreamed, TopicProducer
from platform_resources.warehouses.engine_errors import DatabaseBusy, EngineError, NotSupported, QueryFailed
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.written_results import WantedResult

# So many changes are confirmed and noted at a time; after a process was killed at most these are sent again.
AT_ONCE = 10_000
WITHIN = timedelta(minutes=10)
# Whoever sends holds the stream for so long from each note on; who was killed holds it no longer.
CLAIM_FOR = timedelta(minutes=2)
AGAIN_AFTER = timedelta(minutes=1)
# What is sent later than this after its note could reach the brokers behind what another process sends.
_SENT_WITHIN = CLAIM_FOR - timedelta(seconds=CONFIRMED_WITHIN_SECONDS)
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class _Stream:
    """One output port that has a topic."""

    ledger: Ledger
    state: Path
    product: ProductPlan
    port: OutputPlan
    topic: StreamTopic
    clock: Callable[[], datetime]
    key_before: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.product.name}.{self.port.name}"

    @property
    def shelves(self) -> Versions:
        return shelf(self.state, self.product.domain, self.product.name)

    @property
    def key(self) -> tuple[str, ...]:
        """In the order in which the topic has it."""
        declared = tuple(self.product.data_set(self.port.data_set).spec.primary_key)
        return self.key_before if set(self.key_before) == set(declared) else declared


def streams_sent(ledger: Ledger, state: Path, products: Sequence[ProductPlan], now: datetime) -> Iterator[str]:
    """Send what the topics of these products have not confirmed yet. Gives by port why something was not sent; it is tried again."""
    began = _seconds()

    def clock() -> datetime:
        return now + timedelta(seconds=_seconds() - began)

    for product in products:
        streams = [
            _Stream(ledger, state, product, port, port.store.stream, clock) for port in product.outputs if port.store.stream is not None
        ]
        if streams and (error := _by_present_names(ledger, state, product, {stream.topic.item for stream in streams})):
            yield f"{product.name}: {error}"
            continue
        for stream in streams:
            if error := _sent(stream, clock()):
                yield f"{stream.title}: {error}"


def _seconds() -> float:
    """They go on while the machine is suspended; `time.monotonic` stands still then."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _by_present_names(ledger: Ledger, state: Path, product: ProductPlan, topics: Collection[str]) -> str:
    """Versions and what topics have got go by the same names, whoever comes first: else a topic would begin anew. Or why they do not."""
    formers = {former for port in product.outputs for former in port.former_names}
    if not (formers or product.former_names):
        return ""
    waits = "nothing is sent until what was published under a former name is taken over"
    try:
        if not is_taken_over(state, product):
            locked(state, product, 0).release()
    except (ProductBusy, DatabaseBusy):
        return f"{waits}, which it is not while a refresh runs"
    except (VersionsUnreadable, NotSupported, EngineError) as problem:
        return f"{waits}: {problem}"
    with ledger.reading() as connection:
        noted = control_deliveries(connection, [product.name, *product.former_names])
    if any(item in topics and (name != product.name or port in formers) for name, port, item in noted):
        with ledger.projecting() as connection:
            carry_history(connection, MeshPlan((product,), ()))
    return ""


def _sent(stream: _Stream, now: datetime) -> str:
    """Why not all was sent; empty where it was, or where it is not time yet."""
    name = stream.product.name
    with stream.ledger.reading() as connection:
        before = control_deliveries(connection, [name]).get((name, stream.port.name, stream.topic.item))
        if retirement(connection, name) is not None:  # whatever the document says, and as long as versions are left
            return ""
    cursor = change_cursor(before.version if before is not None else "")
    stream = replace(stream, key_before=cursor.key)
    try:
        following = _following(stream, cursor)
        if following is None or (before is not None and now < before.next_at):
            return ""
        attempts = before.attempts + 1 if before is not None else 1
        is_restored = before is not None and before.last_error == RESTORED
        says = RESTORED if is_restored else "it is being sent"  # of a claim that is left behind
        claim = ControlDelivery(
            name, stream.port.name, stream.topic.item, stream.topic.item, cursor.text, now, now + CLAIM_FOR, attempts, says
        )
        with stream.ledger.writing() as connection:
            if retirement(connection, name) is not None or not claim_delivery(connection, claim):
                return ""
        if is_restored and (unknown := _unknown(stream, cursor)):
            _noted(stream, replace(claim, next_at=stream.clock() + AGAIN_AFTER))
            return unknown
        error = _all_sent(stream, cursor, following, claim)
    except (NotStreamed, SourceUnread, QueryFailed, SettingInvalid, VersionsUnreadable) as problem:
        return str(problem)
    return error


def _all_sent(stream: _Stream, cursor: ChangeCursor, following: Publication | None, claim: ControlDelivery) -> str:
    """Version after version; what was confirmed stays noted, whatever comes then."""
    error = ""
    try:
        with TopicProducer(stream.topic) as topic:
            while following is not None:
                for sent in _confirmed(stream, topic, cursor, following):
                    cursor = sent
                    if not _noted(stream, replace(claim, version=cursor.text, next_at=stream.clock() + CLAIM_FOR)):
                        raise NotStreamed("another process sends the changes meanwhile")
                following = _following(stream, cursor)
    except (NotStreamed, SourceUnread, QueryFailed, SettingInvalid, VersionsUnreadable) as problem:
        error = str(problem)
    now = stream.clock()
    again = now + AGAIN_AFTER if error else now
    _noted(stream, replace(claim, version=cursor.text, next_at=again, last_error=error, taken_at=None if error else now))
    return error


def _noted(stream: _Stream, delivery: ControlDelivery) -> bool:
    """Whether the stream is still this process's to send."""
    with stream.ledger.writing() as connection:
        return note_delivery(connection, delivery)


def _unknown(stream: _Stream, cursor: ChangeCursor) -> str:
    """Why a topic of before a restore gets nothing: what has changed since a lost version, nobody can tell."""
    known = {version.id for version in stream.shelves.published()}
    try:
        with TopicProducer(stream.topic) as topic:
            lost = [version for version in topic.last_versions() - known if version > max(cursor.since, cursor.until)]
    except (NotStreamed, SourceUnread, SettingInvalid) as problem:
        return str(problem)
    if not lost:
        return ""
    return (
        f"the topic has version {max(lost)}, which is not known any more since the mesh was restored from a backup; "
        "name a new topic, which begins with every row"
    )


def _following(stream: _Stream, cursor: ChangeCursor) -> Publication | None:
    """The version whose changes come next. Raises NotStreamed, VersionsUnreadable."""
    published = [version for version in stream.shelves.published() if version.port(stream.port.name) is not None]
    by_id = {version.id: version for version in published}  # in the order of publication, which machines' clocks do not tell
    if lost := [version for version in (cursor.since, cursor.until) if version and version not in by_id]:
        raise NotStreamed(
            f"version {lost[0]}, up to which the topic has all, is not kept any more; name a new topic, which begins with every row"
        )
    if cursor.until:
        return by_id[cursor.until]
    if not cursor.since:
        return published[-1] if published else None
    later = published[list(by_id).index(cursor.since) + 1 :]
    return later[0] if later else None


def _confirmed(stream: _Stream, topic: TopicProducer, cursor: ChangeCursor, following: Publication) -> Iterator[ChangeCursor]:
    """Send the changes that lead to this version; gives after each confirmation up to where they are sent."""
    after = _seen(stream, following)
    whole = following.port(stream.port.name)
    assert whole is not None
    before = _as_sent(stream, cursor)
    if cursor.key not in ((), stream.key):
        raise NotStreamed(
            f"the key was {', '.join(cursor.key)}, and is {', '.join(stream.key)}; name a new topic, which begins with every row"
        )
    # Neither the version that the topic has nor the one that it is about to have may go before all of it is confirmed.
    stream.shelves.pin(f"{stream.title}.until", following.id)
    seen = seen_digest(whole, after)
    if cursor.until and seen != cursor.seen_until:
        raise NotStreamed("what its readers may see has changed while a version was sent; name a new topic, which begins with every row")
    cursor = replace(cursor, until=following.id, seen_until=seen, key=stream.key)
    with tempfile.TemporaryFile(prefix="mesh_") as unnamed:
        file = cast(BinaryIO, unnamed)
        _write_changes(stream, before, after, cursor.given, file)
        file.seek(0)
        noted_at = stream.clock()
        yield cursor  # it may have taken long
        while lines := list(islice(file, AT_ONCE)):
            changes = [change_of(json.loads(line), stream.key) for line in lines]
            topic.send(_messages(stream, changes, cursor, noted_at))
            cursor, noted_at = replace(cursor, given=cursor.given + len(changes)), stream.clock()
            yield cursor
    stream.shelves.pin(stream.title, following.id)
    stream.shelves.unpin(f"{stream.title}.until")
    yield ChangeCursor(following.id, seen, key=stream.key)


def _seen(stream: _Stream, publication: Publication) -> PortVersion:
    """The port as the readers of the topic see it. Raises NotStreamed."""
    whole = publication.port(stream.port.name)
    assert whole is not None
    views = stream.product.data_set(stream.port.data_set).views
    view, problem = views.as_one(stream.topic.role, stream.product.offers.roles is not None)
    seen = whole.seen_as(view) if view is not None and not problem else None
    if seen is None or not set(stream.key) <= seen.columns.keys():
        raise NotStreamed(
            problem or f"its readers may see nothing of version {publication.id}, or not its key; refresh {stream.product.name}"
        )
    return seen


def _as_sent(stream: _Stream, cursor: ChangeCursor) -> PortVersion | None:
    """The version that the topic has, as it was sent then."""
    if not cursor.since:
        return None
    whole = next(port for version in stream.shelves.published() if version.id == cursor.since and (port := version.port(stream.port.name)))
    if not cursor.seen_since:
        return whole
    views = (
        replace(whole, **{part: getattr(view, part) for part in ("rows", "columns", "files")}, views={}) for view in whole.views.values()
    )
    sent = next((seen for seen in views if seen_digest(whole, seen) == cursor.seen_since), None)
    if sent is None:
        raise NotStreamed(f"version {cursor.since} has no view as it was sent; name a new topic, which begins with every row")
    return sent


def _write_changes(stream: _Stream, before: PortVersion | None, after: PortVersion, given: int, file: BinaryIO) -> None:
    """As lines of JSON, in the order of their keys: always the same one. Raises NotStreamed, QueryFailed, SettingInvalid."""
    places = {name: stream.shelves.where(port) for name, port in ((BEFORE, before), (AFTER, after)) if port is not None}
    name, bounds = stream.product.name, Bounds(WITHIN)
    if not given and answer_over(stream.state, name, duplicates_sql(stream.key), {"main": places}, bounds, is_ours=True)[1]:
        raise NotStreamed(f"rows share the key {', '.join(stream.key)}, so changes cannot be told")
    sql = changes_sql(before.columns if before is not None else None, after.columns, stream.key, _ALL, given)
    written_answer(stream.state, name, sql, {"main": places}, WantedResult("ndjson", is_ours=True), file, bounds)


def _messages(
    stream: _Stream, changes: Sequence[Mapping[str, Any]], cursor: ChangeCursor, noted_at: datetime
) -> Iterator[tuple[bytes, bytes | None, dict[str, str]]]:
    """A message for each change; one of a row that is gone is followed by a tombstone, with which a compacted topic forgets its key.

    Raises NotStreamed in a process that stood still, while it may have lost the stream.
    """
    for sequence, change in enumerate(changes, cursor.given):
        if stream.clock() - noted_at > _SENT_WITHIN:
            raise NotStreamed("this process stood still, and another one may send the changes meanwhile")
        headers = {"mesh-product": stream.product.name, "mesh-port": stream.port.name, "mesh-version": cursor.until}
        headers |= {"mesh-since": cursor.since, "mesh-sequence": str(sequence), "mesh-op": change["op"]}
        key = _json(change["key"])
        yield key, _json(change), headers
        if change["op"] == "delete":
            yield key, None, headers


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
