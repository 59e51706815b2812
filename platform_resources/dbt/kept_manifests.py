"""Keep what dbt says of each product, and ask dbt again only when something that it reads has changed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from platform_resources.dbt.project_slices import read_files, replace_file, work_folder
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.from_products.dbt_nodes import DbtProject, DbtReading, project_from
from platform_resources.plan.plan import GeneratedFile
from platform_resources.repository.generated_files import write_generated_files
from platform_resources.repository.needed_files import PROJECT
from platform_resources.repository.product_secrets import mask_of
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem
from platform_resources.warehouses.targets import warehouse

# Another number makes every manifest anew: this file's form has changed, or what is read out of a manifest.
_FORM = 9
_LARGE = 1_000_000
# Folders' settings are in the nodes that they concern.
_OF_NODES = (
    "models",
    "seeds",
    "snapshots",
    "tests",
    "data_tests",
    "unit_tests",
    "sources",
    "exposures",
    "metrics",
    "semantic-models",
    "analyses",
)
Files = tuple[GeneratedFile, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What dbt said, the `key` of all that it read, and a digest of each environment variable that this names.

    Those that are `needed` only who builds must have: what dbt says without them is that they are missing.
    """

    key: str
    variables: Mapping[str, str]
    needed: frozenset[str]
    reading: DbtReading


class Manifests:
    """What dbt says of the products of one mesh. Where nothing has changed it is read back, and dbt is not even imported."""

    def __init__(self, root: Path, state: Path, target: str) -> None:
        self.root, self.state, self.target = root, state, target

    def of(self, product: Placed, generated: Callable[[DbtProject | None], Files]) -> DbtReading:
        """What dbt says of the product now. `generated` are the files that the platform writes for it, given what dbt has said before."""
        kept, own = self._kept(product), self._own_digest(product)
        before = kept.reading.project if kept is not None else None
        if kept is not None and self._holds(kept, own, generated(before)):
            return kept.reading
        with FileLock(_beside(self._file(product), ".lock")):
            text = _written(self._made(product, own, generated, before), mask_of(self.root, product))
            replace_file(self._file(product), text.encode())
        return _read(json.loads(text)).reading

    def _holds(self, kept: _Kept, own: str, files: Files) -> bool:
        return kept.key == self._key(own, files) and (kept.variables == (now := variable_digests(kept.variables)) or _lacks(kept, now))

    def _made(self, product: Placed, own: str, generated: Callable[[DbtProject | None], Files], before: DbtProject | None) -> _Kept:
        """A second time where what dbt says changes the generated file: only dbt knows which model is a view."""
        from platform_resources.dbt.parsing import named_by, reading_of

        for _ in range(2):
            files = generated(before)
            write_generated_files(self.root, files)
            given = warehouse().dbt_variables(self.state, product.domain, product.name).keys()
            named = named_by(self.root, product)
            shared = (self._settings, variable_digests(named.nodes - given))
            reading, more = reading_of(self.root, self.state, product, self.target, shared)
            before = reading.project
            if before is None or generated(before) == files:
                break
        names = (named.nodes | named.connection) - given | more
        return _Kept(self._key(own, files), variable_digests(names), named.needed - given, reading)

    def _key(self, own: str, files: Files) -> str:
        return _digest((self._shared, own, [file.text for file in files]))

    @cached_property
    def _shared(self) -> str:
        """What all products share, among it dbt itself and the variables that dbt goes by."""
        by_dbt = sorted((name, value) for name, value in os.environ.items() if name.startswith("DBT_"))
        versions = [version(name) for name in ("dbt-core", f"dbt-{warehouse().kind}", "dagster-dbt")]
        return _digest((_FORM, self.target, versions, by_dbt, _contents(self.root, read_files(self.root, None))))

    @cached_property
    def _settings(self) -> str:
        """What dbt_project.yml says of all nodes, such as variables."""
        document = read_document((self.root / PROJECT).read_text(encoding="utf-8"), PROJECT)
        data = document.data if isinstance(document, Document) and isinstance(document.data, Mapping) else {}
        return _digest({key: value for key, value in data.items() if key not in _OF_NODES})

    def _own_digest(self, product: Placed) -> str:
        files = (path for path in read_files(self.root, product) if not conventions.is_generated(path.name))
        return _digest(_contents(self.root, files))

    def _file(self, product: Placed) -> Path:
        return work_folder(self.state, product) / "said_by_dbt.json"

    def _kept(self, product: Placed) -> _Kept | None:
        """None where there is none, or one of another form."""
        try:
            data = json.loads(self._file(product).read_bytes())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return _read(data) if data.get("form") == _FORM else None


def _read(data: Mapping[str, Any]) -> _Kept:
    """What `_written` wrote: also for who has just asked dbt, so that everybody sees the same, without secrets."""
    project = project_from(data["project"]) if data["project"] is not None else None
    problems = tuple(Problem(**problem) for problem in data["problems"])
    return _Kept(data["key"], data["variables"], frozenset(data["needed"]), DbtReading(project, problems, data["missing"]))


def _lacks(kept: _Kept, now: Mapping[str, str]) -> bool:
    """Whether this process lacks variables that only who builds must have, and has all others as they were.

    Who reads a mesh need not have the password that builds it. A build without it fails by itself.
    """
    changed = {name for name, digest in kept.variables.items() if digest != now[name]}
    return kept.reading.project is not None and changed <= kept.needed and not any(now[name] for name in changed)


def variable_digests(names: Iterable[str]) -> dict[str, str]:
    """A few digits of each variable's value, from which nobody can tell it; nothing for one that is not set."""
    return {name: _digest((name, os.environ[name]))[:6] if name in os.environ else "" for name in sorted(names)}


def _written(kept: _Kept, hide: Callable[[str], str]) -> str:
    project = asdict(kept.reading.project) if kept.reading.project is not None else None
    problems = [asdict(problem) for problem in kept.reading.problems]
    said = {"project": project, "problems": problems, "missing": kept.reading.missing}
    asked = {"form": _FORM, "key": kept.key, "variables": kept.variables, "needed": sorted(kept.needed)}
    return json.dumps(_hidden({**asked, **said}, hide))


def _hidden(data: Any, hide: Callable[[str], str]) -> Any:
    """Settings may hold what `env_var()` gave."""
    match data:
        case str():
            return hide(data)
        case dict():
            return {key: _hidden(value, hide) for key, value in data.items()}
        case list() | tuple():
            return [_hidden(value, hide) for value in data]
        case _:
            return data


def _contents(root: Path, files: Iterable[Path]) -> list[tuple[str, str]]:
    """Each file with a digest of its content; of a large one, a seed, size and time tell whether it has changed."""
    contents: list[tuple[str, str]] = []
    for file in files:
        stat = file.stat()
        large = stat.st_size > _LARGE
        content = f"{stat.st_size} {stat.st_mtime_ns}" if large else hashlib.sha256(file.read_bytes()).hexdigest()
        contents.append((file.relative_to(root).as_posix(), content))
    return sorted(contents)


def _beside(file: Path, ending: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.with_suffix(ending)


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:32]
