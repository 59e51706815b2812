"""A problem in a specification: its place, what is wrong, what is allowed, and the nearest valid word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

LONGEST_WORD = 200


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem at one place of one file. Warnings are shown but make nothing invalid."""

    file: str
    line: int
    path: str
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" + (f"  {self.path}" if self.path else "")
        label = "warning: " if self.severity == "warning" else ""
        lines = [f"{label}{self.message}", *([self.hint] if self.hint else [])]
        return "\n".join([place, *("  " + line.replace("\n", "\\n") for line in lines)])


def problems_text(problems: Iterable[Problem]) -> str:
    """All problems as text for people, each with its file and line."""
    return "\n".join(str(problem) for problem in sorted(problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or nothing when none is near."""
    near = nearest(word, known)
    return f'did you mean "{near}"?' if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like this one, empty if none is near."""
    by_lower = {name.lower(): name for name in sorted(known, reverse=True)}
    near = get_close_matches(word.lower()[:LONGEST_WORD], list(by_lower), n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""


def known_text(known: Iterable[str]) -> str:
    """The allowed words for a message, sorted; `none` for an empty list."""
    return ", ".join(sorted(known)) or "none"


def unknown_text(what: str, name: str, known: Iterable[str]) -> str:
    """What to say of a name that nothing has, such as that of a product: the names that there are, and the nearest of them."""
    names = list(known)
    hint = did_you_mean(name, names)
    return f'no {what} "{name}"; known: {known_text(names)}' + (f"\n{hint}" if hint else "")


def errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems that make a specification invalid, without warnings."""
    return tuple(problem for problem in problems if problem.severity == "error")
