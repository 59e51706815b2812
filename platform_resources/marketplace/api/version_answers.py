"""The JSON models of versions and column profiles."""

from datetime import datetime
from typing import Any, NotRequired

from typing_extensions import TypedDict

from platform_resources.measuring.version_profiles import Difference, Histogram, Shown
from platform_resources.publications.version_records import PortVersion


class VersionData(TypedDict):
    """A published, readable version with what was read from each input port, which depends on the kind of port."""

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
    """The profile of a column; values that were not measured or are hidden are left out."""

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
    """The column profiles of a data set in one version."""

    version: str
    published_at: datetime
    columns: list[ColumnProfileData]
    version_before: str | None
    differences: list[Difference]


class RecordsData(TypedDict):
    """A page of a port's records in one version. `next` is the cursor of the next page, null on the last."""

    product: str
    port: str
    version: str
    columns: dict[str, str]
    rows: list[dict[str, Any]]
    next: str | None
    next_page: str | None


class ChangeData(TypedDict):
    """What became of one row from a version to the next: `op` is insert, update or delete."""

    op: str
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangesData(TypedDict):
    """Changes of a port from one version to the next; `since` is null where it is every row. Go on with `next`; there may be more to come
    at once unless `is_newest`."""

    product: str
    port: str
    since: str | None
    until: str
    key: list[str]
    columns: dict[str, str]
    changes: list[ChangeData]
    next: str
    is_newest: bool


class ReadVersionData(TypedDict):
    """A version that a query has read, and as of when its data is known."""

    product: str
    version: str
    as_of: datetime | None


class QueryAnswerData(TypedDict):
    """The rows of a query, every value as text; `cut` if there are more rows. `read` are the versions of what the query names."""

    columns: list[str]
    rows: list[list[str | None]]
    cut: bool
    seconds: float
    products: list[str]
    read: list[ReadVersionData]


class AskedRoleData(TypedDict):
    """The result of a role request: the grant's name, state, and who decides."""

    grant: str
    state: str
    decides: list[str]


class HookData(TypedDict):
    """A webhook that is called for each new version of a product."""

    hook: int
    product: str
    url: str
    since: datetime


class NewHookData(HookData):
    """A new webhook with the secret that signs its calls, shown only once."""

    secret: str
