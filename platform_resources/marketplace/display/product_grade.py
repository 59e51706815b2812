"""The grade of one product in six letters, as a reader may see it: for its page, and for the API."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.score_store import PastScore, kept_scores, score_history
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.scores import CriterionScore, ProductScore, capped_text
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import WITHHELD

GRADED_OVER, MOST_ADVICE = timedelta(days=90), 5


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A score, when it was found, why it is held down if it is, and what it was over the last 90 days, oldest first."""

    score: ProductScore
    at: datetime
    capped: str
    history: tuple[PastScore, ...]

    @property
    def letters(self) -> list[tuple[str, int, Sequence[CriterionScore]]]:
        """Each letter with its points and criteria."""
        return [(letter, points, self.score.of_letter(letter)) for letter, points in self.score.letters.items()]

    @property
    def before(self) -> PastScore | None:
        """The last one that was different."""
        return next((grade for grade in reversed(self.history) if grade.letters != self.score.letters), None)

    @property
    def advice(self) -> tuple[CriterionScore, ...]:
        """What would raise it most for the least work."""
        return self.score.advice[:MOST_ADVICE]


def grade(ledger: Ledger, view: MeshOverview, product: ProductPlan) -> ShownScore | None:
    """None while it was not scored. What was seen may name people, so it is told to those who see the whole product."""
    if product.name not in view.letters:
        return None
    with ledger.reading() as connection:
        kept = kept_scores(connection, [product.name])[product.name]
        history = score_history(connection, product.name, view.at - GRADED_OVER)
    score = kept.score
    if not view.sees_all(product.name):
        score = replace(score, criteria=tuple(replace(criterion, declared=WITHHELD, evidence=WITHHELD) for criterion in score.criteria))
    return ShownScore(score, kept.at, capped_text(score), history)
