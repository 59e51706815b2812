"""Score a product in six letters by criteria, each with its evidence; pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from platform_resources.capabilities.score_facts import LETTERS, Criterion, Letter, ScoreFacts, none_yet
from platform_resources.spec.values.field_types import Lifecycle

# No letter of a product in this stage is higher: nobody has promised anything yet, or it will be gone.
CAPS: Mapping[str, int] = {"proposed": 40, "draft": 40, "deprecated": 60}
Badge = Literal["gold", "silver", "bronze", "none"]
# The badge for a weakest letter of at least so much.
BADGES: tuple[tuple[int, Badge], ...] = ((85, "gold"), (70, "silver"), (50, "bronze"), (0, "none"))


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """One criterion: what it gained of its points, what is declared and what was seen. Not `known`: there is no evidence, so it is 0."""

    name: str
    letter: Letter
    about: str
    points: float
    gained: float
    known: bool
    declared: str
    evidence: str
    raised_by: str
    effort: int


@dataclass(frozen=True, slots=True)
class ProductScore:
    """A product's letters from 0 to 100, their mean, and its badge, which the weakest letter decides.

    No letter is above the `cap` of the product's stage.
    """

    letters: Mapping[Letter, int]
    total: int
    badge: Badge
    lifecycle: Lifecycle
    cap: int | None
    criteria: tuple[CriterionScore, ...]

    @property
    def weakest(self) -> Letter:
        """The letter that decides the badge; of several the first."""
        return min(self.letters, key=lambda letter: self.letters[letter])

    def of_letter(self, letter: Letter) -> tuple[CriterionScore, ...]:
        """The criteria of one letter."""
        return tuple(criterion for criterion in self.criteria if criterion.letter == letter)

    @property
    def advice(self) -> tuple[CriterionScore, ...]:
        """What would raise it, the most points for the least work first."""
        lacking = [criterion for criterion in self.criteria if criterion.gained < criterion.points]
        return tuple(sorted(lacking, key=lambda criterion: (-(criterion.points - criterion.gained) / criterion.effort, criterion.name)))


def score(facts: ScoreFacts, criteria: Iterable[Criterion]) -> ProductScore:
    """The score that follows from the facts. The points of a letter's criteria are brought to a hundred, whoever has added some."""
    every = tuple(criteria)
    weights = {letter: sum(criterion.points for criterion in every if criterion.letter == letter) for letter in LETTERS}
    scored = tuple(_scored(criterion, facts, Fraction(100, weights[criterion.letter])) for criterion in sorted(every, key=_order))
    cap = CAPS.get(facts.info.lifecycle)
    letters = {letter: _letter([criterion for criterion in scored if criterion.letter == letter], cap) for letter in LETTERS}
    total = sum(letters.values()) // len(letters)
    return ProductScore(letters, total, badge(min(letters.values())), facts.info.lifecycle, cap, scored)


def _order(criterion: Criterion) -> tuple[int, int, str]:
    return LETTERS.index(criterion.letter), -criterion.points, criterion.name


def _scored(criterion: Criterion, facts: ScoreFacts, weight: Fraction) -> CriterionScore:
    try:
        finding = criterion.finding(facts)
    except Exception as error:  # one of a package: what it runs into is its own, and the others are counted
        finding = none_yet("nothing", f"the criterion failed: {type(error).__name__}: {error}")
    points = round(float(criterion.points * weight), 2)
    gained = round(points * min(1.0, max(0.0, finding.share or 0.0)), 2)
    about = " ".join((criterion.__doc__ or criterion.name).split())
    known = finding.share is not None
    return CriterionScore(
        criterion.name,
        criterion.letter,
        about,
        points,
        gained,
        known,
        finding.declared,
        finding.evidence,
        criterion.raised_by,
        criterion.effort,
    )


def _letter(scored: Sequence[CriterionScore], cap: int | None) -> int:
    """Rounded down: 100 means that nothing is lacking, however the points of single criteria were rounded."""
    lacking = not scored or any(criterion.gained < criterion.points for criterion in scored)
    gained = min(99, math.floor(sum(criterion.gained for criterion in scored) + 1e-6)) if lacking else 100
    return min(gained, 100 if cap is None else cap)


def badge(weakest: int) -> Badge:
    """The badge of a product whose weakest letter is this."""
    return next(name for least, name in BADGES if weakest >= least)


def score_data(scored: ProductScore) -> dict[str, Any]:
    """The score as plain values, for JSON."""
    return {**asdict(scored), "weakest": scored.weakest}


def score_from(data: Mapping[str, Any]) -> ProductScore:
    """The score that was kept as plain values."""
    kept = {name: value for name, value in data.items() if name != "weakest"}
    return ProductScore(**{**kept, "criteria": tuple(CriterionScore(**criterion) for criterion in data["criteria"])})


def capped_text(scored: ProductScore) -> str:
    """Why no letter is above some number; empty if nothing holds them down."""
    return f"a product that is {scored.lifecycle} has at most {scored.cap} in each letter" if scored.cap is not None else ""
