"""What is planned of a product's dbt models, data sets, metrics and semantic models."""

from dataclasses import dataclass, field

from platform_resources.access.views import DataSetViews
from platform_resources.capabilities.measures import Relation, measured_relation
from platform_resources.plan.check_plans import NOTHING_SHOWN, CheckPlan, Shown, SourceLine
from platform_resources.plan.conventions import Key
from platform_resources.spec.components import Column, DataSet


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One dbt model, or a seed or snapshot, as `kind` says; `data_set` is empty for an internal one.

    `sql_digest` changes with whatever changes what it makes. `shown` is what dagster-dbt's translator says of it.
    Days of one that has a `batch`, which is `hour`, `day`, `month` or `year`, can be made anew.
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
    batch: str = field(default="", metadata={"planned": False})


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
