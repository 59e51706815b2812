"""The plan of a mesh as frozen data; Dagster, dbt, the warehouse and the command line interpret it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from platform_resources.access.reader_standing import Offers
from platform_resources.access.views import DataSetViews
from platform_resources.capabilities.measures import Relation, measured_relation
from platform_resources.capabilities.protocols import Pull, Store
from platform_resources.plan.check_plans import NOTHING_SHOWN, CheckPlan, IndicatorPlan, ObjectivePlan, Shown, SourceLine
from platform_resources.plan.conventions import Key
from platform_resources.plan.graph import ProductGraph
from platform_resources.plan.incident_rules import Rule
from platform_resources.plan.routes import ChannelPlan, DigestPlan, Patience, RoutePlan
from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import Column, DataProduct, DataSet, InputColumn, Refresh
from platform_resources.spec.data_classes import STANDARD_CLASSES, DataClass
from platform_resources.spec.domain_document import Compute
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.deadlines import MaxAge


@dataclass(frozen=True, slots=True)
class Upstream:
    """The output port that an input port reads, and the columns it promised when the plan was made.

    `offers` is what its product offers to whom, in which `views`; None while its document does not tell that. `domain_access` is whether it
    is known that products of its domain see everything. `role` is the one asked for.
    """

    product: str
    domain: str
    port: str
    version: str
    columns: tuple[Column, ...]
    offers: Offers | None = None
    views: DataSetViews = field(default_factory=DataSetViews)
    domain_access: bool = False
    role: str = ""
    former_products: tuple[str, ...] = field(default=(), metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One input port: how it is pulled and what its failure means. `set_aside`: rows that break its contract go to quarantine."""

    name: str
    title: str
    description: str
    key: Key
    interface: str
    kind: str
    pull: Pull
    upstream: Upstream | None
    source: Key | None
    dependencies: tuple[Key, ...]
    serve_last_good: bool
    max_staleness: timedelta | None
    columns: tuple[InputColumn, ...]
    checks: tuple[CheckPlan, ...]
    place: SourceLine
    set_aside: bool = field(default=False, metadata={"planned": False})
    former_names: tuple[str, ...] = field(default=(), metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One dbt model, or a seed or snapshot, as `kind` says; `data_set` is empty for an internal one.

    `sql_digest` changes with whatever changes what it makes. `shown` is what dagster-dbt's translator says of it.
    """

    name: str
    description: str
    key: Key
    dependencies: tuple[Key, ...]
    data_set: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    tests: tuple[CheckPlan, ...]
    materialized: str
    sql_digest: str
    place: SourceLine
    kind: str
    relation: Relation
    shown: Shown = field(default=NOTHING_SHOWN, hash=False, metadata={"planned": False})
    sql: str = field(default="", metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class DataSetPlan:
    """One data set with the relation that holds it, and the views of it that roles have. Of `shown` columns values may be told."""

    name: str
    title: str
    model: str
    spec: DataSet
    relation: Relation
    views: DataSetViews
    shown: tuple[str, ...]
    place: SourceLine

    @property
    def measured(self) -> Relation:
        """The relation as it is measured: without the values that stand for null."""
        return measured_relation(self.relation, self.spec)

    @property
    def former_columns(self) -> dict[str, tuple[str, ...]]:
        """What its columns were called before, by the name that they have now."""
        return {column.name: column.renamed_from for column in self.spec.columns if column.renamed_from}


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """One output port: which data set, stored how, kept how long.

    `version` is its own, where it is of an older major than the product; until `end_date`, `replacement` is offered beside it.
    `fresh_for` is how long a version is promised to be fresh after the pulls that it is made from, where nothing else tells its age.
    After its `retention` an older version is taken away, however many are to be kept.
    """

    name: str
    title: str
    description: str
    key: Key
    interface: str
    kind: str
    data_set: str
    model: str
    store: Store
    keep_versions: int
    fresh_for: MaxAge | None
    folder: str
    place: SourceLine
    retention: timedelta | None = None
    former_names: tuple[str, ...] = field(default=(), metadata={"planned": False})
    version: str | None = field(default=None, metadata={"planned": "where there is one"})
    replacement: str | None = field(default=None, metadata={"planned": False})
    end_date: date | None = field(default=None, metadata={"planned": False})

    @property
    def is_ending(self) -> bool:
        """Whether its readers are to move to another port."""
        return (self.version or self.replacement or self.end_date) is not None


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """A known consumer outside the mesh."""

    name: str
    title: str
    key: Key
    kind: str
    dependencies: tuple[Key, ...]
    url: str | None
    owner: str | None
    description: str
    place: SourceLine
    probe: bool = field(default=False, metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """A number that the team defines for dbt's semantic layer. `kind` is dbt's word; `models` are those that it is made from."""

    name: str
    title: str
    kind: str
    description: str
    models: tuple[str, ...]
    place: SourceLine


@dataclass(frozen=True, slots=True)
class SemanticModelPlan:
    """What the team says of one model for dbt's semantic layer: by which entities and dimensions its measures can be looked at."""

    name: str
    title: str
    description: str
    model: str
    entities: tuple[str, ...]
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    place: SourceLine

    @property
    def text(self) -> str:
        """In a line: `of orders: measures revenue, by customer, ordered_on`."""
        measures = f"measures {', '.join(self.measures)}" if self.measures else "no measures"
        by = ", ".join((*self.entities, *self.dimensions))
        return f"of {self.model}: {measures}{f', by {by}' if by else ''}"


@dataclass(frozen=True, slots=True)
class SampleQueryPlan:
    """A predefined query over one output port."""

    name: str
    title: str
    port: str
    sql: str
    description: str = field(default="", metadata={"planned": False})


@dataclass(frozen=True, slots=True)
class AgreementPlan:
    """The terms under which consumers receive the product."""

    name: str
    title: str
    spec: DataSharingAgreement


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """A component whose type an installed package has added, with its settings as the package's own model."""

    name: str
    title: str
    type: str
    settings: Strict


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file that the platform writes before a refresh, relative to the mesh's root."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """Everything decided about one product. `texts_digest` stands for its Python modules and for the dbt tests that its team wrote.

    `zone` is the time zone in which people are shown its times. `classes` are those of the mesh, the least restricted first;
    `terms` are those of its tags that the mesh describes.
    """

    name: str
    title: str
    domain: str
    group: str
    info: DataProduct
    owners: tuple[str, ...]
    place: SourceLine
    runs: bool
    inputs: tuple[InputPlan, ...]
    models: tuple[ModelPlan, ...]
    data_sets: tuple[DataSetPlan, ...]
    objectives: tuple[ObjectivePlan, ...]
    indicators: tuple[IndicatorPlan, ...]
    outputs: tuple[OutputPlan, ...]
    consumers: tuple[ConsumerPlan, ...]
    sample_queries: tuple[SampleQueryPlan, ...]
    agreements: tuple[AgreementPlan, ...]
    offers: Offers
    extensions: tuple[ExtensionPlan, ...]
    scorecard: Key
    refresh: Refresh | None
    texts_digest: str
    files: tuple[GeneratedFile, ...]
    routes: tuple[RoutePlan, ...]
    rule: Rule
    patience: Patience
    zone: str = field(default="UTC", metadata={"planned": False})
    metrics: tuple[MetricPlan, ...] = ()
    semantic_models: tuple[SemanticModelPlan, ...] = ()
    classes: tuple[DataClass, ...] = field(default=STANDARD_CLASSES, metadata={"planned": False})
    terms: Mapping[str, str] = field(default_factory=dict, hash=False, metadata={"planned": False})

    @property
    def checks(self) -> tuple[CheckPlan, ...]:
        """Every check of the product: of its inputs, its models' dbt tests, its objectives."""
        inputs = [check for port in self.inputs for check in port.checks]
        tests = [check for model in self.models for check in model.tests]
        return (*inputs, *tests, *(objective.check for objective in self.objectives))

    @property
    def retention(self) -> timedelta | None:
        """How old a version may be that is no longer the newest: a version is one for all ports, so the shortest counts."""
        return min((port.retention for port in self.outputs if port.retention is not None), default=None)

    @property
    def former_names(self) -> tuple[str, ...]:
        """What the product was called before."""
        return self.info.renamed_from or ()

    @property
    def audited(self) -> tuple[ObjectivePlan, ...]:
        """The objectives that a refresh judges, among them every gate."""
        return tuple(objective for objective in self.objectives if objective.measured_by == "audit")

    @property
    def audited_after_build(self) -> tuple[ObjectivePlan, ...]:
        """Those of them that the audit reports; the others were judged before dbt has built."""
        return tuple(objective for objective in self.audited if not objective.before_build)

    def data_set(self, name: str) -> DataSetPlan:
        """The data set with this name. Raises StopIteration if there is none."""
        return next(d for d in self.data_sets if d.name == name)

    def model(self, name: str) -> ModelPlan:
        """The model with this name. Raises StopIteration if there is none."""
        return next(m for m in self.models if m.name == name)


@dataclass(frozen=True, slots=True)
class RejectedProduct:
    """A product that is not loaded, and why."""

    name: str
    domain: str
    file: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """One domain: its owners, its compute settings, and its channels, routes and digest."""

    name: str
    title: str
    description: str
    owners: tuple[str, ...]
    compute: Compute
    channels: tuple[ChannelPlan, ...] = ()
    routes: tuple[RoutePlan, ...] = ()
    digest: DigestPlan | None = None


@dataclass(frozen=True)
class MeshPlan:
    """All products in an order in which every product comes after those it reads from. What follows from them is reckoned once."""

    products: tuple[ProductPlan, ...]
    rejected: tuple[RejectedProduct, ...]
    domains: tuple[DomainPlan, ...] = ()

    def product(self, name: str) -> ProductPlan:
        """Raises KeyError when the plan has no such product."""
        return self.by_name[name]

    @cached_property
    def by_name(self) -> Mapping[str, ProductPlan]:
        """Each product by its name, in the order of the plan."""
        return {product.name: product for product in self.products}

    @cached_property
    def domain_titles(self) -> dict[str, str]:
        """The title of every domain with a product, by its name."""
        known = {domain.name: domain.title for domain in self.domains}
        return {name: known.get(name, name) for name in dict.fromkeys(product.domain for product in self.products)}

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """Of each former name of a product the one that it has now."""
        return {former: product.name for product in self.products for former in product.former_names}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each product in the order of the plan."""
        return {product.name: place for place, product in enumerate(self.products)}

    @cached_property
    def usual_zone(self) -> str:
        """The time zone of most products."""
        counted = Counter(product.zone for product in self.products)
        return max(sorted(counted), key=lambda zone: counted[zone], default="UTC")

    @cached_property
    def upstream(self) -> Mapping[str, tuple[str, ...]]:
        """Of each product those that it reads from."""
        return {
            product.name: tuple(dict.fromkeys(port.upstream.product for port in product.inputs if port.upstream is not None))
            for product in self.products
        }

    @property
    def downstream(self) -> Mapping[str, tuple[str, ...]]:
        """Of each product those that read from it."""
        return self.graph.downstream

    @cached_property
    def graph(self) -> ProductGraph:
        """How products depend on each other."""
        return ProductGraph(self.upstream)

    @property
    def running_or_rejected(self) -> frozenset[str]:
        """The products that are watched, and those that will be again once their documents are mended."""
        return frozenset({p.name for p in self.products if p.runs} | {r.name for r in self.rejected})

    def domain(self, name: str) -> "MeshPlan":
        """The part of the plan that one code location runs. It knows every domain: a route may lead to another domain's channel."""
        return MeshPlan(
            tuple(p for p in self.products if p.domain == name),
            tuple(r for r in self.rejected if r.domain == name),
            self.domains,
        )

    def domain_plan(self, name: str) -> DomainPlan:
        """What one domain says of itself. Raises KeyError when the plan has no such domain."""
        domain = next((d for d in self.domains if d.name == name), None)
        if domain is None:
            raise KeyError(name)
        return domain

    def channel(self, name: str) -> ChannelPlan:
        """The channel called `<domain>.<channel>`. Raises KeyError when the plan has no such channel."""
        channel = next((c for d in self.domains for c in d.channels if c.name == name), None)
        if channel is None:
            raise KeyError(name)
        return channel
