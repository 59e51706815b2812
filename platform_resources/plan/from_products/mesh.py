"""The input of planning: the products, and the texts of the files beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

from platform_resources.capabilities.registry import Registry
from platform_resources.plan.from_products.dbt_nodes import DbtProject, DbtReading
from platform_resources.spec.components import OutputPort
from platform_resources.spec.domain_document import DomainDocument, DomainReading
from platform_resources.spec.governance import GovernanceReading
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.values.names import fold


@dataclass(frozen=True, slots=True)
class ModelText:
    """One dbt model as written, in SQL or Python."""

    name: str
    file: str
    sql: str


@dataclass(frozen=True, slots=True)
class ProductTexts:
    """What lies beside a product's document: dbt models, singular dbt tests, own dbt YAML, Python modules, names of seeds and of all files.

    `problems` are those of files that cannot be read.
    """

    models: tuple[ModelText, ...] = ()
    tests: tuple[ModelText, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    seeds: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadableProduct:
    """A document from which no product could be read; its folder identifies it. `partial` and `broken` as in ProductReading."""

    name: str
    domain: str
    file: str
    problems: tuple[Problem, ...]
    partial: Product | None = None
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mesh:
    """All products, sorted by file, and those that could not be read. `dbt` has what dbt says of the products that it was asked about.

    Where it is not whole, only some products were asked for. Exemptions from policies are judged as of `today`, in UTC.
    `on_several_machines` is whether refreshes may run on machines that have no folder in common.
    """

    products: tuple[Product, ...]
    texts: Mapping[str, ProductTexts]
    unreadable: tuple[UnreadableProduct, ...]
    registry: Registry
    domains: Mapping[str, DomainReading] = field(default_factory=dict)
    dbt: Mapping[str, DbtReading] = field(default_factory=dict)
    governance: GovernanceReading = field(default_factory=GovernanceReading)
    is_whole: bool = True
    on_several_machines: bool = False
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def domain(self, name: str) -> DomainDocument:
        """What the domain says of itself; a domain without domain.yaml says nothing."""
        reading = self.domains.get(name)
        return reading.domain if reading is not None else DomainDocument()

    def with_exclusions(self, domain: str, indicator: ServiceLevelIndicator) -> ServiceLevelIndicator:
        """The indicator with its domain's exclusions beside its own, if it asks for them."""
        if not indicator.domain_exclusions:
            return indicator
        return indicator.model_copy(update={"exclusions": (*indicator.exclusions, *self.domain(domain).exclusions)})

    def texts_of(self, product: Product) -> ProductTexts:
        """The texts beside the product's document; empty if the mesh was made without them."""
        return self.texts.get(product.file, ProductTexts())

    def project_of(self, product: Product) -> DbtProject:
        """What dbt has read of the product; nothing where it was not asked, or could not read it."""
        reading = self.dbt.get(product.file)
        return (reading.project if reading is not None else None) or DbtProject()

    @cached_property
    def by_name(self) -> Mapping[str, Product]:
        """The products by name."""
        return {product.name: product for product in reversed(self.products)}

    @cached_property
    def by_former_name(self) -> Mapping[str, Product]:
        """The products by each name that they once had."""
        return {former: product for product in self.products for former in product.info.renamed_from or ()}

    @cached_property
    def by_folded_name(self) -> Mapping[str, tuple[Product, ...]]:
        """The products by folded name; names that fold together share an entry."""
        by_name: dict[str, tuple[Product, ...]] = {}
        for product in self.products:
            by_name[fold(product.name)] = (*by_name.get(fold(product.name), ()), product)
        return by_name

    @cached_property
    def ports_by_title(self) -> Mapping[str, tuple[tuple[Product, Declared[OutputPort]], ...]]:
        """Output ports whose title is free text, as the founding form names them; those of unreadable products as far as read."""
        by_title: dict[str, tuple[tuple[Product, Declared[OutputPort]], ...]] = {}
        for product in (*self.products, *(u.partial for u in self.unreadable if u.partial is not None)):
            for port in product.output_ports:
                if " " in port.title:
                    by_title[port.title] = (*by_title.get(port.title, ()), (product, port))
        return by_title
