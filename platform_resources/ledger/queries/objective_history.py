"""Read from the ledger what objectives are compared with: earlier readings, refresh durations and costs of runs."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, func, select

from platform_resources.capabilities.judgements import History, Past, Refreshes, Spent
from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.support.learned_thresholds import is_learned
from platform_resources.capabilities.support.recency import known_until
from platform_resources.ledger import tables
from platform_resources.ledger.made_up import real
from platform_resources.ledger.people.incident_store import incidents_of
from platform_resources.ledger.people_tables import refresh_credits
from platform_resources.ledger.records import Run, check_id
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.conventions import check_text
from platform_resources.plan.plan import ProductPlan

# As far back as is looked: hourly for two months, and daily for years.
MOST_READINGS = 2000
MOST_RUNS = 10_000
MOST_PUBLICATIONS = 1_000
SPENT_OVER = timedelta(days=366)


def history(connection: Connection, product: str, check: int, check_text: str, publishes: bool, now: datetime) -> History:
    """What one check of the product can be compared with before `now`; `check_text` is its name in incidents.

    `publishes`: only readings of versions that were published count, so that what a gate kept back is not learned by trying again.
    """
    return History(_past(connection, product, check, publishes, now), tuple(excluded(connection, product, check_text, now)))


def _past(connection: Connection, product: str, check: int, publishes: bool, now: datetime) -> tuple[Past, ...]:
    table, versions = tables.readings, tables.publications
    query = select(table.c.at, table.c.value, table.c.failing_rows)
    query = query.where(table.c.check_id == check, table.c.at < now, table.c.value.is_not(None), real(table.c.run_id))
    if publishes:
        query = query.where(table.c.run_id.in_(select(versions.c.run_id).where(versions.c.product == product)))
    rows = connection.execute(query.order_by(table.c.at.desc(), table.c.run_id.desc()).limit(MOST_READINGS)).all()
    return tuple(Past(row.at, row.value, row.failing_rows) for row in reversed(rows))


def excluded(connection: Connection, product: str, check_text: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Periods in which the check, or a product upstream, was broken until somebody mended it; nothing is learned from them.

    Only what a person resolved as fixed. What recovered by itself may be a new level, which is to be learned: without those readings it
    would be found unusual again and again. What was expected, or no trouble at all, is usual.
    """
    for stored in incidents_of(connection, product, live=False):
        incident = stored.incident
        touched = incident.cause != product or check_text in incident.checks
        if touched and incident.resolution == "fixed" and incident.resolved_at is not None and incident.began_at < now:
            yield incident.began_at, incident.resolved_at


def publication_times(connection: Connection, product: str, now: datetime) -> tuple[datetime, ...]:
    """When the newest versions of the product were published that brought newer data, however long ago, oldest first.

    All ports of one version are published at one time.
    """
    table = tables.publications
    query = select(table.c.published_at).distinct().where(table.c.product == product, table.c.published_at <= now, real(table.c.run_id))
    newest = query.order_by(table.c.published_at.desc()).limit(MOST_PUBLICATIONS).subquery()
    versions = select(table.c.published_at, table.c.port, table.c.watermark, table.c.watermark_unknown).where(
        table.c.product == product, table.c.published_at.in_(select(newest.c.published_at))
    )
    return tuple(_with_newer_data(connection.execute(versions.order_by(table.c.published_at))))


def _with_newer_data(versions: Iterable[Any]) -> Iterator[datetime]:
    """Of versions of ports, oldest first. A port without a time before must be newer than the publication before; the first version is."""
    known: dict[str, datetime] = {}
    before: datetime | None = None
    for published_at, ports in groupby(versions, key=lambda version: version.published_at):
        known_now = {port.port: known_until(published_at, port.watermark, port.watermark_unknown) for port in ports}
        newer = {port: at for port, at in known_now.items() if at is not None and (before is None or at > known.get(port, before))}
        if newer or before is None:
            yield published_at
        known |= newer
        before = published_at


