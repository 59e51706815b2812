"""One product as its document describes it: each component with its settings and its place in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import (
    Consumer,
    DataProduct,
    DataSet,
    Domain,
    InputPort,
    OutputPort,
    SampleQuery,
    ServiceLevelAsset,
)
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.names import slug, title_of_name

C = TypeVar("C", bound=Strict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a component is written: its file, its line, its place, and the line of each of its properties."""

    file: str
    line: int
    place: str
    property_lines: Mapping[str, int] = field(default_factory=dict, hash=False)

    def problem(self, property_name: str, message: str, hint: str = "", *, warning: bool = False) -> Problem:
        """A problem with one property; an empty `property_name` means the component as a whole."""
        known = property_name in self.property_lines
        place = f"{self.place}.properties.{property_name}" if known else self.place
        line = self.property_lines.get(property_name, self.line)
        return Problem(self.file, line, place, message, hint, "warning" if warning else "error")


@dataclass(frozen=True, slots=True)
class Declared(Generic[C]):
    """One component: `name` is its name in code, `title` the name as written.

    A component whose type has variants (an input port's interface, an objective's dimension) has the variant's
    registered name in `variant` and the variant's own fields in `settings`. An objective with two thresholds has those of an error in
    `error_settings`, and in `settings` those of a warning.
    """

    name: str
    title: str
    type: str
    config: C
    origin: Origin
    variant: str = ""
    settings: Any = None
    error_settings: Any = None


@dataclass(frozen=True, slots=True)
class Product:
    """All that one product.yaml contains, in the order written."""

    name: str
    domain: str
    file: str
    origin: Origin
    info: DataProduct
    domain_component: Declared[Domain]
    data_sets: tuple[Declared[DataSet], ...] = ()
    input_ports: tuple[Declared[InputPort], ...] = ()
    output_ports: tuple[Declared[OutputPort], ...] = ()
    objectives: tuple[Declared[ServiceLevelAsset], ...] = ()
    indicators: tuple[Declared[ServiceLevelIndicator], ...] = ()
    agreements: tuple[Declared[DataSharingAgreement], ...] = ()
    sample_queries: tuple[Declared[SampleQuery], ...] = ()
    consumers: tuple[Declared[Consumer], ...] = ()
    extensions: tuple[Declared[Strict], ...] = ()

    @property
    def title(self) -> str:
        """The title as written, or one made from the name."""
        return self.info.title or title_of_name(self.name)

    @property
    def first_name(self) -> str:
        """What the product was called first; former names are written the oldest first."""
        return (self.info.renamed_from or (self.name,))[0]

    @property
    def tags(self) -> tuple[str, ...]:
        """Those of the product and of its columns, each once."""
        columns = (column for data_set in self.data_sets for column in data_set.config.columns)
        return tuple(dict.fromkeys((*self.info.tags, *(tag for column in columns for tag in column.tags))))

    def data_set(self, name: str | None) -> Declared[DataSet] | None:
        """The data set of that name as written or in code; without a name, the only one."""
        if name is None:
            return self.data_sets[0] if len(self.data_sets) == 1 else None
        return next((d for d in self.data_sets if name in (d.name, d.title)), None)

    def output_port(self, name: str) -> Declared[OutputPort] | None:
        """The output port with this name or title; None if there is none."""
        return next((p for p in self.output_ports if name in (p.name, p.title)), None)

    def renamed_port(self, name: str) -> Declared[OutputPort] | None:
        """The output port that once had this name or title; None if there is none."""
        return next((p for p in self.output_ports if slug(name) in former_names(p)), None)


def former_names(component: Declared[Any]) -> tuple[str, ...]:
    """What a component was called before, as names in code."""
    return tuple(map(slug, component.config.renamed_from or ()))


def model_name(data_set: Declared[DataSet]) -> str:
    """The dbt model behind a data set: as declared, or the data set's own name."""
    return data_set.config.model or data_set.name


def runs(product: Product) -> bool:
    """Whether the platform refreshes the product: not while it is only proposed, nor once it is retired."""
    return is_to_run(product.info)


def retired_text(info: DataProduct) -> str:
    """That the product is retired, and what takes its place; empty of one that is not."""
    if info.lifecycle != "retired":
        return ""
    return f"is retired; {info.replacement} takes its place" if info.replacement else "is retired, and nothing takes its place"


def is_to_run(info: DataProduct) -> bool:
    """Whether a product that says this of itself is refreshed."""
    return info.lifecycle in ("draft", "production", "deprecated")
