"""Put a backup back where nothing is yet: one restore at a time, the ledger last, so that nobody is told anything of half a state."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

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
    saved_revision,
)
from platform_resources.ledger.people.control_deliveries import note_restored
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.shared_objects import shared_objects
from platform_resources.publications.shared_versions import POINTERS, shared_products
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.refresh.product_locks import RESTORING, ProductBusy, locked
from platform_resources.refresh.publishing import refresh_catalog
from platform_resources.services.access.access_plan import apply_access
from platform_resources.services.access.reader_views import known_grants
from platform_resources.services.backups.saved_files import (
    HOME,
    LEDGER_COPY,
    PART,
    STATE,
    Backup,
    BackupRefused,
    SavedPlace,
    copied,
    is_as_saved,
    made_like,
    saved_folders,
    saved_products,
)
from platform_resources.settings import LEDGER, STORE
from platform_resources.warehouses.engine_errors import EngineError


class RestoreBroken(Exception):
    """Raised where only a part was restored, of which nothing is refreshed; says why."""


def restore(backup: Backup, state: Path, home: Path, environment: Mapping[str, str]) -> None:
    """Restore a backup into empty state, after comparing every file with what was saved.

    Raises BackupRefused, LedgerUnavailable and OSError, where nothing was changed, and RestoreBroken.
    """
    _refuse_taken(state, home)
    if STORE.value(os.environ) and (known := shared_products(shared_objects().listed(POINTERS))):
        named = ", ".join(f"{domain}/{product}" for domain, product in known)
        raise BackupRefused(f"{STORE.name} has products already: {named}; name an empty prefix")
    if damaged := [name for name, file in backup.files.items() if not is_as_saved(backup.folder / name, file)]:
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


def _refuse_taken(state: Path, home: Path) -> None:
    taken = [path for path in saved_folders(state, home) if path.is_file() or (path.is_dir() and any(path.iterdir()))]
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
    copies: dict[tuple[int, ...], Path] = {}
    for name in backup.files:
        within, _, rest = name.partition("/")
        if within in (STATE, HOME):
            target = (state if within == STATE else home) / rest
            made_like(backup.folder / name, target, backup.folder / within)
            copied(backup.folder / name, target, copies)


def _restore_ledger(copy: Path, state: Path, url: str) -> None:
    """Of an older revision it is brought to the newest one, in a copy: the backup stays as it is.

    Whoever finds the ledger finds noted in it, too, that topics were last sent to before a restore.
    """
    with TemporaryDirectory() as folder:
        noted = Path(shutil.copy2(copy, folder))
        with closing(open_ledger(f"sqlite:///{noted}")) as ledger, ledger.writing() as connection:
            note_restored(connection, CHANGES_TO)
        if url != ledger_url(state, {}):
            restore_ledger(noted, url)
            return
        if (state / LEDGER_FILE).exists():
            raise FileExistsError(f"something that runs has begun a ledger meanwhile, {state / LEDGER_FILE}; stop it first")
        part = state / f"{LEDGER_FILE}{PART}"
        shutil.copy2(noted, part)
        part.rename(state / LEDGER_FILE)


def handed_over(state: Path) -> str:
    """After a restore, hand products over to the storage that machines share, if there is one; returns why not all were."""
    try:
        for domain, product in saved_products(state) if STORE.value(os.environ) else ():
            locked(state, SavedPlace(product, domain)).release()  # whoever claims it first hands over what is here
    except (ProductBusy, EngineError, VersionsUnreadable) as error:
        return str(error)
    return ""


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
