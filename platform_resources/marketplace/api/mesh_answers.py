"""The JSON models of product lists, searches, domains and errors."""

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.people.score_store import PastScore
from platform_resources.marketplace.api.trust_answers import IndicatorData, ResponseTimesData
from platform_resources.promises.forecast import MissedDeadline
from platform_resources.promises.grades import Status
from platform_resources.promises.key_asset_score import KeyAssetScore
from platform_resources.services.catalog.search_entries import PartKind
from platform_resources.services.catalog.search_results import FacetValue, Reason
from platform_resources.services.catalog.search_words import Correction
from platform_resources.services.unread_history import LedgerAge


class RefusalData(TypedDict):
    """Why a request failed, and what the caller may have meant."""

    error: str
    hint: str | None


class SeveralFilesData(TypedDict):
    """The addresses of a port's files, where it has several."""

    error: str
    files: list[str]


class PartOfNoVersionData(TypedDict):
    """A range request needs a version; this is the newest one."""

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
    score: PastScore | None


class ProductsData(TypedDict):
    """All products of the mesh at a moment."""

    as_of: datetime
    ledger: LedgerAge
    products: list[ProductLineData]


class FoundProductData(TypedDict):
    """A product in the results of a search, best first."""

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
    """A data set, column or query in the results of a search."""

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
    """The results of a search; `words` are the searched words after corrections."""

    words: list[str]
    corrections: list[Correction]
    every_word: bool
    product_count: int
    products: list[FoundProductData]
    parts: list[FoundPartData]
    facets: dict[str, list[FacetValue]]


class CandidateData(TypedDict):
    """A model or source used often that is not a product; shares of all uses, from 0 to 1."""

    product: str
    domain: str
    name: str
    kind: Literal["internal model", "source"]
    used_by: list[str]
    reads: int
    share: float
    cumulated: float


class DomainData(TypedDict):
    """A domain with its products."""

    name: str
    products: list[ProductLineData]


class PromiseOverTimeData(IndicatorData):
    """A promise of a product over a window."""

    product: str


class DigestData(TypedDict):
    """The next digest as it would be sent now; `at` is the time of day, `body` HTML."""

    at: str
    zone: str
    channel: str
    subject: str
    body: str


class WholeDomainData(DomainData):
    """A domain with what its owners are to know: promises by budget left, incidents by age, and how fast trouble was found and fixed.

    `digest` is null where none is sent, or the reader does not see all products of the domain.
    """

    title: str
    description: str
    owners: list[str]
    promises_over_time: list[PromiseOverTimeData]
    open_incidents: list[str]
    response: dict[Literal["detect", "respond", "fix"], ResponseTimesData]
    steps: int
    steps_watched: int
    digest: DigestData | None


class MapProductData(TypedDict):
    """A product on the map, and the products that it reads."""

    name: str
    title: str
    domain: str
    status: Status
    reads: list[str]


class MapConsumerData(TypedDict):
    """A known user outside of the mesh, and the product that it reads."""

    name: str
    title: str
    kind: str
    reads: str


class DomainReadsData(TypedDict):
    """How many products of one domain read one of another."""

    domain: str
    reads: str
    products: int


class MapData(TypedDict):
    """The whole mesh: who reads from whom, and how each product is."""

    as_of: datetime
    products: list[MapProductData]
    consumers: list[MapConsumerData]
    domains: list[DomainReadsData]


class DeadlineData(TypedDict):
    """By when something must have happened so that a promise is kept."""

    product: str
    promise: str
    at: datetime


class UsedData(TypedDict):
    """How often a product was read within 30 days, and by how many."""

    product: str
    reads: int
    readers: int


class SinceData(TypedDict):
    """A product, and since when something is so."""

    product: str
    at: datetime


class HomeData(TypedDict):
    """What the first page tells beside the products: the first few of each."""

    as_of: datetime
    open_incidents: list[str]
    at_risk: list[MissedDeadline]
    deadlines: list[DeadlineData]
    most_used: list[UsedData]
    newly_published: list[SinceData]
    newly_certified: list[SinceData]
