"""Basic queries of the ledger. Windows are half open, `[since, until)`; records stamped after `until` are ignored.

So a clock that was ahead for a while does not hide what came after it was set right. What is made up is left out, unless it is asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, Text, cast, func, select, true

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger import tables
from platform_resources.ledger.made_up import real
from platform_resources.ledger.records import Check, CheckReading, FreshnessState, InputState, PortPublication, Run, Scorecard
from platform_resources.spec.values.versions import Version


@dataclass(frozen=True, slots=True)
class RememberedCheck:
    """A check with its newest reading; None if it has none."""

    check: Check
    reading: CheckReading | None


def readings(connection: Connection, check: int, since: datetime, until: datetime, made_up: bool = False) -> tuple[CheckReading, ...]:
    """The readings of one check, oldest first; `check` as given by `check_id(key, name)`."""
    table = tables.readings
    query = select(table).where(table.c.check_id == check, table.c.at >= since, table.c.at < until, _asked_for(table, made_up))
    query = query.order_by(table.c.at, table.c.run_id)
    return tuple(CheckReading(**row) for row in connection.execute(query).mappings())


def verdicts(
    connection: Connection, check: int, since: datetime, until: datetime, made_up: bool = False
) -> tuple[tuple[datetime, Verdict], ...]:
    """Times and verdicts of one check, oldest first; PostgreSQL answers it from the key alone."""
    table = tables.readings
    query = select(table.c.at, table.c.verdict).where(table.c.check_id == check, table.c.at >= since, table.c.at < until)
    query = query.where(_asked_for(table, made_up))
    return tuple((row.at, row.verdict) for row in connection.execute(query.order_by(table.c.at, table.c.run_id)))


def check_states(
    connection: Connection, at: datetime, products: Collection[str] | None = None, retired: bool = False
) -> tuple[RememberedCheck, ...]:
    """Every check of the mesh, or of some products, with its newest reading at `at`. One query."""
    checks = tables.checks
    joined, last = _with_newest_reading(connection, at)
    query = select(*[c.label(f"check_{c.name}") for c in checks.c], *[c.label(f"reading_{c.name}") for c in last.c]).select_from(joined)
    if products is not None:
        query = query.where(checks.c.product.in_(products))
    if not retired:
        query = query.where(checks.c.retired_at.is_(None))
    query = query.order_by(checks.c.product, checks.c.asset_key, checks.c.name, last.c.run_id)
    # Of two runs that read at the same microsecond the later in this order stays.
    states = {row["check_id"]: _check_state(row) for row in connection.execute(query).mappings()}
    return tuple(states.values())


def _with_newest_reading(connection: Connection, at: datetime) -> tuple[FromClause, FromClause]:
    """Checks joined with their newest reading, looked up in the key of `readings` for each check; and that reading's columns."""
    checks, table = tables.checks, tables.readings
    asked = select(table).where(table.c.check_id == checks.c.id, table.c.at <= at).correlate(checks)
    if connection.dialect.name == "postgresql":
        # Without LATERAL it reads the whole table when that seems cheaper than ten thousand look-ups; it is not.
        last = asked.order_by(table.c.at.desc(), table.c.run_id.desc()).limit(1).lateral("last")
        return checks.outerjoin(last, true()), last
    newest = asked.with_only_columns(func.max(table.c.at)).scalar_subquery()
    return checks.outerjoin(table, (table.c.check_id == checks.c.id) & (table.c.at == newest)), table


def _check_state(row: Mapping[Any, Any]) -> RememberedCheck:
    check = Check(**{name: row[f"check_{name}"] for name in Check.__slots__})
    if row["reading_at"] is None:
        return RememberedCheck(check, None)
    return RememberedCheck(check, CheckReading(**{name: row[f"reading_{name}"] for name in CheckReading.__slots__}))


def publications(
    connection: Connection, product: str, since: datetime, until: datetime, made_up: bool = False
) -> tuple[PortPublication, ...]:
    """Versions of all ports of a product, oldest first."""
    table = tables.publications
    query = _within(table, table.c.published_at, product, since, until, made_up).order_by(table.c.published_at, table.c.port)
    return tuple(PortPublication(**row) for row in connection.execute(query).mappings())


def newest_publications(
    connection: Connection, at: datetime, products: Collection[str] | None = None, with_columns: bool = False
) -> tuple[PortPublication, ...]:
    """The version of every port that was the newest at `at`, for the mesh or some products. One query.

    `with_columns`: the newest of those whose columns are known.
    """
    table = tables.publications
    newest = select(table.c.product, table.c.port, func.max(table.c.published_at).label("at")).where(table.c.published_at <= at)
    if products is not None:
        newest = newest.where(table.c.product.in_(products))
    if with_columns:
        newest = newest.where(_knows_columns(table))
    last = newest.group_by(table.c.product, table.c.port).subquery()
    same = (table.c.product == last.c.product) & (table.c.port == last.c.port) & (table.c.published_at == last.c.at)
    query = select(table).join(last, same).order_by(table.c.product, table.c.port, table.c.version)
    newest_by_port = {(row["product"], row["port"]): PortPublication(**row) for row in connection.execute(query).mappings()}
    return tuple(newest_by_port.values())


def runs(connection: Connection, product: str, since: datetime, until: datetime) -> tuple[Run, ...]:
    """Runs of a product that started in the window, oldest first; `run.seconds` is their duration."""
    table = tables.runs
    query = _within(table, table.c.started_at, product, since, until).order_by(table.c.started_at, table.c.run_id)
    return tuple(Run(**row) for row in connection.execute(query).mappings())


