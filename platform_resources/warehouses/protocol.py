"""What a warehouse does, in relations and SQL expressions; everything above this folder knows an engine by these protocols alone.

SQL is written in one dialect, DuckDB's; a warehouse with another one translates it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from platform_resources.access.role_folders import AccessChange
from platform_resources.capabilities.measures import Reading, Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.source_contract import NO_CONTRACT, SourceContract
from platform_resources.capabilities.work import ModelWork
from platform_resources.deliveries.arrivals import InputFile
from platform_resources.measuring.foreseeing import RuledOut
from platform_resources.measuring.merging import Merging
from platform_resources.measuring.metrics import Metric
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.plan.tenancy import MeshTenancy, ProductTenancy
from platform_resources.warehouses.published_places import CatalogView, GivenViews, PublishedPort, PublishedRows, Readable, ShownPart
from platform_resources.warehouses.written_results import WantedResult, WrittenResult

# Run one statement and give its first row; empty when there is none.
Execute = Callable[[str], Sequence[Any]]
Rows = list[tuple[Any, ...]]
NOTHING_PROMISED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a consumer's SELECT may take, how many of its rows are wanted at most, and whether nobody waits for it any more."""

    time: timedelta
    rows: int | None = None
    stopped: Callable[[], bool] = lambda: False


class FileShape(Protocol):
    """A file of an input that was looked at, and how many rows it has."""

    @property
    def file(self) -> InputFile:
        """The file that was looked at."""

    @property
    def rows(self) -> int:
        """How many rows it has."""


@dataclass(frozen=True, slots=True)
class Days:
    """How many days a data set has, and how many of them were scanned."""

    all: int
    scanned: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What could be answered from days, and how many of them were scanned; None if it was done in no such way."""

    answers: Mapping[Metric, Reading]
    days: Days | None = None


@dataclass(frozen=True, slots=True)
class WarehouseRead:
    """One read of a data set that the engine has noted, beside the platform: which product's, by whom, when, and of which columns."""

    product: str
    data_set: str
    reader: str
    at: datetime
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshCredits:
    """What one refresh took of the engine's compute, in credits."""

    run_id: str
    product: str
    credits: float


@dataclass(frozen=True, slots=True)
class WarehouseUse:
    """What the engine has noted of use in some time."""

    reads: tuple[WarehouseRead, ...]
    credits: tuple[RefreshCredits, ...]


