"""Reduce dbt's manifest of one product to what the plan needs of it; dbt's own macros are nine tenths of a manifest."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from platform_resources.dbt.manifest import MAKERS, batch_size, node_name, short_name, source_table
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import NOTHING_SHOWN, Shown
from platform_resources.plan.from_products.dbt_nodes import DbtExposure, DbtMetric, DbtNode, DbtProject, DbtSemanticModel, DbtTest

# Settings that say something about a node and change nothing that it makes.
_SAID = ("tags", "meta", "docs", "group", "access")


def reduced(manifest: Any, product: str, shared: object = "", shown: Mapping[str, Shown] | None = None) -> DbtProject:
    """The product's project. `shared` is what all its nodes depend on and no manifest says, such as variables.

    `shown` is what the translator says for Dagster's pages, by dbt's ids.
    """
    shown = shown or {}
    macros = _Macros(manifest)
    named = _Names(manifest, product)
    nodes = [node for node in manifest.nodes.values() if node.resource_type in MAKERS]
    exposures = (_exposure(exposure, named) for exposure in manifest.exposures.values())
    tests = [node for node in manifest.nodes.values() if node.resource_type == "test" and node.config.enabled]
    return DbtProject(
        nodes=tuple(sorted((_node(node, macros, named, shown) for node in nodes), key=lambda node: node.name)),
        tests=tuple(
            sorted(
                (
                    *(_test(test, macros, named, shown) for test in tests),
                    *(_unit_test(test, named) for test in manifest.unit_tests.values()),
                ),
                key=lambda test: (test.of, test.name, test.digest),
            )
        ),
        exposures=tuple(sorted(exposures, key=lambda exposure: exposure.name)),
        metrics=tuple(sorted((_metric(metric, manifest, named) for metric in manifest.metrics.values()), key=lambda metric: metric.name)),
        semantic_models=tuple(
            sorted((_semantic_model(model, named) for model in manifest.semantic_models.values()), key=lambda model: model.name)
        ),
        disabled=tuple(sorted(node_name(n) for nodes in manifest.disabled.values() for n in nodes if n.resource_type in MAKERS)),
        digest=_digest(shared, macros.of_all, [node.raw_code for node in _hooks(manifest)]),
    )


class _Macros:
    """The text of macros that are not dbt's own."""

    def __init__(self, manifest: Any) -> None:
        from dbt.adapters.factory import get_adapter_package_names

        own = {"dbt", *get_adapter_package_names(manifest.metadata.adapter_type)}
        self._macros = manifest.macros
        self._foreign = {uid: macro.macro_sql for uid, macro in manifest.macros.items() if macro.package_name not in own}
        names = {macro.name for macro in manifest.macros.values() if macro.package_name in own}
        # dbt takes these in place of its own, whether a node names them or not.
        self.of_all = sorted(
            sql
            for uid, sql in self._foreign.items()
            if manifest.macros[uid].name in names or manifest.macros[uid].name.startswith("materialization_")
        )

    def used(self, named: Iterable[str]) -> list[str]:
        """The texts of these macros and of all that they call, sorted."""
        seen, waiting = set[str](), list(named)
        while waiting:
            unique_id = waiting.pop()
            if unique_id not in seen and unique_id in self._macros:
                seen.add(unique_id)
                waiting += self._macros[unique_id].depends_on.macros
        return sorted(self._foreign[unique_id] for unique_id in seen if unique_id in self._foreign)


class _Names:
    """What one product's plan calls the files and sources of a manifest."""

    def __init__(self, manifest: Any, product: str) -> None:
        self._manifest, self._product = manifest, product
        self._own = next((node.database for node in manifest.nodes.values() if node.config.database is None), "")

    def file(self, node: Any) -> str:
        """The file that a node is written in; dbt names those of a package from the package's folder."""
        own = node.package_name == self._manifest.metadata.project_name
        folder = conventions.DBT_FOLDER if own else f"{conventions.DBT_FOLDER}/{conventions.PACKAGES_FOLDER}/{node.package_name}"
        return f"{folder}/{node.original_file_path}"

    def other_database(self, node: Any) -> str:
        """The database that a setting of the node names, unless it is the one in which all others are."""
        return node.database or "" if node.config.database is not None and node.database != self._own else ""

    def sources(self, node: Any) -> tuple[str, ...]:
        """The tables of sources that it reads, as `source.table`."""
        named = (uid for uid in node.depends_on.nodes if uid.startswith("source.")) if _depends(node) else ()
        return tuple(dict.fromkeys(source_table(self._manifest, uid, self._product) for uid in named))

    def about(self, test: Any) -> str:
        """The node or source that the test is attached to, otherwise the first that it reads."""
        attached = getattr(test, "attached_node", None) or ""
        if attached.startswith("source."):
            return source_table(self._manifest, attached, self._product)
        return short_name(attached) if attached else next(iter((*_reads(test), *self.sources(test))), "")


