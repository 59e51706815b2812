"""What a source has to deliver, as SQL: other names of columns, texts that stand for null, and rows that break the contract."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.spec.components import InputColumn
from platform_resources.spec.values.column_names import folded_column

EMPTY = "is empty, and nullable is not written"


class ContractBroken(Exception):
    """Raised where a source cannot be read as its contract says; tells which column."""

    def __init__(self, text: str, column: str) -> None:
        super().__init__(text)
        self.column = column


@dataclass(frozen=True, slots=True)
class SourceContract:
    """The columns that an input port promises. `set_aside`: rows that break it go to quarantine, and the others are loaded."""

    columns: tuple[InputColumn, ...] = ()
    set_aside: bool = False

    @property
    def rewrites(self) -> bool:
        """Whether values are not loaded as the source delivers them."""
        return self.set_aside or any(column.null_values for column in self.columns)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides how rows are read, beside types: another reading of the same files begins where this changes."""
        said = {
            column.name: {"from": column.from_, "null_values": column.null_values, **self._goodness(column)}
            for column in self.columns
            if column.from_ or column.null_values or self.set_aside
        }
        return {name: {key: list(v) if isinstance(v, tuple) else v for key, v in entry.items() if v} for name, entry in said.items()}

    def _goodness(self, column: InputColumn) -> Mapping[str, Any]:
        return {"required": not column.nullable, "missing": column.missing} if self.set_aside else {}

    def source_names(self, delivered: Iterable[str]) -> dict[str, str]:
        """The name of each column here, and what the source calls it. Raises ContractBroken where two would have one name."""
        renamed = {folded_column(column.source_name): column for column in self.columns if column.from_ is not None}
        names: dict[str, str] = {}
        for source_name in delivered:
            column = renamed.get(folded_column(source_name))
            name = column.name if column is not None else source_name
            other = next((known for known in names if folded_column(known) == folded_column(name)), None)
            if other is not None:
                pair = f"{names[other]} and {source_name}"
                raise ContractBroken(f"the source has both {pair}, and both would be called {name}; give one another name", name)
            names[name] = source_name
        return names

    def column(self, name: str) -> InputColumn | None:
        """What is promised of a column, by its name here."""
        return next((column for column in self.columns if folded_column(column.name) == folded_column(name)), None)

    def emptied(self, rows: str, names: Iterable[str]) -> str:
        """The same rows in SQL, null where a text stands for null."""
        columns = {name: column for name in names if (column := self.column(name)) is not None}
        changed = ", ".join(_nullified(quoted(name), column.null_values) for name, column in columns.items() if column.null_values)
        return f"select * replace ({changed}) from ({rows})" if changed else rows

    def empty(self, name: str, value: str) -> str:
        """Whether the column has no value, in SQL: null, or one of its `missing`. `value` is the column as the promised type."""
        column = self.column(name)
        if column is None or not column.missing:
            return f"{quoted(name)} is null"
        missing = ", ".join(f"cast({literal(str(marker))} as {column.type})" for marker in column.missing)
        return f"({quoted(name)} is null or {value} in ({missing}))"

    def emptiness(self, names: Iterable[str], values: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """For each required column among these, the SQL condition that it is empty.

        `values` has the SQL of columns that do not have their promised type yet.
        """
        given_names = {folded_column(name): name for name in names}
        return {
            column.name: self.empty(
                given_names[folded_column(column.name)],
                values.get(given_names[folded_column(column.name)], quoted(given_names[folded_column(column.name)])),
            )
            for column in self.columns
            if not column.nullable and folded_column(column.name) in given_names
        }

    def breaches(self, names: Iterable[str], values: Mapping[str, str] = MappingProxyType({})) -> dict[tuple[str, str], str]:
        """By column and reason, the SQL condition of rows that break the contract, types aside; empty unless bad rows are set aside."""
        if not self.set_aside:
            return {}
        there = {folded_column(name) for name in names}
        required = (column.name for column in self.columns if not column.nullable)
        absent = {(name, "is not there"): "true" for name in required if folded_column(name) not in there}
        return {(name, EMPTY): condition for name, condition in self.emptiness(names, values).items()} | absent


NO_CONTRACT = SourceContract()


def _nullified(value: str, texts: Iterable[str]) -> str:
    return f"case when cast({value} as varchar) in ({', '.join(map(literal, texts))}) then null else {value} end as {value}"
