"""Store incidents: the board between evaluations, every incident, and its events."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, Table, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from platform_resources.incidents.board import Board
from platform_resources.incidents.life_cycle import Incident, IncidentEvent
from platform_resources.incidents.signals import Signal
from platform_resources.ledger import people_tables
from platform_resources.ledger.upserts import upsert
from platform_resources.spec.notifications import Severity

NAME = re.compile(r"(?P<cause>[\w.-]+)#(?P<number>[1-9][0-9]{0,8})", re.ASCII)
NOT_JUDGED: Severity = "low"
Name = tuple[str, int]
Parts = Mapping[Name, tuple[str, ...]]


class BoardChanged(Exception):
    """Somebody else has changed an incident since the board was read. Read it again and decide anew."""


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident with what was told of it: how bad it is (low until somebody has said so), and in short what is wrong."""

    incident: Incident
    severity: Severity
    title: str


def board(connection: Connection) -> Board:
    """The board as it was kept last."""
    table = people_tables.incidents
    newest = select(table.c.cause, func.max(table.c.number).label("number")).group_by(table.c.cause).subquery()
    newest_incidents = _stored(connection, select(table).join(newest, _same(table, newest)))
    return Board(_signals(connection), {stored.incident.cause: stored.incident for stored in newest_incidents})


def keep_board(connection: Connection, before: Board, after: Board, events: Sequence[IncidentEvent]) -> None:
    """Write what differs, and append the events.

    Read the board and keep it in one block of `ledger.projecting()`, after each step: only the newest incident of each cause is on it.
    Raises BoardChanged where an incident is no longer what it was `before`, and ValueError where a step in between was not kept.
    """
    if after.forgotten:
        raise ValueError("some checks of the board are not watched any more; tend it before it is kept")
    _keep_signals(connection, before, after)
    attached = {(event.incident, event.note): event.at for event in events if event.kind == "attached"}
    for cause, incident in sorted(after.incidents.items()):
        former = before.incidents.get(cause)
        if incident != former:
            _keep_incident(connection, former, incident, attached)
    _append(connection, events)


def keep_former(connection: Connection, before: Incident, after: Incident, events: Sequence[IncidentEvent]) -> None:
    """Write the changes of an incident that has a successor, and so is not on the board any more. Raises BoardChanged as `keep_board`."""
    _refuse_what_others_changed(connection, before)
    connection.execute(_change((after.cause, after.number), _row(after)))
    _append(connection, events)


def incidents_of(
    connection: Connection, product: str | None = None, live: bool | None = None, since: datetime | None = None
) -> tuple[StoredIncident, ...]:
    """Incidents, newest first: of one product, also where it is only impacted; live or resolved; only those not over before `since`."""
    table, impacts = people_tables.incidents, people_tables.incident_impacts
    chosen = select(table).order_by(table.c.opened_at.desc(), table.c.cause, table.c.number.desc())
    if product is not None:
        impacted = exists().where(_same(impacts, table), impacts.c.product == product)
        chosen = chosen.where(or_(table.c.cause == product, impacted))
    if live is not None:
        chosen = chosen.where(table.c.status != "resolved" if live else table.c.status == "resolved")
    if since is not None:
        chosen = chosen.where(or_(table.c.resolved_at.is_(None), table.c.resolved_at >= since))
    return _stored(connection, chosen)


def incident_named(connection: Connection, name: str) -> StoredIncident | None:
    """The incident called `orders#3`; None if there is no such incident or the name has another form."""
    key = _key(name)
    incidents = _stored(connection, select(people_tables.incidents).where(_is(people_tables.incidents, key))) if key is not None else ()
    return incidents[0] if incidents else None


def events_of(connection: Connection, name: str) -> tuple[IncidentEvent, ...]:
    """What happened to an incident, in the order in which it did."""
    table, key = people_tables.incident_events, _key(name)
    if key is None:
        return ()
    rows = connection.execute(select(table).where(_is(table, key)).order_by(table.c.id)).mappings()
    return tuple(IncidentEvent(name, row["kind"], row["at"], row["person"], row["note"]) for row in rows)


def events_since(connection: Connection, at: datetime) -> tuple[IncidentEvent, ...]:
    """What happened to incidents at or after `at`: of those opened last first, of each in the order in which it did."""
    names = [stored.incident.name for stored in incidents_of(connection, since=at)]
    return tuple(event for name in names for event in events_of(connection, name) if event.at >= at)


def newest_event(connection: Connection) -> int:
    """The number of the event that was kept last; 0 before the first."""
    return int(connection.execute(select(func.max(people_tables.incident_events.c.id))).scalar() or 0)


def set_severities(connection: Connection, severities: Mapping[str, Severity]) -> None:
    """Raises KeyError for a name that no incident has."""
    _describe(connection, "severity", severities)


def set_titles(connection: Connection, titles: Mapping[str, str]) -> None:
    """Titles say in short what is wrong. Raises KeyError for a name that no incident has."""
    _describe(connection, "title", titles)


def _describe(connection: Connection, column: str, texts: Mapping[str, str]) -> None:
    for name, value in sorted(texts.items()):
        key = _key(name)
        if key is None or not connection.execute(_change(key, {column: value})).rowcount:
            raise KeyError(name)


def _stored(connection: Connection, chosen: Select[Any]) -> tuple[StoredIncident, ...]:
    impacts, checks = _parts(connection, people_tables.incident_impacts, chosen), _parts(connection, people_tables.incident_checks, chosen)
    rows = connection.execute(chosen).mappings()
    return tuple(StoredIncident(_incident(row, impacts, checks), row["severity"], row["title"]) for row in rows)


