"""Whether what was loaded of an input keeps the contract of its source, and which of its columns may be told of."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import ROW_TEXT, PullFiles
from platform_resources.capabilities.source_contract import SourceContract
from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.incidents import broken_contracts
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.protocol import ProductDatabase


class BreaksContract(Exception):
    """Raised when what was loaded is not what the input port promises of its source; says what is different."""


def contract_of(port: InputPlan) -> SourceContract:
    """What the input port promises of its source."""
    return SourceContract(port.columns, port.set_aside)


def with_contract(port: InputPlan, pull_files: PullFiles) -> PullFiles:
    """The pull with the port's contract, so that text is read as the promised types and a bad value is reported with its line."""
    if not port.columns:
        return pull_files
    types = {} if pull_files.format == "parquet" else {column.name: column.type for column in port.columns}
    return replace(pull_files, types=types, contract=contract_of(port))


def keep_source_contract(database: ProductDatabase, port: InputPlan) -> None:
    """What was loaded must have every promised column, of its type, and filled where it must be; more columns are no breach.

    Raises BreaksContract.
    """
    if not port.columns:
        return
    relation = Relation("inputs", port.name)
    columns = database.columns(relation)
    emptiness = contract_of(port).emptiness(columns)
    counts = ", ".join(f"count(case when {condition} then 1 end)" for condition in emptiness.values())
    empty = dict(zip(emptiness, database.execute(f"select {counts} from {relation_sql(relation)}"), strict=True)) if emptiness else {}
    breach = broken_contracts.source_breach(port.columns, columns, empty)
    if breach:
        raise BreaksContract(breach)


def columns_before(database: ProductDatabase, port: InputPlan) -> dict[str, str]:
    """The columns of the input as they were loaded last, where no contract says which there have to be; without a type where no row has a
    value: of such a column a source may tell none."""
    relation = Relation("inputs", port.name)
    columns = database.columns(relation) if not port.columns and database.exists(relation) else {}
    filled = _filled(database, relation, columns)
    return {name: kind if filled[name] else "" for name, kind in columns.items()}


def _filled(database: ProductDatabase, relation: Relation, columns: Iterable[str]) -> dict[str, int]:
    """How many rows have a value, by column."""
    counts = {name: f"count({quoted(name)})" for name in columns}
    asked = f"select {', '.join(counts.values())} from {relation_sql(relation)}"
    return dict(zip(counts, database.execute(asked), strict=True)) if counts else {}


def refuse_lost_columns(database: ProductDatabase, port: InputPlan, before: Mapping[str, str]) -> None:
    """A source whose columns nobody has promised may get more of them, or wider ones; one that loses any is not what it was.

    A column without any value this time keeps the type that it had. Raises BreaksContract.
    """
    if not before:
        return
    relation = Relation("inputs", port.name)
    columns, former = database.columns(relation), {folded_column(name): kind for name, kind in before.items()}
    for name, rows in _filled(database, relation, columns).items():
        was = former.get(folded_column(name))
        if was and not rows:
            database.execute(f"alter table {relation_sql(relation)} alter {quoted(name)} type {was}")
    now = {folded_column(name): kind for name, kind in database.columns(relation).items()}
    kinds = {name: (kind, now.get(folded_column(name))) for name, kind in before.items()}
    lost = [f"{name} is gone" for name, (_, kind) in kinds.items() if kind is None]
    changed = {name: (old, new) for name, (old, new) in kinds.items() if new is not None and old not in ("", new)}
    lost += [f"{name} is {new}, and was {old}" for name, (old, new) in changed.items() if not _holds(database, new, old)]
    if lost:
        change = "the columns are not those of the last pull: " + "; ".join(lost)
        raise BreaksContract(f"{change}; say with columns what the source has to deliver, and what it delivers now is taken")


def _holds(database: ProductDatabase, new: str, old: str) -> bool:
    """Whether the type takes every value of the other."""
    union = f"select null::{old} as x union all select null::{new}"
    return observed_type(str(database.execute(f"select distinct typeof(x) from ({union})")[0])) == new


def hidden_columns(product: ProductPlan, port: InputPlan) -> set[str]:
    """The columns of an input whose values not everybody may see, by the names that it and its source have for them.

    They are those that it hides itself, and those that are called as a column of a data set whose class hides its values.
    """
    columns = (column for data_set in product.data_sets for column in data_set.spec.columns)
    hidden = {folded_column(column.name) for column in columns if not column.shown}
    for column in port.columns:
        names = {folded_column(column.name), folded_column(column.source_name)}
        if column.hidden or names & hidden:
            hidden |= names
    # Of a row that could not be read nobody knows where those values stand in it.
    return hidden | {ROW_TEXT} if hidden else hidden
