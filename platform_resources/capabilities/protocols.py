"""What a capability must offer; a file in this package or a third party's entry point implements one of these."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise, Verdict
from platform_resources.capabilities.measures import Measure, Reading, Subject
from platform_resources.capabilities.readers.kafka_clients import StreamTopic
from platform_resources.capabilities.repairs.repair import Repair
from platform_resources.capabilities.source_contract import NO_CONTRACT, SourceContract
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.capabilities.support.references import Reference
from platform_resources.interchange.round_trips import Import
from platform_resources.spec.components import DataSet, InputPort
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Declared, Origin, Product
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.deadlines import MaxAge

# What an option of a file reader may be; a list is for those that take several texts, such as `nullstr`.
ReaderOption = str | bool | int | list[str]


class Capability(Protocol):
    """The part that all capabilities share. The class's docstring is its documentation; `example` is YAML that a test reads."""

    name: str
    config: type[Strict]
    example: str


class ComponentCapability(Capability, Protocol):
    """A type of component. One with variants names the field that chooses (`interface`, `dimension`)."""

    variant_field: str

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """The variant meant when the field is left out; empty when it must be written."""
        ...


class WithoutVariants:
    """A type of component that has no variants; inherit from it and leave out `variant_field` and `inferred_variant`."""

    variant_field = ""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """Empty: there is none."""
        return ""


@dataclass(frozen=True, slots=True)
class PullFiles:
    """Load files into the input port's table: the whole set anew (`replace`), or only files not seen before (`append`).

    `types` are the promised types of columns, `contract` is whatever else the input port promises of them. A file without rows is loaded
    only where `empty` allows it. No file is loaded before it has been unchanged for `quiet`, and before its `manifest` has come.
    """

    path: str
    format: FileFormat
    load: Literal["replace", "append"] = "replace"
    options: Mapping[str, ReaderOption] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    contract: SourceContract = field(default=NO_CONTRACT, metadata={"planned": False})
    empty: Literal["not-arrived", "allowed"] = "not-arrived"
    quiet: timedelta | None = None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class PullExtractor:
    """Call `module:function` with an Extraction; a module beside product.yaml goes before an installed one."""

    extractor: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor, or the reader of an interface, may use.

    `connection` is DuckDB on the product's database: a relation made with it is loaded without a copy. `as_of` is the day asked for:
    deliver data up to and including it; `since` is the first day of a range that is made anew, None otherwise. Both are days of UTC where
    times have a zone. `cursor` is what the last successful extraction returned, or what it is to go on from this time. `folder` is that
    of product.yaml, `input` the name of the input port. `replay` is the cursor from which a reader that keeps its own rows is to read
    again; None where nothing is asked for. `promised` has the types that the input port promises of its source, by the source's names:
    text of such a column is read as its type, and what is no such value is told with its place.
    """

    connection: Any
    as_of: date
    options: Mapping[str, Any]
    cursor: Any
    folder: Path
    input: str = ""
    replay: Any = None
    promised: Mapping[str, str] = field(default_factory=dict)
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """Data with the cursor to remember. An extractor without a cursor returns its data alone.

    `brought` is how many rows were delivered, where the data also has rows of before; left out, it is all of them.
    """

    data: Any
    cursor: Any = None
    brought: int | None = None


# What a reader may say of each row beside its columns: which source it is from, its number there, and, of one that could not be read,
# why, with its text. Rows with a fault go to quarantine, or the pull fails; none of these columns is loaded.
ROW_SOURCE, ROW_NUMBER, ROW_FAULT, ROW_TEXT = "mesh_source", "mesh_row", "mesh_fault", "mesh_message"


class RowReader(Protocol):
    """Brings the rows of an input port. It is a frozen dataclass of plain values: they are part of the plan, and of its fingerprint."""

    def read(self, extraction: Extraction) -> Any:
        """A DuckDB relation, an Arrow table or a data frame with all rows of the input, or `Extracted`.

        What it raises is told to the product's owners, and the last good data is served or the refresh ends, as the port says.
        """
        ...


@runtime_checkable
class ChangeTeller(Protocol):
    """A reader that can say without reading all rows whether there is something new: products may be refreshed on it."""

    @property
    def untold(self) -> str:
        """What its input port has to say before it can; empty if it can."""

    def mark(self) -> str:
        """A short text that is another one when there is something new. It is asked for every 20 seconds."""


@runtime_checkable
class CheaplyTold(ChangeTeller, Protocol):
    """A reader whose source may be asked for its mark every few seconds: what is new there is seen sooner."""

    @property
    def told_cheaply(self) -> bool:
        """Whether that is so with the settings that it has."""


@runtime_checkable
class Replayer(Protocol):
    """A reader that keeps rows of before, and can read again from an older cursor: `Extraction.replay`."""

    @property
    def replays(self) -> bool:
        """Whether it can with the settings that it has."""


def _refuse_unplanned(part: object, what: str) -> None:
    """Raises TypeError for a part of an interface that a plan cannot hold."""
    if not is_dataclass(part):
        fault = f"{type(part).__name__} is no dataclass"
        raise TypeError(f"{fault}; the {what} of an interface must be a frozen dataclass of plain values, since plans are compared")


@dataclass(frozen=True, slots=True)
class PullRows:
    """Have the interface's own reader bring the rows."""

    reader: RowReader

    def __post_init__(self) -> None:
        _refuse_unplanned(self.reader, "reader")


