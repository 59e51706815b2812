"""All checks that are known: those of the plan, and retired ones that the plan no longer has."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from platform_resources.ledger import tables
from platform_resources.ledger.changes import note, note_checks
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.carried_history import carry_history
from platform_resources.ledger.records import Check, asset_text, check_id
from platform_resources.ledger.upserts import row_of, upsert
from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.plan import MeshPlan, ProductPlan


@dataclass(frozen=True, slots=True)
class Registered:
    """Names (`asset key: check`) of what the plan brought, took away and brought back."""

    added: tuple[str, ...]
    retired: tuple[str, ...]
    returned: tuple[str, ...]


def register_checks(ledger: Ledger, plan: MeshPlan, now: datetime) -> Registered:
    """Describe checks as the plan of the whole mesh does. One removed keeps its history and is marked retired, one renamed goes on.

    Products that the plan rejects keep theirs: a mistake in a YAML file ends no promise. What was brought in from elsewhere is not the
    plan's to retire.
    """
    planned = {check.id: check for product in plan.products for check in _planned(product)}
    rejected = {product.name for product in plan.rejected}
    with ledger.projecting() as connection:
        carry_history(connection, plan)
        known = known_checks(connection)
        gone = [c for c in known.values() if c.id not in planned and _may_retire(c, rejected)]
        changed = [check for check in planned.values() if check != known.get(check.id)]
        rows = [row_of(check) for check in (*changed, *(replace(check, retired_at=now) for check in gone))]
        upsert(connection, tables.checks, sorted(rows, key=lambda row: row["id"]), replaces=lambda new, old: new.id == old.id)
        note(connection, dict.fromkeys((row["product"] for row in rows), EPOCH))
    returned = [check for check in changed if check.id in known and known[check.id].retired_at is not None]
    return Registered(_names(check for check in changed if check.id not in known), _names(iter(gone)), _names(iter(returned)))


def _may_retire(check: Check, rejected: Collection[str]) -> bool:
    return check.retired_at is None and check.kind != "imported" and check.product not in rejected


def known_checks(connection: Connection) -> dict[int, Check]:
    """All checks by id."""
    return {row["id"]: Check(**row) for row in connection.execute(select(tables.checks)).mappings()}


def imported_checks(connection: Connection, retired: bool) -> tuple[Check, ...]:
    """The tests that run elsewhere and are in no plan: those that are there, or those that are gone."""
    table = tables.checks
    gone = table.c.retired_at.is_not(None) if retired else table.c.retired_at.is_(None)
    rows = connection.execute(select(table).where(table.c.kind == "imported", gone).order_by(table.c.id)).mappings()
    return tuple(Check(**row) for row in rows)


def retire(connection: Connection, checks: Collection[int], now: datetime) -> None:
    """Mark these checks as retired at `now`."""
    connection.execute(update(tables.checks).where(tables.checks.c.id.in_(checks)).values(retired_at=now))
    note_checks(connection, checks)


def take_in(connection: Connection, checks: Collection[int]) -> None:
    """What was imported just now is there, though it was retired before, or was once in the plan."""
    connection.execute(update(tables.checks).where(tables.checks.c.id.in_(checks)).values(retired_at=None, kind="imported"))
    note_checks(connection, checks)


def _planned(product: ProductPlan) -> Iterator[Check]:
    dimensions = {(objective.check.key, objective.check.name): objective.dimension for objective in product.objectives}
    for check in product.checks:
        yield _check(check, product.name, dimensions.get((check.key, check.name), ""))


def _check(check: CheckPlan, product: str, dimension: str) -> Check:
    return Check(check_id(check.key, check.name), asset_text(check.key), check.name, product, check.kind, dimension, check.title)


def _names(checks: Iterator[Check]) -> tuple[str, ...]:
    return tuple(sorted(f"{check.asset_key}: {check.name}" for check in checks))
