"""Which target of profiles.yml refreshes build in, and whether the platform has a warehouse for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.plan.conventions import ANALYST, SNOWFLAKE, WAREHOUSES
from platform_resources.repository.needed_files import PROFILES, PROJECT
from platform_resources.settings import TARGET
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem, did_you_mean, known_text

_DEFAULT = "duckdb"


@dataclass(frozen=True, slots=True)
class Target:
    """A target's name, and its type; empty where only dbt can tell. `problem` says why no refresh can build in it."""

    name: str
    kind: str = ""
    problem: Problem | None = None


def target(texts: Mapping[str, str], environment: Mapping[str, str]) -> Target:
    """MESH_TARGET, or the target that profiles.yml itself chooses; instead of an analyst's the usual one.

    `texts` has those of dbt_project.yml and profiles.yml that there are.
    What cannot be read without dbt, such as a target in Jinja, counts as `duckdb`: dbt says what is wrong with it.
    """
    chosen, document = TARGET.value(environment), _document(texts, PROFILES)
    profile = _plain(_values(_document(texts, PROJECT), ()).get("profile")) or "mesh"
    written = _values(document, (profile,))
    name = chosen or _plain(written.get("target")) or _DEFAULT
    if name == ANALYST and not chosen:  # plain dbt's
        name = _DEFAULT
    elif name == ANALYST:
        message = f'{TARGET.name} is "{name}", which is the target of analysts\' own databases; refreshes never build in it'
        return Target(name, "", Problem(PROFILES, 1, "", message, f"take {TARGET.name} away, or name another target"))
    if document is None or not isinstance(written.get("outputs"), Mapping):
        return Target(name)
    place = (profile, "outputs", name)
    if name not in written["outputs"]:
        return Target(name, "", _unknown(document, (profile, "outputs"), name, bool(chosen), written["outputs"]))
    kind = _plain(_values(document, place).get("type"))
    if kind and kind not in WAREHOUSES:
        return Target(name, kind, _unsupported(document, place, name, kind, bool(chosen)))
    return Target(name, kind, _misnamed(document, place, name, kind, bool(chosen)))


def _unknown(document: Document, place: tuple[str, ...], name: str, chosen: bool, outputs: Mapping[str, Any]) -> Problem:
    said = f'{TARGET.name} is "{name}"' if chosen else f'the target is "{name}"'
    return document.problem(place, f"{said}, and there is no such target; known: {known_text(outputs)}", did_you_mean(name, outputs))


def _unsupported(document: Document, place: tuple[str, ...], name: str, kind: str, chosen: bool) -> Problem:
    why = f"{TARGET.name} chooses target {name}" if chosen else f"the target is {name}"
    message = f"{why} of type {kind}, for which refreshes have no warehouse; supported: {known_text(WAREHOUSES)}"
    return document.problem((*place, "type"), message, f"set {TARGET.name} to a target of a supported type")


def _misnamed(document: Document, place: tuple[str, ...], name: str, kind: str, chosen: bool) -> Problem | None:
    """Every command must know from the environment alone that data is in Snowflake."""
    if kind and (name == SNOWFLAKE) != (kind == SNOWFLAKE):
        message = f"target {name} is of type {kind}; the target of type {SNOWFLAKE}, and no other, is called {SNOWFLAKE}"
        return document.problem((*place, "type"), message, "give it another name")
    if name == SNOWFLAKE and not chosen:
        message = f"the target is {name}, which {TARGET.name} must choose, as it reaches every command"
        return document.problem(place, message, f"set {TARGET.name}={SNOWFLAKE}, and let target: in the file name another one")
    return None


def _document(texts: Mapping[str, str], file: str) -> Document | None:
    document = read_document(texts[file], file) if file in texts else None
    return document if isinstance(document, Document) else None


def _values(document: Document | None, place: tuple[str, ...]) -> Mapping[str, Any]:
    """The mapping at a place of a document; empty where there is none."""
    data = document.data if document is not None else {}
    for key in place:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _plain(value: Any) -> str:
    """A text without Jinja, otherwise nothing."""
    return value if isinstance(value, str) and "{{" not in value else ""
