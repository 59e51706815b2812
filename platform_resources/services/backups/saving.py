"""Back up a mesh's state: published versions, product databases, the ledger and Dagster's history.

A backup is a folder of its own, complete or not there. What has not changed since the last one in the same place is a hard link to its
file, so another backup costs only what is new. The ledger is saved first and versions last, consumers before what they read: whatever the
ledger says is published is there, and whatever a product was made from, or something newer.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from platform_resources.ledger.database import LEDGER_FILE, ledger_url, save_ledger, save_sqlite
from platform_resources.plan import conventions
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.shared_versions import MIRROR_LOCK, NOTE
from platform_resources.refresh.product_locks import LONGEST_WAIT_SECONDS, locked
from platform_resources.refresh.sources.shared_pulls import LOCK as PULL_LOCK
from platform_resources.repository.known_documents import FOLDER as DOCUMENTS
from platform_resources.services.backups.saved_files import (
    CONTENTS,
    HOME,
    LEDGER_COPY,
    MESH_FOLDER,
    PART,
    STATE,
    Backup,
    BackupRefused,
    SavedFile,
    SavedPlace,
    backup_in,
    copied,
    digest_of,
    looks,
    made_like,
    newest_backup,
    saved_folders,
    saved_products,
)
from platform_resources.services.showing.kept_memories import FILE as MEMORIES
from platform_resources.services.starting.kept_drafts import DRAFTS
from platform_resources.warehouses.targets import warehouse

# A database of SQLite is copied by SQLite; these are its own work files.
SQLITE, SQLITE_WORK = b"SQLite format 3\0", ("-wal", "-shm", "-journal")
# Folders of the state that are not saved, because whoever needs them makes them again, or because they end soon.
MADE_AGAIN = (DOCUMENTS, DRAFTS, str(Path(MEMORIES).parent), ".postgres", "dbt_project/target", "dbt_project/logs")
# Of a product's ports: folders of roles, what was begun, and of which state of a shared storage they are a copy.
NOT_SAVED = (conventions.BY_ROLE, ".staging", NOTE, MIRROR_LOCK)


def save(state: Path, home: Path, place: Path, now: datetime, environment: Mapping[str, str]) -> Backup:
    """Write a backup into `place`, beside earlier ones; a product's refreshes wait while its files are copied.

    Raises BackupRefused, ProductBusy, LedgerUnavailable, OSError, sqlite3.Error; an unfinished backup is then taken away.
    """
    if within := [
        folder for folder in (home, state / MESH_FOLDER, *saved_folders(state, home)) if folder == place or folder in place.parents
    ]:
        raise BackupRefused(f"{place} is within {within[0]}, which is backed up itself; name a folder elsewhere, better on another disk")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(place / ".lock", timeout=0):
            return _save(state, home, place, now, environment)
    except Timeout:
        raise BackupRefused(f"another backup is being made in {place}") from None


def _save(state: Path, home: Path, place: Path, now: datetime, environment: Mapping[str, str]) -> Backup:
    """Copy everything into an unfinished backup, and complete it by its list of files."""
    for killed in place.glob(f"*{PART}"):
        shutil.rmtree(killed)
    last = newest_backup(place)
    folder = place / now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    part = folder.with_name(folder.name + PART)
    part.mkdir(mode=0o700)
    try:
        copying = _Copying(part, last)
        save_ledger(ledger_url(state, environment), part / LEDGER_COPY)
        copying.note(part / LEDGER_COPY)
        copying.tree(home, HOME, lambda path: path.name == "logs" or path.name.endswith(SQLITE_WORK))
        for domain, product in _consumers_first(state):
            with locked(state, SavedPlace(product, domain)):
                shelf(state, domain, product).complete()
                for name in (
                    conventions.ports_folder(domain, product),
                    f"{warehouse().kind}/{conventions.ports_folder(domain, product)}",
                    conventions.database_file(domain, product),
                    f"{conventions.database_file(domain, product)}.wal",
                    conventions.lineage_file(domain, product),
                    conventions.work_file(domain, product),
                ):
                    copying.tree(state / name, f"{STATE}/{name}", lambda path: path.name in NOT_SAVED)
        for source in sorted((state / conventions.SOURCES).glob("*/*/*")):
            with _unpulled(source):
                copying.tree(source, f"{STATE}/{source.relative_to(state)}", lambda path: path.name == PULL_LOCK)
        copying.tree(state / conventions.REGISTERED, f"{STATE}/{conventions.REGISTERED}", lambda _: False)
        copying.tree(state / MESH_FOLDER, f"{STATE}/{MESH_FOLDER}", lambda path: _made_again(state, path))
        contents = {"made_at": now.astimezone(UTC).isoformat(), "platform": version("platform-resources")}
        files = {name: asdict(file) for name, file in sorted(copying.files.items())}
        (part / CONTENTS).write_text(json.dumps({**contents, "files": files}, indent=1))
        os.sync()
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part)
        raise
    return backup_in(folder)


@contextmanager
def _unpulled(source: Path) -> Iterator[None]:
    """While nobody pulls what products share. Raises BackupRefused."""
    try:
        held = FileLock(source / PULL_LOCK, timeout=LONGEST_WAIT_SECONDS).acquire()
    except Timeout:
        raise BackupRefused(f"a pull into {source} has run for {LONGEST_WAIT_SECONDS:.0f} s; try again when it is done") from None
    with held:
        yield


class _Copying:
    """Copies files into an unfinished backup and notes what they are."""

    def __init__(self, part: Path, last: Backup | None) -> None:
        self.part, self.last = part, last
        self.files: dict[str, SavedFile] = {}
        self.copies: dict[tuple[int, ...], Path] = {}

    def tree(self, source: Path, name: str, left_out: Callable[[Path], bool]) -> None:
        """A file, or all files of a folder but those left out and links; what is gone meanwhile is not wanted any more."""
        for path in _files(source, left_out):
            target = self.part / name / path.relative_to(source) if source.is_dir() else self.part / name
            with suppress(FileNotFoundError):
                made_like(path, target, source if source.is_dir() else path.parent)
                self._copy(path, target)

    def note(self, target: Path, sha256: str = "") -> None:
        """What a file is that was copied."""
        seen = target.stat()
        self.files[target.relative_to(self.part).as_posix()] = SavedFile(seen.st_size, seen.st_mtime_ns, sha256 or digest_of(target))

    def _copy(self, path: Path, target: Path) -> None:
        name, seen = target.relative_to(self.part).as_posix(), path.stat()
        known = self.last.files.get(name) if self.last else None
        with path.open("rb") as opened:
            is_sqlite = opened.read(len(SQLITE)) == SQLITE
        is_whole = not is_sqlite or not _size_of_log(path)  # what is in the log is not in the file yet
        if is_whole and known and self.last and looks(seen) == (known.bytes, known.modified) and _linked(target, self.last, name):
            self.note(target, known.sha256)
            return
        if is_sqlite:
            save_sqlite(path, target)
            if is_whole:
                os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        else:
            copied(path, target, self.copies)
        self.note(target)


def _size_of_log(database: Path) -> int:
    """SQLite takes the log away when the last one closes the database."""
    with suppress(FileNotFoundError):
        return database.with_name(f"{database.name}-wal").stat().st_size
    return 0


def _linked(target: Path, last: Backup, name: str) -> bool:
    """Whether the target is now the file of the last backup, unless that is damaged, gone, or of a file system without hard links."""
    kept, saved = last.folder / name, last.files[name]
    with suppress(OSError):
        if looks(kept.stat()) == (saved.bytes, saved.modified):
            target.hardlink_to(kept)
            return True
    return False


def _consumers_first(state: Path) -> Iterator[tuple[str, str]]:
    """Products, each behind those that have pinned a version of it: what one was made from is then there when it is copied itself."""
    waiting = {place: {pin.partition(".")[0] for pin in shelf(state, *place).pinning()} - {place[1]} for place in saved_products(state)}
    while waiting:
        names = {name for _, name in waiting}
        free = [place for place, consumers in waiting.items() if not consumers & names] or [*waiting]  # keys may be compared both ways
        yield from free
        waiting = {place: consumers for place, consumers in waiting.items() if place not in free}


def _made_again(state: Path, path: Path) -> bool:
    """Files of .mesh that are saved otherwise, or are made again by whoever needs them."""
    others = (LEDGER_FILE, *MADE_AGAIN)
    return path in [state / name for name in others] or path.suffix == ".lock" or path.name.endswith(SQLITE_WORK)


def _files(source: Path, left_out: Callable[[Path], bool]) -> Iterator[Path]:
    if source.is_file():
        yield source
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not left_out(Path(folder, name)))
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if not path.is_symlink() and not left_out(path))