def spent(connection: Connection, product: str, now: datetime) -> tuple[Spent, ...]:
    """Costs of the product's runs that ended by `now` and began in the year before, oldest first, whatever their outcome."""
    table, versions, cards = tables.runs, tables.publications, tables.scorecards
    of_product = (table.c.product == product, table.c.started_at > now - SPENT_OVER, table.c.ended_at <= now, real(table.c.run_id))
    query = select(table).where(*of_product).order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(MOST_RUNS)
    runs = [Run(**row) for row in connection.execute(query).mappings()]
    known = func.count() == func.count(versions.c.bytes)
    sizes = select(versions.c.run_id, func.sum(versions.c.bytes).label("bytes"), known.label("known")).where(versions.c.product == product)
    published = {row.run_id: int(row.bytes) if row.known else None for row in connection.execute(sizes.group_by(versions.c.run_id))}
    refreshed: set[str] = set(connection.execute(select(cards.c.run_id).where(cards.c.product == product)).scalars())
    billed = {row.run_id: row.credits for row in connection.execute(select(refresh_credits).where(refresh_credits.c.product == product))}
    return tuple(_spent(runs, published, refreshed, billed))


def _spent(runs: list[Run], published: dict[str, int | None], refreshed: set[str], billed: dict[str, float]) -> Iterator[Spent]:
    for run in reversed(runs):
        if run.started_at is not None and run.seconds is not None:
            whole = run.status == "succeeded" and run.run_id in refreshed
            yield Spent(run.started_at, run.seconds, published.get(run.run_id, 0), whole, billed.get(run.run_id))


def refreshes(connection: Connection, product: str, now: datetime, count: int) -> Refreshes:
    """The newest `count` refreshes of the product that ended well by `now`, and the one that goes on.

    A refresh ends with its scorecard; a run of a part of the product writes none, is short, and says nothing.
    """
    table, scorecards = tables.runs, tables.scorecards
    of_product = select(table).where(table.c.product == product, table.c.started_at <= now, real(table.c.run_id))
    whole = table.c.run_id.in_(select(scorecards.c.run_id).where(scorecards.c.product == product))
    ended_well = of_product.where(table.c.status == "succeeded", table.c.ended_at <= now, whole)
    ended = [run for run in reversed(_newest(connection, ended_well, count)) if run.seconds is not None]
    running = going_on(connection, product, now)
    since = running.started_at if running is not None else None
    seconds_so_far = (now - since).total_seconds() if since is not None else None
    ids = tuple(run.run_id for run in ended)
    return Refreshes(tuple(run.seconds or 0.0 for run in ended), seconds_so_far, ids, running.run_id if running is not None else "")


def going_on(connection: Connection, product: str, now: datetime) -> Run | None:
    """A product is refreshed once at a time, so of runs without an end only the newest can still go on; the others were killed."""
    newest = _newest(connection, select(tables.runs).where(tables.runs.c.product == product, tables.runs.c.started_at <= now), 1)
    return newest[0] if newest and newest[0].ended_at is None else None


def _newest(connection: Connection, query: Select[Any], count: int) -> list[Run]:
    table = tables.runs
    ordered = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(count)
    return [Run(**row) for row in connection.execute(ordered).mappings()]


def histories(connection: Connection, product: ProductPlan, now: datetime) -> dict[str, History]:
    """The history of each compared objective, by check name. The ledger must be synced before."""
    checks = [objective.check for objective in compared(product)]
    publishes = bool(product.outputs)
    return {
        check.name: history(connection, product.name, check_id(check.key, check.name), check_text(check.key, check.name), publishes, now)
        for check in checks
    }


def compared(product: ProductPlan) -> tuple[ObjectivePlan, ...]:
    """The product's objectives that are judged against their own earlier readings, or against earlier runs."""
    return tuple(o for o in product.objectives if is_learned(o.settings) or traits_of(o.dimension).compares(o.settings))
