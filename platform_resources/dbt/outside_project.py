"""What dbt says of a project outside the mesh, as plain data: models with their columns, seeds, sources, macros, packages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from platform_resources.dbt.build_log import listening
from platform_resources.dbt.manifest import node_name
from platform_resources.redaction.redaction import mask

_TESTS = ("not_null", "unique")


class CannotRead(Exception):
    """Raised when dbt cannot read the project; says what dbt said."""


@dataclass(frozen=True, slots=True)
class OutsideColumn:
    """A column as dbt's YAML describes it. `type` is empty where none is declared; `filled` and `unique` are what is tested or enforced."""

    name: str
    description: str
    type: str
    filled: bool
    unique: bool


@dataclass(frozen=True, slots=True)
class OutsideModel:
    """A model. `read` says whether another model reads it, `exposed` whether an exposure names it or its access is public."""

    name: str
    file: str
    description: str
    columns: tuple[OutsideColumn, ...]
    language: str
    version: str
    materialized: str
    read: bool
    exposed: bool


@dataclass(frozen=True, slots=True)
class OutsideTable:
    """A source's table. `place` is its schema and name in the warehouse; `aged` says whether its age is checked.

    `elsewhere` is the file that dbt-duckdb reads in its place; empty if there is none.
    """

    source: str
    name: str
    place: tuple[str, str]
    description: str
    file: str
    read: bool
    aged: bool
    elsewhere: str


@dataclass(frozen=True, slots=True)
class OutsideSeed:
    """A CSV file that dbt loads. `types` are those of its columns that the project sets."""

    name: str
    file: str
    place: tuple[str, str]
    enabled: bool
    read: bool
    delimiter: str
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OutsideProject:
    """A dbt project. `macros` are names of macros by file; `packages` are folders of installed packages by name."""

    name: str
    folder: Path
    settings: Mapping[str, Any]
    models: tuple[OutsideModel, ...]
    seeds: tuple[OutsideSeed, ...]
    tables: tuple[OutsideTable, ...]
    macros: Mapping[str, frozenset[str]]
    packages: Mapping[str, Path]
    names: frozenset[str]


def read_outside(folder: Path, work: Path) -> OutsideProject:
    """What dbt says of the project in `folder`, where nothing is written; dbt works in `work`. Raises CannotRead."""
    settings = _settings(folder)
    manifest = _manifest(folder, work, str(settings.get("profile") or "default"))
    name = manifest.metadata.project_name
    own = [node for node in manifest.nodes.values() if node.package_name == name]
    disabled = [node for nodes in manifest.disabled.values() for node in nodes if node.package_name == name]
    read = _read(manifest)
    seeds = [(node, node in own) for node in (*own, *disabled) if node.resource_type == "seed"]
    installed = folder / str(settings.get("packages-install-path") or "dbt_packages")
    return OutsideProject(
        name=name,
        folder=folder,
        settings=settings,
        models=tuple(sorted((_model(manifest, node, read) for node in own if node.resource_type == "model"), key=lambda m: m.file)),
        seeds=tuple(sorted((_seed(seed, enabled, read) for seed, enabled in seeds), key=lambda seed: seed.file)),
        tables=tuple(sorted((_table(table, read) for table in _own(manifest.sources, name)), key=lambda t: (t.source, t.name))),
        macros=_macros(_own(manifest.macros, name)),
        packages={path.name: path for path in sorted(installed.iterdir()) if path.is_dir()} if installed.is_dir() else {},
        names=frozenset(node_name(node) for node in own),
    )


