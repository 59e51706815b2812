"""What is planned of a product's input ports, output ports and consumers."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from platform_resources.access.reader_standing import Offers
from platform_resources.access.views import DataSetViews
from platform_resources.capabilities.protocols import Pull, Store
from platform_resources.plan.check_plans import CheckPlan, SourceLine
from platform_resources.plan.conventions import Key
from platform_resources.spec.components import Column, InputColumn
from platform_resources.spec.values.deadlines import MaxAge


@dataclass(frozen=True, slots=True)
class Upstream:
    """The output port that an input port reads, and the columns it promised when the plan was made.

    `offers` is what its product offers to whom, in which `views`; None while its document does not tell that. `domain_access` is whether it
    is known that products of its domain see everything. `role` is the one asked for.
    """

    product: str
    domain: str
    port: str
    version: str
    columns: tuple[Column, ...]
    offers: Offers | None = None
    views: DataSetViews = field(default_factory=DataSetViews)
    domain_access: bool = False
    role: str = ""
    former_products: tuple[str, ...] = field(default=(), metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One input port: how it is pulled and what its failure means. `set_aside`: rows that break its contract go to quarantine."""

    name: str
    title: str
    description: str
    key: Key
    interface: str
    kind: str
    pull: Pull
    upstream: Upstream | None
    source: Key | None
    dependencies: tuple[Key, ...]
    serve_last_good: bool
    max_staleness: timedelta | None
    columns: tuple[InputColumn, ...]
    checks: tuple[CheckPlan, ...]
    place: SourceLine
    set_aside: bool = field(default=False, metadata={"planned": False})
    former_names: tuple[str, ...] = field(default=(), metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """One output port: which data set, stored how, kept how long.

    `version` is its own, where it is of an older major than the product; until `end_date`, `replacement` is offered beside it.
    `fresh_for` is how long a version is promised to be fresh after the pulls that it is made from, where nothing else tells its age.
    After its `retention` an older version is taken away, however many are to be kept.
    """

    name: str
    title: str
    description: str
    key: Key
    interface: str
    kind: str
    data_set: str
    model: str
    store: Store
    keep_versions: int
    fresh_for: MaxAge | None
    folder: str
    place: SourceLine
    retention: timedelta | None = None
    former_names: tuple[str, ...] = field(default=(), metadata={"planned": False})
    version: str | None = field(default=None, metadata={"planned": "where there is one"})
    replacement: str | None = field(default=None, metadata={"planned": False})
    end_date: date | None = field(default=None, metadata={"planned": False})

    @property
    def is_ending(self) -> bool:
        """Whether its readers are to move to another port."""
        return (self.version or self.replacement or self.end_date) is not None


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """A known consumer outside the mesh; or, with a `data_set`, an output port that the platform does not run: a service made from it."""

    name: str
    title: str
    key: Key
    kind: str
    dependencies: tuple[Key, ...]
    url: str | None
    owner: str | None
    description: str
    place: SourceLine
    probe: bool = field(default=False, metadata={"planned": False})
    data_set: str | None = field(default=None, metadata={"planned": False})
