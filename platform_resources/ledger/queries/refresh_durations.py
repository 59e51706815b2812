"""How long a product's refreshes took: what the dimension `duration` is judged by."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from platform_resources.capabilities.judgements import Refreshes
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
    running = going_on(connection, product, now)
    since = running.started_at if running is not None else None
    seconds_so_far = (now - since).total_seconds() if since is not None else None
    return Refreshes(tuple(length for length in reversed(seconds) if length is not None), seconds_so_far)


def going_on(connection: Connection, product: str, now: datetime) -> Run | None:
    """A product is refreshed once at a time, so of runs without an end only the newest can still go on; the others were killed."""
    newest = _newest(connection, select(tables.runs).where(tables.runs.c.product == product, tables.runs.c.started_at <= now), 1)
    return newest[0] if newest and newest[0].ended_at is None else None


def _newest(connection: Connection, query: Select[Any], count: int) -> list[Run]:
    table = tables.runs
    ordered = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(count)
    return [Run(**row) for row in connection.execute(ordered).mappings()]
