"""The dbt YAML that the platform writes for a product: sources for its input ports, contracts and tests for its data sets."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from platform_resources.plan import conventions
from platform_resources.plan.from_products.dbt_nodes import DbtProject
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.own_descriptions import merged, own_descriptions
from platform_resources.plan.from_products.written_tests import WrittenTest, enforces_constraints, test_name, tests_of
from platform_resources.plan.plan import GeneratedFile
from platform_resources.spec.components import Column, DataSet
from platform_resources.spec.product import Declared, Product, model_name
from platform_resources.spec.values.column_names import needs_quotes
from platform_resources.spec.values.yaml_text import FastDumper

_HEADER = "# Written by the platform from product.yaml at every refresh; changes made here are lost.\n"
_MERGED_HEADER = "# Written by the platform from product.yaml and the dbt YAML beside this file; changes made here are lost.\n"
# Looked for in texts that are no templates, so that dbt, which renders them as such, gives them back.
_JINJA_OPENS = re.compile(r"\{(?=[{%#])")
# In a value, which is no SQL yet. One that stands alone: two of them are how SQL writes one, as teams had to.
_ONE_APOSTROPHE = re.compile(r"(?<!')'(?!')")


def files_of(mesh: Mesh, product: Product, project: DbtProject | None) -> tuple[GeneratedFile, ...]:
    """A product's generated file, the same bytes for the same specs, and one of models that the team's own dbt YAML describes too.

    Only what dbt has said tells which model is a view.
    """
    sources = [_source(product)] if product.input_ports else []
    in_python = {text.name for text in mesh.texts_of(product).models if text.file.endswith(".py")}
    # Of what validation refuses as written twice dbt is shown the first, so that it can say what else is wrong.
    described = {model_name(data_set): data_set for data_set in reversed(product.data_sets)}
    firsts = [d for d in product.data_sets if described[model_name(d)] is d and model_name(d) not in in_python]
    own = own_descriptions(mesh, product)
    models = [_model(data_set, project) for data_set in firsts]
    both = [merged(model, own[model["name"]][0]) for model in models if model["name"] in own]
    alone = {"sources": sources, "models": [model for model in models if model["name"] not in own]}
    files = (
        _file(product, conventions.GENERATED_FILE, _HEADER, alone),
        _file(product, conventions.MERGED_FILE, _MERGED_HEADER, {"models": both}),
    )
    return files if both else files[:1]


def _file(product: Product, name: str, header: str, sections: Mapping[str, Any]) -> GeneratedFile:
    written = {"version": 2, **{section: entries for section, entries in sections.items() if entries}}
    text = yaml.dump(written, Dumper=FastDumper, sort_keys=False, allow_unicode=True, width=120)
    return GeneratedFile(f"{conventions.models_folder(product.domain, product.name)}/{name}", header + text)


def _source(product: Product) -> dict[str, Any]:
    """One source for each product, by its name: so the whole project has no two of one name."""
    tables = [{"name": port.name, **_described(port.config.description)} for port in product.input_ports]
    own = f"{{{{ '{conventions.analyst_schema(product.name, 'inputs')}' if target.name == '{conventions.ANALYST}' else 'inputs' }}}}"
    return {"name": product.name, "schema": own, "tables": tables}


def _model(data_set: Declared[DataSet], project: DbtProject | None) -> dict[str, Any]:
    name, columns = model_name(data_set), data_set.config.columns
    node = project.node(name) if project is not None else None
    enforces = enforces_constraints(node.materialized if node is not None else "table")
    contract = {"config": {"contract": {"enforced": True}}} if columns else {}
    described = {"columns": [_column(name, column, enforces) for column in columns]} if columns else {}
    return {"name": name, **_described(data_set.config.description), **contract, **described}


def _column(model: str, column: Column, enforces: bool) -> dict[str, Any]:
    constraints = {"constraints": [{"type": "not_null"}]} if enforces and not column.nullable else {}
    named = {test_name(test, model, column.name): test for test in tests_of(column, enforces)}
    tests = [_test(name, test) for name, test in named.items()]
    data_tests = {"data_tests": tests} if tests else {}
    quote = {"quote": True} if needs_quotes(column.name) else {}
    name = {"name": escaped(column.name), **quote, "data_type": column.type}
    return {**name, **_described(column.description), **constraints, **data_tests}


def _test(name: str, written: WrittenTest) -> dict[str, Any]:
    definition: dict[str, Any] = {"name": name}
    definition |= {"description": escaped(written.description)} if written.description else {}
    definition |= {"arguments": _for_sql(written)} if written.arguments else {}
    definition |= {"config": dict(written.config)} if written.config else {}
    return {written.kind: definition}


def _for_sql(test: WrittenTest) -> Mapping[str, Any]:
    """The arguments as dbt needs them: it puts accepted values into SQL as they are, so an apostrophe is doubled, unless it already is."""
    values = test.arguments.get("values")
    if test.kind != "accepted_values" or not isinstance(values, list | tuple):
        return test.arguments
    return {**test.arguments, "values": [_ONE_APOSTROPHE.sub("''", value) if isinstance(value, str) else value for value in values]}


def _described(text: str) -> dict[str, str]:
    return {"description": escaped(text)} if text else {}


def escaped(text: str) -> str:
    """Text that dbt outputs unchanged. dbt reads descriptions as Jinja templates, so template marks are escaped."""
    return _JINJA_OPENS.sub("{{ '{' }}", text)
