"""What the names in a query mean: tables of its FROM, queries of its WITH, named windows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_resources.lineage.column_uses import Uses, merged
from platform_resources.spec.values.column_names import folded_column

# Behind the name of a second column that is called the same.
AGAIN = "\0"


class Unresolvable(Exception):
    """Raised when it is not known for sure which columns are read; says why."""


@dataclass(frozen=True, slots=True)
class QueryColumns:
    """What each column of a query is made from, in order; and what decides which rows there are."""

    columns: Mapping[str, Uses]
    rows: Uses

    @property
    def all(self) -> Uses:
        """Whatever becomes part of a value."""
        return merged(self.columns.values())


@dataclass(frozen=True, slots=True)
class Source:
    """What one part of a FROM offers: columns by name, and what any other column is made from (None: there is no other)."""

    columns: Mapping[str, Uses]
    others: Uses | None = None

    def column(self, name: str) -> Uses:
        """What the column is made from. Raises Unresolvable."""
        if f"{folded_column(name)}{AGAIN}" in self.columns:
            raise Unresolvable(f"two columns are called {name}")
        uses = self.columns.get(folded_column(name), self.others)
        if uses is None:
            raise Unresolvable(f"no column {name} is known")
        return uses

    @property
    def all(self) -> Uses:
        """What a whole row is made from."""
        return merged((*self.columns.values(), self.others or {}))


@dataclass(slots=True)
class Scope:
    """The names at one place of a query; those of what is around it hold too."""

    outer: "Scope | None" = None
    sources: dict[str, Source] = field(default_factory=dict)
    queries: dict[str, QueryColumns] = field(default_factory=dict)
    windows: dict[str, Any] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """The part of the nearest FROM that has this name. Raises Unresolvable."""
        source = next((scope.sources[name] for scope in self._outwards() if name in scope.sources), None)
        if source is None:
            raise Unresolvable(f"there is no table {name} in its FROM")
        return source

    def query(self, name: str) -> QueryColumns | None:
        """The query of a WITH that has this name; None where it is a table's."""
        return next((scope.queries[name] for scope in self._outwards() if name in scope.queries), None)

    def window(self, name: str) -> Any:
        """The named window. Raises Unresolvable."""
        window = next((scope.windows[name] for scope in self._outwards() if name in scope.windows), None)
        if window is None:
            raise Unresolvable(f"there is no window {name} in it")
        return window

    def _outwards(self) -> "Iterator[Scope]":
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer
