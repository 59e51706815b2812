"""File modes of the platform's state: role folders are open to the role's group, everything else to the platform's user alone."""

import grp
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_resources.access.role_folders import OPEN, RoleFolder
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import files_home
from platform_resources.settings import ROLE_GROUP

# Folders of the state with what is not for readers: databases, rows of shared sources, the ledger and the key, Dagster's history, column
# lineage, files of control ports, what dbt wrote. With that of ports they are all that there are.
PRIVATE = (*(name for name in conventions.KEPT_FOLDERS if name != conventions.PORTS), "dbt_project/target", "dbt_project/logs")
OWN, ENTER, GROUP, ALL = 0o700, 0o711, 0o750, 0o755


class NoGroup(Exception):
    """Raised when the Unix group of a role is not there; says which, and what to do."""


@dataclass(frozen=True, slots=True)
class FolderMode:
    """Who may do what with a folder; `group` is its number, None where it does not matter."""

    mode: int
    group: int | None = None

    def difference(self, folder: Path) -> str:
        """What is not so; empty where all is."""
        status = folder.stat()
        mode = stat.S_IMODE(status.st_mode)
        if self.group is not None and status.st_gid != self.group:
            return f"its group is {status.st_gid}, not {self.group}"
        return f"its mode is {mode:04o}, not {self.mode:04o}" if mode != self.mode else ""


def role_mode(product: ProductPlan, folder: RoleFolder) -> FolderMode:
    """The mode of a role's folder: for its group where groups are configured, else for the platform's user alone. Raises NoGroup."""
    template = ROLE_GROUP.value(os.environ)
    if not template:
        return FolderMode(OWN)
    if folder.name == OPEN and not folder.role:
        return FolderMode(ALL)
    name = template.replace("{domain}", product.domain).replace("{product}", product.name).replace("{role}", folder.name)
    if "{role}" not in template or "{product}" not in template:
        raise NoGroup(f'{ROLE_GROUP.name} is "{template}"; it needs {{product}} and {{role}}, so that no two roles share a group')
    try:
        return FolderMode(GROUP, grp.getgrnam(name).gr_gid)
    except KeyError:
        raise NoGroup(
            f"there is no Unix group {name}, whose members read as role {folder.name} of {product.name}; groupadd {name}"
        ) from None


def set_mode(folder: Path, mode: FolderMode) -> None:
    """The group first: until then nobody new may enter."""
    if mode.group is not None:
        os.chown(folder, -1, mode.group)
    folder.chmod(mode.mode)


def wanted_modes(state: Path, products: Iterable[ProductPlan]) -> dict[Path, int]:
    """The mode of each existing path: the way to role folders can be traversed where groups read them; everything else is closed."""
    way = ENTER if ROLE_GROUP.value(os.environ) else OWN
    home = files_home(state)
    modes = {state / name: OWN for name in PRIVATE} | {home / conventions.PORTS: way}
    if home != state:
        modes[home] = way
    for product in products:
        folder = home / conventions.ports_folder(product.domain, product.name)
        modes |= {folder.parent: way, folder: way}
        for entry in folder.iterdir() if folder.is_dir() else ():
            modes[entry] = way if entry.name == conventions.BY_ROLE else OWN if entry.is_dir() else 0o600
    return {path: mode for path, mode in modes.items() if path.exists() and not path.is_symlink()}


def wrong_modes(modes: Mapping[Path, int]) -> dict[Path, int]:
    """What has another mode; a file or folder that is closed more tightly than it must be is left so, but for the way to roles."""
    present = {path: stat.S_IMODE(path.stat().st_mode) for path in modes}
    return {path: mode for path, mode in modes.items() if present[path] & ~mode & 0o777 or mode & ~present[path] & 0o011}
