"""Put new files into a mesh: all of them or none, and never over anything that is there."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

STAGING = ".mesh/new"
_MOVES = "moves.json"


class InTheWay(Exception):
    """Raised where something is there already; `paths` are what, below the mesh's root."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(f"{', '.join(paths)}: there already, and nothing is overwritten")
        self.paths = tuple(paths)


def place(root: Path, files: Mapping[str, str], entries: Sequence[str]) -> None:
    """Write the texts by their path below `root`. `entries` are the folders and files that are new, in the order in which they appear.

    Everything is written aside first and then renamed. What a killed process has left half is taken back by the next call. Raises InTheWay.
    """
    with _alone(root) as staging:
        for leftover in staging.iterdir():
            _take_back(root, leftover)
        taken = [place for entry in entries for place in in_the_way(root, entry)]
        if taken:
            raise InTheWay(taken)
        own = staging / uuid.uuid4().hex
        for path, text in files.items():
            file = own / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (own / f"{_MOVES}.part").write_text(json.dumps(list(entries)), encoding="utf-8")
        os.replace(own / f"{_MOVES}.part", own / _MOVES)
        for entry in entries:
            (root / entry).parent.mkdir(parents=True, exist_ok=True)
            os.rename(own / entry, root / entry)
        shutil.rmtree(own)


@contextmanager
def _alone(root: Path) -> Iterator[Path]:
    """The folder for what is written aside, which one process at a time works in."""
    staging = root / STAGING
    staging.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{STAGING}.lock"):
        yield staging


def in_the_way(root: Path, entry: str) -> tuple[str, ...]:
    """What is there under this path: the file itself, or the first file of a folder; an empty folder is in nobody's way."""
    path = root / entry
    if not path.is_dir() or path.is_symlink():
        return (entry,) if path.exists() or path.is_symlink() else ()
    inside = sorted(file for file in path.rglob("*") if not file.is_dir())
    return (inside[0].relative_to(root).as_posix(),) if inside else ((f"{entry}/",) if any(path.iterdir()) else ())


def _take_back(root: Path, leftover: Path) -> None:
    """What a killed process had moved is moved back and deleted, unless it was done or somebody has gone on from there."""
    moves = leftover / _MOVES
    entries = json.loads(moves.read_text(encoding="utf-8")) if moves.exists() else []
    waiting = [entry for entry in entries if (leftover / entry).exists()]
    if waiting and not any(in_the_way(root, entry) for entry in waiting):
        for entry in entries:
            if entry not in waiting and (root / entry).exists():
                os.rename(root / entry, leftover / entry)
    shutil.rmtree(leftover)
