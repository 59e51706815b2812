"""What each answer of the JSON consists of, for OpenAPI. Nothing is converted by it: tests hold real answers against it.

Times are ISO 8601 texts. Lists and texts may be empty, and what is not known is null, or is left out where a field says so.
"""

from datetime import date, datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from platform_resources.capabilities.judgements import Verdict
from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.ledger.people.consumer_answers import ConsumerAnswer
from platform_resources.lineage.column_uses import Kind
from platform_resources.measuring.version_profiles import Difference, Histogram, Shown
from platform_resources.promises.coverage import Coverage
from platform_resources.promises.forecast import MissedDeadline
from platform_resources.promises.grades import CheckState, Status
from platform_resources.promises.key_asset_score import KeyAssetScore
from platform_resources.promises.slices import Slice
from platform_resources.publications.version_records import PortVersion
from platform_resources.services.catalog.access_snippets import Snippet
from platform_resources.services.catalog.search_entries import PartKind
from platform_resources.services.catalog.search_results import FacetValue, Reason
from platform_resources.services.catalog.search_words import Correction
from platform_resources.services.catalog.similar_products import Similar
from platform_resources.services.catalog.use_of_products import CommonReaders
from platform_resources.services.showing.incident_story import Reached
from platform_resources.services.unread_history import LedgerAge
from platform_resources.spec.notifications import Severity

_Class = TypedDict("_Class", {"class": str})


class RefusalData(TypedDict):
    """Why there is no answer, and what may be meant."""

    error: str
    hint: str | None


class SeveralFilesData(TypedDict):
    """A port has several files: the address of each."""

    error: str
    files: list[str]


class PartOfNoVersionData(TypedDict):
    """A part is given of a named version only: the newest one."""

    error: str
    versions: list[str]


class ProductLineData(TypedDict):
    """A product in a list."""

    name: str
    title: str
    domain: str
    description: str
    lifecycle: str
    certified: bool
    version: str
    status: Status
    reason: str
    columns_concerned: list[str]
    promises: dict[Verdict, int]
    data_as_of: datetime | None
    rows: dict[str, int] | None
    open_incidents: list[str]
    reads_in_30_days: int
    readers_in_30_days: int
    key_asset_score: KeyAssetScore


class ProductsData(TypedDict):
    """All products of the mesh at a moment."""

    as_of: datetime
    ledger: LedgerAge
    products: list[ProductLineData]


class FoundProductData(TypedDict):
    """A product that a search has found, the best first."""

    name: str
    title: str
    domain: str
    description: str
    lifecycle: str
    certified: bool
    exact: bool
    relevance: float
    reasons: list[Reason]


class FoundPartData(TypedDict):
    """A data set, column or query that a search has found."""

    kind: PartKind
    product: str
    domain: str
    data_set: str
    name: str
    title: str
    about: str
    words: str
    exact: bool
    reasons: list[Reason]


class FoundData(TypedDict):
    """What a search has found; `words` are those looked for, after corrections."""

    words: list[str]
    corrections: list[Correction]
    every_word: bool
    product_count: int
    products: list[FoundProductData]
    parts: list[FoundPartData]
    facets: dict[str, list[FacetValue]]


class CandidateData(TypedDict):
    """What much is made from and is no product; shares are of all uses, from 0 to 1."""

    product: str
    domain: str
    name: str
    kind: Literal["internal model", "source"]
    used_by: list[str]
    reads: int
    share: float
    cumulated: float


class ColumnTextData(TypedDict):
    """A column as it is promised."""

    name: str
    type: str
    description: str
    classification: str
    unit: str | None
    identifier: str | None
    nullable: bool


class DataSetTextData(TypedDict):
    """A data set as it is promised."""

    name: str
    title: str
    description: str
    primary_key: list[str]
    columns: list[ColumnTextData]


class PortData(TypedDict):
    """An output port, with every text to copy that reads it."""

    name: str
    title: str
    description: str
    interface: str
    data_set: str
    retention: str | None
    access: list[Snippet]


