"""How one column is made from others, and what becomes of that over several steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

# `passed on` and `computed` are direct, `conditional` and `row-level` indirect, as OpenLineage and catalogs built on it tell them apart.
Kind = Literal["passed on", "computed", "conditional", "row-level", "unresolved"]
# The strongest first.
KINDS: tuple[Kind, ...] = ("passed on", "computed", "conditional", "row-level", "unresolved")


@dataclass(frozen=True, slots=True, order=True)
class ColumnRef:
    """A column of what a product has: `place` is a model, `inputs/<port>`, `outputs/<port>` or `sources/<port>`."""

    place: str
    column: str


Uses = Mapping[ColumnRef, Kind]


def merged(several: Iterable[Uses]) -> dict[ColumnRef, Kind]:
    """All of them; of a column that is used in several ways, the strongest."""
    kinds: dict[ColumnRef, Kind] = {}
    for uses in several:
        for ref, kind in uses.items():
            kinds[ref] = stronger(kinds[ref], kind) if ref in kinds else kind
    return kinds


def weakened(uses: Uses, kind: Kind) -> dict[ColumnRef, Kind]:
    """The same columns, used through something that is itself used like this."""
    return {ref: weaker(before, kind) for ref, before in uses.items()}


def stronger(one: Kind, other: Kind) -> Kind:
    """The kind that says more."""
    return min(one, other, key=KINDS.index)


def weaker(one: Kind, other: Kind) -> Kind:
    """What is left of a column after two steps."""
    return max(one, other, key=KINDS.index)
