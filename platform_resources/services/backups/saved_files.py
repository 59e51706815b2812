"""The files of a backup: what there is of each, which folders of the state they are from, and how they are copied."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platform_resources.ledger.database import LEDGER_FILE
from platform_resources.plan import conventions
from platform_resources.publications.published_versions import publishing
from platform_resources.publications.shared_objects import shared_objects
from platform_resources.publications.shared_versions import POINTERS, shared_products
from platform_resources.settings import STORE
from platform_resources.warehouses.targets import warehouse

CONTENTS, PART, STATE, HOME, LEDGER_COPY = "backup.json", ".part", "state", "dagster", "ledger.sqlite"
MESH_FOLDER = ".mesh"
_READ_AT_ONCE = 1 << 20


class BackupRefused(Exception):
    """Raised before anything is changed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One file of a backup; `modified` is in nanoseconds since 1970."""

    bytes: int
    modified: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup, with its files by path."""

    folder: Path
    made_at: str
    platform: str
    files: Mapping[str, SavedFile]

    @property
    def bytes(self) -> int:
        """The total size of all files, including files shared with other backups."""
        return sum(file.bytes for file in self.files.values())


def newest_backup(place: Path) -> Backup | None:
    """The newest complete backup in this place."""
    made = sorted(path.parent for path in place.glob(f"*/{CONTENTS}") if not path.parent.name.endswith(PART))
    return backup_in(made[-1]) if made else None


def backup_in(folder: Path) -> Backup:
    """The backup in this folder. Raises BackupRefused where there is none."""
    file = folder / CONTENTS
    try:
        data = json.loads(file.read_text())
        files = {name: SavedFile(**saved) for name, saved in data["files"].items()}
        if led_out := [name for name in files if ".." in Path(name).parts or Path(name).is_absolute()]:
            raise ValueError(f"it names {led_out[0]}, which is no file of a backup")
        return Backup(folder, data["made_at"], data["platform"], files)
    except FileNotFoundError:
        made = ", ".join(sorted(path.parent.name for path in folder.glob(f"*/{CONTENTS}")))
        way_out = f"; it holds these: {made}" if made else "; `mesh backup FOLDER` makes one"
        raise BackupRefused(f"{folder} is no backup: it has no {CONTENTS}{way_out}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupRefused(f"{file} cannot be read: {error}; take another backup") from error


@dataclass(frozen=True, slots=True)
class SavedPlace:
    """A product that the mesh may not describe any more."""

    name: str
    domain: str


def looks(seen: os.stat_result) -> tuple[int, int]:
    """What differs as soon as somebody has written to a file."""
    return seen.st_size, seen.st_mtime_ns


def copied(file: Path, target: Path, copies: dict[tuple[int, ...], Path]) -> None:
    """Ports that share a file go on sharing it, where there are hard links: else a copy would need more room than there was."""
    seen = file.stat()
    # The number alone may be that of another file by now, if the first one is gone.
    first = copies.setdefault((seen.st_dev, seen.st_ino, *looks(seen)), target)
    if first is not target:
        with suppress(OSError):
            target.hardlink_to(first)
            return
    shutil.copy2(file, target)


def made_like(path: Path, target: Path, top: Path) -> None:
    """The folders above the target, each with the mode of its counterpart below `top`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source, made = path.parent, target.parent
    while source != top and top in source.parents:
        made.chmod(source.stat().st_mode & 0o7777)
        source, made = source.parent, made.parent


def saved_products(state: Path) -> list[tuple[str, str]]:
    """Domain and name of every product that has published or has a database, whether the mesh still describes it or not."""
    files = state.glob(conventions.database_file("*", "*"))
    shared = shared_products(shared_objects().listed(POINTERS)) if STORE.value(os.environ) else ()
    return sorted({*publishing(state), *((file.parent.name, file.stem) for file in files), *shared})


def saved_folders(state: Path, home: Path) -> Sequence[Path]:
    """What is in a backup, and must not be there where one is restored."""
    folders = (conventions.PORTS, "warehouse", "lineage", conventions.SOURCES, conventions.REGISTERED, warehouse().kind)
    return (*(state / name for name in folders), state / LEDGER_FILE, home / "history")


def is_as_saved(path: Path, saved: SavedFile) -> bool:
    """Whether it is there, byte for byte."""
    return path.is_file() and path.stat().st_size == saved.bytes and digest_of(path) == saved.sha256


def digest_of(path: Path) -> str:
    """The SHA-256 of its bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while read := opened.read(_READ_AT_ONCE):
            digest.update(read)
    return digest.hexdigest()