class OwnersData(TypedDict):
    """Who answers for a product."""

    business: NotRequired[str]
    technical: NotRequired[str]


class SupportData(TypedDict):
    """Where one gets help."""

    channel: str | None
    runbook: str | None


class RoleData(TypedDict):
    """Which classifications a role sees, and which masked and how; `rows` is the condition that a row must meet."""

    role: str
    sees: list[str]
    masked: list[str]
    masks: dict[str, Any]
    columns: dict[str, Any]
    rows: str
    attributes: dict[str, list[str]]


class GrantData(TypedDict):
    """A role that product.yaml itself grants."""

    role: str
    to: str
    purpose: str
    approved_by: str
    since: NotRequired[date]
    until: NotRequired[date]
    attributes: dict[str, str]


class AgreementData(TypedDict):
    """The terms of use, as they are declared."""

    title: str
    description: str
    purpose: str
    terms: str
    approval: Literal["automatic", "owner"]
    duration: NotRequired[str]
    notice_period: NotRequired[str]
    roles: list[RoleData]
    grants: list[GrantData]


class QueryData(TypedDict):
    """A query to begin with."""

    title: str
    description: str
    port: str
    sql: str


class HealthData(TypedDict):
    """How a product is now, and which columns that concerns."""

    status: Status
    reason: str
    columns: list[str]


class _Standing(TypedDict):
    verdict: Verdict
    state: str
    objective: str
    attainment_percent: NotRequired[float]
    target_percent: NotRequired[float]
    good: NotRequired[float]
    bad: NotRequired[float]
    unknown: NotRequired[float]
    excluded: NotRequired[float]
    provisional: NotRequired[float]
    known_of_total: str
    budget_left: NotRequired[float]
    budget_alerts: NotRequired[str]
    burn_rate: NotRequired[float]
    burn_alerts: NotRequired[str]
    next_deadline: NotRequired[datetime]


class IndicatorData(_Standing):
    """A promise over a window: how much of it was kept, and what is left of its budget."""

    name: str
    title: str


class OverTimeData(_Standing):
    """The same with each slice of the window."""

    check: str
    slices: list[Slice]


class IncidentData(TypedDict):
    """An incident; `impacted` products failed because of it."""

    name: str
    severity: Severity
    title: str
    cause: str
    number: int
    began_at: datetime
    opened_at: datetime
    changed_at: datetime
    status: str
    acknowledged_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime | None
    resolution: str | None
    reopened: int
    impacted: list[str]
    moved_to: list[str]
    checks: list[str]


class FailureData(TypedDict):
    """A check that fails during an incident."""

    check: str
    title: str
    since: datetime
    dimension: str
    reason: str
    value: str
    threshold: str
    failing_rows: int | None
    run_id: str
    held_back: bool
    gate: bool
    shown: bool
    fault: str


class IncidentStoryData(IncidentData):
    """An incident with what fails, whom it reaches, and what has happened."""

    failures: list[FailureData]
    reached: list[Reached]
    events: list[IncidentEvent]


class AcceptedData(TypedDict):
    """What fails, and somebody has said that it is no trouble."""

    title: str
    check: str
    incident: str
    resolution: str
    by: str
    at: datetime
    note: str


class CoverageToldData(TypedDict):
    """How much of the product, and of its whole way from the source, is watched; `blind` are products of which nothing is."""

    own: Coverage
    lineage: Coverage
    blind: list[str]


class ResponseTimesData(TypedDict):
    """How long it took, over the incidents of 90 days."""

    median_hours: float | None
    p90_hours: float | None
    incidents: int
    not_ended: int


class PortReadsData(TypedDict):
    """Reads of one port."""

    count: int
    readers: list[str]


class ReadsData(TypedDict):
    """Reads within 30 days that the platform sees."""

    by_port: dict[str, PortReadsData]
    readers: list[str]


