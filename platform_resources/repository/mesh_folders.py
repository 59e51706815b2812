"""Where the mesh is, which files lie where in it, and where refreshes keep their state."""

import os
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.settings import DAGSTER_HOME, STATE

DOCUMENT, DOMAIN_DOCUMENT = "product.yaml", "domain.yaml"
CALENDARS = f"{conventions.PRODUCTS_FOLDER}/calendars"
GOVERNANCE = f"{conventions.PRODUCTS_FOLDER}/governance.yaml"
HOME_FOLDER = ".dagster"
_BEGIN = f"a new one begins with {conventions.PRODUCTS_FOLDER}/<domain>/<product>/{DOCUMENT}"


class NoMesh(Exception):
    """Raised where no folder with dataproducts/ is found; says where it was looked for."""


def mesh_root(given: Path | None = None, start: Path | None = None) -> Path:
    """The mesh's root: the folder given, or the nearest parent of `start` that has dataproducts/. Raises NoMesh."""
    if given is not None:
        if not (given / conventions.PRODUCTS_FOLDER).is_dir():
            raise NoMesh(f"{given} is no mesh: it has no folder {conventions.PRODUCTS_FOLDER}/; {_BEGIN}")
        return given.resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / conventions.PRODUCTS_FOLDER).is_dir():
            return folder
    raise NoMesh(f"neither {here} nor a folder above it has {conventions.PRODUCTS_FOLDER}/; go into a mesh or give --root DIR; {_BEGIN}")


def state_folder(root: Path) -> Path:
    """Where refreshes keep databases, published versions and run history: MESH_STATE, or the mesh's root."""
    given = STATE.value(os.environ)
    return Path(given).resolve() if given else root


def dagster_home(state: Path) -> Path:
    """Where Dagster keeps its history and settings: DAGSTER_HOME, or a folder of the mesh's own beside its data."""
    given = DAGSTER_HOME.value(os.environ)
    return Path(given).resolve() if given else state / HOME_FOLDER
