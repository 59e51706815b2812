"""Move settings of the project's dbt_project.yml into the mesh's, and report those that need a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from platform_resources.dbt.outside_project import OutsideProject
from platform_resources.plan.conventions import Placed
from platform_resources.repository.needed_files import PROJECT
from platform_resources.services.migrating.carrying import Carried, Edit, listed, mapping
from platform_resources.spec.document import Place

_OF_FOLDERS = (
    "models",
    "seeds",
    "snapshots",
    "tests",
    "data_tests",
    "unit_tests",
    "exposures",
    "metrics",
    "semantic-models",
    "saved-queries",
)
# What the mesh says for all its products, or what says nothing of what is built.
_OF_THE_MESH = frozenset(
    {
        "name", "version", "config-version", "profile", "require-dbt-version", "dbt-cloud", "flags", "target-path", "log-path",
        "clean-targets", "packages-install-path", "model-paths", "seed-paths", "test-paths", "snapshot-paths", "analysis-paths",
        "macro-paths", "asset-paths", "vars", *_OF_FOLDERS,
    }
)  # fmt: skip
_HOOKS = "the mesh's dbt_project.yml is every product's: write it as a pre-hook or post-hook of the models that need it"
_WHAT_TO_DO = {
    "on-run-start": _HOOKS,
    "on-run-end": _HOOKS,
    "quoting": "it would hold for every product of the mesh; write it there only if all want it",
    "query-comment": "it would hold for every product of the mesh; write it there only if all want it",
    "dispatch": "write it into the mesh's dbt_project.yml, with the mesh's project in place of this one",
}
_OWN_FOLDERS = {"seed-paths": "seeds", "snapshot-paths": "snapshots", "analysis-paths": "analyses"}


def carry_settings(project: OutsideProject, mesh: Mapping[str, Any], product: Placed, carried: Carried) -> None:
    """Plan each value that the mesh's dbt_project.yml needs; `mesh` is its current content."""
    written = {path.split("/")[1] for path in carried.copies}
    for setting, folder in _OWN_FOLDERS.items():
        folders = listed(mesh.get(setting), (folder,))
        if folder in written and folder not in folders:
            carried.edits.append(Edit(PROJECT, (setting,), [*folders, folder], f"dbt reads {folder}/"))
    for section in _OF_FOLDERS:
        if section in _OWN_FOLDERS.values() and section not in written:
            continue
        _carry_section(project, section, mesh, product, carried)
    for place, value in _variables(project):
        _carry_variable(place, value, mesh, carried)
    for key in project.settings.keys() - _OF_THE_MESH:
        carried.leave("dbt_project.yml", f"{key} is not carried over", _WHAT_TO_DO.get(key, "write it into the mesh's dbt_project.yml"))


def _carry_section(project: OutsideProject, section: str, mesh: Mapping[str, Any], product: Placed, carried: Carried) -> None:
    """Settings of all folders, and of those of the project, as settings of the product's folder; those of packages as they are."""
    written = mapping(project.settings.get(section))
    own = mapping(written.get(project.name))
    of_all = {key: value for key, value in written.items() if key != project.name and _is_setting(key, value)}
    settings = _without_databases(section, {**of_all, **own}, carried)
    if section == "models" and not {"materialized", "+materialized"} & settings.keys():
        settings = {"+materialized": "view", **settings}
    if settings:
        place = (section, str(mesh.get("name")), product.domain, product.name)
        carried.edits.append(Edit(PROJECT, place, settings, f"settings of {section} as in the project"))
    for package in written.keys() - of_all.keys() - {project.name}:
        if package not in mapping(mesh.get(section)):
            carried.edits.append(Edit(PROJECT, (section, package), written[package], f"settings of the package {package}"))
        elif mapping(mesh.get(section))[package] != written[package]:
            carried.leave(
                "dbt_project.yml", f"{section}.{package} differs from what the mesh says", "all products share a package; agree on one"
            )


def _is_setting(key: str, value: Any) -> bool:
    return key.startswith("+") or not isinstance(value, Mapping)


def _without_databases(where: str, settings: Mapping[str, Any], carried: Carried) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        if key.lstrip("+") in ("database", "project", "catalog"):
            carried.leave("dbt_project.yml", f"{where}: {key}: {value} is not carried over", "a product is built in its own database")
        else:
            kept[key] = _without_databases(f"{where}.{key}", value, carried) if isinstance(value, Mapping) else value
    return kept


def _variables(project: OutsideProject) -> Iterator[tuple[Place, Any]]:
    """Those of the project's own scope become the mesh's, as its models are."""
    for name, value in mapping(project.settings.get("vars")).items():
        if name == project.name and isinstance(value, Mapping):
            yield from (((inner,), own) for inner, own in value.items())
        else:
            yield (name,), value


def _carry_variable(place: Place, value: Any, mesh: Mapping[str, Any], carried: Carried) -> None:
    known, name = mapping(mesh.get("vars")), place[0]
    if name not in known:
        carried.edits.append(Edit(PROJECT, ("vars", *place), value, "a variable of the project"))
    elif known[str(name)] != value:
        carried.leave(
            "dbt_project.yml", f"the variable {name} is {value!r} here and {known[str(name)]!r} in the mesh", "rename one of them"
        )
