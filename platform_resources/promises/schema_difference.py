"""Compare the columns of two versions, and decide whether the change breaks consumers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from platform_resources.capabilities.support.column_types import observed_type


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column whose type has changed."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """Columns with their types, in the order in which the versions have them; of those `renamed` the old name and the new one."""

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    changed: tuple[TypeChange, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether a query that worked before may fail, or mean something else: a column is gone, called otherwise or of another type."""
        return bool(self.removed or self.changed or self.renamed)

    def __bool__(self) -> bool:
        return bool(self.added or self.breaking)


def schema_difference(
    before: Mapping[str, str], after: Mapping[str, str], former: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> SchemaDifference:
    """From column -> type to column -> type. `former` has the names that columns were called before.

    A type by its long name is the same type; the order of columns is no difference.
    """
    gone, new = [name for name in before if name not in after], [name for name in after if name not in before]
    called = {old: name for name in new for old in former.get(name, ()) if old in gone}
    kept = [(name, called.get(name, name)) for name in before if name in after or name in called]
    return SchemaDifference(
        tuple((name, after[name]) for name in new if name not in called.values()),
        tuple((name, before[name]) for name in gone if name not in called),
        tuple(TypeChange(name, before[old], after[name]) for old, name in kept if observed_type(before[old]) != observed_type(after[name])),
        tuple(called.items()),
    )
