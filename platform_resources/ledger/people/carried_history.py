"""Rename in the ledger: history, incidents, subscriptions, grants and messages move from a former name to the present one."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, UniqueConstraint, and_, delete, exists, func, insert, select, update

from platform_resources.ledger import people_tables, tables
from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH, TABLES
from platform_resources.ledger.people.published_contracts import newest_contracts
from platform_resources.ledger.records import Check, asset_text, check_id
from platform_resources.ledger.upserts import row_of, upsert
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Key, check_text, dbt_test_name
from platform_resources.plan.plan import MeshPlan, ProductPlan

_INCIDENT_PARTS = (people_tables.incident_events, people_tables.incident_impacts, people_tables.incident_checks)
# Where a check is named by its text within its product.
_CHECK_TEXTS = {people_tables.signals: "check_name", people_tables.exclusions: "check_name", people_tables.monitors: "name"}


def carry_history(connection: Connection, plan: MeshPlan) -> None:
    """Everything that is kept under a former name is from now on kept under the present one; a second time changes nothing.

    Of what is there under both, that of the present name stays. Events that come later under a former name, and a ledger that is rebuilt,
    are carried on by the next call.
    """
    for product in filter(is_renamed, plan.products):
        carried = [_carry_product(connection, former, product.name) for former in _own_names(connection, product)]
        if any([*carried, _carry_parts(connection, product)]):
            note(connection, dict.fromkeys((product.name, *product.former_names), EPOCH))


def is_renamed(product: ProductPlan) -> bool:
    """Whether the product, or anything of it, says what it was called before."""
    data_sets = [data_set.spec for data_set in product.data_sets]
    columns = [column.renamed_from for spec in data_sets for column in spec.columns]
    checks = [*(promise.check for promise in product.objectives), *(promise.check for promise in product.indicators)]
    parts = [*(port.former_names for port in product.inputs), *(port.former_names for port in product.outputs)]
    parts += [check.former_names for check in checks]
    return any([product.former_names, *parts, *(spec.renamed_from for spec in data_sets), *columns])


def _own_names(connection: Connection, product: ProductPlan) -> Iterator[str]:
    """The former names but those under which another domain has published: what is granted to its product is not granted to this one."""
    for former in product.former_names:
        text = newest_contracts(connection, former).get(former)
        domain = json.loads(text).get("domain") if text is not None else None
        if domain in (None, product.domain):
            yield former
        else:
            warning = (
                f"{product.name} says that it was called {former}, which is a name of domain {domain}: its history and grants stay there"
            )
            logging.getLogger(__name__).warning(warning)


def _carry_product(connection: Connection, former: str, now: str) -> int:
    moved = 0
    for check in _checks_of(connection, former):
        moved += _move_check(connection, check, (now, *check.asset_key.split("/")[1:]), check.name, now)
    states, runs = tables.freshness_states, tables.runs
    key: ColumnElement[str] = now + func.substr(states.c.asset_key, len(former) + 1)
    moved += connection.execute(update(states).where(states.c.product == former).values(asset_key=key)).rowcount
    job = conventions.job_name
    moved += connection.execute(update(runs).where(runs.c.job == job(former)).values(job=job(now))).rowcount
    moved += _carry_incidents(connection, former, now)
    for table in TABLES.sorted_tables:
        if "product" in table.c and table not in (tables.checks, tables.product_changes, people_tables.messages):
            moved += _rename(connection, table, "product", former, now)
    for table, column in ((people_tables.grants, "subject"), (people_tables.subscriptions, "subscriber"), (people_tables.reads, "reader")):
        moved += _rename(connection, table, column, f"product:{former}", f"product:{now}")
    return moved + _carry_messages(connection, former, now)


def _carry_parts(connection: Connection, product: ProductPlan) -> int:
    """Ports, data sets, columns, objectives and indicators of one product."""
    moved, at = 0, product.name
    for port in product.outputs:
        for former in port.former_names:
            moved += _rename(connection, tables.publications, "port", former, port.name, product=at)
            moved += _rename(connection, people_tables.reads, "port", former, port.name, product=at)
            moved += _rename(connection, people_tables.control_deliveries, "port", former, port.name, product=at)
    for source in product.inputs:
        for former in source.former_names:
            moved += _rename(connection, tables.input_states, "port", former, source.name, product=at)
    for data_set in product.data_sets:
        for former in map(conventions.check_name, data_set.spec.renamed_from or ()):
            moved += _rename(connection, tables.profiles, "data_set", former, data_set.name, product=at)
            if all(port.name != former for port in product.outputs):  # else these are reads of that port
                moved += _rename(connection, people_tables.reads, "port", former, data_set.name, product=at)
        for column in data_set.spec.columns:
            for name in column.renamed_from or ():
                moved += _rename(connection, tables.profiles, "column_name", name, column.name, product=at, data_set=data_set.name)
    called = _present_checks(product)
    if called is None:
        return moved
    for check in _checks_of(connection, product.name):
        key, name = called(check)
        if (asset_text(key), name) != (check.asset_key, check.name):
            moved += _move_check(connection, check, key, name, product.name)
            moved += _carry_check_text(connection, product.name, check, check_text(key, name))
    return moved


def _present_checks(product: ProductPlan) -> Callable[[Check], tuple[Key, str]] | None:
    """Under which asset and name a check goes on; None where nothing of the product was renamed."""
    planned = (*(objective.check for objective in product.objectives), *(indicator.check for indicator in product.indicators))
    renamed = {former: (check.key, check.name) for check in planned for former in check.former_names}
    models = {
        former: data_set.model
        for data_set in product.data_sets
        for former in map(conventions.check_name, data_set.spec.renamed_from or ())
        if former != data_set.model and all(model.name != former for model in product.models)
    }
    assets = {asset_text(conventions.model_key(product.name, former)): model for former, model in models.items()}
    keys = {asset_text(conventions.output_key(product.name, old)): port.key for port in product.outputs for old in port.former_names}
    keys |= {asset_text(conventions.input_key(product.name, old)): port.key for port in product.inputs for old in port.former_names}
    keys |= {asset: conventions.model_key(product.name, model) for asset, model in assets.items()}
    tests = dict(_former_tests(product))
    if not (renamed or keys or tests):
        return None
    of_objectives = {check.name: check.key for check in planned}

    def present(check: Check) -> tuple[Key, str]:
        if check.kind in ("objective", "indicator") and check.name in renamed:
            return renamed[check.name]
        key = keys.get(check.asset_key)
        if key is None:
            own: Key = tuple(check.asset_key.split("/"))
            return own, tests.get((own, check.name), check.name)
        former = check.asset_key.rpartition("/")[2]
        name = check.name.replace(f"_{former}", f"_{key[-1]}", 1) if check.kind == "dbt_test" and former in models else check.name
        return of_objectives.get(name, key) if check.kind == "objective" else key, tests.get((key, name), name)

    return present


def _former_tests(product: ProductPlan) -> Iterable[tuple[tuple[Key, str], str]]:
    """Of dbt tests of renamed columns what they were called before."""
    for data_set in product.data_sets:
        columns = {column.name: column.renamed_from for column in data_set.spec.columns if column.renamed_from}
        tests = next((model.tests for model in product.models if model.name == data_set.model), ()) if columns else ()
        for check in tests:
            for name, former in columns.items():
                kind = check.name.removesuffix(dbt_test_name("", data_set.model, name)).rstrip("_")
                if kind and check.name == dbt_test_name(kind, data_set.model, name):
                    yield from (((check.key, dbt_test_name(kind, data_set.model, old)), check.name) for old in former)


def _checks_of(connection: Connection, product: str) -> list[Check]:
    rows = connection.execute(select(tables.checks).where(tables.checks.c.product == product)).mappings().all()
    return [Check(**row) for row in rows]


def _move_check(connection: Connection, check: Check, key: Key, name: str, product: str) -> int:
    """Its readings go on under another number, which follows from its asset and name."""
    moved = replace(check, id=check_id(key, name), asset_key=asset_text(key), name=name, product=product)
    upsert(connection, tables.checks, [row_of(moved)], replaces=None)
    _rename(connection, tables.readings, "check_id", check.id, moved.id)
    return connection.execute(delete(tables.checks).where(tables.checks.c.id == check.id)).rowcount


def _carry_check_text(connection: Connection, product: str, check: Check, now: str) -> int:
    was = check_text(tuple(check.asset_key.split("/")), check.name)
    moved = sum(_rename(connection, table, column, was, now, product=product) for table, column in _CHECK_TEXTS.items())
    moved += _rename(connection, people_tables.incident_checks, "check_name", was, now, cause=product)
    start, end = f"budget/{product}/{check.name}/", f"budget/{product}/{now.rpartition(':')[2]}/"
    return moved + (_rewrite_keys(connection, {start: end}) if check.kind == "indicator" else 0)


def _rename(connection: Connection, table: Table, column: str, was: Any, now: Any, **within: str) -> int:
    """Give rows another name; where a row of the same identity has that name already, it stays and the other one goes."""
    there = and_(table.c[column] == was, *(table.c[name] == value for name, value in within.items()))
    other, identity = table.alias(), _identity(table, column)
    if identity is not None:
        same = [other.c[column] == now, *(other.c[name] == table.c[name] for name in identity if name != column)]
        if table is people_tables.monitors:
            same += [other.c.ended_at.is_(None), table.c.ended_at.is_(None)]
        connection.execute(delete(table).where(there, exists(select(1).where(*same))))
    return connection.execute(update(table).where(there).values({column: now})).rowcount


def _identity(table: Table, column: str) -> tuple[str, ...] | None:
    """The columns of which no two rows have the same, where this is one of them."""
    if table is people_tables.monitors:  # of those that are deployed
        return ("product", "name")
    unique = [tuple(constraint.columns.keys()) for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return next((names for names in (tuple(table.primary_key.columns.keys()), *unique) if column in names), None)


def _carry_incidents(connection: Connection, former: str, now: str) -> int:
    """With their numbers, where these are free; of two that are alive the one of the former name lives on as the other."""
    table = people_tables.incidents
    rows = connection.execute(select(table).where(table.c.cause == former).order_by(table.c.number)).mappings().all()
    if not rows:
        return 0
    taken = {row["number"]: dict(row) for row in connection.execute(select(table).where(table.c.cause == now)).mappings()}
    alive = next((number for number, row in taken.items() if row["status"] != "resolved"), None)
    names = {}
    for row in rows:
        number = row["number"] if row["number"] not in taken else max(taken) + 1
        moved: dict[str, Any] = {**row, "cause": now, "number": number}
        if alive is not None and row["status"] != "resolved":
            over = {"status": "resolved", "resolution": "moved", "resolved_at": row["changed_at"], "moved_to": [f"{now}#{alive}"]}
            moved |= over
        connection.execute(insert(table).values(moved))
        taken[number] = moved
        names[f"{former}#{row['number']}"] = f"{now}#{number}"
        for part in _INCIDENT_PARTS:
            of = and_(part.c.cause == former, part.c.number == row["number"])
            connection.execute(update(part).where(of).values(cause=now, number=number))
        connection.execute(delete(table).where(table.c.cause == former, table.c.number == row["number"]))
    for row in connection.execute(select(table.c.cause, table.c.number, table.c.moved_to)).mappings().all():
        to = [names.get(name, name) for name in row["moved_to"]]
        if to != row["moved_to"]:
            which = and_(table.c.cause == row["cause"], table.c.number == row["number"])
            connection.execute(update(table).where(which).values(moved_to=to))
    messages = people_tables.messages
    for was, name in names.items():
        connection.execute(update(messages).where(messages.c.incident == was).values(incident=name))
    _rewrite_keys(connection, {f"incident/{was}/": f"incident/{name}/" for was, name in names.items()})
    return len(rows)


def _carry_messages(connection: Connection, former: str, now: str) -> int:
    """What was told is not told again because a name has changed."""
    starts = {f"{kind}/{former}/": f"{kind}/{now}/" for kind in ("budget", "schema", "access", "version")}
    moved = _rewrite_keys(connection, starts)
    return moved + _rename(connection, people_tables.messages, "product", former, now)


def _rewrite_keys(connection: Connection, starts: Mapping[str, str]) -> int:
    table, moved = people_tables.messages, 0
    for was, now in starts.items():
        begins: ColumnElement[bool] = func.substr(table.c.key, 1, len(was)) == was
        keys: Sequence[str] = connection.execute(select(table.c.key).where(begins)).scalars().all()
        moved += sum(_rename(connection, table, "key", key, now + key.removeprefix(was)) for key in keys)
    return moved
