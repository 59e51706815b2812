"""What was measured of a source's columns, and what is guessed from it, with how sure the guess is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from platform_resources.measuring.version_profiles import ColumnProfile

Confidence = Literal["confirmed", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Guess:
    """A value, how sure it is, and why; the reason quotes no value of the data. Somebody may have confirmed it."""

    value: str
    confidence: Confidence
    reason: str

    def mark(self, of: str = "") -> str:
        """The words that mark it as a guess where it is written; none where it was confirmed. `of` names what is guessed."""
        return "" if self.confidence == "confirmed" else f"guess ({self.confidence}): {f'{of}, ' if of else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column as the load has it, measured over all rows.

    `looks` is the share of filled rows that look like each kind of personal data, or like numbers; `future` are rows dated later than
    now; `values` are all values with their rows where there are few, and empty otherwise.
    """

    name: str
    type: str
    profile: ColumnProfile
    looks: Mapping[str, float] = field(default_factory=dict)
    future: int = 0
    values: tuple[tuple[str, int], ...] = ()

    @property
    def nulls(self) -> int:
        """How many rows have no value, as far as its profile says."""
        return self.profile.nulls or 0

    @property
    def kind(self) -> str:
        """The type without digits: `decimal` of `decimal(18,2)`."""
        return self.type.partition("(")[0]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source that was looked at: how many rows, and which columns. `unique` are sets of columns that no two rows share."""

    rows: int
    columns: tuple[SourceColumn, ...]
    exact: bool
    unique: tuple[tuple[str, ...], ...] = ()
