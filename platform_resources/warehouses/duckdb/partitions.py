"""Measures day by day: what each day of a data set came to is kept in the product's database, and only changed days are scanned again.

Whether a day has changed is told by its rows themselves: their number, and the sum of a 64-bit hash over all of their columns. A sum, since
an exclusive or would not see two equal rows replaced by two others. Values that compare as equal (0.0 and -0.0, 30 days and a month) have
one hash, and are the same to it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from platform_resources.capabilities.measures import Reading, Relation
from platform_resources.capabilities.support.sql_text import quoted, quoted_list, relation_sql
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Metric
from platform_resources.warehouses.engine_errors import EngineError, QueryTooLarge, QueryTooSlow
from platform_resources.warehouses.protocol import Days, Merged, ProductDatabase

TOPIC = "partitions"
_NOW = "temp.mesh_days"
# DuckDB calls it the same for the same rows, but with one argument it counts from today.
_DATED = frozenset({"age"})


def merged(database: ProductDatabase, relation: Relation, partition_by: str, wanted: Mapping[Metric, Merging]) -> Merged:
    """Answer what depends on the rows alone, day by day. What is not answered, as after any failure, is to be measured in full."""
    try:
        columns = database.columns(relation)
        kept = _kept(database, relation, columns, wanted)
        if partition_by not in columns or not kept:
            return Merged({})
        state = _State(database, relation, partition_by, columns, dict(sorted(kept.items())))
        with database.transaction(), database.limited():
            days = state.update()
        with database.limited():
            return Merged(state.answers(), days)
    except (EngineError, QueryTooSlow, QueryTooLarge):
        # One measure to blame takes all days down. Measured in full, its error is found, and told as its own reading.
        return Merged({})


@dataclass(frozen=True, slots=True)
class _State:
    """The table of a relation's days: their rows, digest, and the parts of every measure."""

    database: ProductDatabase
    relation: Relation
    partition_by: str
    columns: Mapping[str, str]
    wanted: Mapping[Metric, Merging]

    @property
    def table(self) -> str:
        return f"main.{quoted(f'mesh_days_{self.relation.schema}_{self.relation.name}')}"

    @property
    def name(self) -> str:
        return f"{self.relation.schema}.{self.relation.name}"

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part for merging in self.wanted.values() for part in merging.parts))

    @property
    def day(self) -> str:
        return f"cast({quoted(self.partition_by)} as date)"

    def update(self) -> Days:
        """Scan every day that is not as it was; all of them where other things were measured of them before."""
        if self.database.remembered(TOPIC).get(self.name) != self._made_of():
            self.database.execute(f"create or replace table {self.table} as {self._measured('true')}")
            self.database.remember(TOPIC, self.name, self._made_of())
            (count,) = self.database.execute(f"select count(*) from {self.table}")
            return Days(count, count)
        return self._update_changed()

    def _update_changed(self) -> Days:
        self.database.execute(f"create or replace temp table mesh_days as {self._detected()}")
        same = "here.day is not distinct from there.day and here.row_count = there.row_count and here.digest = there.digest"
        stale = f"select day from {_NOW} as here where not exists (select 1 from {self.table} as there where {same})"
        changed = [row["day"] for row in self.database.rows(f"select cast(day as varchar) as day from ({stale})")]
        gone = f"not exists (select 1 from {_NOW} as here where {same})"
        self.database.execute(f"delete from {self.table} as there where {gone}")
        if changed:
            self.database.execute(f"insert into {self.table} {self._measured(self._within(stale))}")
        (count,) = self.database.execute(f"select count(*) from {_NOW}")
        self.database.execute(f"drop table {_NOW}")
        return Days(count, len(changed))

    def _within(self, stale: str) -> str:
        """The rows of these days. Bounds on the column itself let the database leave out whole blocks."""
        least, greatest = self.database.execute(f"select cast(min(day) as varchar), cast(max(day) as varchar) from ({stale})")
        of_days = f"{self.day} in ({stale})"
        (nulls,) = self.database.execute(f"select count(*) from ({stale}) where day is null")
        column = quoted(self.partition_by)
        if nulls:
            return f"({column} is null or {of_days})" if least is not None else f"{column} is null"
        if "infinity" in (least, greatest) or "-infinity" in (least, greatest):
            return of_days
        return f"{column} >= cast('{least}' as date) and {column} < cast('{greatest}' as date) + interval 1 day and {of_days}"

    def _detected(self) -> str:
        return f"select {self._identity()} from {relation_sql(self.relation)} group by all"

    def _identity(self) -> str:
        return f"{self.day} as day, count(*) as row_count, sum(hash({quoted_list(self.columns)})) as digest"

    def _measured(self, condition: str) -> str:
        aggregates = [f"{part} as p{number}" for number, part in enumerate(self.parts)]
        columns = ", ".join((self._identity(), *aggregates))
        return f"select {columns} from {relation_sql(self.relation)} where {condition} group by {self.day}"

    def _made_of(self) -> str:
        """Hashes are the same only within one version of DuckDB."""
        return json.dumps([duckdb.__version__, self.partition_by, list(self.columns.items()), self.parts, relation_sql(self.relation)])

    def answers(self) -> dict[Metric, Reading]:
        number = {part: f"p{position}" for position, part in enumerate(self.parts)}
        columns = [m.merged.format(*(number[part] for part in m.parts)) for m in self.wanted.values()]
        row = self.database.execute(f"select {', '.join(columns)} from {self.table}")
        return {metric: Reading(value) for metric, value in zip(self.wanted, row, strict=True)}


