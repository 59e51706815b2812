"""The JSON Schemas (draft 2020-12) for editors: of product.yaml, made from every capability, of domain.yaml and of governance.yaml.

They accept what the readers accept. What needs other files or arithmetic (names that refer, versions, SQL) is left to `mesh validate`.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from platform_resources.spec.component_reading import ComponentType, Variant, Vocabulary
from platform_resources.spec.domain_document import DomainDocument
from platform_resources.spec.field_problems import written_names
from platform_resources.spec.governance import Governance
from platform_resources.spec.reading import API_VERSION, KIND
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.names import NAME, any_case

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER_TEXT = r"^\s*[+-]?\d+(\.\d+)?\s*$"
_ONCE = ("domain", "data-product")


def json_schema(vocabulary: Vocabulary) -> Schema:
    """The schema of one product.yaml: the component types, and by their `interface` or `dimension` the variants."""
    types = vocabulary.component_types()
    definitions: Schema = {}
    for kind in types.values():
        definitions[kind.name] = _component(kind, vocabulary.variants(kind.name), definitions)
    return {
        "$schema": DIALECT,
        "title": "Data product",
        "description": "What a data product is: product.yaml.",
        **_closed(
            {
                "apiVersion": {"const": API_VERSION},
                "kind": {"const": KIND},
                "metadata": {"description": "Anything; it is not read."},
                "spec": _closed({"components": _components(types)}, ("components",)),
            },
            ("apiVersion", "kind", "spec"),
        ),
        "$defs": dict(sorted(definitions.items())),
    }


def domain_schema() -> Schema:
    """The schema of one domain.yaml."""
    return _plain_schema(DomainDocument, "Domain", "What a domain is: domain.yaml.")


def governance_schema() -> Schema:
    """The schema of governance.yaml."""
    return _plain_schema(Governance, "Governance", "What holds in the whole mesh: governance.yaml.")


def _plain_schema(model: type[Strict], title: str, description: str) -> Schema:
    schema = _accepting(model.model_json_schema(by_alias=True, mode="validation"))
    return {"$schema": DIALECT, "title": title, **schema, "description": description}


def _components(types: Mapping[str, ComponentType]) -> Schema:
    once = [{"contains": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "maxContains": 1} for kind in _ONCE]
    chosen = [_when({"type": {"const": name}}, {"$ref": f"#/$defs/{name}"}) for name in types]
    item = {"type": "object", "required": ["name", "type"], "properties": {"type": {"enum": list(types)}}, "allOf": chosen}
    return {"type": "array", "minItems": 1, "items": item, "allOf": once}


def _component(kind: ComponentType, variants: Mapping[str, Variant], definitions: Schema) -> Schema:
    name: Schema = {"type": "string", "pattern": NAME.pattern if kind.name == "data-product" else "[A-Za-z]"}
    properties = _chosen_variant(kind, variants, definitions) if variants else _properties(kind.name, (kind.config,), definitions)
    optional = kind.inferred_variant({}) in variants if variants else "required" not in properties
    written = {"anyOf": [properties, {"type": "null"}]} if optional else properties
    required = ("name", "type") if optional else ("name", "type", "properties")
    return {"description": _documentation(kind), **_closed({"name": name, "type": {"const": kind.name}, "properties": written}, required)}


def _chosen_variant(kind: ComponentType, variants: Mapping[str, Variant], definitions: Schema) -> Schema:
    """Each variant's fields when it is named; those of the variants that can be told without a name when it is left out."""
    field, cases = kind.variant_field, []
    for name, variant in variants.items():
        definition = f"{kind.name}.{name}"
        definitions[definition] = {
            "description": _documentation(variant),
            **_properties(definition, (kind.config, variant.config), definitions, optional=field),
        }
        cases.append(_when({field: _plain_or_wrapped(_word(name))}, {"$ref": f"#/$defs/{definition}"}))
    inferable = [{"$ref": f"#/$defs/{kind.name}.{name}"} for name in _inferable(kind, variants)]
    otherwise: Schema = {"anyOf": inferable} if inferable else {"required": [field]}
    known = {"anyOf": [_plain_or_wrapped(_words(variants)), {"type": "null"}]} if inferable else _plain_or_wrapped(_words(variants))
    left_out: Schema = {"if": {"not": {"required": [field], "properties": {field: {"not": {"type": "null"}}}}}, "then": otherwise}
    return {"type": "object", "properties": {field: known}, "allOf": [*cases, left_out]}


def _inferable(kind: ComponentType, variants: Mapping[str, Variant]) -> list[str]:
    """The variants that are meant without being named: by nothing at all, or by the fields that they require."""
    inferable = []
    for name, variant in variants.items():
        required = {n for n, field in variant.config.model_fields.items() if field.is_required()}
        if name in (kind.inferred_variant({}), kind.inferred_variant(dict.fromkeys(required, ""))):
            inferable.append(name)
    return inferable


def _properties(owner: str, models: Iterable[type[Strict]], definitions: Schema, optional: str = "") -> Schema:
    """The fields of all models together, each under every name it may be written with, plain or wrapped in `value`."""
    fields: Schema = {}
    required: list[str] = []
    for model in models:
        schema = _accepting(model.model_json_schema(by_alias=True, mode="validation", ref_template=f"#/$defs/{owner}.{{model}}"))
        definitions |= {f"{owner}.{name}": nested for name, nested in schema.pop("$defs", {}).items()}
        for name, field in model.model_fields.items():
            names = written_names(name, field)
            fields |= {written: _plain_or_wrapped(schema["properties"][names[0]]) for written in names}
            required += [names[0]] if field.is_required() and name != optional else []
    return _closed(fields, required)


def _accepting(schema: Schema) -> Schema:
    """The schema without generated titles, and accepting numbers in quotes, which the readers accept too."""
    result = {key: value for key, value in schema.items() if key != "title"}
    for key in ("properties", "$defs"):
        if key in result:
            result[key] = {name: _accepting(value) for name, value in result[key].items()}
    for key in ("anyOf", "allOf", "oneOf", "prefixItems"):
        if key in result:
            result[key] = [_accepting(value) for value in result[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = _accepting(result[key])
    if result.get("type") in ("integer", "number"):
        return {"anyOf": [result, {"type": "string", "pattern": _NUMBER_TEXT}]}
    return result


def _plain_or_wrapped(schema: Schema) -> Schema:
    return {"anyOf": [schema, _closed({"value": schema}, ("value",))]}


def _words(names: Iterable[str]) -> Schema:
    """Any of the names, offered as they are registered; capitals, spaces and _ for - are accepted."""
    known = list(names)
    return {"anyOf": [{"enum": known}, {"type": "string", "pattern": any_case(*known)}]}


def _word(name: str) -> Schema:
    return {"type": "string", "pattern": any_case(name)}


def _when(fields: Schema, then: Schema) -> Schema:
    return {"if": {"required": list(fields), "properties": fields}, "then": then}


def _closed(fields: Schema, required: Iterable[str]) -> Schema:
    names = list(required)
    return {"type": "object", "properties": fields, **({"required": names} if names else {}), "additionalProperties": False}


def _documentation(capability: object) -> str:
    return inspect.getdoc(capability) or ""
