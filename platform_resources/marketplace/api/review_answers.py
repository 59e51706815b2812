"""What the JSON of reviews and of similar products consists of."""

from datetime import datetime

from typing_extensions import TypedDict

from platform_resources.services.catalog.similar_products import Similar
from platform_resources.services.catalog.use_of_products import CommonReaders


class LikesData(TypedDict):
    """Products that are like one, and what its readers read as well."""

    similar: list[Similar]
    also_read: list[CommonReaders]


class ReviewData(TypedDict):
    """What one person says of a product; a `verified_reader` was seen to read it within 90 days."""

    person: str
    stars: int
    text: str
    at: datetime
    verified_reader: bool
    answer: str
    answered_by: str
    answered_at: datetime | None


class HiddenReviewData(TypedDict):
    """That a review is hidden, by whom and why."""

    at: datetime
    by: str
    because: str
    since: datetime


class ReviewsData(TypedDict):
    """Reviews of a product; `stars` is their mean."""

    stars: float | None
    shown: list[ReviewData]
    hidden: list[HiddenReviewData]