@dataclass(frozen=True, slots=True)
class PullShared:
    """Read what a source of the domain has brought: it is pulled once for all products that read the same of it.

    `fields` are what the input port adds to the source. Planning says the rest: the `interface` that brings the `rows` of the source of
    this `domain`, and that they are not pulled anew before `every` has passed.
    """

    source: str
    fields: Mapping[str, Any]
    domain: str = ""
    interface: str = ""
    rows: PullRows | None = None
    every: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class PullPort:
    """Pin the newest published version, within the range, of another product's output port, as one role sees it if one is named."""

    port: str
    version: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class NotPulled:
    """Known, shown in the lineage with its address, and not loaded by the platform."""

    address: str | None = None


CANNOT_TELL = "its interface cannot tell whether there is something new"


def untold(pull: "Pull") -> str:
    """Why no refresh can be started when the source of an input port has something new; empty if it can be, or if it is no source."""
    match pull:
        case PullFiles() | PullPort():
            return ""
        case PullShared(rows=PullRows() as rows) | (PullRows() as rows):
            return rows.reader.untold if isinstance(rows.reader, ChangeTeller) else CANNOT_TELL
        case _:
            return CANNOT_TELL


Pull = PullFiles | PullExtractor | PullRows | PullShared | PullPort | NotPulled


class InputInterface(Capability, Protocol):
    """How data comes in: settings to one of the ways to pull, of which `PullRows` is the interface's own."""

    kind: str

    def pull(self, settings: Any) -> Pull:
        """How an input port with these settings is pulled."""


class FileWriter(Protocol):
    """Writes a file of its own kind from each version of an output port, and from each view that roles have of it.

    It is a frozen dataclass of plain values: they are part of the plan, and of its fingerprint. `suffix` is the ending of its
    files, such as `xlsx`.
    """

    suffix: str

    def write(self, files: Sequence[Path], columns: Mapping[str, str], target: Path) -> None:
        """Write the file `target` from `files`, which the platform has written in the format of the `Store`.

        `columns` are their types in DuckDB. The version is published with the file, in one step, or not at all: what this raises
        keeps it from being published.
        """
        ...


@dataclass(frozen=True, slots=True)
class Store:
    """How a version of an output port is written: the file format, and whether SQL clients find it in the product's catalog.

    `address` is where consumers reach the port if that is not the platform's doing; it is only shown. `writer` is the interface's
    own: what it writes is what consumers download, beside the files in the `format`, which other products and queries read. `server` names
    the server that shows the newest version too, `stream` the topic that gets what has changed since the version before. Of what
    `is_elsewhere` nothing is written: the product's team runs what answers at the `address`.
    """

    format: FileFormat
    in_catalog: bool = False
    address: str | None = None
    writer: FileWriter | None = field(default=None, metadata={"planned": "where there is one"})
    server: Literal["postgres"] | None = field(default=None, metadata={"planned": "where there is one"})
    stream: StreamTopic | None = field(default=None, metadata={"planned": "where there is one"})

    is_elsewhere: bool = field(default=False, metadata={"planned": False})

    def __post_init__(self) -> None:
        if self.writer is None:
            return
        _refuse_unplanned(self.writer, "writer")
        if not self.writer.suffix.isalnum() or self.writer.suffix == self.format:
            fault = f'the suffix "{self.writer.suffix}" of a writer'
            raise TypeError(f"{fault} must be letters and digits, and another one than the format, {self.format}")

    @property
    def suffix(self) -> str:
        """The ending of the files that consumers download."""
        return self.writer.suffix if self.writer is not None else self.format


class OutputInterface(Capability, Protocol):
    """How data goes out: settings to the way a version is stored."""

    kind: str

    def store(self, settings: Any) -> Store:
        """How a version is stored for an output port with these settings."""


PolicyNeeds = Literal["documents", "history"]


