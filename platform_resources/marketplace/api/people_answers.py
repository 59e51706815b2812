"""The JSON models of what people do: reviews, roles and requests, saved queries; and of similar products."""

from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from platform_resources.access.grants import Act, State
from platform_resources.contracts.expectation import Outcome
from platform_resources.marketplace.api.version_answers import HookData
from platform_resources.services.catalog.similar_products import Similar
from platform_resources.services.catalog.use_of_products import CommonReaders
from platform_resources.spec.notifications import Severity


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


class GrantStateData(TypedDict):
    """A role of a product for a person, team or product; `state` is what it is worth now, `last` what was done to it last."""

    name: str
    product: str
    role: str
    subject: str
    purpose: str
    attributes: dict[str, str]
    requested_by: str
    requested_at: datetime | None
    last: Act
    last_by: str
    last_at: datetime | None
    why: str
    since: datetime | None
    until: datetime | None
    in_code: bool
    state: State


class ExpectedData(TypedDict):
    """An objective that somebody expects of a product, what for, how it came out when it was tried, and what became of it."""

    name: str
    product: str
    title: str
    component: dict[str, Any]
    purpose: str
    person: str
    tried: str
    since: datetime
    outcome: Outcome
    why: str
    decided_by: str


class UnansweredReviewData(TypedDict):
    """A review of one's product that nobody has answered."""

    product: str
    person: str
    stars: int
    text: str
    at: datetime


class HeardData(TypedDict):
    """Of which product one hears where, from which severity on."""

    product: str
    channel: str
    severity: Severity


class InboxData(TypedDict):
    """What waits for whoever asks, which roles of their products others have, and what they have themselves."""

    to_decide: list[GrantStateData]
    expected: list[ExpectedData]
    given: list[GrantStateData]
    asked_for: list[GrantStateData]
    unanswered_reviews: list[UnansweredReviewData]
    open_incidents: list[str]
    hears_of: list[HeardData]


class RoleColumnsData(TypedDict):
    """A role that can be asked for, and which columns it sees how; `duration` in seconds."""

    role: str
    agreement: str
    approval: Literal["automatic", "owner"]
    duration: float | None
    attributes: dict[str, list[str]]
    clear: list[str]
    masked: list[str]
    left_out: list[str]
    filters_rows: bool


class AccessData(TypedDict):
    """What whoever asks sees of a product and why, its roles, and for whom they may ask for one."""

    sees: Literal["all", "open", "role", "nothing"]
    why: str
    role: str | None
    roles: list[RoleColumnsData]
    asked_for: list[GrantStateData]
    expected: list[ExpectedData]
    for_whom: list[str]
    hears_of: list[HeardData]
    channels: list[str]
    hooks: list[HookData]


class TableData(TypedDict):
    """A table of the lab with the columns that one sees, and a first query over it."""

    product: str
    data_set: str
    columns: list[str]
    query: str


class NamedQueryData(TypedDict):
    """A query that a product names."""

    product: str
    title: str
    description: str
    sql: str


class SavedQueryData(TypedDict):
    """A query that somebody saved; tables of `product` need no name before the point."""

    title: str
    sql: str
    product: str | None
    person: str
    at: datetime
    reads: list[str]


class LabData(TypedDict):
    """What one may query, and what there is to begin with."""

    tables: list[TableData]
    queries: list[NamedQueryData]
    saved: list[SavedQueryData]
