"""The JSON models of promises, incidents and trust."""

from datetime import datetime
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from platform_resources.capabilities.judgements import Verdict
from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.promises.coverage import Coverage
from platform_resources.promises.forecast import MissedDeadline
from platform_resources.promises.slices import Slice
from platform_resources.services.showing.incident_story import Reached
from platform_resources.spec.notifications import Severity


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
    """An indicator: the share of its window that was good, and its remaining error budget."""

    name: str
    title: str


class OverTimeData(_Standing):
    """An indicator with each slice of its window."""

    check: str
    slices: list[Slice]


class IncidentData(TypedDict):
    """An incident; `impacted` are products that failed because of it."""

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
    """An incident with its failing checks, affected products, and events."""

    failures: list[FailureData]
    reached: list[Reached]
    events: list[IncidentEvent]


class AcceptedData(TypedDict):
    """A fault that somebody accepted."""

    title: str
    check: str
    incident: str
    resolution: str
    by: str
    at: datetime
    note: str


class CoverageToldData(TypedDict):
    """How much is watched of the product, and of everything upstream; `blind` are products without any watching."""

    own: Coverage
    lineage: Coverage
    blind: list[str]


class ResponseTimesData(TypedDict):
    """Response times over the incidents of 90 days."""

    median_hours: float | None
    p90_hours: float | None
    incidents: int
    not_ended: int


class PortReadsData(TypedDict):
    """Reads of one port; `columns` has the reads of each column where a warehouse tells them."""

    count: int
    readers: list[str]
    columns: dict[str, int]


class ReadsData(TypedDict):
    """Reads within 30 days that the platform sees."""

    by_port: dict[str, PortReadsData]
    readers: list[str]


class TrustData(TypedDict):
    """Evidence for trusting the product."""

    indicators: list[IndicatorData]
    incidents: list[IncidentData]
    accepted: list[AcceptedData]
    deadlines_at_risk: list[MissedDeadline]
    tests_and_monitors: int
    coverage: CoverageToldData
    response: dict[Literal["detect", "respond", "fix"], ResponseTimesData]
    reads: ReadsData
    numbers: dict[str, float]
