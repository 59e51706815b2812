"""The score of one product in six letters as a reader may see it, for its page and the API."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.score_store import PastScore, kept_scores, score_history
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.scores import CriterionScore, ProductScore, capped_text
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import WITHHELD

GRADED_OVER, MOST_ADVICE = timedelta(days=90), 5


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A score, its time, the reason if it is capped, and its history of 90 days, oldest first."""

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
        """The last score with other letters."""
        return next((grade for grade in reversed(self.history) if grade.letters != self.score.letters), None)

    @property
    def advice(self) -> tuple[CriterionScore, ...]:
        """The criteria that raise the score most for the least effort."""
        return self.score.advice[:MOST_ADVICE]


def grade(connection: Connection, view: MeshOverview, product: ProductPlan) -> ShownScore | None:
    """The score, None if there is none yet. Evidence may name people: only readers of the whole product see it."""
    if product.name not in view.letters:
        return None
    kept = kept_scores(connection, [product.name])[product.name]
    history = score_history(connection, product.name, view.at - GRADED_OVER)
    score = kept.score
    if not view.sees_all(product.name):
        score = replace(score, criteria=tuple(replace(criterion, declared=WITHHELD, evidence=WITHHELD) for criterion in score.criteria))
    return ShownScore(score, kept.at, capped_text(score), history)
