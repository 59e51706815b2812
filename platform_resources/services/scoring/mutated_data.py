"""Find objectives that cannot fail: evaluate each on deliberately broken data."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from platform_resources.capabilities.judgements import Verdict
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.refresh.auditing import audit
from platform_resources.spec.components import Column
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.targets import warehouse

ROWS = 100
# Nobody waits longer for data that have gone stale.
LONGEST_AGE = timedelta(days=3650)
# Of numbers, of times and of texts, in which `i` counts the rows.
_ABSURD = {
    "the same row again and again": ("7", "timestamp '2001-01-01'", "'same'"),
    "far below": ("-1000000 * (i + 1)", "timestamp '1900-01-01' + to_days(cast(i as integer))", "'§' || i"),
    "far above": ("1000000000 * (i + 1)", "timestamp '2999-01-01' + to_days(cast(i as integer))", "'~' || md5(cast(i as varchar))"),
}
NO_ROWS, NO_VALUES = "no rows", "no values"
MUTATIONS = (NO_ROWS, NO_VALUES, *_ABSURD)


def breakable(product: ProductPlan, now: datetime) -> dict[str, bool | None] | None:
    """For each audited objective, by check, whether broken data make it fail; None if that cannot be tried.

    None of all in a warehouse that has no place for such data but the product's own.
    """
    if not product.audited or warehouse().version_rows(product.domain, product.name) is not None:
        return None
    said: dict[str, set[Verdict]] = defaultdict(set)
    for mutation in MUTATIONS:
        for name, verdict in _judged(product, mutation, now):
            said[name].add(verdict)
    return {objective.check.name: _can_fail(objective, said[objective.check.name]) for objective in product.audited}


def _can_fail(objective: ObjectivePlan, said: set[Verdict]) -> bool | None:
    if "missed" in said:
        return True
    age = promised_age(objective)
    # Data that are not dated by a column go stale by the clock alone, which no data show.
    by_clock = age is not None and (not isinstance(age, timedelta) or age <= LONGEST_AGE)
    return False if "met" in said and not by_clock else None


def _judged(product: ProductPlan, mutation: str, now: datetime) -> Iterator[tuple[str, Verdict]]:
    with TemporaryDirectory(prefix="mesh-") as folder, warehouse().opened(Path(folder), product.domain, product.name) as database:
        try:
            for data_set in product.data_sets:
                _make(database, data_set, mutation)
        except EngineError:
            return
        for audited in audit(database, product, installed_registry(), now, None):
            yield audited.objective.check.name, audited.judgement.verdict


def _make(database: ProductDatabase, data_set: DataSetPlan, mutation: str) -> None:
    relation = data_set.relation
    shown = ", ".join(f"{_value(column, mutation)} as {quoted(column.name)}" for column in data_set.spec.columns) or "i"
    database.execute(f"create schema if not exists {quoted(relation.schema)}")
    rows = 0 if mutation == NO_ROWS else ROWS
    database.execute(f"create table {quoted(relation.schema)}.{quoted(relation.name)} as select {shown} from range({rows}) as numbers(i)")


def _value(column: Column, mutation: str) -> str:
    if mutation in (NO_ROWS, NO_VALUES):
        return f"cast(null as {column.type})"
    number, time, text = _ABSURD[mutation]
    if is_numeric(column.type):
        return f"coalesce(try_cast({number} as {column.type}), try_cast(-99 as {column.type}), try_cast(0 as {column.type}))"
    if column.type.startswith(("timestamp", "date")):
        return f"cast({time} as {column.type})"
    return f"try_cast({text} as {column.type})"
