"""What is wrong with a product's dbt models: missing ones, references that lead nowhere or out of the product, circles."""

from collections.abc import Callable, Iterator

from platform_resources.planning import conventions
from platform_resources.planning.lineage import cycles
from platform_resources.planning.mesh import Mesh, ModelText, ProductTexts
from platform_resources.planning.models import Reference, described_models, own_tests, references
from platform_resources.spec.names import is_name
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product, model_name, runs


def texts_are_readable(mesh: Mesh, product: Product) -> Iterator[Problem]:
    yield from _texts(mesh, product).problems


def models_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every data set of a product that runs has its dbt model."""
    known = [model.name for model in _texts(mesh, product).models]
    folder = conventions.models_folder(product.domain, product.name)
    for data_set in product.data_sets if runs(product) else ():
        name = model_name(data_set)
        if name not in known:
            message = f'data set "{data_set.title}" has no dbt model: {folder}/{name}.sql is missing'
            yield data_set.origin.problem("model", message, did_you_mean(name, known) or f"known models: {known_text(known)}")


def models_are_named(mesh: Mesh, product: Product) -> Iterator[Problem]:
    for model in _texts(mesh, product).models:
        if not is_name(model.name):
            yield Problem(model.file, 1, "", f'"{model.name}" is not a model name; use lower case letters, digits and _')
        elif model.name in conventions.RESERVED_NAMES:
            yield Problem(model.file, 1, "", f'a model may not be called "{model.name}"; it is reserved for the platform')
    names = [model.name for model in _texts(mesh, product).models]
    for model in _texts(mesh, product).models:
        if names.count(model.name) > 1:
            yield Problem(model.file, 1, "", f'two models are called "{model.name}"; model names are unique within a product')


def references_resolve(mesh: Mesh, product: Product) -> Iterator[Problem]:
    texts = _texts(mesh, product)
    models = [model.name for model in texts.models]
    inputs = [port.name for port in product.input_ports]
    for model in (*texts.models, *texts.tests):
        for reference in references(model):
            yield from _reference_problem(model, reference, models, inputs)


def _reference_problem(model: ModelText, reference: Reference, models: list[str], inputs: list[str]) -> Iterator[Problem]:
    line = _line(model, reference)
    example = "write {{ ref('model') }} or {{ source('inputs', 'port') }}"
    match (reference.function, reference.names):
        case ("ref", (name,)):
            if name not in models:
                message = f'no model "{name}" in this product; known: {known_text(models)}'
                hint = did_you_mean(name, models) or "products meet only at ports: read another product through an input port"
                yield Problem(model.file, line, reference.text, message, hint)
        case ("ref", (_, name)):
            yield Problem(model.file, line, reference.text, "a model is named alone, without a package", f"write {{{{ ref('{name}') }}}}")
        case ("source", (conventions.SOURCE_NAME, port)):
            if port not in inputs:
                message = f'no input port "{port}" in this product; known: {known_text(inputs)}'
                yield Problem(model.file, line, reference.text, message, did_you_mean(port, inputs))
        case ("source", (source, port)):
            message = f'unknown source "{source}"; every input port is a table of the source "{conventions.SOURCE_NAME}"'
            yield Problem(model.file, line, reference.text, message, f"write {{{{ source('{conventions.SOURCE_NAME}', '{port}') }}}}")
        case _:
            yield Problem(model.file, line, reference.text, "names of models and ports must be written out as text", example)


def _line(model: ModelText, reference: Reference) -> int:
    for number, line in enumerate(model.sql.splitlines(), 1):
        if reference.text in " ".join(line.split()):
            return number
    return 1


def models_have_no_circle(mesh: Mesh, product: Product) -> Iterator[Problem]:
    models = {model.name: model for model in _texts(mesh, product).models}
    graph = {name: [r.names[-1] for r in references(m) if r.function == "ref" and r.names] for name, m in models.items()}
    for cycle in cycles(graph):
        circle = " <- ".join((*cycle, cycle[0]))
        yield Problem(models[cycle[0]].file, 1, "", f"models read from each other in a circle: {circle}")


def own_tests_have_names(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A test is shown as a check under its name, so a team gives each of its own tests one."""
    models = [model.name for model in _texts(mesh, product).models]
    for test in own_tests(_texts(mesh, product)):
        if not test.name:
            yield Problem(test.file, 1, test.model, "a dbt test needs a name: it becomes the name of the check")
        elif test.model not in models:
            message = f'test "{test.name}" reads no model of this product; known: {known_text(models)}'
            yield Problem(test.file, 1, "", message, did_you_mean(test.model, models))


def data_sets_are_described_once(mesh: Mesh, product: Product) -> Iterator[Problem]:
    promised = {model_name(data_set) for data_set in product.data_sets}
    for file, text in _texts(mesh, product).properties.items():
        for model in described_models(text):
            if model.get("name") in promised:
                message = f'model "{model["name"]}" is a data set: product.yaml describes it, and dbt allows one description'
                yield Problem(file, 1, "", message, "write its columns and tests in product.yaml")


def _texts(mesh: Mesh, product: Product) -> ProductTexts:
    return mesh.texts.get(product.file, ProductTexts())


MODEL_PASSES: tuple[Callable[[Mesh, Product], Iterator[Problem]], ...] = (
    texts_are_readable,
    models_exist,
    models_are_named,
    references_resolve,
    models_have_no_circle,
    own_tests_have_names,
    data_sets_are_described_once,
)
