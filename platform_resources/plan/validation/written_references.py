"""Explain why dbt could not read a product: which `ref` and `source` of its SQL lead nowhere, with line and advice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh, ModelText
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product


@dataclass(frozen=True, slots=True)
class WrittenReference:
    """One `ref` or `source` call. `names` has one name for `ref('m')`, two for `source('s', 't')`; none if not plain text."""

    function: str
    names: tuple[str, ...]
    line: int

    @property
    def text(self) -> str:
        """As it is usually written."""
        names = ", ".join(f"'{name}'" for name in self.names)
        return f"{self.function}({names or '…'})"


def references(model: ModelText) -> tuple[WrittenReference, ...]:
    """Every ref and source that the SQL names in any case, in the order written, by Jinja's own parser; none where that is no Jinja."""
    from jinja2 import Environment, TemplateSyntaxError, nodes

    try:
        tree = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]).parse(model.sql)
    except TemplateSyntaxError:
        return ()
    written = []
    for call in _certain(tree):
        if isinstance(call.node, nodes.Name) and call.node.name in ("ref", "source"):
            plain = all(isinstance(argument, nodes.Const) for argument in call.args) and not call.kwargs
            names = tuple(str(argument.value) for argument in call.args if isinstance(argument, nodes.Const)) if plain else ()
            written.append(WrittenReference(call.node.name, names, call.lineno))
    return tuple(dict.fromkeys(written))


def _certain(tree: Any) -> Iterator[Any]:
    """The calls that are made whatever a condition says."""
    from jinja2 import nodes

    for child in tree.iter_child_nodes():
        if isinstance(child, nodes.Call):
            yield child
        if not isinstance(child, nodes.If | nodes.CondExpr):
            yield from _certain(child)


def unresolved(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """References that lead neither to a model nor to an input port of the same product."""
    texts = mesh.texts_of(product)
    models = [*(model.name for model in texts.models), *texts.seeds, *_named(texts.properties, "snapshots")]
    inputs = [port.name for port in product.input_ports]
    for model in (*texts.models, *texts.tests):
        if not model.file.endswith(".py"):
            for reference in references(model):
                yield from _problem(product, model, reference, models, inputs)


def _problem(product: Product, model: ModelText, reference: WrittenReference, models: list[str], inputs: list[str]) -> Iterator[Problem]:
    match (reference.function, reference.names):
        case ("ref", (name,)) if name not in models:
            message = f'no model "{name}" in this product; known: {known_text(models)}'
            hint = did_you_mean(name, models) or "products meet only at ports: read another product through an input port"
            yield Problem(model.file, reference.line, reference.text, message, hint)
        case ("ref", (_, name)) if name in models:
            message = "a model is named alone, without a package"
            yield Problem(model.file, reference.line, reference.text, message, f"write {{{{ ref('{name}') }}}}")
        case ("source", (source, port)) if source == product.name:
            if port not in inputs:
                message = f'no input port "{port}" in this product; known: {known_text(inputs)}'
                yield Problem(model.file, reference.line, reference.text, message, did_you_mean(port, inputs))
        case ("source", (source, port)):
            yield Problem(model.file, reference.line, reference.text, *foreign_source(product.name, source, port))


def foreign_source(product: str, source: str, port: str) -> tuple[str, str]:
    """What is wrong with a source of another name, and what to write."""
    which = (
        f'the source has the product\'s name now, not "{source}"' if source == conventions.FORMER_SOURCE else f'unknown source "{source}"'
    )
    message = f'{which}; every input port is a table of the source "{product}"'
    return message, f"write {{{{ source('{product}', '{port}') }}}}"


def _named(files: Mapping[str, str], section: str) -> Iterator[str]:
    """Names of what dbt YAML files describe in a section; none of a text that is no such file."""
    for file, text in files.items():
        document = read_document(text, file)
        entries = document.data.get(section) if isinstance(document, Document) and isinstance(document.data, dict) else None
        yield from (str(entry.get("name")) for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))
