"""Asset and check specs minted from the plan, once each."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, Shown, SourceLine
from platform_resources.plan.conventions import Key, problems_key
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.plan.plan import ProductPlan, RejectedProduct
from platform_resources.plan.port_plans import ConsumerPlan, InputPlan, OutputPlan
from platform_resources.spec.components import Column
from platform_resources.spec.problems import problems_text
from platform_resources.spec.values.deadlines import Deadlines, MaxAge
from platform_resources.spec.values.field_types import is_owner
from platform_resources.warehouses.targets import warehouse


def asset_key(key: Key) -> dg.AssetKey:
    """Dagster's form of a key."""
    return dg.AssetKey(list(key))


def product_tags(product: ProductPlan) -> dict[str, str]:
    """What a product can be selected by in the asset graph; only values that Dagster takes."""
    info = product.info
    tags = {
        "domain": product.domain,
        "product": product.name,
        "version": info.version,
        "lifecycle": info.lifecycle,
        "archetype": info.archetype or "undeclared",
        "class": info.class_,
        "criticality": info.criticality,
        "certified": "yes" if info.certified else "no",
    }
    own = {conventions.tag_text(tag): "" for tag in info.tags if conventions.tag_text(tag)}
    return {**own, **{name: conventions.tag_text(value) for name, value in tags.items()}}


class SpecMinter:
    """Mints the specs of one product; what all its assets share is made once."""

    def __init__(self, root: Path, product: ProductPlan) -> None:
        self.root, self.product = root, product
        self.tags, self.owners = product_tags(product), list(product.owners)

    def _spec(self, key: Key, place: SourceLine, kinds: set[str], **more: Any) -> dg.AssetSpec:
        metadata = {**_code_references(self.root, [place]), **more.pop("metadata", {})}
        return dg.AssetSpec(
            asset_key(key),
            group_name=more.pop("group", None) or self.product.group,
            owners=more.pop("owners", self.owners),
            tags=more.pop("tags", self.tags),
            kinds=kinds,
            metadata=metadata,
            deps=[asset_key(dependency) for dependency in more.pop("deps", ())],
            **more,
        )

    def input(self, port: InputPlan) -> dg.AssetSpec:
        """The asset of an input port."""
        promised = column_schema(port.upstream.columns) if port.upstream else {}
        address = _address(port.pull.address) if isinstance(port.pull, NotPulled) else {}
        described = port.description or f"Input port {port.title}."
        kinds = {"input_port", port.kind}
        return self._spec(port.key, port.place, kinds, deps=port.dependencies, description=described, metadata={**promised, **address})

    def source(self, port: InputPlan) -> dg.AssetSpec | None:
        """What lies outside the mesh before an input port."""
        if port.source is None:
            return None
        described = f"Source of the input port {port.title}, outside the mesh. {port.description}"
        return self._spec(port.source, port.place, {"source", port.kind}, description=described.strip())

    def model(self, model: ModelPlan) -> dg.AssetSpec:
        """What product.yaml says of a data set goes before what dagster-dbt's translator says of its model."""
        kinds = {"dbt", warehouse().kind} | ({"data_set"} if model.data_set else {model.kind} - {"model"})
        described = model.shown.description or model.description or f"dbt {model.kind} {model.name}."
        key = self.product.data_set(model.data_set).spec.primary_key if model.data_set else ()
        columns = column_schema(model.columns, key)
        written = {
            "raw_sql": dg.MetadataValue.md(f"```{'python' if model.place.file.endswith('.py') else 'sql'}\n{model.sql.strip()}\n```")
        }
        return self._spec(
            model.key,
            model.place,
            kinds,
            deps=model.dependencies,
            description=described,
            group=model.shown.group,
            owners=self._owners(model.data_set) or list(model.shown.owners) or self.owners,
            tags={**model.shown.tags, **self.tags},
            metadata={**_shown_metadata(model.shown), **columns, **(written if model.sql else {})},
            code_version=model.sql_digest,
        )

    def _owners(self, data_set: str) -> list[str]:
        """The data set's own owners, where it names any."""
        return list(self.product.data_set(data_set).spec.owners.names) if data_set else []

    def output(self, port: OutputPlan) -> dg.AssetSpec:
        """The asset of an output port."""
        model = next((model for model in self.product.models if model.name == port.model), None)
        # Dagster counts from the last materialisation: only where that comes with the pull does it say how old the data is.
        policy = freshness_policy(port.fresh_for)
        data_set = self.product.data_set(port.data_set).spec
        metadata: dict[str, Any] = {
            "product": self.product.title,
            "data_set": port.data_set,
            "interface": port.interface,
            "folder": port.folder,
            "keep_versions": port.keep_versions,
            **column_schema(data_set.columns, data_set.primary_key),
            **_support(self.product),
            **_address(port.store.address),
        }
        kinds = {"output_port", port.kind}
        described = port.description or f"Output port {port.title}."
        return self._spec(
            port.key,
            port.place,
            kinds,
            deps=[model.key] if model is not None else (),
            description=described,
            metadata=metadata,
            freshness_policy=policy,
            skippable=True,
            owners=self._owners(port.data_set) or self.owners,
        )

    def scorecard(self) -> dg.AssetSpec:
        """The asset of the product's scorecard."""
        product = self.product
        described = f"How {product.title} keeps its promises: every objective with its verdict.\n\n{product.info.purpose}".strip()
        dependencies = [port.key for port in product.outputs]
        return self._spec(
            product.scorecard, product.place, {"scorecard"}, deps=dependencies, description=described, metadata=_support(product)
        )

    def consumer(self, consumer: ConsumerPlan) -> dg.AssetSpec:
        """The asset of a consumer outside the mesh."""
        described = consumer.description or f"{consumer.title}, outside the mesh."
        metadata: dict[str, Any] = {"url": dg.MetadataValue.url(consumer.url)} if consumer.url else {}
        owned: dict[str, Any] = {"owners": [consumer.owner]} if consumer.owner and is_owner(consumer.owner) else {}
        # An exposure's owner may be a name alone.
        metadata |= {"owner": consumer.owner} if consumer.owner and not owned else {}
        kinds = {consumer.kind}
        return self._spec(
            consumer.key, consumer.place, kinds, deps=consumer.dependencies, description=described, metadata=metadata, **owned
        )


