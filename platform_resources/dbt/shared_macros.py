"""Let dbt parse its own macros, 500 of them, once for the mesh and not once for each product."""

import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platform_resources.dbt.project_slices import PARSED, replace_file, target_folder, work_folder
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.warehouses.targets import warehouse


def begin_with_macros(root: Path, state: Path, product: Placed, parse_alone: Callable[[Path], Any]) -> None:
    """Let dbt begin with what it remembers of its own macros where it would throw away what it remembers of the product.

    They take longer than most products. They are parsed again when dbt_project.yml is newer, by `parse_alone`: it parses a project
    without any product into the folder that it is given, and gives dbt's result. dbt itself compares whether it may use them. Where
    they cannot be parsed, neither can the product, which then says why.
    """
    work = work_folder(state, product)
    shared = target_folder(state) / f"{version('dbt-core')}.{warehouse().kind}.{PARSED}"
    project, profiles = (root / conventions.DBT_FOLDER / name for name in ("dbt_project.yml", "profiles.yml"))
    if _is_of(work / PARSED, project, profiles):
        return
    if not _is_of(shared, project):
        alone = work / "macros"
        result = parse_alone(alone)
        if result.exception is not None or not (alone / PARSED).exists():
            return
        os.replace(alone / PARSED, shared)
    replace_file(work / PARSED, shared.read_bytes())


def _is_of(made: Path, *files: Path) -> bool:
    """Whether it is there, and none of these files was written later."""
    return made.exists() and all(not file.exists() or file.stat().st_mtime <= made.stat().st_mtime for file in files)


def share_macros() -> None:
    """Let dbt begin a parse with macros that were parsed for another database. It refuses any other profile: nodes hold names out of it.

    What it remembers without nodes holds none. Where a version of dbt has no such method, every product is parsed from nothing.
    """
    from dbt.parser.manifest import ManifestLoader

    allowed = getattr(ManifestLoader, "is_partial_parsable", None)
    if allowed is None or getattr(allowed, "shares_macros", False):
        return

    def is_partial_parsable(loader: Any, remembered: Any) -> Any:
        if not remembered.nodes and not remembered.sources:
            remembered.state_check.profile_hash = loader.manifest.state_check.profile_hash
        return allowed(loader, remembered)

    is_partial_parsable.shares_macros = True  # type: ignore[attr-defined]
    ManifestLoader.is_partial_parsable = is_partial_parsable
