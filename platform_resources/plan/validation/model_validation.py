"""Problems with a product's dbt models: missing models, unresolved or foreign references, cycles."""

import re
from collections.abc import Callable, Iterator

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh, ModelText
from platform_resources.plan.from_products.models import ModelReference, described_models, own_tests, references
from platform_resources.plan.from_products.product_order import cycles
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product, model_name, runs
from platform_resources.spec.values.names import fold, is_name, slug

_CHECK_NAME = re.compile(r"[A-Za-z0-9_]+")  # what Dagster takes


def texts_are_readable(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every file beside the product's document can be read."""
    yield from mesh.texts_of(product).problems


def models_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every data set of a product that runs has its dbt model."""
    known = [model.name for model in mesh.texts_of(product).models]
    folder = conventions.models_folder(product.domain, product.name)
    for data_set in product.data_sets if runs(product) else ():
        name = model_name(data_set)
        if name not in known:
            message = f'data set "{data_set.title}" has no dbt model: {folder}/{name}.sql is missing'
            yield data_set.origin.problem("model", message, did_you_mean(name, known) or f"known models: {known_text(known)}")


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
    for model in mesh.texts_of(product).models:
        if not is_name(model.name):
            yield Problem(model.file, 1, "", f'"{model.name}" is not a model name; use lower case letters, digits and _')
        elif model.name in conventions.RESERVED_NAMES:
            yield Problem(model.file, 1, "", f'a model may not be called "{model.name}"; it is reserved for the platform')
    names = [model.name for model in mesh.texts_of(product).models]
    for model in mesh.texts_of(product).models:
        if names.count(model.name) > 1:
            yield Problem(model.file, 1, "", f'two models are called "{model.name}"; model names are unique within a product')


def references_resolve(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every `ref` and `source` leads to a model or input port of the same product."""
    texts = mesh.texts_of(product)
    models = [model.name for model in texts.models]
    inputs = [port.name for port in product.input_ports]
    for model in (*texts.models, *texts.tests):
        for reference in references(model):
            yield from _reference_problem(model, reference, models, inputs)


def _reference_problem(model: ModelText, reference: ModelReference, models: list[str], inputs: list[str]) -> Iterator[Problem]:
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


def _line(model: ModelText, reference: ModelReference) -> int:
    for number, line in enumerate(model.sql.splitlines(), 1):
        if reference.text in " ".join(line.split()):
            return number
    return 1


def models_have_no_circle(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Models do not depend on each other in a cycle."""
    models = {model.name: model for model in mesh.texts_of(product).models}
    graph = {name: [r.names[-1] for r in references(m) if r.function == "ref" and r.names] for name, m in models.items()}
    for cycle in cycles(graph):
        circle = " <- ".join((*cycle, cycle[0]))
        yield Problem(models[cycle[0]].file, 1, "", f"models read from each other in a circle: {circle}")


def own_tests_have_names(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A test is shown as a check under its name, so a team gives each of its own tests one."""
    models = [model.name for model in mesh.texts_of(product).models]
    for test in own_tests(mesh.texts_of(product)):
        if not test.name:
            yield Problem(test.file, 1, test.model, "a dbt test needs a name: it becomes the name of the check")
        elif not _CHECK_NAME.fullmatch(test.name):
            message = f'"{test.name}" cannot be the name of a dbt test: it becomes the name of a check, of letters, digits and _'
            yield Problem(test.file, 1, test.model, message, f'"{slug(test.name)}" would do' if slug(test.name) else "")
        elif test.model not in models:
            message = f'test "{test.name}" reads no model of this product; known: {known_text(models)}'
            yield Problem(test.file, 1, "", message, did_you_mean(test.model, models))


def data_sets_are_described_once(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A team's own dbt YAML does not describe models that the platform describes."""
    promised = {model_name(data_set) for data_set in product.data_sets}
    for file, text in mesh.texts_of(product).properties.items():
        for model in described_models(text):
            if model.get("name") in promised:
                message = f'model "{model["name"]}" is a data set: product.yaml describes it, and dbt allows one description'
                yield Problem(file, 1, "", message, "write its columns and tests in product.yaml")


MODEL_PASSES: tuple[Callable[[Mesh, Product], Iterator[Problem]], ...] = (
    texts_are_readable,
    models_exist,
    data_sets_have_models_of_their_own,
    models_are_named,
    references_resolve,
    models_have_no_circle,
    own_tests_have_names,
    data_sets_are_described_once,
)