@dataclass(frozen=True, slots=True)
class Breach:
    """One way in which a product does not fulfil a policy: the property, what is wrong, what to do.

    `origin` is the component that has the property; left out, it is the data-product component.
    """

    property: str
    message: str
    hint: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What an input port reads of another product of the mesh, and as which role if it says so."""

    port: Declared[InputPort]
    product: Product
    data_set: DataSet
    role: str = ""


@dataclass(frozen=True, slots=True)
class LessClassified:
    """A column that is less restricted than what it is made from: the class of that, and the way from there."""

    data_set: str
    column: str
    now: str
    classification: str
    path: str


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What a policy may know beside the product's own document.

    `sql` has the text of its models and tests by file; `others` are all other products with their domains; `received` is what its input
    ports read; `terms` are those that the mesh describes; `vouching` is what each dimension speaks of.
    The rest is known where it has happened: what a build has told of classes (`less_classified`), which promises
    are not kept, and which versions are older than they may be (`outlived`).
    """

    sql: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    received: tuple[Received, ...] = ()
    terms: frozenset[str] = frozenset()
    vouching: Mapping[str, frozenset["Assurance"]] = field(default_factory=dict)
    less_classified: tuple[LessClassified, ...] = ()
    broken_promises: tuple[str, ...] = ()
    outlived: tuple[str, ...] = ()


class Policy(Capability, Protocol):
    """A rule for every product of the mesh, checked by `mesh validate`. `level` is how serious a breach is where nothing else is said.

    One that `needs` the `documents` alone keeps a product from being refreshed where its level is error; one that needs the `history`
    of its builds, versions and checks is only told.
    """

    level: Level
    needs: PolicyNeeds

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        """Everything by which the product does not fulfil the policy."""
        ...


KeyScope = Literal["", "mesh", "agreement"]


class ValueMask(Capability, Protocol):
    """How a role sees the values of a column instead of the values themselves. Null stays null, and the column keeps its type.

    `keyed` says which secret key it needs: none, one of the whole mesh, or one for each agreement.
    """

    keyed: KeyScope

    def takes(self, settings: Any, kind: str) -> bool:
        """Whether it can mask a column of this type, so that values do not stay as they are."""
        ...

    def sql(self, settings: Any, column: str, kind: str, key: str) -> str:
        """The masked value in DuckDB's SQL. `column` is the column, quoted; `key` is the name of the key, for `keyed_hash`."""
        ...


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column of a data set, and one of another product that it is made from, as the last build tells."""

    data_set: str
    column: str
    from_product: str
    from_data_set: str
    from_column: str


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """What an objective said last, with what may be told to everybody: its value was promised to lie between `at_least` and `at_most`."""

    verdict: Verdict
    at: datetime
    reason: str = ""
    severity: Literal["error", "warning"] = "warning"
    value: float | str | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    failing_rows: int | None = None


@dataclass(frozen=True, slots=True)
class AgreedRole:
    """A role that somebody has, now or from some day on; `team` owns the subject if that is a product of the mesh."""

    name: str
    role: str
    subject: str
    purpose: str
    team: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportEvidence:
    """What was seen of a product: where its columns come from, what each objective said last, by its title, and who has a role.

    `agreed` is None where whoever asks is not told.
    """

    columns: tuple[ColumnSource, ...] = ()
    results: Mapping[str, ObjectiveResult] = field(default_factory=dict)
    agreed: tuple[AgreedRole, ...] | None = None


class NothingToTell(Exception):
    """Raised by an export that has nothing to write yet; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export is made from: the product as its document describes it, and what was seen of it for those that ask."""

    product: Product
    seen: Callable[[], ExportEvidence] = ExportEvidence


class WrittenOnly:
    """An export that no product is made of; inherit from it and leave out `imported`."""

    def imported(self, text: str, file: str, name: str, domain: str) -> Import | None:
        """None: documents of this export cannot be imported."""
        return None


class NoExportSettings(Strict):
    """The format has nothing to set."""


class Export(Capability, Protocol):
    """A document of another standard or tool that a product can be written as; some are read as well.

    `ending` is that of the file, such as `.odcs.yaml`; `media_type` is what browsers are told.
    """

    media_type: str
    ending: str

    def text(self, settings: Any, source: Exported) -> str:
        """The document. The same source gives the same text. Raises NothingToTell."""
        ...

    def imported(self, text: str, file: str, name: str, domain: str) -> Import | None:
        """The product that a document describes, under the names given, else the document's own; None if the format is only written."""
        ...


MeasuredBy = Literal["audit", "probe", "history"]
# What fails when a promise is broken: what the data say, when they come, whether they can be read, or how a refresh goes.
WhatFails = Literal["content", "lateness", "access", "delivery"]
# What a reason may quote: times and amounts of a refresh, counts of rows with names and types of columns, values of the columns that the
# check names, or anything.
Quotes = Literal["times", "rows", "columns", "anything"]
# What a product in production must promise something about: how old its data are, how much there is, how good they are.
Assurance = Literal["age", "amount", "quality"]
# One port that hangs holds up the evaluation of the others for so long.
LONGEST_PROBE = timedelta(minutes=5)


