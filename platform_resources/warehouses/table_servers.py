"""What a server of tables does that shows the newest version of products beside their files; known by this protocol alone."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from platform_resources.access.role_folders import AccessChange
from platform_resources.warehouses.published_places import PublishedFiles

# In bytes; PostgreSQL cuts longer names off, without an error.
LONGEST_NAME = 63
# Two underscores and the digits of a version's id.
LONGEST_SUFFIX = 22


class ServingFailed(Exception):
    """Raised when the server cannot be reached, or refuses something; quotes no value of a row."""


def schema_name(product: str, role: str) -> str:
    """`orders`, `orders__analyst`; longer ones, roles with values that are no plain words, and products that could be a role of another
    one, end with a digest."""
    plain = re.sub(r"[^a-z0-9_]", "_", role.lower())
    name = f"{product}__{plain}" if role else product
    if plain == role and "__" not in f"{product}_" and len(name) <= LONGEST_NAME - LONGEST_SUFFIX:
        return name
    return f"{name[: LONGEST_NAME - LONGEST_SUFFIX - 9]}_{hashlib.sha256(f'{product}/{role}'.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class ServedTable:
    """One data set as somebody sees it: its rows, the columns of its key, and what is said of it and of its columns."""

    data_set: str
    published: PublishedFiles
    key: tuple[str, ...] = ()
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServedSchema:
    """What the readers of one role find; all of the product where `role` is empty. `shows` names the view of each data set."""

    role: str
    tables: tuple[ServedTable, ...]
    shows: Mapping[str, str]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ServedReaders:
    """Who reads a product: by role, with what it is to show now; all of the product where the role is empty, everybody if it is open."""

    readers: Mapping[str, Collection[str]]
    shows: Mapping[str, Mapping[str, str]]
    is_open: bool = False


class ServingStore(Protocol):
    """A server that shows one version of each product, whole. Every call raises ServingFailed, and is done whole or not at all."""

    def load(self, product: str, version: str, schemas: Sequence[ServedSchema]) -> None:
        """Load a version which nobody sees yet; what is there of one of this id is replaced."""

    def show(self, product: str, version: str) -> None:
        """Have readers find this version from now on, and no other; it must have been loaded. An empty one: nothing."""

    def shown(self, product: str) -> str:
        """The version that readers find; empty if there is none."""

    def has(self, product: str, version: str) -> bool:
        """Whether the version is shown, or loaded."""

    def tidy(self, product: str) -> tuple[str, ...]:
        """Take away all versions that are not shown; gives what could not be taken away."""

    def access_changes(self, wanted: Mapping[str, ServedReaders], known: Collection[str] | None) -> tuple[AccessChange, ...]:
        """What readers have of the wanted products against what they should have, revocations first.

        Where `known` says which products there may be, all others go.
        """

    def make_so(self, changes: Sequence[AccessChange]) -> tuple[str, ...]:
        """Do what `access_changes` has told; gives what could not be done."""