def check_specs(checks: Iterable[CheckPlan]) -> Iterator[dg.AssetCheckSpec]:
    """The asset checks of these planned checks."""
    for check in checks:
        yield dg.AssetCheckSpec(
            check.name,
            asset=asset_key(check.key),
            description=f"{check.title}. {check.description}"
            if check.kind == "objective"
            else check.shown.description or check.description,
            blocking=check.blocking,
            metadata={**_shown_metadata(check.shown), "kind": check.kind, "declared_in": f"{check.place.file}:{check.place.line}"},
        )


def rejected_specs(root: Path, rejected: Iterable[RejectedProduct]) -> Iterator[dg.AssetSpec]:
    """One asset for each name of products that are not loaded: two may have one name, which is then their problem."""
    by_name: dict[str, list[RejectedProduct]] = {}
    for product in rejected:
        by_name.setdefault(product.name, []).append(product)
    yield from (_rejected_spec(root, products) for products in by_name.values())


def _rejected_spec(root: Path, products: Sequence[RejectedProduct]) -> dg.AssetSpec:
    """Its description is what is wrong with them."""
    first, problems = products[0], [problem for product in products for problem in product.problems]
    text = f"This product is not loaded. `mesh validate` says:\n\n```\n{problems_text(problems)}\n```"
    group = "/".join(conventions.tag_text(part).replace(".", "_").replace("-", "_") or "unnamed" for part in (first.domain, first.name))
    return dg.AssetSpec(
        asset_key(problems_key(first.name)),
        group_name=group,
        description=text,
        kinds={"invalid"},
        tags={"invalid": "yes"},
        metadata={"problems": len(problems), **_code_references(root, [SourceLine(p.file, p.problems[0].line) for p in products])},
    )