class ProductDatabase(Protocol):
    """A product's own relations, open for its one refresh. What runs SQL raises EngineError."""

    def execute(self, sql: str) -> Sequence[Any]:
        """Run one statement and give its first row; empty when there is none."""

    def within_limits(self, sql: str) -> Sequence[Any]:
        """As `execute`, for as long as a query of an audit may take. Raises QueryTooSlow and QueryTooLarge."""

    def limited(self) -> AbstractContextManager[None]:
        """The queries inside, together, take no longer than one query of an audit may. Raises QueryTooSlow and QueryTooLarge."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing: what is done inside is kept only if it ends well."""

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a query, each as column name to value."""

    def exists(self, relation: Relation) -> bool:
        """Whether there is such a table or view."""

    def view_sql(self, relation: Relation) -> str:
        """What a view that reads files says, which is of the machine that made it; empty for everything else."""

    def is_table(self, relation: Relation) -> bool:
        """Whether it is there, and holds its rows itself; a view computes them."""

    def columns(self, relation: Relation, promised: Mapping[str, str] = NOTHING_PROMISED) -> dict[str, str]:
        """Column names and their types in lower case, in order.

        A type is the one that is `promised` for its column where the engine has no other type to keep that promise with.
        """

    def count(self, relation: Relation) -> int:
        """How many rows it has."""

    def drop(self, relation: Relation) -> None:
        """Take the table or view away, if there is one."""

    def remembered(self, topic: str) -> dict[str, str]:
        """What former steps left under a topic, as JSON text by name."""

    def remember(self, topic: str, name: str, record: str) -> None:
        """Leave a text for later steps and refreshes; it replaces the one of that name."""

    def forget(self, topic: str, name: str | None = None) -> None:
        """Take away what was left under a topic, all of it where no name is given."""

    @property
    def connection(self) -> Any:
        """A connection of DuckDB for extractors, whatever the engine: what they make with it is loaded by `load_data`."""

    def keeping(self, name: str) -> AbstractContextManager[None]:
        """Inside, `connection` has what a reader has kept of an input of this name; what it keeps there now it finds again."""

    def load_data(self, relation: Relation, data: Any, contract: SourceContract = NO_CONTRACT, source: str = "") -> None:
        """Load what a source delivered: a relation of `connection`, an Arrow table or reader, or a data frame. Raises LoadFailed."""

    def shapes(self, files: Sequence[InputFile], pull: PullFiles) -> Sequence[FileShape]:
        """Look at each file. Raises LoadFailed at the first that cannot be read, or does not keep a promised type."""

    def replace(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles) -> None:
        """Make the relation anew from files that `shapes` looked at. Raises LoadFailed."""

    def fits(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles) -> bool:
        """Whether loading its files and these together would give the table the columns that it has, new columns aside."""

    def append(self, relation: Relation, shapes: Sequence[Any], pull: PullFiles, texts_kept: bool) -> None:
        """Load files behind what is there. `texts_kept`: whole numbers can become the text of their files again. Raises LoadFailed."""

    def delivered(self, file: Path) -> list[dict[str, Any]]:
        """The rows of a CSV file as they are written there: texts, and None where nothing stands."""

    def take_out(self, relation: Relation, condition: str) -> None:
        """Delete the rows of a table that meet the condition, in SQL of all engines, together with what else the transaction changes."""

    def point_at(self, relation: Relation, published: PublishedPort) -> None:
        """Make the relation show exactly this version of a port. Raises OSError too."""

    @property
    def ruled_out(self) -> RuledOut:
        """Whether statistics say, without a row being read, that no row of a relation meets a condition; asked during one measurement."""

    def by_day(self, relation: Relation, partition_by: str, wanted: Mapping[Metric, Merging]) -> Merged:
        """Answer from days what depends on the rows alone; what is not answered is to be measured in full."""

    def sampled(self, relation: Relation, columns: Sequence[ProfiledColumn], rows: int | None) -> tuple[int, dict[str, dict[str, Any]]]:
        """How many rows were chosen at random, and the fields of each column's profile that they tell.

        `rows` is how many there are: if all were chosen, the distinct values are counted too. Raises QueryTooSlow and QueryTooLarge.
        """

    def write(self, relation: Relation, published: PublishedPort, shown: ShownPart | None = None) -> None:
        """Write the relation, or what is to be shown of it, as a version of a port; nobody reads it before the version is published.

        Raises NotSupported.
        """

    def holding(self, variables: Mapping[str, bytes]) -> AbstractContextManager[None]:
        """What is written inside may use these variables, which no SQL text holds and no file keeps."""

    def published_rows(self, published: PublishedPort) -> int:
        """How many rows a consumer would find."""


class VersionRows(Protocol):
    """Where a warehouse keeps versions of a product itself: notes, and rows under the id of their version.

    Unlike a product's database, any process may read and write it at any time. Each call is done whole or not at all.
    """

    def remembered(self, topic: str) -> dict[str, str]:
        """What was left under a topic, as JSON text by name; nothing where the product was never refreshed."""

    def remember(self, topic: str, name: str, record: str, holder: str = "") -> None:
        """Leave a text; it replaces the one of that name. Where a holder is given, only if it still holds the product."""

    def forget(self, topic: str, name: str, holder: str = "") -> None:
        """Take away what was left. Where a holder is given, only if it still holds the product."""

    def claim(self, holder: str, former: Collection[str], now: datetime, until: datetime) -> str:
        """Keep everybody else from refreshing the product until then, unless somebody keeps this one; gives who that is and until when.

        Claims of the `former` holders are over.
        """

    def let_go(self, holder: str) -> None:
        """Let others refresh, where this one kept them out."""

    def holds(self, holder: str) -> bool:
        """Whether nobody else has claimed the product since this one did, or, where there was nothing to claim, has begun with it."""

    def point(self, record: str, holder: str) -> bool:
        """Replace the pointer, the one note that decides what is published, if the holder still holds the product. Tells whether."""

    def place(self, table: str, version: str, columns: Mapping[str, str], view: str = "") -> PublishedRows:
        """Where the rows of a data set are, or go, in a version; through a view where one is named."""

    def has_rows(self, place: PublishedRows) -> bool:
        """Whether rows were written there."""

    def keep_only(self, versions: Collection[str], views: Collection[tuple[str, str]], holder: str) -> None:
        """Delete the rows of all other versions, if the holder still holds the product, and all other views; each view is told by its
        data set and its own name."""


class Warehouse(Protocol):
    """An engine: opens the databases of products, and lets consumers read what is published. `state` is the mesh's state folder."""

    # The type of its dbt targets.
    kind: str

    def opened(self, state: Path, domain: str, product: str) -> AbstractContextManager[ProductDatabase]:
        """A product's database for its refresh, made if it is new. Raises DatabaseBusy, DatabaseUnreadable, SettingInvalid."""

    def version_rows(self, domain: str, product: str) -> VersionRows | None:
        """Where the engine keeps the product's versions itself; None if they are kept as files."""

    def products(self, state: Path) -> tuple[tuple[str, str], ...]:
        """Domain and name of every product that has a database here."""

    def asks_for_work(self) -> str:
        """SQL to run on a connection before a statement whose profile is read; empty if nothing is needed."""

    def work_of(self, model: str, profile: str, seconds: float, cpu_seconds: float) -> ModelWork | None:
        """What a statement that makes a model did, by its profile as JSON; None of other statements."""

    def dbt_variables(self, state: Path, domain: str, product: str) -> dict[str, str]:
        """What profiles.yml reads from the environment to build in the product's database. Raises SettingInvalid."""

    def use_between(self, since: datetime, until: datetime) -> WarehouseUse | None:
        """What the engine has noted of use; None where it notes nothing of its own. Raises EngineError where it does not tell."""

    def take_over(self, domain: str, former: str, product: str) -> None:
        """What the engine keeps of a product under a former name, beside files, is the product's own from now on. Raises EngineError."""

    def lend(self, state: Path, domain: str, product: str, own: Path) -> int:
        """Copy the product's inputs and models into an analyst's own database `own`; gives the number of tables.

        Raises EngineError, NotSupported.
        """

    def clone(self, product: str, data_sets: Mapping[str, PublishedPort], into: str, hidden: Collection[str] = ()) -> dict[str, int]:
        """Have what was published of these data sets where a developer works, and replace what is there of it; gives rows by table.

        What an earlier clone has left of the `hidden` data sets goes.
        Nothing that is done there reaches what was published. Raises EngineError, NotSupported, OSError.
        """

    def save_rows(self, published: PublishedPort, file: Path) -> int:
        """Write all rows of a published port, with their types, to a new Parquet file; gives their number. Raises EngineError, OSError."""

    def remove(self, state: Path, domain: str, product: str) -> None:
        """Take the product's database away with all that is in it, and roles on it. A second time changes nothing. Raises EngineError."""

    def show(self, state: Path, domain: str, product: str, views: Sequence[CatalogView]) -> None:
        """Make the product's catalog, which SQL clients read, have these views and no others."""

    def write_catalog(self, file: Path, views: Sequence[CatalogView]) -> None:
        """Replace a catalog in a file, which has these views over published files. Raises NotSupported where there are none."""

    def access_changes(self, tenancy: MeshTenancy, given: GivenViews, only: str = "") -> tuple[AccessChange, ...]:
        """What the engine itself has of compute, roles and grants against what is wanted, of one product where it is named; nothing where
        it has none. `given` are the views of each role. Raises EngineError, NotSupported, SettingInvalid."""

    def make_so(self, changes: Sequence[AccessChange]) -> tuple[str, ...]:
        """Make these changes in their order; returns what could not be done."""

    def show_to_roles(self, product: ProductTenancy, views: Mapping[str, Sequence[CatalogView]]) -> None:
        """Have the views that roles read in the engine show what was published. Raises EngineError."""

    def catalog_address(self, state: Path, domain: str, product: str) -> str:
        """Where SQL clients find the product's catalog."""

    def catalog_rows(self, state: Path, domain: str, product: str, sql: str) -> Rows:
        """What SQL gives on a product's catalog, as any client reads it. Raises EngineError."""

    def answer(
        self, sql: str, readable: Readable, *, as_text: bool = False, bounds: Bounds | None = None, is_ours: bool = False
    ) -> tuple[list[str], Rows]:
        """Column names and rows of a consumer's SELECT, which can read nothing else, nor take all of the machine.

        `as_text` gives every value as the engine writes it. Without `bounds` it may take as long as a query of an audit, and
        has all rows. `is_ours` is as in WantedResult.
        Raises QueryFailed, SettingInvalid, OSError.
        """

    def write_answer(self, sql: str, readable: Readable, wanted: WantedResult, file: BinaryIO, bounds: Bounds) -> WrittenResult:
        """The same answer in a file. Raises as `answer`."""

    def first_rows(self, published: PublishedPort, limit: int) -> Rows:
        """The first rows of a published port, in this process. Raises QueryFailed, OSError."""
