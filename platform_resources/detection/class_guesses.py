"""Guess which columns are personal, and how sure that is, from their names and from counts; no value is needed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from platform_resources.detection.detectors import ABOUT_PEOPLE, DETECTORS, Detector, Told, names_a_thing, told_by_name
from platform_resources.detection.name_words import known_in, word_set

Sureness = Literal["high", "medium", "low"]
MOST, SOME, NEARLY_ALL = 0.5, 0.02, 0.8
_BIRTH = word_set("birth birthdate birthday dob dateofbirth geburtsdatum geburtstag geburt geboren")
# Orders of forty years are rare, and so are people who are all younger than sixteen.
_YEARS_OF_PEOPLE = 40


@dataclass(frozen=True, slots=True)
class SampleCheck:
    """How many values of a sample looked like a detector's, and how many of these hold what it asks for."""

    looked: int
    held: int


@dataclass(frozen=True, slots=True)
class ColumnEvidence:
    """What was counted in one column. `looks` are rows that look like a detector's values, of all that are `filled`.

    Of dates: how many lie at least sixteen years back, and how many years lie between the first and the last.
    """

    name: str
    is_flag: bool = False
    filled: int = 0
    looks: Mapping[str, int] = field(default_factory=dict)
    checked: Mapping[str, SampleCheck] = field(default_factory=dict)
    old_dates: int = 0
    years: int = 0


@dataclass(frozen=True, slots=True)
class ClassGuess:
    """What a column probably is, how sure that is, and what speaks for it, in counts."""

    column: str
    data_class: Told
    what: str
    sureness: Sureness
    evidence: str


def class_guesses(columns: Iterable[ColumnEvidence]) -> tuple[ClassGuess, ...]:
    """One guess for each column that is probably personal or sensitive. Details of people count only beside a column that names them."""
    every = tuple(columns)
    guesses = {column.name: guess for column in every if (guess := _of_itself(column)) is not None}
    beside = (column.name for column in every if column.name not in guesses and known_in(column.name, ABOUT_PEOPLE))
    if guesses:
        guesses |= {
            name: ClassGuess(name, "personal", "tells of a person", "low", "its name, beside columns that name people") for name in beside
        }
    return tuple(guesses[column.name] for column in every if column.name in guesses)


def _of_itself(column: ColumnEvidence) -> ClassGuess | None:
    named = told_by_name(column.name, column.is_flag)
    seen = next(_seen(column, named is not None), None)
    if seen is not None:
        kind: Told = "sensitive" if named == "sensitive" else seen.data_class
        return ClassGuess(column.name, kind, seen.what, seen.sureness, seen.evidence + ("; its name says so too" if named else ""))
    if named is not None:
        empty = " and it has no value" if not column.filled else ""
        return ClassGuess(column.name, named, "named like it", "high" if named == "sensitive" else "medium", f"its name{empty}")
    return None


def _seen(column: ColumnEvidence, named: bool) -> Iterator[ClassGuess]:
    """What the values tell, the strongest first."""
    guesses = [guess for detector in DETECTORS if (guess := _looks_like(column, detector, named)) is not None]
    yield from sorted(guesses, key=lambda guess: ("high", "medium", "low").index(guess.sureness))
    if column.filled and column.old_dates / column.filled >= NEARLY_ALL and column.years >= _YEARS_OF_PEOPLE:
        sure: Sureness = "high" if known_in(column.name, _BIRTH) else "low"
        evidence = f"{_share(column.old_dates, column.filled)} lie at least 16 years back, over {column.years} years"
        if sure == "high" or not names_a_thing(column.name):
            yield ClassGuess(column.name, "personal", "a birth date", sure, evidence)


def _looks_like(column: ColumnEvidence, detector: Detector, named: bool) -> ClassGuess | None:
    """A detector that is not plain needs most values, nearly all of which hold, and no name that speaks of things."""
    looking = column.looks.get(detector.name, 0)
    checked = column.checked.get(detector.name)
    if not looking or (detector.holds is not None and (checked is None or not checked.looked)):
        return None
    held = checked.held / checked.looked if checked is not None and detector.holds is not None else 1.0
    share = looking / column.filled * held
    if held < NEARLY_ALL and not (detector.plain and held >= MOST):
        return None
    if share < (SOME if detector.plain else MOST) or (not detector.plain and names_a_thing(column.name) and not named):
        return None
    sure: Sureness = "low" if share < MOST else "high" if detector.plain or named or detector.data_class == "sensitive" else "medium"
    evidence = f"{_share(looking, column.filled)} look like it"
    if detector.holds is not None and checked is not None:
        evidence += f"; of a sample {_share(checked.held, checked.looked)} are valid"
    return ClassGuess(column.name, detector.data_class, detector.name, sure, evidence)


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.0%})"
