"""Propose repairs of what an audit found missed: SQL to review, with how many rows each would mend. Nothing is ever applied."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.registry import Registry
from platform_resources.capabilities.repairs.repair import Repair
from platform_resources.capabilities.support.sql_text import enclosed, quoted, quoted_list, relation_sql
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.sources.kept_contracts import hidden_columns
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import EngineError, QueryTooLarge, QueryTooSlow
from platform_resources.warehouses.protocol import ProductDatabase

# More different wrong values are no slips.
_MOST_VALUES = 1000
_EXAMPLES = 5
HIDDEN = "the values of {column} are not shown here, and neither is SQL that holds them"


@dataclass(frozen=True, slots=True)
class ProposedRepair:
    """How `rows` rows would be mended: what is done to the column, the query that shows them, and some of them before and after.

    `sql` and the examples are empty where they would show values that not everybody may see; `withheld` says so.
    """

    objective: str
    data_set: str
    column: str
    what: str
    rows: int
    sql: str = ""
    examples: tuple[dict[str, Any], ...] = field(default=())
    withheld: str = ""


def proposed(database: ProductDatabase, product: ProductPlan, objective: ObjectivePlan, registry: Registry) -> Iterator[ProposedRepair]:
    """The repairs that would mend any row, each more than the simpler ones before it. Raises EngineError, QueryTooSlow, QueryTooLarge."""
    data_set, most = product.data_set(objective.data_set), 0
    for repair in _repairs(database, objective, registry):
        rows = int(database.within_limits(f"select count(*) from {_source(data_set, repair)} where {enclosed(repair.mends)}")[0])
        if rows > most:
            most = rows
            yield _proposed_repair(database, product, data_set, objective, repair, rows)


def most_mended(database: ProductDatabase, product: ProductPlan, objective: ObjectivePlan, registry: Registry) -> int:
    """How many rows the best repair would mend; the verdict stands where that cannot be found out."""
    try:
        return max((repair.rows for repair in proposed(database, product, objective, registry)), default=0)
    except (EngineError, QueryTooSlow, QueryTooLarge):
        return 0


def _repairs(database: ProductDatabase, objective: ObjectivePlan, registry: Registry) -> Iterator[Repair]:
    dimension, settings, subject = registry.dimensions()[objective.dimension], objective.settings, objective.subject
    asked = dimension.failing_values(settings, subject)
    with database.limited():
        failing = [str(row["value"]) for row in database.rows(f"{asked} limit {_MOST_VALUES}")] if asked else []
    yield from dimension.repairs(settings, subject, failing)


def _source(data_set: DataSetPlan, repair: Repair) -> str:
    return repair.source or f"{relation_sql(data_set.measured)} as here"


def _proposed_repair(
    database: ProductDatabase, product: ProductPlan, data_set: DataSetPlan, objective: ObjectivePlan, repair: Repair, rows: int
) -> ProposedRepair:
    shown = {folded_column(column) for column in data_set.shown}
    is_shown = folded_column(repair.column) in shown and (repair.taken_from is None or _is_shown(product, *repair.taken_from))
    key = [column for column in data_set.spec.primary_key if folded_column(column) in shown]
    keys = f"{quoted_list(key, 'here.')}, " if key else ""
    mended = f"select {keys}here.{quoted(repair.column)} as was, {repair.value} as mended"
    sql = f"{mended}\nfrom {_source(data_set, repair)}\nwhere {repair.mends}"
    examples: tuple[dict[str, Any], ...] = ()
    if is_shown:
        with database.limited():
            examples = tuple(database.rows(f"{sql}\nlimit {_EXAMPLES}"))
    withheld = "" if is_shown else HIDDEN.format(column=repair.column)
    shown_sql = sql if is_shown or not repair.quotes_values else ""
    return ProposedRepair(objective.check.title, data_set.name, repair.column, repair.what, rows, shown_sql, examples, withheld)


def _is_shown(product: ProductPlan, relation: Relation, column: str) -> bool:
    """Whether everybody may see values of the column of a data set or an input; what neither of them is shows nothing."""
    for data_set in product.data_sets:
        if relation in (data_set.relation, data_set.measured):
            return folded_column(column) in map(folded_column, data_set.shown)
    for port in product.inputs:
        if relation == Relation("inputs", port.name):
            upstream = port.upstream.columns if port.upstream is not None else ()
            hidden = {
                *hidden_columns(product, port),
                *(folded_column(column.name) for column in upstream if not column.shown),
            }
            return folded_column(column) not in hidden
    return False
