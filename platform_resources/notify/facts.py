"""The facts that messages are made from, collected from the plan, incidents and the ledger as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from platform_resources.contracts.structure_changes import lost_columns
from platform_resources.incidents.life_cycle import Incident, Resolution
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.routes import DigestPlan, Patience, RoutePlan
from platform_resources.promises.attainment import Budget
from platform_resources.promises.grades import Status
from platform_resources.promises.schema_difference import SchemaDifference
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.calendar_windows import WindowLength

State = Literal["waiting", "sending", "sent", "failing", "given up", "withdrawn"]
Outbox = Mapping[str, State]
FailureKind = Literal["objective", "test", "input", "indicator", "refresh", "versions"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription: this channel receives incidents of this product from this severity on."""

    product: str
    channel: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class About:
    """A product as messages describe it, see `product_facts`; one that left the mesh has only name, title and domain.

    `runbook` is an address, or a path from the mesh's root. `consumers` are the titles of those outside the mesh. `good_as_of` is as of
    when the version is that is served, which has passed its gates; None if there is none. `status` and `because` are what `mesh status`
    says of it, None where it says nothing: the product is gone, or its description is broken.
    """

    name: str
    title: str
    domain: str
    timezone: str = "UTC"
    owners: tuple[str, ...] = ()
    support: str = ""
    runbook: str = ""
    consumers: tuple[str, ...] = ()
    routes: tuple[RoutePlan, ...] = ()
    patience: Patience = field(default_factory=Patience)
    good_as_of: datetime | None = None
    status: Status | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """A product affected by an incident `since` a time, until `until` (None: still).

    `via` are the titles of the products between the root and it, empty if it reads the root itself. A product that fails once more gets
    a new `since`.
    """

    about: About
    since: datetime
    until: datetime | None = None
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing check of the root product; `check` is its name there: `orders:refreshed_daily`, `inputs/deliveries:arrived`.

    `held_back`: it was found in a version that was never published, and not in the one that consumers read. A `gate` stops a publication.
    `shown`: `mesh status` says that it is missed.
    """

    check: str
    title: str
    since: datetime
    dimension: str = ""
    reason: str = ""
    value: str = ""
    threshold: str = ""
    failing_rows: int | None = None
    run_id: str = ""
    held_back: bool = False
    gate: bool = False
    shown: bool = False

    @property
    def fault(self) -> str:
        """The fault in words, derived from the check's title."""
        return fault(self.check, self.title)

    @property
    def kind(self) -> FailureKind:
        """The kind of check, derived from its name."""
        match self.check.partition(":")[0].split("/"):
            case ["refresh"]:
                return "refresh"
            case ["versions"]:
                return "versions"
            case ["inputs", *_]:
                return "input"
            case ["scorecard"]:
                return "indicator"
            case _:
                return "objective" if self.dimension else "test"


