"""The schema for editors accepts what the readers accept, and refuses mistakes of structure."""

from pathlib import Path

import jsonschema
import pytest

from platform_resources.capabilities.registry import KINDS
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.json_schema import domain_schema, governance_schema, json_schema
from tests.meshes import REPOSITORY, TINY_MESH, document

TESTS = Path(__file__).parents[1]
EXAMPLES = sorted((TESTS / "spec/examples").glob("*.yaml"))
PRODUCTS = sorted((REPOSITORY / "dataproducts").glob("*/*/product.yaml"))
# Bad specs that can be told from the document alone, without arithmetic, SQL, or other files.
STRUCTURAL = [
    "component_is_text",
    "component_without_name",
    "component_without_type",
    "components_missing",
    "dimension_missing",
    "domain_missing",
    "duration_without_unit",
    "extractor_without_a_function",
    "name_without_a_letter",
    "owner_that_is_none",
    "product_name_with_capitals",
    "product_written_as_a_list",
    "routes_that_make_no_sense",
    "two_data_products",
    "unknown_component_type",
    "unknown_dimension",
    "unknown_field_at_the_top",
    "unknown_field_of_a_column",
    "unknown_field_of_a_component",
    "unknown_interface",
    "unknown_property",
    "unknown_property_of_a_port",
    "unknown_words",
    "values_out_of_range",
    "version_range_as_a_number",
    "wrong_api_version",
    "wrong_column_name",
    "wrong_kinds_of_values",
    "wrong_unit",
    "wrong_version",
]


@pytest.fixture(scope="module")
def validator(registry):
    return jsonschema.Draft202012Validator(json_schema(registry))


def data(text):
    document = read_document(text, "product.yaml")
    assert isinstance(document, Document)
    return document.data


def faults(validator, text):
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(data(text))]


def test_the_schema_is_itself_valid(registry):
    jsonschema.Draft202012Validator.check_schema(json_schema(registry))


@pytest.mark.parametrize("file", [*EXAMPLES, *PRODUCTS], ids=lambda file: f"{file.parent.name}-{file.name}")
def test_it_accepts_every_product_of_the_repository(validator, file):
    assert faults(validator, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in TINY_MESH if path.endswith("product.yaml")])
def test_it_accepts_the_tiny_mesh(validator, path):
    assert faults(validator, TINY_MESH[path]) == []


@pytest.mark.parametrize("case", STRUCTURAL)
def test_it_rejects_mistakes_of_structure(validator, case):
    assert faults(validator, (TESTS / "bad_specs" / case / "product.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_accepts_the_example_of_every_capability(validator, registry, kind):
    once = {"domain": "- {name: d, type: domain}", "data-product": "- {name: p, type: data-product}"}
    for capability in registry.by_kind[kind].values():
        others = [text for name, text in once.items() if f"type: {name}\n" not in f"{capability.example}\n"]
        assert faults(validator, document(*others, capability.example)) == [], capability.name


DOMAIN = "- {name: d, type: domain}"
EQUAL = [
    ("description: Text", "description: {value: Text}"),
    ("description: Text", "definition: Text"),
    ("owners: {business: a@b.de}", "data_product_owner: a@b.de"),
    ("archetype: source-aligned", "data_product_type: {value: Source Oriented}"),
    ("certified: true", "certified: 'Yes'"),
    ("certified: false", "certified: {value: no}"),
    ("class: building-block", "class: Building Block"),
    ("keep_versions: 3", "keep_versions: '3'"),
]


@pytest.mark.parametrize(("plain", "other"), EQUAL)
def test_it_accepts_every_way_of_writing(validator, plain, other):
    for written in (plain, other):
        text = document(DOMAIN, f"- name: p\n  type: data-product\n  properties: {{{written}}}")
        assert faults(validator, text) == [], written


@pytest.mark.parametrize("dimension", ["freshness", "Freshness", "{value: Freshness}", "' FRESHNESS '"])
def test_a_dimension_may_be_capitalised(validator, dimension):
    good = document(
        DOMAIN, "- {name: p, type: data-product}", f"- {{name: o, type: service-level-asset, properties: {{dimension: {dimension}}}}}"
    )
    bad = good.replace("}}", ", at_least: 3}}")
    assert faults(validator, good) == []
    assert faults(validator, bad)


def test_every_component_type_and_field_group_is_documented(registry):
    definitions = json_schema(registry)["$defs"]
    assert [name for name, schema in definitions.items() if not schema.get("description") and schema.get("type") == "object"] == []


DOMAINS = sorted((REPOSITORY / "dataproducts").glob("*/domain.yaml"))


@pytest.fixture(scope="module")
def domain_validator():
    return jsonschema.Draft202012Validator(domain_schema())


def test_the_schema_of_a_domain_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(domain_schema())


@pytest.mark.parametrize("file", DOMAINS, ids=lambda file: file.parent.name)
def test_it_accepts_every_domain_of_the_repository(domain_validator, file):
    assert faults(domain_validator, file.read_text(encoding="utf-8")) == []


DOMAIN_MISTAKES = [
    "titel: Sales",
    "channels: {alerts: {description: No URL.}}",
    'channels: {Chat Room: {url: "${URL}"}}',
    "routes: [{channel: alerts, for: everyone}]",
    "routes: [{channel: alerts, severity: urgent}]",
    'routes: [{channel: alerts, quiet_hours: {from: "20:00"}}]',
    'routes: [{channel: alerts, quiet_hours: {from: "20:00", to: "25:00"}}]',
    'routes: [{channel: alerts, quiet_hours: {from: "20:00", to: "07:00", days: [monday]}}]',
    'digest: {channel: alerts, at: "8:00"}',
    "incidents: {wait: 20}",
    "incidents: {renotify: nevr}",
    "incidents: {bad: 0}",
]


@pytest.mark.parametrize("text", DOMAIN_MISTAKES)
def test_it_rejects_mistakes_of_structure_in_a_domain(domain_validator, text):
    assert faults(domain_validator, text)


@pytest.mark.parametrize("text", ["{}", "incidents: {renotify: never, bad: '2'}", "routes: [{channel: a@b.de, for: subscriber}]"])
def test_it_accepts_every_way_of_writing_a_domain(domain_validator, text):
    assert faults(domain_validator, text) == []


def test_the_schema_of_the_governance_accepts_that_of_the_sample_and_refuses_its_mistakes():
    validator = jsonschema.Draft202012Validator(governance_schema())
    jsonschema.Draft202012Validator.check_schema(governance_schema())
    good, bad = (folder / "dataproducts/governance.yaml" for folder in (REPOSITORY, TESTS / "bad_specs/governance_with_mistakes"))
    assert faults(validator, good.read_text(encoding="utf-8")) == []
    assert [fault for fault in faults(validator, bad.read_text(encoding="utf-8")) if "strict" in fault or "7" in fault]
