"""Where Dagster remembers: DAGSTER_HOME, or a folder of the mesh that survives."""

import os
from pathlib import Path

from dagster import DagsterInstance
from filelock import FileLock

from platform_resources.repository.mesh_folders import dagster_home
from platform_resources.settings import DAGSTER_HOME

SETTINGS, LOCK = "dagster.yaml", ".opening.lock"


def prepared_home(root: Path, state: Path) -> Path:
    """Dagster's home, made if need be.

    The mesh's own home always has the newest settings (the mesh's dagster.yaml, or the platform's); one that was set keeps its own.
    """
    home = dagster_home(state)
    if not DAGSTER_HOME.value(os.environ) or not (home / SETTINGS).exists():
        own = root / SETTINGS
        _copy(own if own.exists() else Path(__file__).with_name(SETTINGS), home / SETTINGS)
    return home


def _copy(source: Path, target: Path) -> None:
    """Another process may be reading the target: it sees the old text or the new one."""
    text = source.read_text(encoding="utf-8")
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)


def instance(root: Path, state: Path) -> DagsterInstance:
    """The Dagster instance that `mesh` and `dagster dev` share.

    One process at a time: Dagster makes the databases of a new home without looking whether another process does so too.
    """
    home = prepared_home(root, state)
    os.environ[DAGSTER_HOME.name] = str(home)
    with FileLock(home / LOCK):
        return DagsterInstance.get()
