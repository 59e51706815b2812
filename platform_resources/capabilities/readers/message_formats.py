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
_NO_SUCH_SCHEMA = 40403


class MessageUnread(Exception):
    """Raised where a message is no record; says why, without what it holds."""


Reading = Callable[[bytes], Mapping[str, Any]]


def reading(form: MessageFormat, schema: str, registry: str, topic: str, folder: Path) -> Reading:
    """How the values of a topic are read: by a schema in a file, below the folder of the product, or by those of a registry.

    Raises SourceUnread.
    """
    if form == "json":
        return _json
    return _by_registry(registry) if registry else _by_file(folder / schema)


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
    avro, types = library("fastavro", EXTRA), dict[str, Any]()
    try:
        schema = avro.parse_schema(json.loads(path.read_text(encoding="utf-8")), types)
    except OSError as error:
        raise SourceUnread(f"the schema {path.name} cannot be read: {error.strerror}") from error
    except Exception as error:
        raise SourceUnread(f"{path.name} is no Avro schema: {error}") from error
    return _avro(schema, types, path.name)


def _by_registry(url: str) -> Reading:
    """No message is bad because the registry is: only that it does not have a schema, or has none of Avro, makes one so."""
    client = library("confluent_kafka.schema_registry", EXTRA).SchemaRegistryClient({"url": filled(url), "timeout": 10})
    refused = library("confluent_kafka.schema_registry.error", EXTRA).SchemaRegistryError
    known = dict[int, Reading]()

    def by_schema(number: int) -> Reading:
        try:
            named = client.get_schema(number)
            if named.schema_type != "AVRO":
                raise MessageUnread(f"names the schema {number}, which is none of Avro")
            types = dict[str, Any]()
            return _avro(_with_references(named, client, types, set()), types, f"the schema {number}, which it names")
        except refused as error:
            if error.error_code == _NO_SUCH_SCHEMA:
                raise MessageUnread(f"names the schema {number}, which the registry does not have") from error
            raise SourceUnread(f"the registry answers with status {error.http_status_code}") from error
        except MessageUnread:
            raise
        except OSError as error:
            raise SourceUnread("the registry cannot be reached") from error
        except Exception as error:  # whatever the client, or an answer that is no registry's, leads to
            raise SourceUnread(f"the registry cannot be reached, or does not answer as one: {type(error).__name__}") from error

    def read(value: bytes) -> Mapping[str, Any]:
        if value[:1] != b"\0" or len(value) <= _FRAME:
            raise MessageUnread("does not begin with the id of a schema of the registry")
        number = int.from_bytes(value[1:_FRAME])
        if number not in known:
            known[number] = by_schema(number)
        return known[number](value[_FRAME:])

    return read


def _with_references(named: Any, client: Any, types: dict[str, Any], there: set[tuple[str, int]]) -> Any:
    """A schema of a registry, parsed, with the types of those that it refers to."""
    for reference in named.references or ():
        place = reference.subject, reference.version
        if place not in there:
            there.add(place)
            _with_references(client.get_version(*place).schema, client, types, there)
    return library("fastavro", EXTRA).parse_schema(json.loads(named.schema_str), types)


def _avro(schema: Any, types: Mapping[str, Any], title: str) -> Reading:
    """Reads records of a schema. In C one that holds itself may be nested until the process dies; Python ends before."""
    avro = library("fastavro._read_py" if _is_endless(schema, types) else "fastavro", EXTRA)

    def read(value: bytes) -> Mapping[str, Any]:
        stream = BytesIO(value)
        try:
            record = avro.schemaless_reader(stream, schema, None)
        except Exception as error:  # it raises whatever the bytes lead to
            raise MessageUnread(f"is no Avro of {title}") from error
        if stream.read(1):
            raise MessageUnread(f"is no Avro of {title}: there are bytes behind it")
        if not isinstance(record, Mapping):
            raise MessageUnread("is an Avro value, and no record")
        return record

    return read


def _is_endless(schema: Any, types: Mapping[str, Any]) -> bool:
    """Whether a type of the schema holds itself, be it by those of `types` that it names."""
    ends = set[str]()

    def holds_itself(inner: Any, above: tuple[str, ...]) -> bool:
        match inner:
            case str() if inner in types:
                return holds_itself(types[inner], above)
            case list():
                return any(holds_itself(kind, above) for kind in inner)
            case {"fields": fields, "name": name}:
                if name in above:
                    return True
                if name not in ends and any(holds_itself(field["type"], (*above, name)) for field in fields):
                    return True
                ends.add(name)
                return False
            case {"items": inside} | {"values": inside} | {"type": dict() | list() as inside}:
                return holds_itself(inside, above)
            case _:
                return False

    return holds_itself(schema, ())
