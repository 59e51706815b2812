"""Find out which columns a build has made from which, and keep that beside the product's data.

Taken from what dbt has compiled for this build: a statement as it ran needs no further run of dbt, and tells of exactly the tables that
are audited and published.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import NotPulled
from platform_resources.dbt.project_slices import replace_file
from platform_resources.lineage.product_lineage import FORM, ModelLineage, ProductLineage, lineage_from, lineage_text
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.targets import warehouse

_KEEPS_ROWS = ("incremental", "snapshot")


def kept_lineage(state: Path, product: Placed) -> ProductLineage:
    """The lineage that the last build recorded; empty where the product was never built."""
    try:
        return lineage_from((state / conventions.lineage_file(product.domain, product.name)).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ProductLineage()


def lineage_stamp(state: Path, products: Iterable[Placed]) -> tuple[tuple[int, int], ...]:
    """A value that changes when a build of any of the products records other lineage."""
    return tuple(_stamp(state / conventions.lineage_file(product.domain, product.name)) for product in products)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def built_columns(database: ProductDatabase, product: ProductPlan) -> dict[str, dict[str, str]]:
    """The columns of each model and input that is there, with their types."""
    return {place: database.columns(relation) for place, relation in _relations(product).items() if database.exists(relation)}


def keep_lineage(
    database: ProductDatabase, state: Path, product: ProductPlan, compiled: Mapping[str, str], typed: Mapping[str, Mapping[str, str]]
) -> ProductLineage:
    """Record the lineage of this build; `compiled` is the SQL of each model, `typed` the columns that `built_columns` gave.

    A model of which nothing has changed is not looked at again.
    """
    before, relations = kept_lineage(state, product), _relations(product)
    columns = {place: tuple(names) for place, names in typed.items()}
    catalog = str(database.execute("select current_database()")[0])
    models: dict[str, ModelLineage] = {}
    for model in product.models:
        if model.name in columns:
            reads = tuple(place for place in _reads(product, model) if place in columns)
            tables = tuple(_table(place, relations[place], columns[place]) for place in dict.fromkeys((*reads, model.name)))
            question = _Question(model, compiled.get(model.name, ""), warehouse().kind, catalog, reads, tables, columns[model.name])
            models[model.name] = _answered(question, before.models.get(model.name))
    inputs = {place: names for place, names in columns.items() if place not in models}
    lineage = ProductLineage(models, inputs)
    if lineage != before:
        replace_file(state / conventions.lineage_file(product.domain, product.name), lineage_text(lineage).encode())
    return lineage


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a model's lineage depends on."""

    model: ModelPlan
    sql: str
    dialect: str
    catalog: str
    reads: tuple[str, ...]
    tables: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    columns: tuple[str, ...]

    @property
    def key(self) -> str:
        said = (FORM, version("sqlglot"), self.model.kind, self.model.materialized, self.sql, self.dialect, self.catalog, self.tables)
        return hashlib.sha256(json.dumps((said, self.reads, self.columns)).encode()).hexdigest()[:32]


def _answered(question: _Question, before: ModelLineage | None) -> ModelLineage:
    """As before where the question is the same: sqlglot need not even be imported."""
    if before is not None and before.key == question.key:
        return before
    model = question.model
    if model.kind == "seed":
        return ModelLineage(question.columns, {column: {} for column in question.columns}, {}, (), "", question.key)
    if model.place.file.endswith(".py"):
        return ModelLineage(question.columns, {}, {}, question.reads, "it is made by Python", question.key)
    from platform_resources.lineage.query_scope import Unresolvable
    from platform_resources.lineage.sql_columns import ReadTable, model_columns

    tables = [ReadTable(*table) for table in question.tables]
    keeps_rows = model.materialized in _KEEPS_ROWS
    try:
        lineage = model_columns(question.sql, question.dialect, question.catalog, tables, question.columns, keeps_rows)
    except Unresolvable as why:
        return ModelLineage(question.columns, {}, {}, question.reads, str(why), question.key)
    return ModelLineage(question.columns, lineage.columns, lineage.rows, question.reads, "", question.key)


def _relations(product: ProductPlan) -> dict[str, Relation]:
    """By place: where each input is loaded, and each model is built."""
    inputs = {conventions.place(port.key): Relation("inputs", port.name) for port in product.inputs if not isinstance(port.pull, NotPulled)}
    return inputs | {model.name: model.relation for model in product.models if model.materialized != "ephemeral"}


def _reads(product: ProductPlan, model: ModelPlan) -> tuple[str, ...]:
    """The places that a model reads; an ephemeral model's SQL becomes part of the model that reads it."""
    places: dict[str, None] = {}
    waiting = [conventions.place(key) for key in model.dependencies]
    ephemeral = {other.name: other for other in product.models if other.materialized == "ephemeral"}
    while waiting:
        place = waiting.pop(0)
        if place in ephemeral:
            waiting += [conventions.place(key) for key in ephemeral[place].dependencies]
        else:
            places[place] = None
    return tuple(places)


def _table(place: str, relation: Relation, columns: tuple[str, ...]) -> tuple[str, str, str, tuple[str, ...]]:
    return (place, relation.schema, relation.name, columns)