def last_ended_runs(connection: Connection, products: Iterable[str], at: datetime) -> dict[str, Run]:
    """The newest run of each product that had succeeded or failed at `at`; products without one are left out."""
    table = tables.runs
    ended = (table.c.ended_at <= at) & table.c.status.in_(("succeeded", "failed"))
    newest = select(table).where(ended, table.c.started_at.is_not(None)).order_by(table.c.started_at.desc()).limit(1)
    rows = (connection.execute(newest.where(table.c.product == product)).mappings().first() for product in products)
    return {row["product"]: Run(**row) for row in rows if row is not None}


def input_states(connection: Connection, product: str, since: datetime, until: datetime) -> tuple[InputState, ...]:
    """What pulls brought into the input ports of a product, oldest first."""
    table = tables.input_states
    query = _within(table, table.c.at, product, since, until).order_by(table.c.at, table.c.port)
    return tuple(InputState(**row) for row in connection.execute(query).mappings())


def newest_input_states(
    connection: Connection, at: datetime, products: Collection[str], with_columns: bool = False
) -> tuple[InputState, ...]:
    """What was pulled last by `at` into every input port of these products, or last with columns that are known. One query."""
    table = tables.input_states
    newest = select(table.c.product, table.c.port, func.max(table.c.at).label("newest"))
    newest = newest.where(table.c.at <= at, table.c.product.in_(products), _knows_columns(table) if with_columns else true())
    last = newest.group_by(table.c.product, table.c.port).subquery()
    same = (table.c.product == last.c.product) & (table.c.port == last.c.port) & (table.c.at == last.c.newest)
    query = select(table).join(last, same).order_by(table.c.product, table.c.port, table.c.run_id)
    newest_by_port = {(row["product"], row["port"]): InputState(**row) for row in connection.execute(query).mappings()}
    return tuple(newest_by_port.values())


def refresh_seconds(connection: Connection, product: str, since: datetime, until: datetime) -> tuple[tuple[datetime, float], ...]:
    """When each run began that succeeded, and how long it took; one whose clock stepped back is left out."""
    table = tables.runs
    query = _within(table, table.c.started_at, product, since, until).where(table.c.status == "succeeded", table.c.ended_at.is_not(None))
    rows = connection.execute(query.with_only_columns(table.c.started_at, table.c.ended_at).order_by(table.c.started_at))
    return tuple((row.started_at, (row.ended_at - row.started_at).total_seconds()) for row in rows if row.ended_at >= row.started_at)


def last_scorecards(connection: Connection, products: Iterable[str], at: datetime) -> dict[str, Scorecard]:
    """The newest scorecard of each product before `at`; products without one are left out."""
    table = tables.scorecards
    newest = select(table).where(table.c.at < at, real(table.c.run_id)).order_by(table.c.at.desc(), table.c.run_id.desc()).limit(1)
    rows = (connection.execute(newest.where(table.c.product == product)).mappings().first() for product in products)
    return {row["product"]: Scorecard(**row) for row in rows if row is not None}


def scorecards(connection: Connection, product: str, since: datetime, until: datetime) -> tuple[Scorecard, ...]:
    """Scorecards of a product within the window, oldest first."""
    table = tables.scorecards
    query = _within(table, table.c.at, product, since, until).order_by(table.c.at, table.c.run_id)
    return tuple(Scorecard(**row) for row in connection.execute(query).mappings())


def freshness_states(connection: Connection, product: str, since: datetime, until: datetime) -> tuple[FreshnessState, ...]:
    """Freshness states of the product's assets within the window, oldest first."""
    table = tables.freshness_states
    query = _within(table, table.c.at, product, since, until).order_by(table.c.at, table.c.asset_key)
    return tuple(FreshnessState(**row) for row in connection.execute(query).mappings())


def synced_at(connection: Connection) -> datetime | None:
    """The time up to which the whole ledger is synced: its oldest cursor; None before the first sync."""
    return connection.execute(select(func.min(tables.cursors.c.synced_at))).scalar()


def _knows_columns(table: Table) -> ColumnElement[bool]:
    return cast(table.c.columns, Text) != "{}"


def _within(table: Table, time: Any, product: str, since: datetime, until: datetime, made_up: bool = False) -> Select[Any]:
    return select(table).where(table.c.product == product, time >= since, time < until, _asked_for(table, made_up))


def _asked_for(table: Table, made_up: bool) -> ColumnElement[bool]:
    return true() if made_up else real(table.c.run_id)


def running_since(connection: Connection, products: Collection[str]) -> dict[str, datetime]:
    """When the first run of each of these products began that is known."""
    table = tables.runs
    query = select(table.c.product, func.min(table.c.started_at).label("at")).where(table.c.product.in_(products), real(table.c.run_id))
    return {row.product: row.at for row in connection.execute(query.group_by(table.c.product)) if row.at is not None}


def published_majors(connection: Connection, products: Collection[str]) -> dict[str, dict[int, datetime]]:
    """The major versions that each of these products has published, with the time of the last publication of each."""
    table = tables.publications
    query = select(table.c.product, table.c.product_version, func.max(table.c.published_at).label("at")).where(
        table.c.product.in_(products), real(table.c.run_id)
    )
    majors: dict[str, dict[int, datetime]] = {}
    for row in connection.execute(query.group_by(table.c.product, table.c.product_version)):
        known, major = majors.setdefault(row.product, {}), Version.parse(row.product_version).major
        known[major] = max(row.at, known.get(major, row.at))
    return majors
