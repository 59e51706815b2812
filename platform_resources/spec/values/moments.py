"""Instants with a time zone."""

from datetime import UTC, datetime


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC, where a difference of two moments is the time between them. Raises ValueError for a time without a zone."""
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; only the caller can know which one is meant")
    return moment.astimezone(UTC)
