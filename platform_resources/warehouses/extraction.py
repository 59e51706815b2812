"""What a Python extractor is given, and how it is found and called."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor may use.

    `connection` is DuckDB on the product's database: a relation made with it is loaded without a copy. `as_of` is the day
    asked for: deliver data up to and including it. `cursor` is what the last successful extraction returned.
    """

    connection: "DuckDBPyConnection"
    as_of: date
    options: Mapping[str, Any]
    cursor: str | None
    folder: Path


@dataclass(frozen=True, slots=True)
class Extracted:
    """Data with the cursor to remember. An extractor without a cursor returns its data alone."""

    data: Any
    cursor: str | None = None


class ExtractorFailed(Exception):
    """Raised when an extractor cannot be found, raises, or returns nothing; says which and why."""


def extracted(name: str, extraction: Extraction) -> Extracted:
    """Call the extractor `module:function`. Raises ExtractorFailed."""
    with _importable(extraction.folder):
        result = _called(name, _function(name, extraction.folder), extraction)
    if result is None:
        raise ExtractorFailed(f"extractor {name} returned nothing; it must return a DuckDB relation, an Arrow table or a data frame")
    return result if isinstance(result, Extracted) else Extracted(result)


def _called(name: str, function: Callable[[Extraction], Any], extraction: Extraction) -> Any:
    try:
        return function(extraction)
    except (Exception, SystemExit) as error:
        raise ExtractorFailed(f"extractor {name} failed: {type(error).__name__}: {error}") from error


def _function(name: str, folder: Path) -> Callable[[Extraction], Any]:
    module_name, _, function_name = name.partition(":")
    beside = folder / f"{module_name}.py"
    try:
        module = _loaded(beside) if beside.exists() else importlib.import_module(module_name)
        function = getattr(module, function_name)
    except (Exception, SystemExit) as error:  # whatever a team's module does while it is loaded
        raise ExtractorFailed(f"extractor {name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise ExtractorFailed(f"extractor {name} is not a function")
    return function  # type: ignore[no-any-return]


def _loaded(file: Path) -> Any:
    """Load the module anew under a name of its own: two products may both have an extract.py."""
    spec = importlib.util.spec_from_file_location(f"mesh_extractor_{file.parent.parent.name}_{file.parent.name}_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """The product's folder and dataproducts/ are importable while an extractor runs."""
    added = [str(folder), str(folder.parent.parent)]
    sys.path[:0] = added
    try:
        yield
    finally:
        for path in added:
            sys.path.remove(path)
