"""Connections with Snowflake as Dagster makes them, for the steps of a refresh."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def connected_by_dagster(arguments: Mapping[str, Any]) -> Iterator[Any]:
    """A connection of SnowflakeResource. It is imported here: that takes longer than all else of a refresh, and only Snowflake needs it."""
    from dagster_snowflake import SnowflakeResource

    with SnowflakeResource(**arguments).get_connection() as connection:
        yield connection
