"""The dbt YAML that the platform writes for a product: sources for its input ports, contracts and tests for its data sets."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from platform_resources.plan import conventions
from platform_resources.plan.plan import GeneratedFile, InputPlan, ModelPlan
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import needs_quotes

_HEADER = "# Written by the platform from product.yaml at every refresh; changes made here are lost.\n"
# libyaml writes what PyYAML writes, eight times as fast: 1,000 products are planned whenever a code location is loaded.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_JINJA_OPENS = re.compile(r"\{(?=[{%#])")
_CONFIG = ("severity", "warn_if", "error_if", "where", "limit", "store_failures", "tags", "meta")


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
    kind, arguments = test_parts(test)
    config = {key: value for key, value in arguments.items() if key in _CONFIG}
    rest = {key: value for key, value in arguments.items() if key not in _CONFIG}
    definition: dict[str, Any] = {"name": conventions.dbt_test_name(kind, model.name, column.name)}
    definition |= {"arguments": rest} if rest else {}
    definition |= {"config": config} if config else {}
    return {kind: definition}


def test_parts(test: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The dbt test's type and its arguments, from `unique` or `{accepted_values: {values: [a, b]}}`."""
    if isinstance(test, str):
        return test, {}
    ((kind, arguments),) = test.items()
    return kind, arguments or {}


def test_severity(test: str | Mapping[str, Any]) -> str:
    """The dbt test's severity, `error` or `warn`; dbt's default is `error`."""
    return str(test_parts(test)[1].get("severity", "error")).lower()


def _described(text: str) -> dict[str, str]:
    return {"description": escaped(text)} if text else {}


def escaped(text: str) -> str:
    """Text that dbt outputs unchanged. dbt reads descriptions as Jinja templates, so template marks are escaped."""
    return _JINJA_OPENS.sub("{{ '{' }}", text)
