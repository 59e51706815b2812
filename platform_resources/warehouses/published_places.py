"""Where one version of an output port is kept, as files or as rows of the warehouse, and what views show of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from platform_resources.capabilities.support.file_formats import FileFormat


@dataclass(frozen=True, slots=True)
class PublishedFiles:
    """One output port in one version: its files, and the columns with the types that they are read with."""

    files: tuple[Path, ...]
    format: FileFormat
    columns: Mapping[str, str]

    @property
    def address(self) -> str:
        """Where people find it."""
        return str(self.files[0])


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """One output port in one version: rows of a table of the warehouse, under the id of their version.

    `table` is the data set that the table is called after, in the `database` of its product; `view` is what it is seen through, or empty.
    """

    database: str
    table: str
    version: str
    columns: Mapping[str, str]
    view: str = ""

    @property
    def address(self) -> str:
        """Where people find it."""
        seen = f", as {self.view} shows it" if self.view else ""
        return f"{self.database}.VERSIONS.{self.table.upper()}, version {self.version}{seen}"


@dataclass(frozen=True, slots=True)
class ShownPart:
    """What a view shows of a relation, in DuckDB's SQL: an expression for each column, and a condition on rows; empty for every row.

    `hides`: it leaves a column out, or masks one. In their own order rows tell of that, such as whose income is higher, or which number a
    key is: their files are sorted by what is shown.
    """

    columns: Mapping[str, str]
    rows: str = ""
    hides: bool = False


PublishedPort = PublishedFiles | PublishedRows


@dataclass(frozen=True, slots=True)
class CatalogView:
    """A view that SQL clients see: over which files, and the descriptions of it and of its columns."""

    name: str
    published: PublishedPort
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


# The views that readers of a role find in the engine, by the product and the role.
GivenViews = Mapping[str, Mapping[str, Sequence[CatalogView]]]

# What a consumer's SQL may read, by schema (`main` needs no name before the point) and by the name in it.
Readable = Mapping[str, Mapping[str, PublishedPort]]