def forget(database: ProductDatabase) -> None:
    """Have all days scanned again."""
    database.forget(TOPIC)


def _kept(database: ProductDatabase, relation: Relation, columns: Iterable[str], wanted: Mapping[Metric, Merging]) -> dict[Metric, Merging]:
    here = {metric: merging for metric, merging in wanted.items() if metric.relation == relation and not metric.source}
    known, constant = frozenset(column.lower() for column in columns), _constant_functions(database)
    parts = {part for merging in here.values() for part in merging.parts}
    fit = {part for part in parts if _of_rows_alone(_parsed(database, part), known, constant)}
    return {metric: merging for metric, merging in here.items() if fit.issuperset(merging.parts)}


def _parsed(database: ProductDatabase, sql: str) -> Any:
    """The query of an aggregate as the database itself reads it; None if it cannot."""
    (text,) = database.connection.execute("select json_serialize_sql(?)", [f"select {sql} from t"]).fetchall()[0]
    tree = json.loads(text)
    return None if tree["error"] else tree


def _of_rows_alone(tree: Any, columns: frozenset[str], constant: frozenset[str]) -> bool:
    """Whether an aggregate says the same of the same rows on every day: no other table, no clock, no chance. In doubt it does not."""
    nodes = tuple(_nodes(tree))
    if not nodes or any(node["class"] in ("SUBQUERY", "WINDOW") for node in nodes):
        return False
    named = {node["column_names"][0].lower() for node in nodes if node["class"] == "COLUMN_REF"}
    called = {node["function_name"].lower() for node in nodes if node["class"] == "FUNCTION"}
    return named <= columns and called <= constant


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every expression of a parsed query."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        yield from (node for value in tree.values() for node in _nodes(value))
    elif isinstance(tree, list):
        yield from (node for value in tree for node in _nodes(value))


def _constant_functions(database: ProductDatabase) -> frozenset[str]:
    """Those that the database itself says to give the same for the same, in every form that they have."""
    stable = "bool_and(coalesce(stability, '') = 'CONSISTENT')"
    rows = database.connection.execute(f"select lower(function_name) from duckdb_functions() group by 1 having {stable}").fetchall()
    return frozenset(name for (name,) in rows) - _DATED
