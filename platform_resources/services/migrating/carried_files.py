"""Copy the files of a dbt project to their places in the mesh: models, tests, seeds, and files shared by all products."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from platform_resources.dbt.outside_project import OutsideProject
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.services.migrating.carrying import Carried, listed, mapping

# dbt's own defaults.
_FOLDERS = {
    "model-paths": ("models", ("models",)),
    "seed-paths": ("seeds", ("seeds",)),
    "snapshot-paths": ("snapshots", ("snapshots",)),
    "analysis-paths": ("analyses", ("analyses",)),
    "test-paths": ("tests", ("tests",)),
    "macro-paths": ("macros", ("macros",)),
}
_PACKAGE_FILES = ("packages.yml", "dependencies.yml")
# What a package's folder may hold that is no part of it.
_LEFT_BEHIND = frozenset({"target", "logs", "dbt_packages", "integration_tests"})


def carry_files(project: OutsideProject, root: Path, product: Placed, taken_as_input: frozenset[str], carried: Carried) -> None:
    """Plan where each project file goes, by its path in the mesh. CSV files that become inputs go beside product.yaml."""
    macros = _macros_of(root)
    for setting, (kind, default) in _FOLDERS.items():
        for folder in listed(project.settings.get(setting), default):
            for file in _files(project.folder / folder):
                inside = file.relative_to(project.folder / folder).as_posix()
                path = f"{folder}/{inside}"
                if path in taken_as_input or (kind == "macros" and _is_taken(project, path, macros, carried)):
                    continue
                carried.copies.setdefault(f"{conventions.DBT_FOLDER}/{_placed(kind, inside, product)}", file)
    if (project.folder / "selectors.yml").exists():
        carried.leave("selectors.yml", "selectors are not carried over", "a refresh builds a product as a whole")


def _placed(kind: str, inside: str, product: Placed) -> str:
    """Where a file of this kind of folder goes; generic tests are shared, as dbt finds them nowhere else."""
    if kind == "tests" and inside.startswith("generic/"):
        return f"tests/generic/{product.domain}/{product.name}/{inside.removeprefix('generic/')}"
    return f"{kind}/{product.domain}/{product.name}/{inside}"


def _is_taken(project: OutsideProject, file: str, macros: frozenset[str], carried: Carried) -> bool:
    """Whether the file has a macro that the mesh has already, or that would decide names for every product."""
    names = project.macros.get(file, frozenset())
    ruling = {name for name in names if name.startswith("generate_") and name.endswith("_name")}
    if ruling:
        do = "the mesh's own macro of that name says where every product is built; custom schemas are used as they are named"
    elif names & macros:
        do = "rename what differs, or go on with the mesh's"
    else:
        return False
    both = ", ".join(sorted(ruling or names & macros))
    carried.leave(file, f"left out: {both} is the mesh's to say", do)
    return True


def _macros_of(root: Path) -> frozenset[str]:
    """The names of macros that the mesh has, by dbt's own parser of Jinja."""
    from platform_resources.dbt.jinja_files import macros_in

    folder = root / conventions.DBT_FOLDER / "macros"
    return frozenset(name for file in _files(folder) if file.suffix == ".sql" for name in macros_in(file))


def carry_packages(project: OutsideProject, root: Path, carried: Carried) -> None:
    """Plan the copy of installed dbt packages, and their entries in packages.yml. Packages in local folders are copied too."""
    here = root / conventions.DBT_FOLDER
    wanted = [entry for name in _PACKAGE_FILES for entry in _entries(project.folder / name)]
    known = [entry for name in _PACKAGE_FILES for entry in _entries(here / name)]
    entries = [_moved(entry, project, carried) for entry in wanted]
    missing = [entry for entry in entries if entry not in known]
    if missing and not (here / "packages.yml").exists():
        text = yaml.safe_dump({"packages": missing}, sort_keys=False)
        carried.texts[f"{conventions.DBT_FOLDER}/packages.yml"] = text
    for entry in missing if (here / "packages.yml").exists() else ():
        carried.leave("packages.yml", f"the mesh's packages.yml has no {entry}", "add it there, then run dbt deps")
    for name, folder in project.packages.items():
        path = f"{conventions.DBT_FOLDER}/{conventions.PACKAGES_FOLDER}/{name}"
        if not (root / path).exists():
            _copy_package(path, folder.resolve(), carried)
    if "projects" in _document(project.folder / "dependencies.yml"):
        carried.leave("dependencies.yml", "other projects are not carried over", "read another product through an input port")


def _moved(entry: Mapping[str, Any], project: OutsideProject, carried: Carried) -> dict[str, Any]:
    """A package in a folder is copied into the mesh."""
    if "local" not in entry:
        return dict(entry)
    folder = (project.folder / str(entry["local"])).resolve()
    _copy_package(f"{conventions.DBT_FOLDER}/local_packages/{folder.name}", folder, carried)
    return {**entry, "local": f"local_packages/{folder.name}"}


def _copy_package(path: str, folder: Path, carried: Carried) -> None:
    for file in _files(folder):
        inside = PurePosixPath(file.relative_to(folder).as_posix())
        if not _LEFT_BEHIND & set(inside.parts):
            carried.copies.setdefault(f"{path}/{inside}", file)


def _entries(file: Path) -> list[Mapping[str, Any]]:
    return [entry for entry in _document(file).get("packages") or () if isinstance(entry, Mapping)]


def _document(file: Path) -> Mapping[str, Any]:
    return mapping(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _files(folder: Path) -> Iterator[Path]:
    """Every file below, but hidden ones; none of a folder that is not there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path