def _parts(connection: Connection, table: Table, chosen: Select[Any]) -> Parts:
    """What belongs to each of the chosen incidents, sorted: impacted products, or checks."""
    which = chosen.subquery()
    query = select(table.c.cause, table.c.number, _part(table)).join(which, _same(table, which))
    parts_of: dict[Name, list[str]] = {}
    for row in connection.execute(query).mappings():
        parts_of.setdefault((row["cause"], row["number"]), []).append(row[_part(table)])
    return {key: tuple(sorted(parts)) for key, parts in parts_of.items()}


def _part(table: Table) -> Column[Any]:
    return table.c.product if table is people_tables.incident_impacts else table.c.check_name


def _incident(row: Mapping[Any, Any], impacts: Parts, checks: Parts) -> Incident:
    key = (row["cause"], row["number"])
    values = {name: row[name] for name in Incident.__slots__ if name in row}
    return Incident(**values | {"moved_to": tuple(row["moved_to"]), "impacted": impacts.get(key, ()), "checks": checks.get(key, ())})


def _row(incident: Incident) -> dict[str, Any]:
    values = {name: getattr(incident, name) for name in Incident.__slots__ if name not in ("impacted", "checks")}
    return values | {"moved_to": list(incident.moved_to)}


def _signals(connection: Connection) -> dict[tuple[str, str], Signal]:
    signals = {}
    for row in connection.execute(select(people_tables.signals)).mappings():
        values = {name: row[name] for name in Signal.__slots__}
        values |= {"recent": tuple(mark == "+" for mark in row["recent"]), "failures": tuple(row["failures"].splitlines())}
        signals[row["product"], row["check_name"]] = Signal(**values)
    return signals


def _signal_row(key: tuple[str, str], signal: Signal) -> dict[str, Any]:
    values = {name: getattr(signal, name) for name in Signal.__slots__}
    recent = "".join("+" if good else "-" for good in signal.recent)
    return {"product": key[0], "check_name": key[1], **values, "recent": recent, "failures": "\n".join(signal.failures)}


def _keep_signals(connection: Connection, before: Board, after: Board) -> None:
    changed = [_signal_row(key, signal) for key, signal in sorted(after.signals.items()) if signal != before.signals.get(key)]
    upsert(connection, people_tables.signals, changed, replaces=lambda new, old: new.product == old.product)
    for product, check in sorted(before.signals.keys() - after.signals.keys()):
        gone = delete(people_tables.signals).where(people_tables.signals.c.product == product, people_tables.signals.c.check_name == check)
        connection.execute(gone)


def _keep_incident(
    connection: Connection, former: Incident | None, incident: Incident, attached: Mapping[tuple[str, str], datetime]
) -> None:
    key = (incident.cause, incident.number)
    same = former if former is not None and former.number == incident.number else None
    if same is not None:
        _refuse_what_others_changed(connection, same)
        connection.execute(_change(key, _row(incident)))
    else:
        _open(connection, former, incident)
    since = {product: attached.get((incident.name, product), incident.changed_at) for product in incident.impacted}
    _keep_parts(connection, people_tables.incident_impacts, key, same.impacted if same else (), since)
    _keep_parts(connection, people_tables.incident_checks, key, same.checks if same else (), dict.fromkeys(incident.checks))


def _refuse_what_others_changed(connection: Connection, former: Incident) -> None:
    """Rows stay locked until the transaction ends, so that nobody changes them after this has looked."""
    where = _is(people_tables.incidents, (former.cause, former.number))
    row = connection.execute(select(people_tables.incidents).where(where).with_for_update()).mappings().one_or_none()
    known = _row(former)
    if row is None or known != {name: row[name] for name in known}:
        raise BoardChanged(f"{former.name} has been changed since the board was read; read it again")


def _open(connection: Connection, former: Incident | None, incident: Incident) -> None:
    follows = (former.number if former is not None else 0) + 1
    if incident.number != follows or (former is not None and former.live):
        last = f"{former.name}, {former.status}" if former is not None else "none"
        raise ValueError(f"{incident.name} cannot follow {last}: keep the board after every step")
    try:
        connection.execute(insert(people_tables.incidents).values(_row(incident) | {"severity": NOT_JUDGED, "title": ""}))
    except IntegrityError as error:
        raise BoardChanged(f"{incident.cause} has another incident since the board was read; read it again") from error


def _keep_parts(connection: Connection, table: Table, key: Name, former: Collection[str], now: Mapping[str, datetime | None]) -> None:
    """`now` gives each part with its `since`, where the table has one."""
    new = sorted(now.keys() - set(former))
    rows = [{"cause": key[0], "number": key[1], _part(table).name: part, "since": now[part]} for part in new]
    if rows:
        connection.execute(insert(table), [{name: row[name] for name in row if name in table.c} for row in rows])
    for part in sorted(set(former) - now.keys()):
        connection.execute(delete(table).where(_is(table, key), _part(table) == part))


def _append(connection: Connection, events: Iterable[IncidentEvent]) -> None:
    rows = []
    for event in events:
        key = _key(event.incident)
        if key is None:
            raise ValueError(f"{event.incident} is no name of an incident")
        rows.append({"cause": key[0], "number": key[1], "at": event.at, "kind": event.kind, "person": event.by, "note": event.note})
    if rows:
        connection.execute(insert(people_tables.incident_events), rows)


def _key(name: str) -> Name | None:
    match = NAME.fullmatch(name)
    return (match["cause"], int(match["number"])) if match is not None else None


def _change(key: Name, values: Mapping[str, Any]) -> Any:
    return update(people_tables.incidents).where(_is(people_tables.incidents, key)).values(values)


def _is(table: Table, key: Name) -> ColumnElement[bool]:
    return and_(table.c.cause == key[0], table.c.number == key[1])


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.cause == other.c.cause, one.c.number == other.c.number)
