"""Where Dagster remembers: DAGSTER_HOME, or a folder of the mesh that survives."""

import os
from pathlib import Path

from dagster import DagsterInstance

from platform_resources.settings import DAGSTER_HOME

HOME_FOLDER = ".dagster"
SETTINGS = "dagster.yaml"


def dagster_home(root: Path, state: Path) -> Path:
    """DAGSTER_HOME as set, or the mesh's own beside the data. It is made if need be.

    The mesh's own home always has the newest settings (the mesh's dagster.yaml, or the platform's); one that was set keeps its own.
    """
    given = DAGSTER_HOME.value(os.environ)
    home = Path(given).resolve() if given else state / HOME_FOLDER
    if not given or not (home / SETTINGS).exists():
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
    """The Dagster instance that `mesh` and `dagster dev` share."""
    os.environ[DAGSTER_HOME.name] = str(dagster_home(root, state))
    return DagsterInstance.get()
