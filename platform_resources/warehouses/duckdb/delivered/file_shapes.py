"""How one delivered file is read: its columns with their types, and the SQL of its rows, the good and the bad."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_resources.capabilities.source_contract import EMPTY, NO_CONTRACT, SourceContract
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.deliveries.arrivals import InputFile
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.duckdb.delivered.kept_values import Writing, converted, lost, lost_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Shape:
    """One file: `types` has None for a column without a value; `constants` are columns that its path tells, not its rows.

    `sources` is what the file calls its columns. `bad` is how many of its rows go to quarantine.
    """

    file: InputFile
    reader: str
    rows: int
    types: Mapping[str, str | None]
    writing: Writing
    skipped: int
    constants: Mapping[str, str | None]
    promised: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    contract: SourceContract = NO_CONTRACT
    bad: int = 0

    @property
    def is_typed(self) -> bool:
        """Whether the file says the types of its columns itself."""
        return self.reader.startswith("read_parquet")

    def select(self, types: Mapping[str, str]) -> str:
        """Its rows, the columns as these types, without those that break the contract where these are set aside."""
        if not self.types:
            return "select null where false"
        if not self.contract.rewrites:
            return self._read(types)
        names = (*self.types, *self.constants)
        if self.is_typed:
            columns = [f"cast({quoted(name)} as {types[name]}) as {quoted(name)}" for name in names]
        else:
            columns = [f"{converted(quoted(name), types[name], self.writing)} as {quoted(name)}" for name in names]
        good = " and ".join(f"not coalesce({breach}, false)" for breach in self.breaches().values()) or "true"
        return f"select {', '.join(columns)} from ({self.values()}) where {good}"

    def _read(self, types: Mapping[str, str]) -> str:
        """The rows as the file has them."""
        if self.is_typed:
            source = self.reader + ")"
            columns = [f"cast({self._source(name)} as {types[name]}) as {quoted(name)}" for name in self.types]
        else:
            pairs = ", ".join(f"{literal(self.sources.get(name, name))}: {literal(types[name])}" for name in self.types)
            source = f"{self.reader}, columns = {{{pairs}}})"
            columns = [f"{self._source(name)} as {quoted(name)}" for name in self.types]
        columns += [f"cast({_text(value)} as {types[name]}) as {quoted(name)}" for name, value in self.constants.items()]
        return f"select {', '.join(columns)} from {source}"

    def titled(self, column: str) -> str:
        """The column as messages name it: with what the file calls it, where that is another name."""
        source_name = self.sources.get(column, column)
        return column if folded_column(source_name) == folded_column(column) else f"{source_name} ({column})"

    def _source(self, name: str) -> str:
        return quoted(self.sources.get(name, name))

    def values(self) -> str:
        """The rows as the contract judges them: null where a text stands for null."""
        return self.contract.emptied(self.raw(), self.types)

    def raw(self) -> str:
        """Its rows just as they are written: as texts, or of the types that the file has itself."""
        types = {name: (self.types.get(name) if self.is_typed else None) or "varchar" for name in (*self.types, *self.constants)}
        return self._read(types)

    def breaches(self) -> dict[tuple[str, str], str]:
        """By column and reason, the SQL condition of rows that break the contract; only where these are set aside."""
        if not self.contract.set_aside or not self.types:
            return {}
        filled = {(name, EMPTY): condition for name, condition in self.emptiness().items()}
        kinds = {} if self.is_typed else {name: kind for name, kind in self.promised.items() if kind != "varchar"}
        return {**lost_values(kinds, self.writing), **self.contract.breaches(self.types), **filled}

    def emptiness(self) -> dict[str, str]:
        """For each required column the SQL condition that it is empty; `missing` values are compared as values of its type."""
        if self.is_typed:
            return self.contract.emptiness(self.types)
        return {
            name: self.contract.empty(name, converted(quoted(name), kind, self.writing, trying=True))
            for name, kind in self.promised.items()
            if (column := self.contract.column(name)) is not None and not column.nullable
        }

    def losing(self, connection: "DuckDBPyConnection", types: Mapping[str, str], promised: bool) -> list[str]:
        """The columns of which these types would not keep every value."""
        asked = [name for name in types if name in self.types and types[name] != "varchar"]
        if not asked:
            return []
        counts = [self.counted_losses(name, types[name], promised) for name in asked]
        lost_counts = connection.execute(f"select {', '.join(counts)} from ({self.values()})").fetchall()[0]
        return [column for column, count in zip(asked, lost_counts, strict=True) if count]

    def counted_losses(self, column: str, kind: str, promised: bool) -> str:
        """SQL that counts values that the type would lose."""
        name = quoted(column)
        return f"count_if({name} is not null and {lost(name, kind, self.writing, promised)})"


def _text(value: str | None) -> str:
    return "null" if value is None else literal(value)
