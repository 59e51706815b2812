"""One product's part of the dbt project: a folder of links with the shared files and only this product's models and tests.

Names, folder settings and paths are those of the whole project, and dbt reads no other product's files.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed

# What dbt remembers of its last parse; it reads again only what has changed since, after comparing all that could matter.
PARSED = "partial_parse.msgpack"
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
    for old in list(sliced.iterdir()):
        kept = old.is_symlink() and old.name in wanted and old.readlink() == wanted[old.name].absolute()
        if old.is_dir() and not old.is_symlink():  # a copy of a mesh may have copies where there were links
            shutil.rmtree(old)
        elif not kept and old.name != ".dbtignore":
            old.unlink()
    for name, entry in wanted.items():
        if not (sliced / name).is_symlink():
            (sliced / name).symlink_to(entry.absolute())
    _write(sliced / ".dbtignore", _ignored(project / ".dbtignore", product, without))
    return sliced


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