def _code_references(root: Path, places: Iterable[SourceLine]) -> dict[str, Any]:
    references = [dg.LocalFileCodeReference(file_path=str(root / p.file), line_number=p.line, label=p.file) for p in places]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}


def column_schema(columns: Iterable[Column], primary_key: Sequence[str] = (), types: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The columns as promised, for Dagster's pages; with `types`, those that are really there, promised or not."""
    promised = {column.name: column for column in columns}
    kinds = {name: column.type for name, column in promised.items()} if types is None else types
    listed = [_column(name, kind, promised.get(name), primary_key) for name, kind in kinds.items()]
    several = [f"primary key: {', '.join(primary_key)}"] if len(primary_key) > 1 else []
    schema = dg.TableSchema(columns=listed, constraints=dg.TableConstraints(other=several))
    return {"dagster/column_schema": schema} if listed else {}


def _column(name: str, kind: str, promised: Column | None, primary_key: Sequence[str]) -> dg.TableColumn:
    """One that nothing is promised of has only its name and type."""
    if promised is None:
        return dg.TableColumn(name, type=kind)
    key = [] if name not in primary_key else ["primary key"] if len(primary_key) == 1 else ["part of the primary key"]
    constraints = dg.TableColumnConstraints(nullable=promised.nullable, unique=primary_key == (name,), other=key)
    tags = {"classification": promised.classification}
    return dg.TableColumn(name, type=kind, description=_column_text(promised) or None, constraints=constraints, tags=tags)


def freshness_policy(age: MaxAge | None) -> dg.FreshnessPolicy | None:
    """Dagster's words for a promised age; None where it has none: it knows no holidays, and no age that outlasts a deadline."""
    if not isinstance(age, Deadlines):
        return dg.FreshnessPolicy.time_window(fail_window=age) if age else None
    if age.plain_cron is None or age.max_age > age.shortest_gap:
        return None
    return dg.FreshnessPolicy.cron(age.plain_cron, lower_bound_delta=age.max_age, timezone=age.timezone)


def _shown_metadata(shown: Shown) -> dict[str, Any]:
    """As Dagster takes it: texts are kept as they are, which is most of it."""
    return {name: value if isinstance(value, str) else _metadata_value(value) for name, value in shown.metadata.items()}


def _metadata_value(written: Any) -> Any:
    value = dg.deserialize_value(json.dumps(written))
    return value.schema if isinstance(value, dg.TableSchemaMetadataValue) else value


def built_schema(product: ProductPlan, model: ModelPlan, types: Mapping[str, str]) -> dict[str, Any]:
    """The columns that a model really has: a data set's as it promises them, another's as dbt's YAML describes them."""
    if model.data_set:
        return column_schema(model.columns, product.data_set(model.data_set).spec.primary_key, types)
    schema = _shown_metadata(model.shown).get("dagster/column_schema", dg.TableSchema(columns=[]))
    described = {column.name.casefold(): column for column in schema.columns}
    columns = ((name, kind, described.get(name.casefold(), dg.TableColumn(name))) for name, kind in types.items())
    listed = [dg.TableColumn(name, kind, said.description, said.constraints, said.tags) for name, kind, said in columns]
    return {"dagster/column_schema": dg.TableSchema(columns=listed)} if listed else {}


def _address(address: str | None) -> dict[str, Any]:
    return {"address": address} if address else {}


def _column_text(column: Column) -> str:
    """A column's description with its unit and the shared identifier that it holds."""
    unit = f"Unit: {column.unit}." if column.unit else ""
    identifier = f"Identifier: {column.identifier}." if column.identifier else ""
    return " ".join(part for part in (column.description, unit, identifier) if part)


def _support(product: ProductPlan) -> Mapping[str, Any]:
    support = product.info.support
    folder = product.place.file.rpartition("/")[0]
    given = {"channel": support.channel, "runbook": f"{folder}/{support.runbook}" if support.runbook else None}
    return {name: value for name, value in given.items() if value}
