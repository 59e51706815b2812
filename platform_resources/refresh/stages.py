"""The stages of a refresh as plain data: which of them a product has, what they share, and what each gives."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.protocols import NotPulled
from platform_resources.dbt.build import NodeResult
from platform_resources.dbt.full_refresh import way_out
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.promises.grades import LastRefresh
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.auditing import Audited
from platform_resources.refresh.gate import Gate
from platform_resources.refresh.profiled_relations import Published
from platform_resources.refresh.publishing import Candidate
from platform_resources.refresh.sources.pull_records import Pulled
from platform_resources.warehouses.protocol import ProductDatabase


@dataclass(frozen=True, slots=True)
class Pull:
    """Bring these input ports up to date. Every port is pulled even if another fails."""

    ports: tuple[InputPlan, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """Run all models and tests of the product in one `dbt build`, in this process."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Judge the objectives that are measured on what was built, and open the gate if those that gate are met."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish all output ports as one version, if the gate is open."""


@dataclass(frozen=True, slots=True)
class Score:
    """Write the scorecard, and the health of each output port."""


Stage = Pull | Build | Audit | Publish | Score


def pulled_ports(product: ProductPlan) -> tuple[InputPlan, ...]:
    """The input ports that a refresh loads; the others are only described."""
    return tuple(port for port in product.inputs if not isinstance(port.pull, NotPulled)) if product.runs else ()


def stages(product: ProductPlan) -> tuple[Stage, ...]:
    """What a refresh of the product does, in order; nothing of a product that is only described."""
    if not product.runs:
        return ()
    pull = (Pull(ports),) if (ports := pulled_ports(product)) else ()
    audit = (Audit(),) if product.audited_after_build else ()
    publish = (Publish(),) if product.outputs else ()
    return (*pull, Build(), *audit, *publish, Score())


class RefreshedDatabase:
    """The product's database as the stages of one refresh open it, one after the other, under the product's lock."""

    def __init__(self, opened: Callable[[], AbstractContextManager[ProductDatabase]]) -> None:
        self._opened, self._kept = opened, ExitStack()
        self._database: ProductDatabase | None = None

    @contextmanager
    def __call__(self, keep: bool = False) -> Iterator[ProductDatabase]:
        """For one stage. Kept open for the next one it need not be opened again, but what somebody else does in between, such as dbt,
        finds it locked; after an error it is never kept."""
        with self._kept.pop_all() as stack:
            database, self._database = self._database or stack.enter_context(self._opened()), None
            yield database
            if keep:
                self._database, self._kept = database, stack.pop_all()

    def close(self) -> None:
        """Close what was kept open."""
        self._database = None
        self._kept.close()


@dataclass(frozen=True, slots=True)
class BegunRefresh:
    """What the stages of one refresh share.

    `clock` gives the time, which passes while a stage runs. `opened` opens the product's database. `grants` are
    those of the ledger, for inputs from other domains. `full_refresh` builds
    incremental models from scratch. `replay` has the cursor to read again from, by input. `days` are the
    first and the last one that are made anew; without them a refresh makes what is new. `tell` hears how far a stage is.
    `is_told` says of a version whether the run history has it, which it may lack if a run ended too early.
    """

    root: Path
    state: Path
    product: ProductPlan
    run_id: str
    clock: Callable[[], datetime]
    opened: RefreshedDatabase
    grants: Callable[[], KnownGrants]
    full_refresh: bool = False
    tell: Callable[[str], object] = str
    replay: Mapping[str, str] = field(default_factory=dict)
    is_told: Callable[[Publication], bool] = bool
    days: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What the scorecard says of a refresh that ends here."""

    gate: Gate
    last: LastRefresh


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a refresh does not go on. `kind` is what sort of failure it is; `failures` names what failed, such as a model."""

    reason: str
    kind: str = "Stopped"
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputPulled:
    """One input port after its pull at the time `at`. `error` says why nothing can be used of it, and is empty otherwise."""

    port: InputPlan
    pulled: Pulled
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class PullDone:
    """All input ports after their pulls."""

    inputs: tuple[InputPulled, ...]
    ending: Ending | None = None
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What dbt did by the time `at`. `product` has the tests that were to run; `part` says that not all was to be built, so that
    nothing of it is audited or published. `rows` has those of tables and `columns` the types of all, by model; `kept` are models with rows
    of earlier builds; `lineage` has what their columns are made from. There are no `nodes` where dbt did not begin. `inputs` are the
    verdicts about inputs alone.
    """

    product: ProductPlan
    at: datetime
    part: str = ""
    nodes: tuple[NodeResult, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    lineage: ProductLineage = field(default_factory=ProductLineage)
    inputs: tuple[Audited, ...] = ()
    ending: Ending | None = None
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class AuditDone:
    """The verdicts of an audit at the time `at`, and the gate after it. `kept` are models with rows of earlier builds.

    `served` is the version that consumers have meanwhile.
    """

    product: ProductPlan
    audited: tuple[Audited, ...]
    gate: Gate
    at: datetime
    kept: tuple[str, ...] = ()
    served: str | None = None
    ending: Ending | None = None
    stop: StopReason | None = None

    def hint(self, result: Audited) -> str:
        """What to do where more than the data may be to blame; empty otherwise."""
        return way_out(self.product, result.objective.check.key, self.kept)


@dataclass(frozen=True, slots=True)
class PublishDone:
    """A version with its profiles and the version before it; or none, because nothing changed (`ending`) or there is a reason to `stop`."""

    gate: Gate
    candidate: Candidate | None = None
    publication: Publication | None = None
    before: Publication | None = None
    profiled: tuple[Published, ...] = ()
    ending: Ending | None = None
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """The end of a refresh that went through all of its stages."""

    ending: Ending
    stop: None = None


# What a stage gives. After one with a `stop` the refresh does not go on.
StageDone = PullDone | Built | AuditDone | PublishDone | Scored
