"""One change of a contract: what it means to consumers, and which version it demands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from platform_resources.spec.values.versions import Version

# What consumers have to fear: `undetermined` may be any of the others, and a person has to say which.
ChangeClass = Literal["major", "undetermined", "minor", "patch"]
CLASSES: tuple[ChangeClass, ...] = ("major", "undetermined", "minor", "patch")
# Each profile looks at what the one before looks at, and at more.
Profile = Literal["structure", "guarantees", "governance"]
PROFILES: tuple[Profile, ...] = ("structure", "guarantees", "governance")


@dataclass(frozen=True, slots=True)
class ContractChange:
    """`what` is different, of which data set and columns (none: of all of it, or of the product), and what a consumer has `to_do`.

    `readers` are the roles that it concerns, where it concerns no others. `approval`: somebody has to approve that more is shown.
    """

    kind: ChangeClass
    profile: Profile
    what: str
    data_set: str = ""
    columns: tuple[str, ...] = ()
    to_do: str = ""
    readers: tuple[str, ...] = ()
    approval: bool = False
    port: str = ""

    @property
    def place(self) -> str:
        """The data set or port, and the column where it is one."""
        where = self.data_set or self.port
        return f"{where}.{self.columns[0]}" if where and len(self.columns) == 1 else where


Changes = Iterator[ContractChange]


def chained(*changes: Iterable[ContractChange]) -> tuple[ContractChange, ...]:
    """All of them, the worst first, each in the order in which it was found."""
    return tuple(sorted(chain(*changes), key=lambda change: CLASSES.index(change.kind)))


def within(changes: Iterable[ContractChange], profile: Profile) -> tuple[ContractChange, ...]:
    """Those that a profile looks at."""
    looked_at = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(change for change in changes if change.profile in looked_at)


def worst_class(changes: Iterable[ContractChange], accepted: bool = False) -> ChangeClass | None:
    """What all of them come to; None where there are none. What is undetermined counts as nothing more than words once it is accepted."""
    kinds = {"patch" if accepted and change.kind == "undetermined" else change.kind for change in changes}
    return next((kind for kind in CLASSES if kind in kinds), None)


def next_version(before: Version, kind: ChangeClass | None) -> Version:
    """The least version that says so; an undetermined change demands what it is at least."""
    match kind:
        case "major":
            return Version(before.major + 1, 0, 0)
        case "minor":
            return Version(before.major, before.minor + 1, 0)
        case "patch" | "undetermined":
            return Version(before.major, before.minor, before.patch + 1)
        case None:
            return before
