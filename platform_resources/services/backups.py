"""Back up and restore a mesh's state: published versions, product databases, the ledger and Dagster's history.

A backup is a folder of its own, complete or not there. What has not changed since the last one in the same place is a hard link to its
file, so another backup costs only what is new. The ledger is saved first and versions last, consumers before what they read: whatever the
ledger says is published is there, and whatever a product was made from, or something newer. A restore puts the ledger back last.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock, Timeout

from platform_resources.capabilities.readers.kafka_clients import CHANGES_TO
from platform_resources.ledger.database import (
    LEDGER_FILE,
    Ledger,
    LedgerUnavailable,
    filled_tables,
    ledger_url,
    newest_revision,
    open_ledger,
    restore_ledger,
    save_ledger,
    save_sqlite,
    saved_revision,
)
from platform_resources.ledger.people.control_deliveries import note_restored
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.published_versions import publishing, shelf
from platform_resources.publications.shared_objects import shared_objects
from platform_resources.publications.shared_versions import MIRROR_LOCK, NOTE, POINTERS, shared_products
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.refresh.product_locks import LONGEST_WAIT_SECONDS, RESTORING, ProductBusy, locked
from platform_resources.refresh.publishing import refresh_catalog
from platform_resources.refresh.sources.shared_pulls import LOCK as PULL_LOCK
from platform_resources.repository.known_documents import FOLDER as DOCUMENTS
from platform_resources.services.access.access_plan import apply_access
from platform_resources.services.access.reader_views import known_grants
from platform_resources.services.showing.kept_memories import FILE as MEMORIES
from platform_resources.services.starting.kept_drafts import DRAFTS
from platform_resources.settings import LEDGER, STORE
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.targets import warehouse

CONTENTS, PART, STATE, HOME, LEDGER_COPY = "backup.json", ".part", "state", "dagster", "ledger.sqlite"
MESH_FOLDER = ".mesh"
# A database of SQLite is copied by SQLite; these are its own work files.
SQLITE, SQLITE_WORK = b"SQLite format 3\0", ("-wal", "-shm", "-journal")
# Folders of the state that are not saved, because whoever needs them makes them again, or because they end soon.
MADE_AGAIN = (DOCUMENTS, DRAFTS, str(Path(MEMORIES).parent), ".postgres", "dbt_project/target", "dbt_project/logs")
# Of a product's ports: folders of roles, what was begun, and of which state of a shared storage they are a copy.
NOT_SAVED = (conventions.BY_ROLE, ".staging", NOTE, MIRROR_LOCK)
_READ_AT_ONCE = 1 << 20


class BackupRefused(Exception):
    """Raised before anything is changed; says why and what to do."""


class RestoreBroken(Exception):
    """Raised where only a part was restored, of which nothing is refreshed; says why."""


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


def save(state: Path, home: Path, place: Path, now: datetime, environment: Mapping[str, str]) -> Backup:
    """Write a backup into `place`, beside earlier ones; a product's refreshes wait while its files are copied.

    Raises BackupRefused, ProductBusy, LedgerUnavailable, OSError, sqlite3.Error; an unfinished backup is then taken away.
    """
    if within := [folder for folder in (home, state / MESH_FOLDER, *_targets(state, home)) if folder == place or folder in place.parents]:
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
            with locked(state, _Place(product, domain)):
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


def restore(backup: Backup, state: Path, home: Path, environment: Mapping[str, str]) -> None:
    """Restore a backup into empty state, after comparing every file with what was saved.

    Raises BackupRefused, LedgerUnavailable and OSError, where nothing was changed, and RestoreBroken.
    """
    _refuse_taken(state, home)
    if STORE.value(os.environ) and (known := shared_products(shared_objects().listed(POINTERS))):
        named = ", ".join(f"{domain}/{product}" for domain, product in known)
        raise BackupRefused(f"{STORE.name} has products already: {named}; name an empty prefix")
    if damaged := [name for name, file in backup.files.items() if not _is(backup.folder / name, file)]:
        shown = ", ".join(damaged[:5])
        raise BackupRefused(f"{backup.folder} is damaged: {len(damaged)} files are not as they were saved ({shown}); take another backup")
    if (revision := saved_revision(backup.folder / LEDGER_COPY)) > newest_revision():
        newest = f"this one, {version('platform-resources')}, knows up to revision {newest_revision()} of the ledger; update it"
        raise BackupRefused(f"{backup.folder} is of a newer platform, {backup.platform}, with revision {revision}; {newest}")
    url = ledger_url(state, environment)
    if url != ledger_url(state, {}) and (filled := filled_tables(url)):
        raise BackupRefused(f"the ledger that {LEDGER.name} names is not empty: it has rows in {filled}; restore into an empty one")
    with _alone(state, home):
        try:
            _put_back(backup, state, home)
            _restore_ledger(backup.folder / LEDGER_COPY, state, url)
        except (OSError, LedgerUnavailable) as error:
            raise RestoreBroken(str(error)) from error


def handed_over(state: Path) -> str:
    """After a restore, hand products over to the storage that machines share, if there is one; returns why not all were."""
    try:
        for domain, product in _products(state) if STORE.value(os.environ) else ():
            locked(state, _Place(product, domain)).release()  # whoever claims it first hands over what is here
    except (ProductBusy, EngineError, VersionsUnreadable) as error:
        return str(error)
    return ""


def _refuse_taken(state: Path, home: Path) -> None:
    taken = [path for path in _targets(state, home) if path.is_file() or (path.is_dir() and any(path.iterdir()))]
    if taken:
        there = ", ".join(map(str, taken))
        raise BackupRefused(f"there is something already: {there}; move it away, or set MESH_STATE to an empty folder")


@contextmanager
def _alone(state: Path, home: Path) -> Iterator[None]:
    """While one restore is under way; of one that is broken off the note stays. Raises BackupRefused."""
    note = state / RESTORING
    note.parent.mkdir(parents=True, exist_ok=True)
    try:
        note.touch(exist_ok=False)
    except FileExistsError:
        way_out = "wait for its end; if there is none, take away what is there, and restore again"
        raise BackupRefused(f"another restore into {state} is under way, or was broken off ({note}): {way_out}") from None
    try:
        _refuse_taken(state, home)  # by one that has ended just now
    except BackupRefused:
        note.unlink()
        raise
    yield
    note.unlink()


def _put_back(backup: Backup, state: Path, home: Path) -> None:
    copies: dict[tuple[int, int], Path] = {}
    for name in backup.files:
        within, _, rest = name.partition("/")
        if within in (STATE, HOME):
            target = (state if within == STATE else home) / rest
            _made_like(backup.folder / name, target, backup.folder / within)
            _copied(backup.folder / name, target, copies)


def _copied(file: Path, target: Path, copies: dict[tuple[int, int], Path]) -> None:
    """Ports that share a file go on sharing it, where there are hard links: else a copy would need more room than there was."""
    seen = file.stat()
    first = copies.setdefault((seen.st_dev, seen.st_ino), target)
    if first is not target:
        with suppress(OSError):
            target.hardlink_to(first)
            return
    shutil.copy2(file, target)


def _restore_ledger(copy: Path, state: Path, url: str) -> None:
    """Of an older revision it is brought to the newest one, in a copy: the backup stays as it is."""
    if url == ledger_url(state, {}):
        if (state / LEDGER_FILE).exists():
            raise FileExistsError(f"something that runs has begun a ledger meanwhile, {state / LEDGER_FILE}; stop it first")
        part = state / f"{LEDGER_FILE}{PART}"
        shutil.copy2(copy, part)
        part.rename(state / LEDGER_FILE)
    else:
        with TemporaryDirectory() as folder:
            restore_ledger(Path(shutil.copy2(copy, folder)), url)
    with closing(open_ledger(url)) as ledger, ledger.writing() as connection:
        note_restored(connection, CHANGES_TO)


def shown_again(state: Path, plan: MeshPlan, now: datetime) -> tuple[str, ...]:
    """After a restore, point catalogs and role folders at the files' new places; returns what failed."""
    for product in plan.products:
        if latest := shelf(state, product.domain, product.name).latest():
            refresh_catalog(state, product, latest)
    return apply_access(state, plan, known_grants(state), now)


