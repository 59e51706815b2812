"""What a message of a stream says: JSON or Avro to a record, and why one that cannot be read is set aside."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from platform_resources.capabilities.readers.source_addresses import SourceUnread, filled, library

MessageFormat = Literal["json", "avro"]
EXTRA = "kafka"
# What a serializer with a registry writes before the value: a zero, and the schema's id in four bytes. JSON begins with no zero.
_FRAME = 5


class MessageUnread(Exception):
    """Raised where a message is no record; says why, without what it holds."""


Reading = Callable[[bytes], Mapping[str, Any]]


def reading(form: MessageFormat, schema: str, registry: str, topic: str, folder: Path) -> Reading:
    """How the values of a topic are read: by a schema in a file, below the folder of the product, or by those of a registry.

    Raises SourceUnread.
    """
    if form == "json":
        return _json
    return _by_registry(registry, topic) if registry else _by_file(folder / schema)


def _json(value: bytes) -> Mapping[str, Any]:
    texts = library("simplejson", EXTRA)
    try:
        record = texts.loads(value[_FRAME:] if value[:1] == b"\0" else value, use_decimal=True)
        if b"\\ud" in value.lower():  # half a character, which is no text, can only be written so
            texts.dumps(record, use_decimal=True, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, texts.JSONDecodeError) else ""
        raise MessageUnread(f"is no JSON{place}") from error
    if not isinstance(record, Mapping):
        raise MessageUnread("is no JSON object")
    return record


def _by_file(path: Path) -> Reading:
    avro = library("fastavro", EXTRA)
    try:
        schema = avro.parse_schema(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SourceUnread(f"the schema {path.name} cannot be read: {error.strerror}") from error
    except Exception as error:
        raise SourceUnread(f"{path.name} is no Avro schema: {error}") from error

    def read(value: bytes) -> Mapping[str, Any]:
        stream = BytesIO(value)
        try:
            record = avro.schemaless_reader(stream, schema, None)
        except Exception as error:  # it raises whatever the bytes lead to
            raise MessageUnread(f"is no Avro of {path.name}") from error
        if stream.read(1):
            raise MessageUnread(f"is no Avro of {path.name}: there are bytes behind it")
        return _record(record)

    return read


def _by_registry(url: str, topic: str) -> Reading:
    client = library("confluent_kafka.schema_registry", EXTRA).SchemaRegistryClient({"url": filled(url), "timeout": 10})
    deserialize = library("confluent_kafka.schema_registry.avro", EXTRA).AvroDeserializer(client)
    fields = library("confluent_kafka.serialization", EXTRA)
    context = fields.SerializationContext(topic, fields.MessageField.VALUE)
    refused = library("confluent_kafka.schema_registry.error", EXTRA).SchemaRegistryError

    def read(value: bytes) -> Mapping[str, Any]:
        if value[:1] != b"\0" or len(value) <= _FRAME:
            raise MessageUnread("does not begin with the id of a schema of the registry")
        try:
            return _record(deserialize(value, context))
        except refused as error:
            if error.http_status_code != 404:
                raise SourceUnread(f"the registry answers with status {error.http_status_code}") from error
            raise MessageUnread(f"names the schema {int.from_bytes(value[1:_FRAME])}, which the registry does not have") from error
        except OSError as error:
            raise SourceUnread("the registry cannot be reached") from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("httpx", "httpcore"):
                raise SourceUnread(f"the registry cannot be reached: {type(error).__name__}") from error
            raise MessageUnread("is no Avro of the schema that it names") from error

    return read


def _record(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MessageUnread("is an Avro value, and no record")
    return value
