"""Product versions (semantic) and the ranges that consumers pin."""

import re
from dataclasses import dataclass
from typing import Self

_VERSION = re.compile(r"^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$")
_BOUND = re.compile(r"^(\^|~|>=|<=|>|<|=)?\s*(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?$")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A semantic version (semver.org 2.0.0) without pre-release: major, minor, patch."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when `text` is not `major.minor.patch`."""
        match = _VERSION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'"{text}" is not a version; write major.minor.patch, such as 1.0.0')
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions from `lowest` (included) up to `below` (excluded), as npm's caret and tilde ranges mean them."""

    text: str
    lowest: Version
    below: Version | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `^1`, `~1.2`, `1.2.3`, `>=1.2 <3`, `*`. Raises ValueError with what is allowed."""
        lowest, below = Version(0, 0, 0), None
        for part in () if text.strip() == "*" else _parts(text):
            low, high = _bounds(part, text)
            lowest = max(lowest, low)
            below = min(below, high) if below and high else below or high
        return cls(text.strip(), lowest, below)

    @property
    def is_empty(self) -> bool:
        """Whether no version can lie within it, as `>=2 <1`."""
        return self.below is not None and self.below <= self.lowest

    def __contains__(self, version: Version) -> bool:
        return version >= self.lowest and (self.below is None or version < self.below)

    def __str__(self) -> str:
        return self.text


def _parts(text: str) -> list[str]:
    parts = re.sub(r"([<>=^~])\s+", r"\1", text).replace(",", " ").split()
    if not parts:
        raise ValueError('an empty version range; write one such as ^1, ~1.2, 1.2.3 or ">=1.2 <3"')
    return parts


def _bounds(part: str, text: str) -> tuple[Version, Version | None]:
    match = _BOUND.fullmatch(part)
    if match is None:
        raise ValueError(f'"{text}" is not a version range; write one such as ^1, ~1.2, 1.2.3 or ">=1.2 <3"')
    sign, *numbers = match.groups()
    given = [int(number) for number in numbers if number is not None]
    low = Version(*(given + [0, 0])[:3])
    match sign:
        case ">=":
            return low, None
        case ">":
            return _after(given), None
        case "<":
            return Version(0, 0, 0), low
        case "<=":
            return Version(0, 0, 0), _after(given)
        case "^":
            return low, _after(given[: next((i + 1 for i, n in enumerate(given) if n), len(given))])
        case "~":
            return low, _after(given[:2])
        case _:
            return low, _after(given)


def _after(given: list[int]) -> Version:
    """The first version beyond all that begin with the numbers given."""
    raised = [*given[:-1], given[-1] + 1]
    return Version(*(raised + [0, 0])[:3])