def _settings(folder: Path) -> Mapping[str, Any]:
    file = folder / "dbt_project.yml"
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CannotRead(f"{file} is missing; name the folder of a dbt project") from None
    except yaml.YAMLError as error:
        raise CannotRead(f"{file} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, Mapping):
        raise CannotRead(f"{file} has no settings; name the folder of a dbt project")
    return settings


def _manifest(folder: Path, work: Path, profile: str) -> Any:
    """dbt's manifest, made with a profile of our own: the project's may lead to a warehouse that others read."""
    from dbt.cli.main import dbtRunner

    work.mkdir(parents=True, exist_ok=True)
    profiles = {profile: {"target": "duckdb", "outputs": {"duckdb": {"type": "duckdb", "path": ":memory:", "schema": "main"}}}}
    (work / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    arguments = [
        "parse", "--project-dir", str(folder), "--profiles-dir", str(work), "--target-path", str(work / "target"),
        "--log-path", str(work / "logs"), "--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors",
        "--no-send-anonymous-usage-stats", "--no-version-check", "--no-write-json",
    ]  # fmt: skip
    with listening(work / "logs", str, mask) as callback:
        result = dbtRunner(callbacks=[callback]).invoke(arguments)
    if result.exception is not None:
        raise CannotRead(f"dbt cannot read {folder}: {' '.join(mask(str(result.exception)).split())}")
    return result.result


def _own(resources: Mapping[str, Any], project: str) -> Iterator[Any]:
    return (resource for resource in resources.values() if resource.package_name == project)


def _read(manifest: Any) -> Mapping[str, frozenset[str]]:
    """The kinds of what reads each node or source, by unique id."""
    kinds: dict[str, set[str]] = {}
    for reader in (*manifest.nodes.values(), *manifest.exposures.values(), *manifest.unit_tests.values()):
        for unique_id in getattr(reader.depends_on, "nodes", ()):
            kinds.setdefault(unique_id, set()).add(str(reader.resource_type))
    return {unique_id: frozenset(kinds_of_it) for unique_id, kinds_of_it in kinds.items()}


def _model(manifest: Any, node: Any, read: Mapping[str, frozenset[str]]) -> OutsideModel:
    readers = read.get(node.unique_id, frozenset())
    tested = set(_tested(manifest, node.unique_id))
    return OutsideModel(
        name=node_name(node),
        file=node.original_file_path,
        description=node.description or "",
        columns=tuple(_column(column, tested) for column in node.columns.values()),
        language=node.language,
        version=str(node.version or ""),
        materialized=str(node.config.materialized),
        read=bool(readers & {"model", "snapshot"}),
        exposed="exposure" in readers or str(node.access) == "public",
    )


def _tested(manifest: Any, model: str) -> Iterator[tuple[str, str]]:
    """Column and kind of each test that looks at all rows of the model, and fails."""
    for test in manifest.nodes.values():
        asked = getattr(test, "test_metadata", None)
        if asked is None or asked.namespace or asked.name not in _TESTS or test.attached_node != model:
            continue
        if test.config.where is None and str(test.config.severity).lower() == "error":
            yield (test.column_name or "").casefold(), asked.name


def _column(column: Any, tested: set[tuple[str, str]]) -> OutsideColumn:
    enforced = {str(constraint.type) for constraint in column.constraints}
    name = column.name.casefold()
    filled = bool({"not_null", "primary_key"} & enforced) or (name, "not_null") in tested
    unique = bool({"unique", "primary_key"} & enforced) or (name, "unique") in tested
    return OutsideColumn(column.name, column.description or "", column.data_type or "", filled, unique)


def _table(source: Any, read: Mapping[str, frozenset[str]]) -> OutsideTable:
    return OutsideTable(
        source=source.source_name,
        name=source.name,
        place=(source.schema.casefold(), source.identifier.casefold()),
        description=source.description or "",
        file=source.original_file_path,
        read=source.unique_id in read,
        aged=bool(source.freshness),
        elsewhere=str({**source.source_meta, **source.meta}.get("external_location", "")),
    )


def _seed(seed: Any, enabled: bool, read: Mapping[str, frozenset[str]]) -> OutsideSeed:
    return OutsideSeed(
        name=seed.name,
        file=seed.original_file_path,
        place=(seed.schema.casefold(), seed.alias.casefold()),
        enabled=enabled,
        read=seed.unique_id in read,
        delimiter=str(getattr(seed.config, "delimiter", ",")),
        types={column: str(kind) for column, kind in (seed.config.column_types or {}).items()},
    )


def _macros(macros: Iterator[Any]) -> Mapping[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for macro in macros:
        names.setdefault(macro.original_file_path, set()).add(macro.name)
    return {file: frozenset(names_in_file) for file, names_in_file in names.items()}
