"""How a Python extractor, or the reader of an interface, is found and called."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import Extracted, Extraction, RowReader


class ExtractorFailed(Exception):
    """Raised when an extractor cannot be found, raises, or returns nothing; says which and why."""


def extracted(name: str, extraction: Extraction) -> Extracted:
    """Call the extractor `module:function`. Raises ExtractorFailed."""
    with _importable(extraction.folder):
        return _called(f"extractor {name}", _function(name, extraction.folder), extraction)


def read_by(interface: str, reader: RowReader, extraction: Extraction) -> Extracted:
    """What the reader of an interface brings. Raises ExtractorFailed."""
    return _called(f"interface {interface}", reader.read, extraction)


def _called(title: str, function: Callable[[Extraction], Any], extraction: Extraction) -> Extracted:
    try:
        result = function(extraction)
    except (Exception, SystemExit) as error:
        raise ExtractorFailed(f"{title} failed: {type(error).__name__}: {error}") from error
    if result is None:
        raise ExtractorFailed(f"{title} returned nothing; it must return a DuckDB relation, an Arrow table or a data frame")
    return result if isinstance(result, Extracted) else Extracted(result)


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