@dataclass(frozen=True, slots=True)
class NewFault:
    """What began to fail during an open incident and does not follow from what failed before; `at` is when it was noticed.

    `differs`: the refresh failed before, for another reason.
    """

    failure: Failure
    at: datetime
    differs: bool = False

    @property
    def stops(self) -> bool:
        """Whether it is a closed gate or a failed refresh, which is told at once."""
        return self.failure.gate or self.failure.kind == "refresh"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident with all facts for its messages.

    `because` says why the severity is what it is. `impacts` are those of this phase: since it was opened, or reopened last
    (`reopened_at`, by `reopened_by` if it was a person). `moved_from` are the incidents that have moved here since then, directly or over
    others. `ending` is the note of whoever resolved it. `new_faults` are those of this phase. `related` are incidents of products
    above that are open too, by name and title: they may have to do with it, and nothing proves that they do. `recovering`: nothing fails
    any more, but it takes more good readings until it is over.
    """

    incident: Incident
    severity: Severity
    root: About
    because: str = ""
    impacts: tuple[Impact, ...] = ()
    failures: tuple[Failure, ...] = ()
    reopened_at: datetime | None = None
    moved_from: tuple[Incident, ...] = ()
    ending: str = ""
    new_faults: tuple[NewFault, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    reopened_by: str = ""
    recovering: bool = False

    @property
    def held_back(self) -> bool:
        """Whether a new version was built and not published."""
        return any(failure.held_back for failure in self.failures)

    @property
    def gates(self) -> tuple[Failure, ...]:
        """The gates that held a new version back."""
        return tuple(failure for failure in self.failures if failure.held_back and failure.gate)

    @property
    def phase(self) -> int:
        """How often the incident was reopened, from 0."""
        return self.incident.reopened

    @property
    def noticed_at(self) -> datetime:
        """When the platform noticed this phase."""
        return self.reopened_at or self.incident.opened_at

    @property
    def began_at(self) -> datetime:
        """When the fault of this phase began."""
        return self.incident.began_at if self.reopened_at is None else self.reopened_at


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """One indicator's error budget. `levels` are those reached now: 50, 75 or 100 percent consumed.

    `interval` is the length of a slice if the budget is a number of slices, None if it is one of events or of time.
    `below_at` says of a level when it was last known not to be reached; a level without it was reached ever since anybody looked.
    """

    about: About
    indicator: str
    title: str
    target: float
    percent: float
    budget: Budget
    window: WindowLength
    levels: tuple[int, ...]
    below_at: Mapping[int, datetime] = field(default_factory=dict)
    interval: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """Column changes of one published version, by port title.

    `downstream` are the products below that are concerned, however far; `used` are the columns lost or changed that each of them uses, by
    its name: none where that is not known.
    """

    about: About
    version: str
    ports: Mapping[str, SchemaDifference]
    downstream: tuple[About, ...] = ()
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def breaking(self) -> bool:
        """Whether a change of any port breaks consumers."""
        return any(lost_columns(difference) for difference in self.ports.values())


@dataclass(frozen=True, slots=True)
class InputChange:
    """Column changes in what one refresh pulled from outside the mesh, by input port title."""

    about: About
    run_id: str
    ports: Mapping[str, SchemaDifference]

    @property
    def breaking(self) -> bool:
        """Whether a change of any input breaks the product."""
        return any(difference.breaking for difference in self.ports.values())


@dataclass(frozen=True, slots=True)
class PortEnding:
    """An output port that ends, as `text` says, and who still reads it: by name, the products among them, and addresses of people.

    `version` is that under which it goes on.
    """

    about: About
    port: str
    text: str
    end_date: date | None = None
    readers: tuple[str, ...] = ()
    below: tuple[About, ...] = ()
    addresses: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class RetiredProduct:
    """A product that was retired: when, by whom and why, what takes its place, and the products that read it."""

    about: About
    at: datetime
    person: str
    why: str
    replacement: str
    below: tuple[About, ...] = ()


@dataclass(frozen=True, slots=True)
class LostCertificate:
    """A certificate by which a product is certified no more: who granted it and when, and why it is lost; empty where its time is over."""

    about: About
    person: str
    granted_at: datetime
    ended_at: datetime
    because: str = ""


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A digest line: a product's status today and the reason; `product` is empty if `mesh status` does not show it."""

    title: str
    status: Status
    because: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A digest line: an open incident."""

    title: str
    incident: Incident
    severity: Severity


@dataclass(frozen=True, slots=True)
class ResolvedLine:
    """A digest line: an incident that ended within the last day, and how long it lasted."""

    title: str
    name: str
    resolution: Resolution
    took: timedelta


@dataclass(frozen=True, slots=True)
class Day:
    """The last day of a domain, for its digest."""

    domain: str
    title: str
    digest: DigestPlan
    products: tuple[ProductLine, ...]
    open: tuple[OpenLine, ...] = ()
    resolved: tuple[ResolvedLine, ...] = ()
    budgets: tuple[BudgetStanding, ...] = ()
    schemas: tuple[SchemaChange, ...] = ()
    inputs: tuple[InputChange, ...] = ()
    endings: tuple[PortEnding, ...] = ()
    page: str = ""


def product_facts(product: ProductPlan, good_as_of: datetime | None = None, timezone: str = "UTC") -> About:
    """The facts of a planned product; `timezone` is the zone of its times."""
    support = product.info.support
    return About(
        product.name,
        product.title,
        product.domain,
        timezone,
        product.owners,
        support.channel or "",
        _runbook(product.place.file, support.runbook or ""),
        tuple(consumer.title for consumer in product.consumers),
        product.routes,
        product.patience,
        good_as_of,
    )


def _runbook(product_file: str, runbook: str) -> str:
    """In product.yaml a file is written as it lies beside it; whoever reads a message does not know where that is."""
    folder = product_file.rpartition("/")[0]
    return f"{folder}/{runbook}" if runbook and folder and "://" not in runbook else runbook
