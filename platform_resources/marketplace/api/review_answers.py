"""The JSON models of reviews and similar products."""

from datetime import datetime

from typing_extensions import TypedDict

from platform_resources.services.catalog.similar_products import Similar
from platform_resources.services.catalog.use_of_products import CommonReaders


class LikesData(TypedDict):
    """Similar products, and products that the same readers use."""

    similar: list[Similar]
    also_read: list[CommonReaders]


class ReviewData(TypedDict):
    """One person's review; a `verified_reader` read the product within 90 days."""

    person: str
    stars: int
    text: str
    at: datetime
    verified_reader: bool
    answer: str
    answered_by: str
    answered_at: datetime | None


class HiddenReviewData(TypedDict):
    """A hidden review: who hid it and why."""

    at: datetime
    by: str
    because: str
    since: datetime


class ReviewsData(TypedDict):
    """Reviews of a product; `stars` is their mean."""

    stars: float | None
    shown: list[ReviewData]
    hidden: list[HiddenReviewData]
