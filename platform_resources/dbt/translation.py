"""Ask dagster-dbt's translator what Dagster's pages show of each model, seed, snapshot and test.

That is done when dbt is asked, and kept with what dbt says: code locations load neither dbt nor dagster-dbt. A mesh may have a translator
of its own: the class Translator in dbt_project/translator.py.
"""

import json
import sys
import traceback
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from dagster import AssetKey, MetadataValue, TextMetadataValue, serialize_value
from dagster._core.definitions.metadata import normalize_metadata
from dagster_dbt import DagsterDbtTranslator

from platform_resources.dbt.manifest import MAKERS
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import NOTHING_SHOWN, Shown
from platform_resources.plan.conventions import Placed
from platform_resources.spec.problems import Problem

FILE = f"{conventions.DBT_FOLDER}/translator.py"
# Python objects, which cannot be kept, and the kinds, of which Dagster takes three and the platform gives these.
_NOT_KEPT = ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator", "dagster_dbt/project")
_KIND = "dagster/kind/"
# What the platform decides: a refresh builds a product as a whole, and everything that it remembers goes by its keys.
_NOT_ASKED = {
    "get_asset_key": "a model's key is <product>/<model>",
    "get_automation_condition": "a product is refreshed as its product.yaml says",
    "get_auto_materialize_policy": "a product is refreshed as its product.yaml says",
    "get_partitions_def": "a refresh builds whole models",
    "get_partition_mapping": "a refresh builds whole models",
    "get_code_version": "a model's code version is a digest of its SQL, settings and macros",
}
_KINDS_OF_NODES = ("exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions")


class MeshTranslator(DagsterDbtTranslator):
    """dagster-dbt's own words, with dbt's `meta` and group as metadata; the group in Dagster is the product's."""

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The description without the SQL, which is metadata of its own."""
        return str(dbt_resource_props.get("description") or "")

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """None: the group of an asset is its product."""
        return None

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """All tags, also those that Dagster refuses as they are written."""
        return {text: "" for tag in dbt_resource_props.get("tags", ()) if (text := conventions.tag_text(tag))}

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """dbt's `meta`, group, and what else Dagster shows of a model."""
        config = dbt_resource_props.get("config", {})
        meta = {key: value for key, value in (config.get("meta") or {}).items() if key != "dagster"}
        said = {"dbt_meta": MetadataValue.json(meta)} if meta else {}
        group = {"dbt_group": str(config["group"])} if config.get("group") else {}
        return {**super().get_metadata(dbt_resource_props), **said, **group}


class _OfProduct(DagsterDbtTranslator):
    """Before any translator: the keys of the product's assets are the platform's."""

    product: ClassVar[Placed]

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        name, version = dbt_resource_props["name"], dbt_resource_props.get("version")
        if dbt_resource_props["resource_type"] == "source":
            return AssetKey(list(conventions.input_key(self.product.name, name)))
        return AssetKey(list(conventions.model_key(self.product.name, name if version is None else f"{name}_v{version}")))


def translated(root: Path, product: Placed, manifest: Any) -> tuple[dict[str, Shown], tuple[Problem, ...]]:
    """What is shown, by dbt's ids, and what Dagster or the mesh's own translator refuses, which stops no product."""
    own, problems = _own_translator(root)
    translator = type("Translator", (_OfProduct, own), {"product": product})()
    written, shown = _written(manifest), dict[str, Shown]()
    reported = set[str]()
    try:
        order = tuple(_in_order(manifest))
    except CycleError:  # validation names the models; a translator would ask for ever
        return {}, tuple(problems)
    for uid in order:
        try:
            shown[uid] = _asked(translator, written, uid)
        except Exception as error:  # of the mesh's own code, which may raise anything, or of what dbt's YAML says to Dagster
            if (words := _words(error)) not in reported:  # a node asks those that it reads again
                reported.add(words)
                problems.append(_problem(root, error, _described_in(manifest.nodes[uid]), words))
    return shown, tuple(problems)