class Traits(Protocol):
    """What a dimension may say of itself beside what it must; a class that inherits from this changes what is different for it.

    `failure` decides what explains what: lateness is explained by whatever keeps an input from coming, and all but `content` explains it.
    A miss of one that `breaks` is an error whatever its severity, and cannot be a target of the business. `predicate` is what consumers
    read of a product whose promise is broken, after its name; `{title}` stands for the promise's title. `vouches_for` is what the policy
    for products in production counts it for. `quotes` decides which readers are told the reason: those who see what it may quote.
    """

    failure: WhatFails = "content"
    breaks: bool = False
    predicate: str = 'breaks its promise "{title}"'
    vouches_for: frozenset[Assurance] = frozenset()
    quotes: Quotes = "anything"

    def travels(self, settings: Any) -> bool:
        """Whether a column that breaks this promise makes a column to which its values are passed on break the same one."""
        return False

    def max_age(self, settings: Any) -> MaxAge | None:
        """How old the newest version may be, if that is promised: it goes stale by the clock alone, which is told and forecast.

        A length of time, or deadlines.
        """
        return None

    def learned_kind(self, settings: Any) -> Kind:
        """How the number behaves that is held against its own history."""
        return "number"

    def compares(self, settings: Any) -> bool:
        """Whether it is judged by `moment.history` though no threshold of it is learned."""
        return False

    def promise(self, settings: Any, moment: Moment) -> Promise:
        """Between which numbers the value is to lie, both included, unless the judgement itself says so."""
        return Promise()

    def joined(self, column: str, references: Reference, at_least: float) -> Any:
        """The settings that promise how many of the column's values are found in the reference; None where it promises no such thing."""
        return None

    def tells_rows_apart(self, settings: Any) -> bool:
        """Whether a data set that keeps it has no two rows with the same values of the columns that it is about."""
        return False

    def failing_values(self, settings: Any, subject: Subject) -> str:
        """A query of the values that break the promise, the most frequent first, where repairs are made from them; empty otherwise."""
        return ""

    def repairs(self, settings: Any, subject: Subject, failing: Sequence[str]) -> Iterable[Repair]:
        """How rows that break the promise could be mended, the simplest first; `failing` is what `failing_values` has found."""
        return ()

    def port(self, settings: Any) -> str:
        """The one output port that a probe is to read; empty for all of the data set."""
        return ""

    def before_build(self, settings: Any) -> bool:
        """Whether it measures input ports alone: then it is judged before dbt reads them."""
        return False

    def within(self, settings: Any) -> timedelta:
        """How long a probe waits for an answer of one port."""
        return LONGEST_PROBE


class NotAudited(Traits):
    """A dimension that is measured between refreshes; inherit from it and leave out what only an audit asks for."""

    def columns_used(self, settings: Any) -> Mapping[str, tuple[str, ...]]:
        """None."""
        return {}

    def problems(self, settings: Any, subject: Subject) -> Iterator[tuple[str, str, str]]:
        """None but those of the settings."""
        yield from ()

    def measures(self, settings: Any, subject: Subject) -> Mapping[str, Measure]:
        """None."""
        return {}


class Dimension(Capability, Traits, Protocol):
    """One dimension of quality: says what to measure and what the readings mean; executes nothing.

    `measured_by` says when: by the `audit` of each refresh, which computes `measures` on what was built and may close the gate; or between
    refreshes, by a `probe` that reads the published ports as a consumer would, or from the `history` of the product's refreshes. An
    objective measured from history is about the product as a whole: its subject is an empty data set.
    """

    measured_by: MeasuredBy

    def columns_used(self, settings: Any) -> Mapping[str, tuple[str, ...]]:
        """The data set's columns that each property of the objective names, by property."""
        ...

    def problems(self, settings: Any, subject: Subject) -> Iterator[tuple[str, str, str]]:
        """What else is wrong with the objective, as (property, message, hint)."""
        ...

    def measures(self, settings: Any, subject: Subject) -> Mapping[str, Measure]:
        """What the audit computes on the data set's relation, each under a name of its own; nothing for one measured otherwise."""
        ...

    def judge(self, settings: Any, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        """The verdict.

        In an audit it is called only when every reading has a value or a null; a reading with an error is unknown before. From a probe come
        the readings `port`, `rows` and `seconds`: those two are null while nothing was ever published; `rows` has an error where the
        port could not be read, `seconds` where nobody got so far as to try. From history there is no reading, but `moment.refreshes`.
        """
        ...
