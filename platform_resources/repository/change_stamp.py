"""Tell without reading them whether any text of a mesh has changed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from platform_resources.plan import conventions

WATCHED = (conventions.PRODUCTS_FOLDER, conventions.DBT_FOLDER)
# What dbt writes there.
WRITTEN = frozenset({"target", "logs"})
DATA = frozenset({".csv", ".parquet", ".duckdb", ".json", ".gz", ".jsonl"})


def change_stamp(root: Path) -> str:
    """Equal for equal names, sizes and times of change of all files that a plan is made from; data beside them does not count."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in WATCHED:
        for entry in _files(root / folder):
            there = entry.stat(follow_symlinks=False)
            digest.update(f"{entry.path}\0{there.st_mtime_ns}\0{there.st_size}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Depth first, in the order of names."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name in WRITTEN and folder.name == conventions.DBT_FOLDER:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif os.path.splitext(entry.name)[1] not in DATA:
            yield entry
