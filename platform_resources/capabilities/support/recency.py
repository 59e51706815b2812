"""As of when data is: by the times in its rows, or by what it was made from; never later than the moment it was looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from platform_resources.capabilities.measures import Subject
from platform_resources.capabilities.support.categories import declared_type
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.values.deadlines import Deadlines, MaxAge

# A row that is dated so little ahead was made just now, by a machine whose clock is a little fast.
CLOCKS_MAY_DIFFER_BY = timedelta(minutes=5)
# Before it nothing was changed by a computer; and the finest timestamps of databases begin in 1677.
_EARLIEST = "1700-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Recency:
    """The moment that data describes; `unknown` says why `at` is None. `by` names where the time comes from: `the newest changed_at`.

    `rows_ahead` of it are dated in the future, and tell nothing.
    """

    at: datetime | None
    by: str = ""
    unknown: str = ""
    rows_ahead: int = 0


def newest_sql(column: str, now: datetime | None, zoned: bool) -> str:
    """The greatest time in the column that is not in the future; without a time to look from, the database's own clock counts.

    Infinite times and years that no calendar has are no times, so what comes out can always be read.
    """
    earliest = f"timestamptz '{_EARLIEST}+00:00'" if zoned else f"timestamp '{_EARLIEST}'"
    name = quoted(column)
    return f"max(case when {name} >= {earliest} and {name} <= {_latest(now, zoned)} then {name} end)"


def ahead_sql(column: str, now: datetime | None, zoned: bool) -> str:
    """How many rows are dated in the future."""
    return f"coalesce(count_if({quoted(column)} > {_latest(now, zoned)}), 0)"


def _latest(now: datetime | None, zoned: bool) -> str:
    if now is None:
        here = "now()" if zoned else "now() at time zone 'UTC'"
        return f"{here} + interval '{CLOCKS_MAY_DIFFER_BY // timedelta(minutes=1)} minutes'"
    latest = now.astimezone(UTC) + CLOCKS_MAY_DIFFER_BY
    return f"timestamptz '{latest:%Y-%m-%d %H:%M:%S.%f}+00:00'" if zoned else f"timestamp '{latest:%Y-%m-%d %H:%M:%S.%f}'"


def of_rows(column: str, newest: date | None, ahead: int, filled: int, now: datetime) -> Recency:
    """What the newest time that is not in the future says. A time without a zone is UTC, a date is its midnight in UTC."""
    if newest is not None:
        return Recency(min(in_utc(newest), now.astimezone(UTC)), f"the newest {column}", rows_ahead=ahead)
    why = f"every {column} lies in the future" if ahead else f"{column} holds no time that a calendar has"
    return Recency(None, unknown=why if filled else f"{column} is empty in every row", rows_ahead=ahead)


def by_its_days(age: MaxAge, subject: Subject) -> MaxAge:
    """The promised age of a data set; where its `updated_at` is a date, what is due begins as that date does: at midnight in UTC."""
    column = subject.data_set.updated_at
    dates = column is not None and declared_type(column, subject) == "date"
    return replace(age, dates=True) if dates and isinstance(age, Deadlines) else age


def in_utc(moment: date) -> datetime:
    """The moment in UTC; a day is its midnight, and a time without a zone is taken as UTC."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def ahead_text(recency: Recency) -> str:
    """`; 2 rows are dated in the future`, or nothing."""
    if not recency.rows_ahead:
        return ""
    return f"; {recency.rows_ahead:,} {'row is' if recency.rows_ahead == 1 else 'rows are'} dated in the future, and left out"


def known_until(seen_at: datetime, watermark: datetime | None, unknown: bool = False) -> datetime | None:
    """As of when data is that was published or pulled at `seen_at`. `told` is the time that it gives itself; without one, `seen_at` counts.

    None where that is not known: it said so, or what it tells lies after it was seen, and so says nothing.
    """
    if unknown or (watermark is not None and watermark - seen_at > CLOCKS_MAY_DIFFER_BY):
        return None
    return seen_at if watermark is None else min(watermark, seen_at)


def of_pull(record: Mapping[str, Any] | None) -> Recency:
    """Age of an input port's data: as its product stated for another product's port, else the time of the last pull."""
    pulled_at = _moment((record or {}).get("pulled_at"))
    if record is None or pulled_at is None:
        return Recency(None, unknown="it is not known when it was pulled")
    if "product" not in record:
        return Recency(pulled_at, "the last successful pull")
    watermark = _moment(record.get("watermark"))
    at = known_until(pulled_at, watermark, unknown=watermark is None)
    unknown = "" if at is not None else f"it is not known as of when {record['product']} is"
    return Recency(at, f"the data of {record['product']}", unknown)


def newest_modified(files: Iterable[Mapping[str, Any]], now: datetime) -> str | None:
    """When the newest of these files was last written, of those that a clock has not dated ahead; None if it has dated all of them so."""
    times = [modified for file in files if (modified := _moment(file.get("modified"))) is not None]
    return max((time.isoformat() for time in times if time <= now + CLOCKS_MAY_DIFFER_BY), default=None)


def of_files(record: Mapping[str, Any]) -> Recency:
    """Age of loaded files: when they were last written."""
    pulled_at, watermark = _moment(record.get("pulled_at")), _moment(record.get("watermark"))
    at = known_until(pulled_at, watermark, unknown=watermark is None) if pulled_at is not None else None
    return Recency(at, "the newest file", "" if at is not None else "every file was written in the future, as its own date says")


def of_inputs(records: Mapping[str, Mapping[str, Any] | None], now: datetime) -> Recency:
    """Data that is made from inputs is as old as the oldest of them; data that is made from none is as old as its publication."""
    if not records:
        return Recency(now.astimezone(UTC), "its publication")
    pulls = {port: of_pull(record) for port, record in records.items()}
    for port, pull in pulls.items():
        if pull.at is None:
            return Recency(None, unknown=f"of its input {port} {pull.unknown}")
    port, oldest = min(pulls.items(), key=lambda port_pull: (port_pull[1].at or now, port_pull[0]))
    return Recency(min(oldest.at or now, now.astimezone(UTC)), f"{oldest.by} of its input {port}")


def _moment(text: object) -> datetime | None:
    try:
        return in_utc(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None
