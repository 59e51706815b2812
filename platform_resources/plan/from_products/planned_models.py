"""Plans of a product's dbt models, seeds and snapshots, of their tests, and of the exposures that read them, as dbt says them."""

from collections.abc import Iterator, Mapping
from typing import Literal

from platform_resources.capabilities.measures import Relation
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, SourceLine
from platform_resources.plan.from_products.concerned_columns import qualified
from platform_resources.plan.from_products.dbt_nodes import DbtNode, DbtTest
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.product_order import ordered
from platform_resources.plan.from_products.written_tests import enforces_constraints, test_name, tests_of
from platform_resources.plan.model_plans import MetricPlan, ModelPlan, SemanticModelPlan
from platform_resources.plan.port_plans import ConsumerPlan
from platform_resources.spec.components import DataSet
from platform_resources.spec.product import Declared, Product, model_name
from platform_resources.spec.values.names import slug


def planned_models(mesh: Mesh, product: Product) -> tuple[ModelPlan, ...]:
    """Each model after those it reads: Dagster takes results in this order. Tests of a source are shown at the first that reads it."""
    project = mesh.project_of(product)
    nodes = {node.name: node for node in project.nodes}
    order = ordered({name: [read for read in node.reads if read in nodes] for name, node in nodes.items()})
    tests: dict[str, list[DbtTest]] = {}
    for test in project.tests:
        about = next((name for name in order if test.of in (name, *nodes[name].sources)), None)
        tests.setdefault(about or _first_model(product, order), []).append(test)
    return tuple(_model(product, nodes[name], tests.get(name, [])) for name in order)


def _first_model(product: Product, order: tuple[str, ...]) -> str:
    """Where a test is shown that reads nothing, or only what no model reads."""
    return next((model_name(d) for d in product.data_sets if model_name(d) in order), next(iter(order), ""))


def _model(product: Product, node: DbtNode, tests: list[DbtTest]) -> ModelPlan:
    data_set = next((d for d in product.data_sets if model_name(d) == node.name), None)
    config = data_set.config if data_set is not None else DataSet()
    return ModelPlan(
        name=node.name,
        description=config.description or node.description or leading_comment(node.sql),
        key=conventions.model_key(product.name, node.name),
        dependencies=tuple(_dependencies(product, node)),
        data_set=data_set.name if data_set is not None else "",
        columns=config.columns,
        primary_key=config.primary_key,
        tests=tuple(_tests(product, node, data_set, tests)),
        materialized=node.materialized,
        sql_digest=node.digest,
        place=SourceLine(node.file, 1),
        kind=node.kind,
        relation=Relation(node.schema, node.alias),
        shown=node.shown,
        sql=node.sql,
        batch=node.batch,
    )


def _dependencies(product: Product, node: DbtNode) -> Iterator[conventions.Key]:
    ports = {f"{product.name}.{port.name}": port.name for port in product.input_ports}
    yield from (conventions.model_key(product.name, name) for name in node.reads)
    yield from (conventions.input_key(product.name, ports[source]) for source in node.sources if source in ports)


def leading_comment(sql: str) -> str:
    """The comment that the SQL begins with: the description of an internal model of which dbt's YAML says nothing."""
    lines: list[str] = []
    for line in sql.lstrip().splitlines():
        if not line.lstrip().startswith("--"):
            break
        lines.append(line.strip().lstrip("-").strip())
    return " ".join(lines).strip()


def _tests(product: Product, node: DbtNode, data_set: Declared[DataSet] | None, tests: list[DbtTest]) -> Iterator[CheckPlan]:
    """Those of product.yaml in its order, then those that the team has given to dbt itself."""
    key = conventions.model_key(product.name, node.name)
    said = {test.name: test for test in tests if conventions.is_generated(test.file)}
    declared = tuple(_declared(node, data_set, key, said)) if data_set is not None else ()
    yield from declared
    taken, shown = {check.name for check in declared}, {check.dbt_id for check in declared}
    about = qualified(data_set.name if data_set is not None else "")
    for test in tests:
        if test.unique_id not in shown:
            name = check_name_of(test, taken)
            taken.add(name)
            title, words = (
                " ".join(test.name.replace("_", " ").split()).capitalize(),
                "dbt unit test" if test.kind == "unit" else "dbt test",
            )
            text = test.description or f"{words} written by the team"
            file = node.file if conventions.is_generated(test.file) else test.file
            yield _check(test, name, key, title, text, SourceLine(file, 1), about, test.digest)


def _declared(node: DbtNode, data_set: Declared[DataSet], key: conventions.Key, said: Mapping[str, DbtTest]) -> Iterator[CheckPlan]:
    """The tests of product.yaml. dbt is asked about their severity: settings of folders in dbt_project.yml may change it."""
    place = SourceLine.of(data_set.origin)
    for column in data_set.config.columns:
        for written in tests_of(column, enforces_constraints(node.materialized)):
            name, kind = test_name(written, node.name, column.name), written.kind
            title, text = f"{column.name}: {kind.replace('_', ' ')}", written.description or f"dbt test {kind} of column {column.name}"
            if name in said:
                yield _check(said[name], name, key, title, text, place, qualified(data_set.name, [column.name]))


def check_name_of(test: DbtTest, taken: set[str]) -> str:
    """The name of the check: the test's own if Dagster takes it, told from others of one asset by a digest of what it asks."""
    plain = test.name.isascii() and test.name.replace("_", "x").isalnum()
    name = test.name if plain else slug(test.name) or "test"
    return f"{name}_{test.digest[:8]}" if name in taken else name


def _check(
    test: DbtTest, name: str, key: conventions.Key, title: str, text: str, place: SourceLine, about: tuple[str, ...], digest: str = ""
) -> CheckPlan:
    """A failing dbt test stops what comes after it, as in `dbt build`; one of severity warn does not."""
    blocking = test.severity != "warn"
    severity: Literal["error", "warning"] = "error" if blocking else "warning"
    return CheckPlan(name, key, "dbt_test", title, text, blocking, severity, place, digest, about, dbt_id=test.unique_id, shown=test.shown)


def planned_exposures(mesh: Mesh, product: Product) -> Iterator[ConsumerPlan]:
    """Who uses the product's models, as dbt's YAML says it: consumers as those of product.yaml, which go first where both name one."""
    own = {consumer.name for consumer in product.consumers}
    for exposure in mesh.project_of(product).exposures:
        if slug(exposure.name) not in own:
            yield ConsumerPlan(
                name=slug(exposure.name),
                title=exposure.title,
                key=conventions.consumer_key(product.name, slug(exposure.name)),
                kind=exposure.kind,
                dependencies=tuple(conventions.model_key(product.name, name) for name in exposure.reads),
                url=exposure.url or None,
                owner=exposure.owner or None,
                description=exposure.description,
                place=SourceLine(exposure.file, 1),
            )


def planned_metrics(mesh: Mesh, product: Product) -> Iterator[MetricPlan]:
    """The numbers that the product's dbt YAML defines."""
    for metric in mesh.project_of(product).metrics:
        yield MetricPlan(metric.name, metric.title, metric.kind, metric.description, metric.reads, SourceLine(metric.file, 1))


def planned_semantic_models(mesh: Mesh, product: Product) -> Iterator[SemanticModelPlan]:
    """What the product's dbt YAML says for dbt's semantic layer."""
    for model in mesh.project_of(product).semantic_models:
        parts = (model.entities, model.dimensions, model.measures)
        yield SemanticModelPlan(model.name, model.title, model.description, model.model, *parts, SourceLine(model.file, 1))
