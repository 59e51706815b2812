"""The dbt YAML that the platform writes for a product: sources for its input ports, contracts and tests for its data sets."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from platform_resources.plan import conventions
from platform_resources.plan.from_products.written_tests import WrittenTest, test_name, written_test
from platform_resources.plan.plan import GeneratedFile, InputPlan, ModelPlan
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import needs_quotes

_HEADER = "# Written by the platform from product.yaml at every refresh; changes made here are lost.\n"
# libyaml writes what PyYAML writes, eight times as fast: 1,000 products are planned whenever a code location is loaded.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_JINJA_OPENS = re.compile(r"\{(?=[{%#])")
# One that stands alone: two of them are how SQL writes one, as teams had to.
_ONE_APOSTROPHE = re.compile(r"(?<!')'(?!')")


def generated_file(domain: str, product: str, inputs: Iterable[InputPlan], models: Iterable[ModelPlan]) -> GeneratedFile:
    """The one generated file of a product, the same bytes for the same specs."""
    sources = [_source(inputs)] if inputs else []
    data: dict[str, Any] = {"version": 2, "sources": sources, "models": [_model(m) for m in models if m.data_set]}
    written = {k: v for k, v in data.items() if v}
    text = yaml.dump(written, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120)
    path = f"{conventions.models_folder(domain, product)}/{conventions.GENERATED_FILE}"
    return GeneratedFile(path, _HEADER + text)


def _source(inputs: Iterable[InputPlan]) -> dict[str, Any]:
    tables = [{"name": port.name, **_described(port.description)} for port in inputs]
    return {"name": conventions.SOURCE_NAME, "schema": "inputs", "tables": tables}


def _model(model: ModelPlan) -> dict[str, Any]:
    contract = {"config": {"contract": {"enforced": True}}} if model.columns else {}
    columns = {"columns": [_column(model, column) for column in model.columns]} if model.columns else {}
    return {"name": model.name, **_described(model.description), **contract, **columns}


def _column(model: ModelPlan, column: Column) -> dict[str, Any]:
    """Views take no constraints; their null rates are left to the objectives."""
    enforced = not column.nullable and model.materialized != "view"
    constraints = {"constraints": [{"type": "not_null"}]} if enforced else {}
    tests = [_test(model, column, test) for test in column.tests]
    data_tests = {"data_tests": tests} if tests else {}
    quote = {"quote": True} if needs_quotes(column.name) else {}
    name = {"name": escaped(column.name), **quote, "data_type": column.type}
    return {**name, **_described(column.description), **constraints, **data_tests}


def _test(model: ModelPlan, column: Column, test: str | Mapping[str, Any]) -> dict[str, Any]:
    written = written_test(test)
    definition: dict[str, Any] = {"name": test_name(written, model.name, column.name)}
    definition |= {"description": written.description} if written.description else {}
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
