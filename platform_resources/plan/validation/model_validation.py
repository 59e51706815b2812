"""Problems with a product's dbt models: what dbt cannot read, data sets without a model of their own, bad names, cycles."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from platform_resources.plan import conventions
from platform_resources.plan.from_products.dbt_nodes import DbtNode
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.own_descriptions import contradictions
from platform_resources.plan.from_products.product_order import cycles
from platform_resources.plan.validation.written_references import unresolved
from platform_resources.spec.components import DataSet
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product, model_name, runs
from platform_resources.spec.values.names import fold, is_name

_WRITTEN = "in its config(), in its dbt YAML, or in dbt_project.yml"
_PORT_WANTED = (
    "declare an input port for it in product.yaml; if your own dbt YAML declares the source, say schema: inputs there, "
    "and identifier: <port> where the table has another name"
)
_WAY_OUT = "a data set is published from what dbt builds in a refresh, so its model must make a table or a view"


def texts_are_readable(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every file beside the product's document can be read."""
    yield from mesh.texts_of(product).problems


def dbt_can_read_it(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """dbt has parsed the product. Where it stopped, what leads nowhere or contradicts in the product's own texts explains it best."""
    reading = mesh.dbt.get(product.file)
    if reading is not None and reading.project is not None:
        yield from reading.problems
    elif reading is not None and not mesh.texts_of(product).problems:
        lost = unresolved(mesh, product) if reading.missing else ()
        yield from (*contradictions(mesh, product), *lost) or reading.problems


def data_sets_have_models(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every data set of a product that runs has a dbt model that makes a table or a view."""
    reading = mesh.dbt.get(product.file)
    if not runs(product):
        return
    if reading is None or reading.project is None:
        known = {model.name for model in mesh.texts_of(product).models}
        yield from (_missing(product, d, known) for d in product.data_sets if model_name(d) not in known)
        return
    project = mesh.project_of(product)
    for data_set in product.data_sets:
        name = model_name(data_set)
        node = project.node(name)
        if node is not None:
            yield from (data_set.origin.problem("model", message, hint) for message, hint in _unfit(node))
        elif name in project.disabled:
            yield data_set.origin.problem("model", f"model {name} is not built: it is disabled (enabled: false {_WRITTEN})", _WAY_OUT)
        else:
            yield _missing(product, data_set, {node.name for node in project.nodes})


def _missing(product: Product, data_set: Declared[DataSet], known: set[str]) -> Problem:
    name, folder = model_name(data_set), conventions.models_folder(product.domain, product.name)
    message = f'data set "{data_set.title}" has no dbt model: {folder}/{name}.sql is missing'
    return data_set.origin.problem("model", message, did_you_mean(name, known) or f"known models: {known_text(known)}")


def _unfit(node: DbtNode) -> Iterator[tuple[str, str]]:
    """Why a data set cannot be published from it as promised, and what to do."""
    another = "let the data set's model be one in SQL that selects from it"
    if node.materialized == "ephemeral":
        yield f"model {node.name} is not built: it is ephemeral (materialized: ephemeral {_WRITTEN})", _WAY_OUT
    elif node.database:
        why = f"model {node.name} is written to the database {node.database} (database: {node.database} {_WRITTEN})"
        yield why, "take the setting away: a product is built and published in its own database"
    elif node.kind != "model":
        yield f"{node.name} is a {node.kind}: dbt enforces no contract on it", another
    elif node.language != "sql":
        yield f"model {node.name} is written in Python: dbt enforces no contract on it", another
    elif node.version:
        yield f"model {node.name} is a version of a model, which dbt lets only its own YAML describe", another


def data_sets_have_models_of_their_own(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A model has the columns, tests and key of one data set; what a second one promises would never be checked."""
    seen: dict[str, str] = {}
    for data_set in product.data_sets:
        name = fold(model_name(data_set))
        if name in seen:
            message = f'data set "{data_set.title}" has the same dbt model as data set "{seen[name]}": {model_name(data_set)}'
            yield data_set.origin.problem("model", message, "give each data set a model of its own; one may select from the other's")
        seen.setdefault(name, data_set.title)


def models_are_named(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Model names are valid, not reserved, and unique within the product."""
    written = [(model.name, model.file) for model in mesh.texts_of(product).models]
    named = {(node.name, node.file) for node in mesh.project_of(product).nodes} | set(written)
    for name, file in sorted(named):
        if not is_name(name):
            yield Problem(file, 1, "", f'"{name}" is not a model name; use lower case letters, digits and _')
        elif name in conventions.RESERVED_NAMES:
            yield Problem(file, 1, "", f'a model may not be called "{name}"; it is reserved for the platform')
    names = [name for name, _ in written]
    for name, file in written:
        if names.count(name) > 1:
            yield Problem(file, 1, "", f'two models are called "{name}"; model names are unique within a product')


def names_in_two_products(mesh: Mesh) -> Iterator[Problem]:
    """Names that dbt wants once in a project; a package's are everybody's. A refresh builds one product alone, but plain dbt stops."""
    places: dict[tuple[str, str], dict[str, str]] = {}
    for product in mesh.products:
        for kind, name, file in _named_in(mesh, product):
            places.setdefault((kind, name), {}).setdefault(product.name, file)
    for (kind, name), files in places.items():
        where = sorted(set(files.values()))
        for file in where if len(where) > 1 else ():
            others = ", ".join(other for other in where if other != file)
            message = f'{kind} "{name}" is also the name of {others}; dbt wants each name once in the mesh'
            hint = "give one another name, such as one that begins with its product's; a data set names its model: `model: …`"
            yield Problem(file, 1, "", message, hint if kind == "model" else "give one another name")


def _named_in(mesh: Mesh, product: Product) -> Iterator[tuple[str, str, str]]:
    """Kind, name and file of what dbt counts in one project: models, seeds and snapshots share their names."""
    texts, project = mesh.texts_of(product), mesh.project_of(product)
    yield from (("model", node.name, node.file) for node in project.nodes)
    yield from (("model", model.name, model.file) for model in texts.models)
    yield from (("test", test.name, test.file) for test in project.tests if test.kind == "singular")
    yield from (("exposure", exposure.name, exposure.file) for exposure in project.exposures)
    yield from (("source", name, file) for file, text in texts.properties.items() if "sources" in text for name in _own_sources(text, file))


def _own_sources(text: str, file: str) -> Iterator[str]:
    """The tables of sources that a team's own dbt YAML declares, as `source.table`."""
    document = read_document(text, file)
    for source in _entries(document.data if isinstance(document, Document) else None, "sources"):
        yield from (f"{source.get('name')}.{table.get('name')}" for table in _entries(source, "tables"))


def _entries(data: Any, key: str) -> list[Mapping[str, Any]]:
    entries = data.get(key) if isinstance(data, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def sources_are_input_ports(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every source is an input port of the same product: nothing else is pulled, pinned and recorded."""
    ports = [f"{product.name}.{port.name}" for port in product.input_ports]
    for node in mesh.project_of(product).nodes:
        for source in node.sources:
            if source not in ports:
                message = f'{node.name} reads the source "{source}", which is no input port; known: {known_text(ports)}'
                yield Problem(node.file, 1, "", message, _PORT_WANTED)


def models_have_no_circle(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Models do not depend on each other in a cycle."""
    nodes = {node.name: node for node in mesh.project_of(product).nodes}
    for cycle in cycles({name: node.reads for name, node in nodes.items()}):
        circle = " <- ".join((*cycle, cycle[0]))
        yield Problem(nodes[cycle[0]].file, 1, "", f"models read from each other in a circle: {circle}")


def both_descriptions_agree(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A team's own dbt YAML may describe a data set's model too, and contradicts product.yaml nowhere."""
    yield from contradictions(mesh, product)


MODEL_PASSES: tuple[Callable[[Mesh, Product], Iterator[Problem]], ...] = (
    texts_are_readable,
    both_descriptions_agree,
    dbt_can_read_it,
    data_sets_have_models,
    data_sets_have_models_of_their_own,
    models_are_named,
    sources_are_input_ports,
    models_have_no_circle,
)
