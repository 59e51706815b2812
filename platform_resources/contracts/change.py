"""One change of a contract: its meaning for consumers, and the version number it requires."""

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
    """One difference: `what` changed, in which data set and columns (empty: all), and what a consumer has `to_do`.

    `readers` are the roles that it concerns, where it concerns no others. `approval`: somebody has to approve that more is shown.
    `announced`: a major version has said before that it would come.
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
    announced: bool = False

    @property
    def place(self) -> str:
        """The data set or port, with the column if the change concerns one."""
        where = self.data_set or self.port
        return f"{where}.{self.columns[0]}" if where and len(self.columns) == 1 else where


Changes = Iterator[ContractChange]


def chained(*changes: Iterable[ContractChange]) -> tuple[ContractChange, ...]:
    """All changes, the most severe first, otherwise in the given order."""
    return tuple(sorted(chain(*changes), key=lambda change: CLASSES.index(change.kind)))


def within(changes: Iterable[ContractChange], profile: Profile) -> tuple[ContractChange, ...]:
    """The changes that a profile covers."""
    looked_at = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(change for change in changes if change.profile in looked_at)


def worst_class(changes: Iterable[ContractChange], accepted: bool = False) -> ChangeClass | None:
    """The most severe class of these changes, None without any. An accepted undetermined change counts as a patch, an announced one as
    an addition."""
    kinds = {"minor" if c.announced else "patch" if accepted and c.kind == "undetermined" else c.kind for c in changes}
    return next((kind for kind in CLASSES if kind in kinds), None)


def next_version(before: Version, kind: ChangeClass | None) -> Version:
    """The least version number after `before` that declares this class of change; undetermined counts as its minimum."""
    match kind:
        case "major":
            return Version(before.major + 1, 0, 0)
        case "minor":
            return Version(before.major, before.minor + 1, 0)
        case "patch" | "undetermined":
            return Version(before.major, before.minor, before.patch + 1)
        case None:
            return before
