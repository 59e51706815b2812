"""One product's part of the dbt project: a folder of links with the shared files and only this product's models and tests.

Names, folder settings and paths are those of the whole project, and dbt reads no other product's files.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed

# What dbt remembers of its last parse; it reads again only what has changed since, after comparing all that could matter.
PARSED = "partial_parse.msgpack"
# libyaml reads what PyYAML reads, many times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Folders of the project that hold a folder for each product, by dbt's usual names.
BY_PRODUCT = ("models", "tests", "seeds", "snapshots", "analyses")
_SHARED = ("!tests/generic/**",)


def target_folder(state: Path) -> Path:
    """The folder for dbt's output, of all products."""
    return state / conventions.DBT_FOLDER / "target"


def work_folder(state: Path, product: Placed) -> Path:
    """The folder for dbt's work files of this product."""
    return target_folder(state) / product.domain / product.name


def read_files(root: Path, product: Placed | None) -> Iterator[Path]:
    """The files of the project that dbt may read: what all products share, or with a product what is its own."""
    project = root / conventions.DBT_FOLDER
    if product is not None:
        folders = [project / kind / product.domain / product.name for kind in BY_PRODUCT]
    else:
        shared = {entry.name: entry for entry in project.iterdir() if entry.name not in ("target", "logs", *BY_PRODUCT)}
        yield from (entry for entry in shared.values() if entry.is_file())
        folders = [*(entry for entry in shared.values() if entry.is_dir()), project / "tests" / "generic"]
    for folder in folders:
        for where, _, names in os.walk(folder, followlinks=True):
            yield from (Path(where, name) for name in names)


def slice_of(root: Path, folder: Path, product: Placed | None, without: Iterable[str] = ()) -> Path:
    """The project folder for dbt, made or brought up to date in `folder`: of one product, or of none; `without` these files."""
    project, sliced = root / conventions.DBT_FOLDER, folder / "project"
    sliced.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name: entry for entry in project.iterdir() if entry.name not in (".dbtignore", "target", "logs")}
    cut = _without_merged(project, product) if product is not None else {}
    if cut:
        _link_models(wanted.pop("models"), sliced / "models", cut)
    for old in list(sliced.iterdir()):
        kept = old.is_symlink() and old.name in wanted and old.readlink() == wanted[old.name].absolute()
        if cut and old.name == "models":
            continue
        if old.is_dir() and not old.is_symlink():  # a copy of a mesh may have copies where there were links
            shutil.rmtree(old)
        elif not kept and old.name != ".dbtignore":
            old.unlink()
    for name, entry in wanted.items():
        if not (sliced / name).is_symlink():
            (sliced / name).symlink_to(entry.absolute())
    _write(sliced / ".dbtignore", _ignored(project / ".dbtignore", product, without))
    return sliced


def _without_merged(project: Path, product: Placed) -> dict[Path, str]:
    """By path in the models' folder, the text of each of the product's files without the models that the merged file describes instead."""
    models = project / "models"
    folder = models / product.domain / product.name
    described = _models_of(_written(folder / conventions.MERGED_FILE))
    cut: dict[Path, str] = {}
    for file in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml"))) if described else ():
        written = {} if conventions.is_generated(file.name) else _written(file)
        if _models_of(written) & described:
            written["models"] = [entry for entry in written["models"] if not _models_of({"models": [entry]}) & described]
            cut[file.relative_to(models)] = yaml.safe_dump({key: value for key, value in written.items() if value}, sort_keys=False)
    return cut


def _written(file: Path) -> dict[str, Any]:
    """What a file of dbt YAML says; nothing of one that is no such file."""
    try:
        data = yaml.load(file.read_text(encoding="utf-8", errors="replace"), _LOADER) if file.exists() else {}
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}


def _models_of(written: Mapping[str, Any]) -> set[str]:
    """The names of the models that it describes."""
    entries = written.get("models")
    return {str(entry.get("name")) for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)}


def _link_models(models: Path, folder: Path, instead: Mapping[Path, str]) -> None:
    """A folder with a link for each file of the product's models, and with the texts that dbt reads `instead` of some of them."""
    if folder.is_symlink():
        folder.unlink()
    product = next(iter(instead)).parts[:2]
    wanted = {path.relative_to(models): path.absolute() for path in models.joinpath(*product).rglob("*") if path.is_file()}
    for old in folder.rglob("*") if folder.exists() else ():
        if not old.is_dir() and old.relative_to(folder) not in wanted:
            old.unlink()
    for name, path in wanted.items():
        link = folder / name
        if link.is_symlink() and (name in instead or link.readlink() != path):
            link.unlink()
        if name in instead:
            _write(link, instead[name])
        elif not link.is_symlink():
            link.unlink(missing_ok=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)


def _ignored(own: Path, product: Placed | None, without: Iterable[str]) -> str:
    """In the order in which dbt goes by them: the mesh's own lines, then everybody's folders, and the product's not."""
    lines = own.read_text(encoding="utf-8").splitlines() if own.exists() else []
    lines += [f"{kind}/**" for kind in BY_PRODUCT]
    if product is not None:
        lines += [*_SHARED, *(f"!{kind}/{product.domain}/{product.name}/**" for kind in BY_PRODUCT)]
    return "\n".join((*lines, *without, ""))


def _write(file: Path, text: str) -> None:
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        replace_file(file, text.encode())


def replace_file(file: Path, content: bytes) -> None:
    """Whoever reads the file meanwhile sees the old content or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, file)
