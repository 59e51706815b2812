"""Write the files that the platform generates for dbt, and take away those that nothing generates any more."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.plan.plan import GeneratedFile


def write_generated_files(root: Path, files: Iterable[GeneratedFile]) -> None:
    """Write a product's dbt files where they differ, each whole or not at all, and remove one that is no longer generated."""
    paths = {root / file.path for file in files}
    for folder in {path.parent for path in paths}:
        for name in (conventions.GENERATED_FILE, conventions.MERGED_FILE):
            if folder / name not in paths:
                (folder / name).unlink(missing_ok=True)
    for file in files:
        _write_generated_file(root / file.path, file.text)


def write_all_generated_files(root: Path, files: Sequence[GeneratedFile]) -> None:
    """Write these, and take away those of products that are gone: dbt would find their sources twice, or their models nowhere."""
    kept = {root / file.path for file in files}
    for path in (root / conventions.DBT_FOLDER / "models").rglob("*.yml"):
        if conventions.is_generated(path.name) and path not in kept:
            path.unlink()
    for file in files:
        _write_generated_file(root / file.path, file.text)


def _write_generated_file(path: Path, text: str) -> None:
    """Write one, if what is there differs."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