def untold(ledger: Ledger, state: Path, plan: MeshPlan, now: datetime) -> tuple[str, ...]:
    """Products that show a version which the ledger does not know: it was published while the backup was made."""
    with ledger.reading() as connection:
        known = {(publication.product, publication.version) for publication in newest_publications(connection, now)}
    shown = {product.name: shelf(state, product.domain, product.name).latest() for product in plan.products}
    return tuple(name for name, latest in shown.items() if latest is not None and (name, latest.id) not in known)


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


@contextmanager
def _unpulled(source: Path) -> Iterator[None]:
    """While nobody pulls what products share. Raises BackupRefused."""
    try:
        held = FileLock(source / PULL_LOCK, timeout=LONGEST_WAIT_SECONDS).acquire()
    except Timeout:
        raise BackupRefused(f"a pull into {source} has run for {LONGEST_WAIT_SECONDS:.0f} s; try again when it is done") from None
    with held:
        yield


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    domain: str


class _Copying:
    """Copies files into an unfinished backup and notes what they are."""

    def __init__(self, part: Path, last: Backup | None) -> None:
        self.part, self.last = part, last
        self.files: dict[str, SavedFile] = {}
        self.copies: dict[tuple[int, int], Path] = {}

    def tree(self, source: Path, name: str, left_out: Callable[[Path], bool]) -> None:
        """A file, or all files of a folder but those left out and links; what is gone meanwhile is not wanted any more."""
        for path in _files(source, left_out):
            target = self.part / name / path.relative_to(source) if source.is_dir() else self.part / name
            with suppress(FileNotFoundError):
                _made_like(path, target, source if source.is_dir() else path.parent)
                self._copy(path, target)

    def note(self, target: Path, sha256: str = "") -> None:
        """What a file is that was copied."""
        seen = target.stat()
        self.files[target.relative_to(self.part).as_posix()] = SavedFile(seen.st_size, seen.st_mtime_ns, sha256 or _digest(target))

    def _copy(self, path: Path, target: Path) -> None:
        name, seen = target.relative_to(self.part).as_posix(), path.stat()
        known = self.last.files.get(name) if self.last else None
        with path.open("rb") as opened:
            is_sqlite = opened.read(len(SQLITE)) == SQLITE
        log = path.with_name(f"{path.name}-wal")
        is_whole = not is_sqlite or not log.exists() or not log.stat().st_size  # what is in the log is not in the file yet
        if is_whole and known and self.last and _looks(seen) == (known.bytes, known.modified) and _linked(target, self.last, name):
            self.note(target, known.sha256)
            return
        if is_sqlite:
            save_sqlite(path, target)
            if is_whole:
                os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        else:
            _copied(path, target, self.copies)
        self.note(target)


