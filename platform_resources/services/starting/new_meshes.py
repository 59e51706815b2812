"""Create a mesh in a folder, or a domain in a mesh."""

import json
import os
from importlib import metadata
from pathlib import Path

from platform_resources.detection.name_words import without_accents
from platform_resources.plan import conventions
from platform_resources.repository.mesh_folders import CALENDARS, NoMesh, mesh_root
from platform_resources.repository.placing import place
from platform_resources.scaffolding.mesh_files import NO_LOCATIONS, WORKSPACE, domain_files, mesh_files, with_location
from platform_resources.spec.values.field_types import is_owner
from platform_resources.spec.values.names import LONGEST_NAME, is_name, slug, title_of_name

PACKAGE = "platform-resources"


class CannotBegin(Exception):
    """Raised if something cannot be created as asked; says why and what to do."""


def new_mesh(folder: Path, domain: str | None, owner: str | None) -> tuple[str, ...]:
    """Write a mesh with one domain, named after the folder by default; returns the files. Raises CannotBegin and InTheWay."""
    name = folder.resolve().name
    plain = slug(without_accents(name))
    chosen = domain or plain
    _check_domain(chosen, "--domain NAME names the first domain")
    _check_outside(folder)
    files = mesh_files(plain.replace("_", "-") or chosen, title_of_name(name), _platform())
    files |= domain_files(chosen, title_of_name(chosen), _owner(owner, chosen))
    files[WORKSPACE] = with_location(files[WORKSPACE], chosen) or files[WORKSPACE]
    # A mesh is what has the folder of products, so that one comes last.
    entries = sorted({path.split("/")[0] for path in files}, key=lambda entry: (entry == conventions.PRODUCTS_FOLDER, entry))
    place(folder, files, entries)
    return tuple(sorted(files))


def _check_domain(name: str, hint: str) -> None:
    if not is_name(name):
        rule = f"lower case letters, digits and _, beginning with a letter, at most {LONGEST_NAME}"
        raise CannotBegin(f'"{name}" is no name of a domain: {rule}\n{hint}')
    if name in {*conventions.RESERVED_NAMES, Path(CALENDARS).name}:
        raise CannotBegin(f'a domain may not be called "{name}"; it is reserved for the platform\n{hint}')


def _check_outside(folder: Path) -> None:
    """A mesh in a mesh would be read as a part of neither."""
    try:
        around = mesh_root(start=folder.resolve().parent)
    except NoMesh:
        return
    raise CannotBegin(f"{folder} lies in the mesh {around}; begin a new one outside of it, or a domain in it: mesh new domain NAME")


def _owner(owner: str | None, domain: str) -> str:
    chosen = owner or f"team:{domain}"
    if not is_owner(chosen):
        raise CannotBegin(f'"{chosen}" is no owner; write an e-mail address or team:name')
    return chosen


def _platform() -> str:
    """The platform as the mesh is to install it: from the address it was installed from, if others can reach that, else by its version."""
    installed = metadata.distribution(PACKAGE)
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("url", "file:").startswith("file:"):
        return f"{PACKAGE}[marketplace,sources]>={installed.version}"
    commit = origin.get("vcs_info", {})
    url = f"{commit['vcs']}+{origin['url']}@{commit['commit_id']}" if commit else origin["url"]
    return f"{PACKAGE}[marketplace,sources] @ {url}"


def new_domain(root: Path, name: str, owner: str | None) -> tuple[str, ...]:
    """Write a domain and its Dagster code location; returns the files. Adds only the location if the domain exists.

    Without WORKSPACE among the files, only a person can add the location to it. Raises CannotBegin and InTheWay.
    """
    _check_domain(name, "choose another one")
    files = domain_files(name, title_of_name(name), _owner(owner, name))
    workspace = root / WORKSPACE
    text = workspace.read_text(encoding="utf-8") if workspace.exists() else NO_LOCATIONS
    located = with_location(text, name)
    if located in (None, text) or not all((root / path).exists() for path in files):
        place(root, files, [f"{conventions.PRODUCTS_FOLDER}/{name}"])
    if located is None:
        return tuple(files)
    part = workspace.with_name(f".{workspace.name}.{os.getpid()}.part")
    part.write_text(located, encoding="utf-8")
    os.replace(part, workspace)
    return (*files, WORKSPACE)
