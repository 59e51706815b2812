"""What the JSON of versions and of the profiles of their columns consists of."""

from datetime import datetime
from typing import Any, NotRequired

from typing_extensions import TypedDict

from platform_resources.measuring.version_profiles import Difference, Histogram, Shown
from platform_resources.publications.version_records import PortVersion


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


class RecordsData(TypedDict):
    """A page of a port's records in one version. `next` is the cursor behind it; where it is null, there are no more."""

    product: str
    port: str
    version: str
    columns: dict[str, str]
    rows: list[dict[str, Any]]
    next: str | None
    next_page: str | None


class QueryAnswerData(TypedDict):
    """The rows of a query, every value as a text; `cut` says that there are more rows than are given."""

    columns: list[str]
    rows: list[list[str | None]]
    cut: bool
    seconds: float
    products: list[str]


class AskedRoleData(TypedDict):
    """What became of asking for a role: the grant's name, its state, and who decides."""

    grant: str
    state: str
    decides: list[str]


class HookData(TypedDict):
    """A machine that hears of each new version of a product."""

    hook: int
    product: str
    url: str
    since: datetime


class NewHookData(HookData):
    """The same when it begins, with the secret that calls are signed with: it is told this once."""

    secret: str
