"""What becomes of a dbt project's parts in the mesh: files by where they go, values for shared files, and what is left to a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform_resources.spec.document import Place


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """What could not be carried over: the file that says it, what it is, and what to do."""

    file: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A value put into dbt YAML, and why: a `place` in the mesh's file `file`."""

    file: str
    place: Place
    value: Any
    why: str


@dataclass(slots=True)
class Carried:
    """What goes into the mesh: `copies` are files or folders of the project by their path in the mesh, `texts` are written by us."""

    copies: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)

    def leave(self, file: str, what: str, do: str) -> None:
        """Note what is left to a person."""
        self.left.append(LeftOut(file, what, do))


def listed(value: Any, default: Iterable[str]) -> tuple[str, ...]:
    """A setting that is a list of texts, or dbt's default where it is not set."""
    return tuple(map(str, value)) if isinstance(value, list) else tuple(default)


def mapping(value: Any) -> Mapping[str, Any]:
    """A setting that is a mapping; an empty one where it is not set."""
    return value if isinstance(value, Mapping) else {}
