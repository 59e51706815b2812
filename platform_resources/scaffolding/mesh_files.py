"""The files of a new mesh and of a new domain, as texts by their path below the mesh's root."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from platform_resources.plan import conventions
from platform_resources.spec.values.yaml_text import scalar

WORKSPACE = "workspace.yaml"
# Templates lie in the package under plain names: tools overlook or misread those that they know.
_PLACES = {
    "ci.yml": ".github/workflows/mesh.yml",
    "dbt_project/dbtignore": "dbt_project/.dbtignore",
    "gitignore": ".gitignore",
    "gitlab-ci.yml": ".gitlab-ci.yml",
    "pyproject": "pyproject.toml",
    "review": ".ci/review",
}
NO_LOCATIONS = "# One code location per domain; `dagster dev -w workspace.yaml` runs all of them.\nload_from:\n"


def mesh_files(name: str, title: str, platform: str) -> dict[str, str]:
    """All files of a mesh without a domain. `platform` is what to install, as in `dependencies` of a pyproject.toml."""
    said = {"<name>": name, "<title>": title, "<platform>": platform}
    texts = {_PLACES.get(path, path): text for path, text in _templates(files(__package__) / "templates")}
    return {path: _filled(text, said) for path, text in texts.items()} | {WORKSPACE: NO_LOCATIONS}


def _templates(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry.read_text(encoding="utf-8")


def _filled(text: str, said: Mapping[str, str]) -> str:
    for mark, word in said.items():
        text = text.replace(mark, word)
    return text


def domain_files(domain: str, title: str, owner: str) -> dict[str, str]:
    """The files of a new domain: who answers for it, and its code location for Dagster."""
    folder = f"{conventions.PRODUCTS_FOLDER}/{domain}"
    about = f"title: {scalar(title)}\ndescription: {scalar(f'The data products of {title}.')}\n"
    owners = f"# Who answers for every product that names nobody else.\nowners: {{business: {owner}, technical: {owner}}}\n"
    location = "from platform_resources import domain_definitions\n\ndefs = domain_definitions(__file__)\n"
    return {
        f"{folder}/domain.yaml": about + owners,
        f"{folder}/definitions.py": f'"""Dagster\'s code location of the domain {domain}."""\n\n{location}',
    }


def with_location(workspace: str, domain: str) -> str | None:
    """The text of workspace.yaml with the domain's code location in it; None where only a person can add it."""
    place = {"relative_path": f"{conventions.PRODUCTS_FOLDER}/{domain}/definitions.py", "location_name": domain}
    before = _locations(workspace)
    if before is None or {"python_file": place} in before:
        return workspace if before is not None else None
    entry = f"  - python_file: {{relative_path: {place['relative_path']}, location_name: {domain}}}\n"
    text = f"{workspace.rstrip()}\n{entry}"
    return text if _locations(text) == [*before, {"python_file": place}] else None


def _locations(workspace: str) -> list[Any] | None:
    """The code locations that the text lists; None where it says something else."""
    try:
        said = yaml.safe_load(workspace)
    except yaml.YAMLError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("load_from") or [], list):
        return None
    return said.get("load_from") or []
