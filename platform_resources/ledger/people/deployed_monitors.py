"""Which monitors are deployed: what `apply` recorded last, by whom and when. Nothing that judges reads it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people_tables import monitors as table
from platform_resources.monitors.monitor_costs import Work
from platform_resources.monitors.monitor_plan import Change, Monitor, ProductChanges


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployed monitor: since when it is meant as it is, and who said so. `domain` is that of its product at that time."""

    monitor: Monitor
    domain: str
    applied_at: datetime
    applied_by: str


ByProduct = Mapping[str, tuple[Deployed, ...]]


def deployed(connection: Connection, products: Collection[str] | None = None) -> ByProduct:
    """The deployed monitors of each product, sorted by name; of all products, or of these."""
    query = select(table).where(table.c.ended_at.is_(None)).order_by(table.c.product, table.c.name)
    if products is not None:
        query = query.where(table.c.product.in_(products))
    by_product: dict[str, list[Deployed]] = {}
    for row in connection.execute(query).mappings():
        by_product.setdefault(row["product"], []).append(_deployed(row))
    return {product: tuple(monitors) for product, monitors in by_product.items()}


def apply(
    ledger: Ledger, decide: Callable[[ByProduct], Iterable[ProductChanges]], now: datetime, person: str
) -> tuple[ProductChanges, ...]:
    """Record the changes that `decide` makes of what is deployed; gives them. All or nothing.

    Of two that apply at once the second decides by what the first has recorded, so that nothing is recorded twice.
    """
    with ledger.projecting() as connection:
        decided = tuple(decide(deployed(connection)))
        for product in decided:
            for change in product.changes:
                _end(connection, change, now, person)
            new = [_row(change.monitor, product.domain, now, person) for change in product.changes if change.kind != "remove"]
            if new:
                connection.execute(insert(table), new)
    return decided


def _end(connection: Connection, change: Change, now: datetime, person: str) -> None:
    if change.former is not None:
        which = (table.c.product == change.former.product) & (table.c.name == change.former.name) & table.c.ended_at.is_(None)
        connection.execute(update(table).where(which).values(ended_at=now, ended_by=person))


def _row(monitor: Monitor, domain: str, now: datetime, person: str) -> dict[str, Any]:
    return {
        "product": monitor.product,
        "domain": domain,
        "name": monitor.name,
        "fingerprint": monitor.fingerprint,
        "definition": dict(monitor.definition),
        "work": [asdict(work) for work in monitor.work],
        "applied_at": now,
        "applied_by": person,
    }


def _deployed(row: Mapping[Any, Any]) -> Deployed:
    work = tuple(Work(**{**work, "reads": tuple(work["reads"])}) for work in row["work"])
    return Deployed(Monitor(row["product"], row["name"], row["definition"], work), row["domain"], row["applied_at"], row["applied_by"])