def _linked(target: Path, last: Backup, name: str) -> bool:
    """Whether the target is now the file of the last backup, unless that is damaged, gone, or of a file system without hard links."""
    kept, saved = last.folder / name, last.files[name]
    with suppress(OSError):
        if _looks(kept.stat()) == (saved.bytes, saved.modified):
            target.hardlink_to(kept)
            return True
    return False


def _looks(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_size, seen.st_mtime_ns


def _products(state: Path) -> list[tuple[str, str]]:
    """Domain and name of every product that has published or has a database, whether the mesh still describes it or not."""
    files = state.glob(conventions.database_file("*", "*"))
    shared = shared_products(shared_objects().listed(POINTERS)) if STORE.value(os.environ) else ()
    return sorted({*publishing(state), *((file.parent.name, file.stem) for file in files), *shared})


def _consumers_first(state: Path) -> Iterator[tuple[str, str]]:
    """Products, each behind those that have pinned a version of it: what one was made from is then there when it is copied itself."""
    waiting = {place: {pin.partition(".")[0] for pin in shelf(state, *place).pinning()} - {place[1]} for place in _products(state)}
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


def _made_like(path: Path, target: Path, top: Path) -> None:
    """The folders above the target, each with the mode of its counterpart below `top`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source, made = path.parent, target.parent
    while source != top and top in source.parents:
        made.chmod(source.stat().st_mode & 0o7777)
        source, made = source.parent, made.parent


def _targets(state: Path, home: Path) -> Sequence[Path]:
    folders = (conventions.PORTS, "warehouse", "lineage", conventions.SOURCES, conventions.REGISTERED, warehouse().kind)
    return (*(state / name for name in folders), state / LEDGER_FILE, home / "history")


def _is(path: Path, saved: SavedFile) -> bool:
    return path.is_file() and path.stat().st_size == saved.bytes and _digest(path) == saved.sha256


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while read := opened.read(_READ_AT_ONCE):
            digest.update(read)
    return digest.hexdigest()
