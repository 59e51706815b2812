"""Compare the columns of two versions, and decide whether the change breaks consumers."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_resources.capabilities.support.column_types import observed_type


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column whose type has changed."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """Columns with their types, in the order in which the versions have them. A renamed column is one removed and one added."""

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    changed: tuple[TypeChange, ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether a query that worked before may fail, or mean something else: a column is gone or of another type."""
        return bool(self.removed or self.changed)

    def __bool__(self) -> bool:
        return bool(self.added or self.breaking)


def schema_difference(before: Mapping[str, str], after: Mapping[str, str]) -> SchemaDifference:
    """From column -> type to column -> type. A type by its long name is the same type; the order of columns is no difference."""
    kept = [name for name in before if name in after]
    return SchemaDifference(
        tuple((name, kind) for name, kind in after.items() if name not in before),
        tuple((name, kind) for name, kind in before.items() if name not in after),
        tuple(TypeChange(name, before[name], after[name]) for name in kept if observed_type(before[name]) != observed_type(after[name])),
    )
