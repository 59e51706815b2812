"""Reviews of products: who may write, answer and hide them, and which reviewers were seen reading the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean

from platform_resources.access.duties import Officers
from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.review_store import Review, answer_review, hide_review, reviews_of, write_review
from platform_resources.ledger.queries.reads import has_read, pulls_of
from platform_resources.plan.plan import MeshPlan, ProductPlan

READ_WITHIN = timedelta(days=90)
STARS, LONGEST_TEXT = range(1, 6), 2000


class ReviewRefused(Exception):
    """Raised for a review action that is not allowed; says why."""


@dataclass(frozen=True, slots=True)
class ShownReview:
    """A review, and whether the ledger saw its author read the product within 90 days."""

    review: Review
    verified: bool


@dataclass(frozen=True, slots=True)
class Reviews:
    """Visible reviews, newest first, and hidden ones. `stars` is the mean of the visible ones, None without any."""

    shown: tuple[ShownReview, ...]
    hidden: tuple[Review, ...]

    @property
    def stars(self) -> float | None:
        """The mean of the visible reviews, 1 to 5; None without any."""
        return mean(shown.review.stars for shown in self.shown) if self.shown else None


def product_reviews(connection: Connection, plan: MeshPlan, product: str, now: datetime) -> Reviews:
    """The reviews of a product."""
    written, pulls = reviews_of(connection, product), pulls_of(plan)
    shown = (review for review in written if review.hidden_at is None)
    return Reviews(
        tuple(ShownReview(review, has_read(connection, product, review.person, now - READ_WITHIN, pulls)) for review in shown),
        tuple(review for review in written if review.hidden_at is not None),
    )


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who reads or writes reviews: `reader` is None for the user of this computer."""

    name: str
    reader: Reader | None
    officers: Officers

    def owns(self, owners: Sequence[str]) -> bool:
        """Whether this person owns the product, and so answers reviews instead of writing them."""
        return self.reader is not None and self.reader.is_among(owners)

    def may_answer(self, owners: Sequence[str]) -> bool:
        """Whether this person may answer reviews of the product."""
        return self.reader is None or self.owns(owners)


def say(ledger: Ledger, product: ProductPlan, who: Reviewer, stars: str, said: str, now: datetime) -> None:
    """Write or change one's own review. Raises ReviewRefused."""
    if who.owns(product.owners):
        raise ReviewRefused("owners answer reviews of their product, and write none")
    if stars not in map(str, STARS):
        raise ReviewRefused("choose one to five stars")
    with ledger.writing() as connection:
        write_review(connection, product.name, who.name, int(stars), _text(said), now)


def answer(ledger: Ledger, product: ProductPlan, who: Reviewer, person: str, text: str, now: datetime) -> None:
    """Answer a review, or change the answer. Raises ReviewRefused."""
    if not who.may_answer(product.owners):
        raise ReviewRefused("an owner of the product answers")
    with ledger.writing() as connection:
        if not answer_review(connection, product.name, person, _text(text), who.name, now):
            raise ReviewRefused(f"{person} has not reviewed {product.title}")


def hide(ledger: Ledger, product: ProductPlan, who: Reviewer, person: str, because: str, now: datetime | None) -> None:
    """Hide a review, for a reason that stays in its place; without a moment show it again. Raises ReviewRefused."""
    if not who.officers.may_hide_reviews(who.reader):
        raise ReviewRefused("governance hides reviews, owners do not")
    if now is not None and not because.strip():
        raise ReviewRefused("say why the review is hidden")
    with ledger.writing() as connection:
        if not hide_review(connection, product.name, person, because.strip()[:LONGEST_TEXT], who.name, now):
            raise ReviewRefused(f"{person} has not reviewed {product.title}")


def _text(said: str) -> str:
    return said.strip()[:LONGEST_TEXT]
