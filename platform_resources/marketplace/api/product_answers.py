"""The JSON models of one product."""

from datetime import date, datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from platform_resources.contracts.affected_consumers import ConsumerKind
from platform_resources.ledger.people.certifications import Certificate
from platform_resources.marketplace.api.trust_answers import OverTimeData, TrustData
from platform_resources.promises.grades import CheckState, Status
from platform_resources.services.catalog.access_snippets import Snippet
from platform_resources.services.control_ports.declared_ports import ControlPortState
from platform_resources.services.releases.tombstones import Tombstone

_Class = TypedDict("_Class", {"class": str})


class ColumnTextData(TypedDict):
    """A column as promised."""

    name: str
    type: str
    description: str
    classification: str
    unit: str | None
    identifier: str | None
    nullable: bool


class DataSetTextData(TypedDict):
    """A data set as promised."""

    name: str
    title: str
    description: str
    primary_key: list[str]
    columns: list[ColumnTextData]


class PortReaderData(TypedDict):
    """Somebody who still reads a port that ends, or may; `columns` are those that are used, none where that is not known."""

    kind: ConsumerKind
    name: str
    why: str
    columns: list[str]
    owners: list[str]


class MovedReaderData(TypedDict):
    """Somebody who does without the port, and who has said so."""

    consumer: str
    by: str
    at: datetime


class PortEndingData(TypedDict):
    """A port that another one takes the place of. Who reads it is told to those who see the whole product."""

    port: str
    version: str
    replacement: str | None
    end_date: date | None
    readers: list[PortReaderData] | None
    moved: list[MovedReaderData] | None


class PortData(TypedDict):
    """An output port, with all snippets that read it."""

    name: str
    title: str
    description: str
    interface: str
    data_set: str
    retention: str | None
    version: str
    ending: PortEndingData | None
    access: list[Snippet]


class OwnersData(TypedDict):
    """The owners of a product."""

    business: NotRequired[str]
    technical: NotRequired[str]


class SupportData(TypedDict):
    """Where to get help."""

    channel: str | None
    runbook: str | None


class RoleData(TypedDict):
    """The classifications that a role sees, in clear or masked; `rows` is its row filter."""

    role: str
    sees: list[str]
    masked: list[str]
    masks: dict[str, Any]
    columns: dict[str, Any]
    rows: str
    attributes: dict[str, list[str]]


class GrantData(TypedDict):
    """A role granted in product.yaml itself."""

    role: str
    to: str
    purpose: str
    approved_by: str
    since: NotRequired[date]
    until: NotRequired[date]
    attributes: dict[str, str]


class AgreementData(TypedDict):
    """The declared terms of use."""

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
    """A sample query."""

    title: str
    description: str
    port: str
    sql: str


class HealthData(TypedDict):
    """The health of a product, and the columns affected."""

    status: Status
    reason: str
    columns: list[str]


class SignOffData(TypedDict):
    """A person's signature under a stage of a product's life."""

    person: str
    at: datetime
    why: str


class StageData(TypedDict):
    """What a stage of its life requires of a product; `is_now`: the product says that it is in it."""

    stage: str
    is_now: bool
    needs: list[str]
    signed_by: list[str]
    signed: list[SignOffData]
    missing: list[str]


class ProductData(_Class):
    """One product: its description, its health, and how to access it. `stages` are told to those who see the whole product."""

    as_of: datetime
    name: str
    title: str
    domain: str
    version: str
    lifecycle: str
    archetype: str | None
    certified: bool
    certificate: Certificate | None
    retired: Tombstone | None
    replacement: str | None
    stages: list[StageData]
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
