"""The typed records that events carry: what refreshes, evaluations and imports tell, and the ledger reads.

An event's metadata is flat and holds plain values. `to_metadata` writes a record so, without what it does not know; `from_metadata` reads
it again, and what older platforms wrote. Whatever else stands in the metadata is only shown.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.columns import storable

# The form of events written now. Those without a number are of before; of a later form, what is known by name is read.
FORMAT, FORMAT_KEY = 1, "event_format"
LONGEST_TEXT = 4000
ROWS = "dagster/row_count"
VERDICTS: Mapping[str, Verdict] = {"met": "met", "missed": "missed", "unknown": "unknown"}
R = TypeVar("R")


def text(value: Any) -> str:
    """A value as text that every database takes, cut where it is very long."""
    return "" if value is None else storable(str(value)[:LONGEST_TEXT])


def moment(value: Any) -> datetime | None:
    """An ISO 8601 text as a time in UTC; None for what is none. Without a time zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def count(value: Any) -> int | None:
    """A number of rows, bytes or checks; None for what is none or does not fit 63 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


def _value(value: Any) -> float | str | None:
    """What was measured: a finite number or a text."""
    return number(value) if number(value) is not None else text(value) or None


def _as(key: str, read: Callable[[Any], Any]) -> dict[str, Any]:
    """What a field is called in an event's metadata, and how its value is read."""
    return {"key": key, "read": read}


@dataclass(frozen=True, slots=True)
class CheckSaid:
    """What a check said. `verdict` is None where only Dagster's passed or failed tells it; the value was promised to lie between
    `at_least` and `at_most`, all in `unit`; `shown` is its text where people read another than the number."""

    verdict: Verdict | None = field(default=None, metadata=_as("verdict", lambda value: VERDICTS.get(str(value))))
    reason: str = field(default="", metadata=_as("reason", text))
    kind: str = field(default="", metadata=_as("kind", text))
    measured_at: datetime | None = field(default=None, metadata=_as("measured_at", moment))
    title: str = field(default="", metadata=_as("objective", text))
    dimension: str = field(default="", metadata=_as("dimension", text))
    value: float | str | None = field(default=None, metadata=_as("value", _value))
    shown: str = field(default="", metadata=_as("shown", text))
    threshold: str = field(default="", metadata=_as("threshold", text))
    failing_rows: int | None = field(default=None, metadata=_as("failing_rows", count))
    unit: str = field(default="", metadata=_as("unit", text))
    at_least: float | None = field(default=None, metadata=_as("at_least", number))
    at_most: float | None = field(default=None, metadata=_as("at_most", number))
    learning: bool = field(default=False, metadata=_as("learning", lambda value: value is True))


@dataclass(frozen=True, slots=True)
class ImportedSaid:
    """Where the result of a test came from that ran elsewhere: what dbt calls the test, and its project."""

    test: str = field(default="", metadata=_as("dbt_test", text))
    project: str = field(default="", metadata=_as("dbt_project", text))
    measured_at: datetime | None = field(default=None, metadata=_as("measured_at", moment))


@dataclass(frozen=True, slots=True)
class PullSaid:
    """What one pull brought: whether the input changed, why its last good data is served, and what it was made from."""

    changed: bool | None = field(default=None, metadata=_as("changed", bool))
    degraded: str = field(default="", metadata=_as("degraded", lambda value: "" if value == "no" else text(value)))
    version: str = field(default="", metadata=_as("version", text))
    cursor: str = field(default="", metadata=_as("cursor", text))
    rows: int | None = field(default=None, metadata=_as(ROWS, count))
    measured_at: datetime | None = field(default=None, metadata=_as("measured_at", moment))


@dataclass(frozen=True, slots=True)
class PublicationSaid:
    """One version of an output port; `watermark` is until when it knows the world, if it tells another time than its publication;
    `watermark_unknown` says why it is not known until when."""

    version: str = field(default="", metadata=_as("version", text))
    published_at: datetime | None = field(default=None, metadata=_as("published_at", moment))
    product_version: str = field(default="", metadata=_as("product_version", text))
    watermark: datetime | None = field(default=None, metadata=_as("watermark", moment))
    watermark_unknown: str = field(default="", metadata=_as("watermark_unknown", text))
    rows: int | None = field(default=None, metadata=_as(ROWS, count))
    bytes: int | None = field(default=None, metadata=_as("bytes", count))


@dataclass(frozen=True, slots=True)
class ScorecardSaid:
    """How a refresh ended, in words and numbers. `held_back` says why the version that it made was not published; empty if none was.

    `evaluated`: no refresh ended here, an evaluation tells how things are.
    """

    outcome: str = field(default="", metadata=_as("outcome", text))
    held_back: str = field(default="", metadata=_as("held_back", text))
    objectives: int | None = field(default=None, metadata=_as("objectives", count))
    met: int | None = field(default=None, metadata=_as("met", count))
    missed: int | None = field(default=None, metadata=_as("missed", count))
    unknown: int | None = field(default=None, metadata=_as("unknown", count))
    checks: int | None = field(default=None, metadata=_as("checks", count))
    measured_at: datetime | None = field(default=None, metadata=_as("measured_at", moment))
    evaluated: bool = field(default=False, metadata=_as("evaluated", bool))


def to_metadata(record: Any) -> dict[str, Any]:
    """The record as plain values, with the number of the form that they are written in."""
    known = [(field.metadata["key"], getattr(record, field.name), field.default) for field in dataclasses.fields(record)]
    said = {key: value for key, value, unsaid in known if value is not unsaid and value != unsaid}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in said.items()} | {FORMAT_KEY: FORMAT}


def from_metadata(kind: type[R], metadata: Mapping[str, Any]) -> R:
    """The record that the metadata holds. What is missing or no such value is not known; nothing is raised."""
    read = {
        field.name: field.metadata["read"](metadata[field.metadata["key"]])
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]  # of records alone
        if field.metadata["key"] in metadata
    }
    record = kind(**read)
    return _of_before(record) if FORMAT_KEY not in metadata else record


_ONCE, _ONCE_UNCHANGED = "not published", "not published, nothing changed"


def _of_before(record: R) -> R:
    """Scorecards without a number said only in their outcome that a version was held back."""
    if isinstance(record, ScorecardSaid) and record.outcome.startswith(_ONCE) and not record.outcome.startswith(_ONCE_UNCHANGED):
        return dataclasses.replace(record, held_back=record.outcome.removeprefix(_ONCE).lstrip(",: "))
    return record