def _hooks(manifest: Any) -> Iterator[Any]:
    """What dbt runs before and after all nodes."""
    return (node for node in manifest.nodes.values() if node.resource_type == "operation")


def _node(node: Any, macros: _Macros, named: _Names, shown: Mapping[str, Shown]) -> DbtNode:
    settings = {key: value for key, value in node.config.to_dict().items() if key not in _SAID}
    on = getattr(node, "depends_on", None)
    checksum = getattr(node.checksum, "checksum", "")
    called = macros.used(getattr(on, "macros", ()))
    return DbtNode(
        name=node_name(node),
        kind=str(node.resource_type),
        file=named.file(node),
        description=node.description or "",
        reads=_reads(node),
        sources=named.sources(node),
        database=named.other_database(node),
        schema=node.schema,
        alias=node.alias,
        materialized=str(node.config.materialized),
        language=getattr(node, "language", "sql"),
        sql=node.raw_code or "",
        digest=_digest(node.raw_code, checksum, settings, node.schema, node.alias, called),
        version=str(getattr(node, "version", None) or ""),
        shown=shown.get(node.unique_id, NOTHING_SHOWN),
        batch=batch_size(node),
    )


def _test(test: Any, macros: _Macros, named: _Names, shown: Mapping[str, Shown]) -> DbtTest:
    asked = getattr(test, "test_metadata", None)
    kind = ".".join(filter(None, (asked.namespace, asked.name))) if asked is not None else "singular"
    settings = {key: value for key, value in test.config.to_dict().items() if key not in _SAID}
    return DbtTest(
        unique_id=test.unique_id,
        name=test.name,
        kind=kind,
        file=named.file(test),
        of=named.about(test),
        column=getattr(test, "column_name", None) or "",
        severity=str(test.config.severity).lower(),
        description=test.description or "",
        digest=_digest(test.raw_code, asked.kwargs if asked is not None else {}, settings, macros.used(test.depends_on.macros)),
        shown=shown.get(test.unique_id, NOTHING_SHOWN),
    )


def _unit_test(test: Any, named: _Names) -> DbtTest:
    asked = {name: value for name, value in test.to_dict().items() if name in ("model", "given", "expect", "overrides")}
    of = next(iter(_reads(test)), test.model)
    return DbtTest(test.unique_id, test.name, "unit", named.file(test), of, "", "error", test.description or "", _digest(asked))


def _exposure(exposure: Any, named: _Names) -> DbtExposure:
    owner = exposure.owner.email or exposure.owner.name or ""
    return DbtExposure(
        name=exposure.name,
        title=exposure.label or exposure.name,
        kind=str(exposure.type),
        file=named.file(exposure),
        description=exposure.description or "",
        url=exposure.url or "",
        owner=owner if isinstance(owner, str) else ", ".join(owner),
        reads=_reads(exposure),
    )


def _metric(metric: Any, manifest: Any, named: _Names) -> DbtMetric:
    return DbtMetric(
        name=metric.name,
        title=metric.label or metric.name,
        kind=str(getattr(metric.type, "value", metric.type)),
        file=named.file(metric),
        description=metric.description or "",
        reads=tuple(sorted(_models_behind(metric, manifest))),
    )


def _semantic_model(model: Any, named: _Names) -> DbtSemanticModel:
    return DbtSemanticModel(
        name=model.name,
        title=model.label or model.name,
        file=named.file(model),
        description=model.description or "",
        model=next(iter(_reads(model)), ""),
        entities=tuple(entity.name for entity in model.entities),
        dimensions=tuple(dimension.name for dimension in model.dimensions),
        measures=tuple(measure.name for measure in model.measures),
    )


def _models_behind(metric: Any, manifest: Any) -> set[str]:
    """By way of other metrics and of semantic models."""
    models, waiting, seen = set[str](), list(metric.depends_on.nodes), set[str]()
    while waiting:
        unique_id = waiting.pop()
        above = manifest.metrics.get(unique_id) or manifest.semantic_models.get(unique_id)
        if above is None:
            models.add(short_name(unique_id))
        elif unique_id not in seen:
            seen.add(unique_id)
            waiting += above.depends_on.nodes
    return models


def _reads(node: Any) -> tuple[str, ...]:
    """Names of the nodes read, each once, in the order in which they are named."""
    return tuple(dict.fromkeys(short_name(uid) for uid in node.depends_on.nodes if not uid.startswith("source."))) if _depends(node) else ()


def _depends(node: Any) -> bool:
    """A seed depends on macros alone."""
    return hasattr(getattr(node, "depends_on", None), "nodes")


def _digest(*said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
