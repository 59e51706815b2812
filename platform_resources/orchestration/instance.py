"""Where Dagster remembers: DAGSTER_HOME, or a folder of the mesh that survives."""

import os
import shutil
from pathlib import Path

from dagster import DagsterInstance

HOME_VARIABLE = "DAGSTER_HOME"
HOME_FOLDER = ".dagster"
DEFAULTS = Path(__file__).with_name("dagster.yaml")


def dagster_home(root: Path, state: Path) -> Path:
    """DAGSTER_HOME as set, or the mesh's own with its dagster.yaml (the mesh's, or the platform's defaults) beside the data."""
    given = os.environ.get(HOME_VARIABLE)
    if given:
        return Path(given)
    home = state / HOME_FOLDER
    home.mkdir(parents=True, exist_ok=True)
    own = root / "dagster.yaml"
    shutil.copyfile(own if own.exists() else DEFAULTS, home / "dagster.yaml")
    return home


def instance(root: Path, state: Path) -> DagsterInstance:
    """The Dagster instance that `mesh` and `dagster dev` share."""
    os.environ[HOME_VARIABLE] = str(dagster_home(root, state))
    return DagsterInstance.get()
