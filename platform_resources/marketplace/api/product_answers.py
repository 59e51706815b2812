"""What the JSON of one product consists of."""

from datetime import date, datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from platform_resources.marketplace.api.trust_answers import OverTimeData, TrustData
from platform_resources.promises.grades import CheckState, Status
from platform_resources.services.catalog.access_snippets import Snippet
from platform_resources.services.control_ports.declared_ports import ControlPortState

_Class = TypedDict("_Class", {"class": str})


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
    terms: dict[str, str]
    agreements: list[AgreementData]
    health: HealthData
    promises: list[CheckState]
    data_sets: list[DataSetTextData]
    ports: list[PortData]
    sample_queries: list[QueryData]
    control_ports: list[ControlPortState]
    trust: TrustData
    over_time: list[OverTimeData]
    declared_in: str