def _in_order(manifest: Any) -> Iterator[str]:
    """Each node after those that it reads, then the tests."""
    order = TopologicalSorter({uid: getattr(node.depends_on, "nodes", ()) for uid, node in manifest.nodes.items()}).static_order()
    ids = [uid for uid in order if uid in manifest.nodes]
    yield from (uid for uid in ids if manifest.nodes[uid].resource_type in MAKERS)
    yield from (uid for uid in ids if manifest.nodes[uid].resource_type == "test")


def _written(manifest: Any) -> dict[str, Any]:
    """The manifest as dbt writes it, of what a translator looks at."""
    project = {"adapter_type": manifest.metadata.adapter_type, "project_name": manifest.metadata.project_name}
    kinds = {kind: getattr(manifest, kind, {}) for kind in ("nodes", "sources", "groups", *_KINDS_OF_NODES)}
    written = {kind: {uid: node.to_dict() for uid, node in nodes.items()} for kind, nodes in kinds.items()}
    return {"metadata": project, **written, "parent_map": {}, "child_map": {}}


def _asked(translator: DagsterDbtTranslator, written: Mapping[str, Any], uid: str) -> Shown:
    if not uid.startswith("test."):
        spec = translator.get_asset_spec(written, uid, None)
        tags = {key: value for key, value in spec.tags.items() if not key.startswith(_KIND)}
        return Shown(spec.description or "", spec.group_name or "", tuple(spec.owners), tags, _kept(spec.metadata))
    node = written["nodes"][uid]
    about = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), None)
    asset = translator.get_asset_spec(written, about, None) if about else None
    check = translator.get_asset_check_spec(asset, written, uid, None) if asset else None
    return Shown(check.description or "", metadata=_kept(check.metadata)) if check else NOTHING_SHOWN


def _kept(metadata: Mapping[str, Any]) -> dict[str, Any]:
    values: Mapping[str, Any] = normalize_metadata({key: value for key, value in metadata.items() if key not in _NOT_KEPT})
    return {
        key: value.text if isinstance(value, TextMetadataValue) else json.loads(serialize_value(value)) for key, value in values.items()
    }


def _described_in(node: Any) -> str:
    """The YAML that says most of a node, otherwise its own file."""
    described = str(getattr(node, "patch_path", None) or "").partition("://")[2]
    return f"{conventions.DBT_FOLDER}/{described or node.original_file_path}"


def _own_translator(root: Path) -> tuple[type[DagsterDbtTranslator], list[Problem]]:
    """The mesh's own translator where it has one that can be loaded, and what is wrong with it."""
    file = root / FILE
    if not file.exists():
        return MeshTranslator, []
    module = ModuleType("mesh_translator")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses look for it there
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)  # an import would write a file beside it, which dbt would read
        own = module.Translator
        own()
    except Exception as error:  # of the mesh's own code
        return MeshTranslator, [_problem(root, error, FILE, _words(error))]
    if not (isinstance(own, type) and issubclass(own, DagsterDbtTranslator)):
        return MeshTranslator, [_warning(FILE, 1, "Translator is not a DagsterDbtTranslator", "")]
    return own, list(_ignored(own))


def _ignored(own: type[DagsterDbtTranslator]) -> Iterator[Problem]:
    for name, why in _NOT_ASKED.items():
        method = getattr(own, name)
        if method.__module__ == "mesh_translator":
            yield _warning(FILE, method.__code__.co_firstlineno, f"{name} is not asked: {why}", "take it away")


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _problem(root: Path, error: BaseException, otherwise: str, words: str) -> Problem:
    """At the line of the translator where it failed; an error that comes from nowhere in it is one of the node's own file."""
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(root / FILE)]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1] if frames else None
    where = "mend it" if line else "look at the node's dbt YAML, and at dbt_project/translator.py where there is one"
    hint = f"{where}; until then Dagster's pages show less of what dbt says"
    return _warning(FILE if line else otherwise, line or 1, f"dagster-dbt's translator fails: {words}", hint)


def _warning(file: str, line: int, message: str, hint: str) -> Problem:
    return Problem(file, line, "", message, hint, "warning")
