"""The plan of a mesh as frozen data; Dagster, dbt, the warehouse and the command line interpret it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from platform_resources.access.reader_standing import Offers
from platform_resources.capabilities.protocols import PullExtractor
from platform_resources.plan.check_plans import CheckPlan, IndicatorPlan, ObjectivePlan, SourceLine
from platform_resources.plan.conventions import Key
from platform_resources.plan.graph import ProductGraph
from platform_resources.plan.incident_rules import Rule
from platform_resources.plan.model_plans import DataSetPlan, MetricPlan, ModelPlan, SemanticModelPlan
from platform_resources.plan.port_plans import ConsumerPlan, InputPlan, OutputPlan
from platform_resources.plan.routes import ChannelPlan, DigestPlan, Patience, RoutePlan
from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import DataProduct, Refresh
from platform_resources.spec.data_classes import STANDARD_CLASSES, DataClass
from platform_resources.spec.domain_document import Compute
from platform_resources.spec.problems import Problem
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Lifecycle


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
class StagePlan:
    """The policies that hold in a stage and what of them is `missing` by the documents, criteria of the score, and who signs it off."""

    stage: Lifecycle
    policies: tuple[str, ...]
    missing: tuple[str, ...]
    criteria: tuple[str, ...]
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """Everything decided about one product. `texts_digest` stands for its Python modules and for the dbt tests that its team wrote.

    `zone` is the time zone in which people are shown its times. `classes` are those of the mesh, the least restricted first;
    `terms` are those of its tags that the mesh describes. `stages` are those of its life that require something.
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
    stages: tuple[StagePlan, ...] = field(default=(), metadata={"planned": False})

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

    @property
    def by_day(self) -> bool:
        """Whether it has models that are built day by day: an ordinary refresh makes only their newest days."""
        return any(model.batch for model in self.models)

    @property
    def not_by_day(self) -> str:
        """Why days of it cannot be made anew; empty where they can."""
        if self.by_day or any(isinstance(port.pull, PullExtractor) for port in self.inputs):
            return ""
        return "nothing of it is made by day: no model has the strategy microbatch, and no input is an extractor"

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
        """The present name of each former product name."""
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
        """The products that each product reads from."""
        return {
            product.name: tuple(dict.fromkeys(port.upstream.product for port in product.inputs if port.upstream is not None))
            for product in self.products
        }

    @property
    def downstream(self) -> Mapping[str, tuple[str, ...]]:
        """The products that read from each product."""
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