class TrustData(TypedDict):
    """What tells whether the product can be trusted."""

    indicators: list[IndicatorData]
    incidents: list[IncidentData]
    accepted: list[AcceptedData]
    deadlines_at_risk: list[MissedDeadline]
    tests_and_monitors: int
    coverage: CoverageToldData
    response: dict[Literal["detect", "respond", "fix"], ResponseTimesData]
    reads: ReadsData
    numbers: dict[str, float]


class ProductData(_Class):
    """One product: what it is, how it is, and how to get at it."""

    as_of: datetime
    name: str
    title: str
    domain: str
    version: str
    lifecycle: str
    archetype: str | None
    certified: bool
    description: str
    purpose: str
    owners: OwnersData
    support: SupportData
    tags: list[str]
    agreements: list[AgreementData]
    health: HealthData
    promises: list[CheckState]
    data_sets: list[DataSetTextData]
    ports: list[PortData]
    sample_queries: list[QueryData]
    trust: TrustData
    over_time: list[OverTimeData]
    declared_in: str


class VersionData(TypedDict):
    """A published version that can be read. Of each input port it has what was read, which differs by the kind of port."""

    id: str
    product: str
    product_version: str
    published_at: datetime
    run_id: str
    fingerprint: str
    inputs: dict[str, dict[str, Any]]
    ports: list[PortVersion]
    built_in: str
    pinned_by: list[str]


class SourceData(TypedDict):
    """Where data comes from outside of the mesh."""

    name: str
    interface: str


class ConsumerData(TypedDict):
    """A known user outside of the mesh, and what it answered when it was asked last; null if it is not asked."""

    title: str
    kind: str
    owner: str | None
    answer: ConsumerAnswer | None


class ColumnUseData(TypedDict):
    """A column on the way, how it is used, and how many steps away it is."""

    product: str
    place: str
    column: str
    how: Kind
    distance: int


class ColumnWaysData(TypedDict):
    """The next columns outside of the product; `unknown` says why it is not known what the column is made from."""

    data_set: str
    column: str
    made_from: list[ColumnUseData]
    used_by: list[ColumnUseData]
    unknown: str | None


class LineageData(TypedDict):
    """What a product is made from, and who reads it."""

    reads: list[str]
    sources: list[SourceData]
    read_by: list[str]
    consumers: list[ConsumerData]
    columns: list[ColumnWaysData]


class ColumnPlaceData(TypedDict):
    """A column of a model, `inputs/PORT`, `outputs/PORT` or `sources/PORT`."""

    product: str
    place: str
    column: str


class ColumnConsumerData(TypedDict):
    """A known user of a port that has the column."""

    product: str
    name: str
    kind: str
    owner: str | None


class NotKnownData(TypedDict):
    """Where the way ends without being at its end, and why."""

    place: str
    why: str


class ColumnLineageData(TypedDict):
    """What a column is made from over all steps, and whom a change of it concerns."""

    column: ColumnPlaceData
    upstream: list[ColumnUseData]
    downstream: list[ColumnUseData]
    consumers: list[ColumnConsumerData]
    unknown: list[NotKnownData]


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


class ColumnProfileData(TypedDict):
    """What is in a column; what was not measured, or is hidden because of its classification, is left out."""

    rows: int | None
    sampled: int
    name: str
    type: str
    nulls: NotRequired[int]
    distinct: NotRequired[int]
    minimum: NotRequired[Shown]
    maximum: NotRequired[Shown]
    mean: NotRequired[float]
    deviation: NotRequired[float]
    not_numbers: NotRequired[int]
    quantiles: NotRequired[list[Shown]]
    top: NotRequired[list[tuple[str, int]]]
    histogram: NotRequired[Histogram]
    hidden: NotRequired[bool]
    error: NotRequired[str]


class ProfileData(TypedDict):
    """The columns of a data set in one version."""

    version: str
    published_at: datetime
    columns: list[ColumnProfileData]
    version_before: str | None
    differences: list[Difference]


class DomainData(TypedDict):
    """A domain with its products."""

    name: str
    products: list[ProductLineData]
