"""The plan of a migration: files to copy, YAML values to set, and what is left for a person to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform_resources.spec.document import Place


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """Something that could not be migrated: the file it is in, what it is, and what to do."""

    file: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A YAML value to set at `place` in the mesh's file `file`, and why."""

    file: str
    place: Place
    value: Any
    why: str


@dataclass(slots=True)
class Carried:
    """The planned result: `copies` are project files or folders by their path in the mesh, `texts` are generated files."""

    copies: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)

    def leave(self, file: str, what: str, do: str) -> None:
        """Record something that is left for a person to do."""
        self.left.append(LeftOut(file, what, do))


def listed(value: Any, default: Iterable[str]) -> tuple[str, ...]:
    """A setting that is a list of texts, or dbt's default if it is not set."""
    return tuple(map(str, value)) if isinstance(value, list) else tuple(default)


def mapping(value: Any) -> Mapping[str, Any]:
    """A setting that is a mapping, or an empty one if it is not set."""
    return value if isinstance(value, Mapping) else {}
