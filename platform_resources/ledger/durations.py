"""How long a product's refreshes took: what the dimension `duration` is judged by."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from platform_resources.capabilities.measures import Refreshes
from platform_resources.ledger import tables
from platform_resources.ledger.records import Run


def refreshes(connection: Connection, product: str, now: datetime, count: int) -> Refreshes:
    """The newest `count` refreshes of the product that ended well by `now`, and the one that goes on.

    A refresh ends with its scorecard; a run of a part of the product writes none, is short, and says nothing.
    """
    table, scorecards = tables.runs, tables.scorecards
    of_product = select(table).where(table.c.product == product, table.c.started_at <= now)
    whole = table.c.run_id.in_(select(scorecards.c.run_id).where(scorecards.c.product == product))
    ended_well = of_product.where(table.c.status == "succeeded", table.c.ended_at <= now, whole)
    seconds = [run.seconds for run in _newest(connection, ended_well, count)]
    return Refreshes(tuple(length for length in reversed(seconds) if length is not None), _running(connection, of_product, now))


def _running(connection: Connection, of_product: Select[Any], now: datetime) -> float | None:
    """A product is refreshed once at a time, so of runs without an end only the newest can still go on; the others were killed."""
    newest = _newest(connection, of_product, 1)
    if not newest or newest[0].started_at is None or newest[0].ended_at is not None:
        return None
    return (now - newest[0].started_at).total_seconds()


def _newest(connection: Connection, query: Select[Any], count: int) -> list[Run]:
    table = tables.runs
    ordered = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(count)
    return [Run(**row) for row in connection.execute(ordered).mappings()]
